// How entries move between peers. A peer pulls: it asks one that it knows, which sends what it has
// not sent before. Pushing, the other way round, is there for comparison.

import type { ClickEntry } from './click-log.js';
import type { GRankPeer, PullAnswer } from './peer.js';

/** Answers pulls and takes in pushes. */
export interface PullHandler {
  /** Entries that a peer has not been sent. */
  answer(requester: string): PullAnswer;
  /** Takes in entries. @returns how many are new */
  receive(entries: Iterable<ClickEntry>): number;
  /** Learns of a peer. */
  meet(peer: string): void;
}

/** What peers need of a network. */
export interface GossipTransport {
  /** Asks a peer for news. @returns entries that were new, or undefined when it did not answer */
  pull(requester: GRankPeer, responder: string): number | undefined | Promise<number | undefined>;
}

/** Bytes of entries as JSON. */
const sizes = new WeakMap<ClickEntry, number>();

/** Bytes of an entry as it is sent, without a signature. */
export function entryBytes(entry: ClickEntry): number {
  let size = sizes.get(entry);
  if (size === undefined) {
    size = new TextEncoder().encode(JSON.stringify(entry)).length;
    sizes.set(entry, size);
  }
  return size;
}

/** Peers of one process, which call each other. Counts messages and their bytes. */
export class SimTransport implements GossipTransport {
  readonly #peers = new Map<string, PullHandler>();
  readonly #away = new Set<string>();
  /** Messages that were delivered. */
  messages = 0;
  /** Bytes of their entries as JSON. */
  bytes = 0;

  /** @param countsBytes whether bytes are counted, which takes as long as delivering them */
  constructor(readonly countsBytes = true) {}

  /** Adds a peer. */
  join(id: string, peer: PullHandler): void {
    this.#peers.set(id, peer);
  }

  /** Cuts a peer off, or connects it again. */
  setOnline(id: string, isOnline: boolean): void {
    if (isOnline) this.#away.delete(id);
    else this.#away.add(id);
  }

  /** @inheritdoc */
  pull(requester: GRankPeer, responder: string): number | undefined {
    const other = this.#reach(requester.id, responder);
    if (!other) return undefined;
    const answer = other.answer(requester.id);
    const fresh = requester.receive(answer.entries);
    answer.delivered();
    this.#count(answer.entries);
    return fresh;
  }

  /** Sends a peer what it has not been sent. @returns entries that were new */
  push(sender: GRankPeer, receiver: string): number | undefined {
    const other = this.#reach(sender.id, receiver);
    if (!other) return undefined;
    const news = sender.answer(receiver);
    other.meet(sender.id);
    const fresh = other.receive(news.entries);
    news.delivered();
    this.#count(news.entries);
    return fresh;
  }

  #reach(from: string, to: string): PullHandler | undefined {
    return this.#away.has(from) || this.#away.has(to) ? undefined : this.#peers.get(to);
  }

  #count(entries: readonly ClickEntry[]): void {
    this.messages++;
    if (this.countsBytes) for (const entry of entries) this.bytes += entryBytes(entry);
  }
}
