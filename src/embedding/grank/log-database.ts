// The click log of a page in its database (IndexedDB), where it stays when the page is closed.

import { ClickLog } from './click-log.js';
import { type CompactionOptions, compactedPieces, compaction, takeKept } from './log-lines.js';
import type { SignedEntry } from './signed-entries.js';

const STORE = 'clicks';

/** A click log and the database that keeps it. */
export class ClickLogDatabase {
  readonly #database: IDBDatabase;

  private constructor(
    database: IDBDatabase,
    /** What the database holds. */
    readonly log: ClickLog,
  ) {
    this.#database = database;
  }

  /**
   * Opens a log, or begins one.
   *
   * @param name of the database
   * @param self the device's own name: its entries are never compacted
   * @throws Error when the page has no database, or it holds something else
   */
  static async open(name: string, self: string, options: CompactionOptions = {}): Promise<ClickLogDatabase> {
    const { compactAt, keep } = { ...compaction, ...options };
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { autoIncrement: true });
    const database = await resultOf(opening);
    const log = new ClickLog();
    try {
      for (const kept of await resultOf(database.transaction(STORE).objectStore(STORE).getAll())) takeKept(log, kept);
    } catch (error) {
      database.close();
      throw new Error(`the database "${name}" is no click log: ${(error as Error).message}`);
    }
    const opened = new ClickLogDatabase(database, log);
    if (log.entries.length > compactAt) await opened.compact(self, keep);
    return opened;
  }

  /** Adds entries, which are kept when it resolves. */
  async append(entries: readonly SignedEntry[]): Promise<void> {
    await this.#write((store) => {
      for (const entry of entries) store.add(entry);
    });
  }

  /** Replaces all but the last entries of each other author by counts, here and in the database. */
  async compact(self: string, keep: number): Promise<void> {
    const pieces = compactedPieces(this.log, self, keep);
    await this.#write((store) => {
      store.clear();
      for (const piece of pieces) store.add(piece);
    });
  }

  /** Closes the database. */
  close(): void {
    this.#database.close();
  }

  /** One transaction, which is made whole or not at all. */
  #write(body: (store: IDBObjectStore) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(STORE, 'readwrite', { durability: 'strict' });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error('the database was not written'));
      body(transaction.objectStore(STORE));
    });
  }
}

function resultOf<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the database cannot be opened'));
  });
}
