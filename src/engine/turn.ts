// Yielding to the event loop within long work.

/**
 * Calls back after the events that are pending: at once in Node; in browsers by a message, as their
 * timers wait for milliseconds.
 */
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

/**
 * Lets timers and signals run during long work. @throws the reason of `signal` when it has aborted
 */
export async function eventTurn(signal?: AbortSignal | undefined): Promise<void> {
  await new Promise<void>(later);
  signal?.throwIfAborted();
}

/** Waits for some milliseconds. @throws the reason of `signal` when it aborts */
export function pause(milliseconds: number, signal?: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
