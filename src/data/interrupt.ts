// Ctrl-C as a signal that a training loop can end on.

/**
 * A signal that aborts at the first Ctrl-C, for `fit({ signal })`: training then stops after
 * writing a checkpoint. A second Ctrl-C ends the process. `release` removes the handler.
 */
export function interruptSignal(): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  process.once('SIGINT', abort);
  return { signal: controller.signal, release: () => process.removeListener('SIGINT', abort) };
}
