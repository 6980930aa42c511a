// Who is told when JavaScript reads the values of a tensor: traces are, as what follows from them
// holds for these values alone.

/** Told of a tensor whose values are read, and by which operation. */
type Watcher = (tensor: object, operation: string) => void;

const watchers: Watcher[] = [];

/** Tells `watcher` of every tensor that `body` reads. */
export function watchReads<T>(watcher: Watcher, body: () => T): T {
  watchers.push(watcher);
  try {
    return body();
  } finally {
    watchers.splice(watchers.lastIndexOf(watcher), 1);
  }
}

/** Called where values are given out. */
export function noteRead(tensor: object, operation: string): void {
  for (const watcher of watchers) watcher(tensor, operation);
}
