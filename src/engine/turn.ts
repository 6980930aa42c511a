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
