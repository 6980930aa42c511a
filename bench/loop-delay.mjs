// Preloaded by `bench/server.mjs`: answers a message with the longest delay of the event loop, in
// milliseconds, since the last 'reset'.

import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('message', (message) => {
  process.send(delay.max / 1e6);
  if (message === 'reset') delay.reset();
});
