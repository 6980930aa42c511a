// The option --threads.

import { availableThreads, setThreads } from '../engine/index.js';

/** Sets the threads of kernels when they are given, and warns of more than the machine has. */
export function useThreads(count: number | undefined): void {
  if (count === undefined) return;
  setThreads(count);
  const available = availableThreads();
  if (count > available)
    process.stderr.write(
      `warning: --threads ${count} is more than the ${available} that this machine has; that is slower, not faster\n`,
    );
}
