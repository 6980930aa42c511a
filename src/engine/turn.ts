// A turn of the event loop within long work.

/** Calls back when what waits has had its turn: at once in Node; in browsers by a message, as their timers wait for milliseconds. */
const later: (callback: () => void) => void =
  typeof setImmediate === 'function'
    ? setImmediate
    : (callback) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          callback();
        };
        port2.postMessage(undefined);
      };

/** Gives timers and signals their turn during long work. @throws the reason of `signal` when it has aborted */
export async function eventTurn(signal?: AbortSignal | undefined): Promise<void> {
  await new Promise<void>(later);
  signal?.throwIfAborted();
}
