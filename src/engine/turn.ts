/** Gives timers and signals their turn during long work. @throws the reason of `signal` when it has aborted */
export async function eventTurn(signal?: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  signal?.throwIfAborted();
}
