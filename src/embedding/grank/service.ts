// A peer at work: searches and clicks of its user, which are signed and kept, and gossip with
// others.

import type { GRankPeer, SearchResult } from './peer.js';
import { type SignedEntry, type Signer, signEntry } from './signed-entries.js';
import type { GossipTransport } from './transport.js';

/** What a peer works with. */
export interface PeerServiceOptions {
  /** Its log and library. */
  readonly peer: GRankPeer;
  /** Its key. */
  readonly signer: Signer;
  /** Keeps entries, such as `ClickLogFile.append`. */
  readonly keep: (entries: readonly SignedEntry[]) => void | Promise<void>;
  /** How it reaches others; without it the peer works alone. */
  readonly transport?: GossipTransport;
}

/** A peer at work. */
export class PeerService {
  #clicks: Promise<unknown> = Promise.resolve();
  #pulling: Promise<number | undefined> | undefined;

  /** @param options what the peer works with */
  constructor(readonly options: PeerServiceOptions) {}

  /** What to show for a query. Meanwhile one of the known peers is asked for news. */
  search(query: string): SearchResult {
    const result = this.options.peer.search(query);
    void this.gossip();
    return result;
  }

  /**
   * Signs and keeps a click; the next ranking counts it.
   *
   * @throws Error for an item that is not known here, or a query without a word
   */
  click(query: string, item: string): Promise<SignedEntry> {
    const { peer, signer, keep } = this.options;
    const made = this.#clicks.then(async () => {
      const term = peer.library.domain.normalise(query);
      if (term === '') throw new Error(`the query "${query}" has no word`);
      const entry = await signEntry(peer.entryOf({ term }, item, Date.now()), signer);
      await keep([entry]);
      peer.log.append(entry);
      return entry;
    });
    // One after the other, as clicks have consecutive numbers.
    this.#clicks = made.catch(() => undefined);
    return made;
  }

  /**
   * Asks one of the known peers for news, one at a time.
   *
   * @returns entries that were new; undefined when nobody answered
   */
  gossip(): Promise<number | undefined> {
    this.#pulling ??= this.#pull().finally(() => {
      this.#pulling = undefined;
    });
    return this.#pulling;
  }

  async #pull(): Promise<number | undefined> {
    const { peer, transport } = this.options;
    const other = peer.drawPeer();
    return other === undefined || !transport ? undefined : transport.pull(peer, other);
  }

  /** Resolves when the clicks and the pull that run are over. */
  async settled(): Promise<void> {
    await Promise.all([this.#clicks, this.#pulling]);
  }
}
