// Click entries between devices that do not trust each other: each is signed by its author, and a
// peer takes in only what is well-formed, signed, next in the sequence of its author, and not too
// much for a day.

import type { ClickEntry } from './click-log.js';
import type { GRankPeer } from './peer.js';

/** An entry with its author's signature. */
export interface SignedEntry extends ClickEntry {
  /** Signature of `signedBytes` by the author's key, base64. */
  readonly signature: string;
}

/** The key of a peer. */
export interface Signer {
  /** Name of the peer, which stands for its public key. */
  readonly id: string;
  /** Signs bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Whether a signature of bytes was made with an author's key. */
export type Verify = (author: string, bytes: Uint8Array, signature: Uint8Array) => Promise<boolean>;

/** Largest lengths of what an entry holds, in UTF-16 code units; most tags and results. */
const LIMITS = { author: 128, term: 200, item: 200, title: 300, tag: 64, tags: 32, results: 100, signature: 200 };
/** An entry takes at most so many bytes as JSON: it always fits into a frame. */
export const ENTRY_BYTES = 16_384;
/** What would control a terminal, or turn the text around it: no part of an entry. */
const CONTROLS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
/** Milliseconds by which clocks of peers may differ. */
const CLOCK_SKEW = 3_600_000;
const DAY = 86_400_000;

/** The bytes that are signed: all of an entry, in a fixed order. */
export function signedBytes({ author, sequence, term, item, title, tags, time, results }: ClickEntry): Uint8Array {
  const fields = [author, sequence, term, item, title, tags, time, results ?? []];
  return new TextEncoder().encode(`gossamer click 1\n${JSON.stringify(fields)}`);
}

/**
 * Signs an entry of one's own; texts beyond the limits are shortened, controls and results left
 * out.
 */
export async function signEntry(entry: ClickEntry, signer: Signer): Promise<SignedEntry> {
  const { author, sequence, term, item, title, tags, time } = entry;
  const own: ClickEntry = {
    ...{ author, sequence, term, item, time },
    title: title.replace(CONTROLS, ' ').slice(0, LIMITS.title),
    tags: tags.slice(0, LIMITS.tags).map((tag) => tag.replace(CONTROLS, ' ').slice(0, LIMITS.tag)),
  };
  const signature = await signer.sign(signedBytes(own));
  return readEntry({ ...own, signature: base64(signature) });
}

/**
 * An entry from JSON, without anything that does not belong to it.
 *
 * @throws Error naming the first field that is not as it must be
 */
export function readEntry(value: unknown): SignedEntry {
  if (typeof value !== 'object' || value === null) throw new Error('an entry must be an object');
  const fields = value as Readonly<Record<string, unknown>>;
  const text = (name: 'author' | 'term' | 'item' | 'title' | 'signature', least = 1) =>
    requireText(fields[name], name, LIMITS[name], least);
  const texts = (name: 'tags' | 'results', limit: number) => {
    const list = fields[name];
    if (!Array.isArray(list) || list.length > LIMITS[name])
      throw new Error(`"${name}" must be a list of at most ${LIMITS[name]} texts`);
    return list.map((each) => requireText(each, name, limit, 0));
  };
  const count = (name: 'sequence' | 'time', least: number) => {
    const number = fields[name];
    if (!(Number.isSafeInteger(number) && (number as number) >= least))
      throw new Error(`"${name}" must be an integer from ${least}`);
    return number as number;
  };
  const entry: SignedEntry = {
    author: text('author'),
    sequence: count('sequence', 1),
    term: text('term'),
    item: text('item'),
    title: text('title', 0),
    tags: texts('tags', LIMITS.tag),
    time: count('time', 0),
    ...(fields.results !== undefined && { results: texts('results', LIMITS.item) }),
    signature: text('signature'),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(entry)).length;
  if (bytes > ENTRY_BYTES) throw new Error(`an entry takes at most ${ENTRY_BYTES} bytes, got ${bytes}`);
  return entry;
}

function requireText(value: unknown, name: string, limit: number, least: number): string {
  if (typeof value !== 'string' || value.length < least || value.length > limit)
    throw new Error(`"${name}" must be a text of ${least} to ${limit} characters`);
  if (value.search(CONTROLS) >= 0) throw new Error(`"${name}" must be a text without control characters`);
  return value;
}

/** What became of entries. */
export interface IntakeReport {
  /** Taken in. */
  accepted: number;
  /** Known before. */
  known: number;
  /** Not the next of their author. */
  gaps: number;
  /** Beyond what is taken of an author a day. */
  excess: number;
  /** With a signature that is not their author's. */
  forged: number;
  /** Not entries at all, or from the future. */
  malformed: number;
}

/** Options of `EntryIntake`. */
export interface IntakeOptions {
  /** Entries of one author that are taken in a day. Default: 1,000. */
  readonly perDay?: number;
  /** Called with entries that were taken in, before `take` returns. */
  readonly onAccept?: (entries: readonly SignedEntry[]) => void;
  /** The time in milliseconds since 1970. Default: the clock's. */
  readonly now?: () => number;
}

/** The door through which entries of others come into a log. */
export class EntryIntake {
  readonly #taken = new Map<string, number>();
  #day = -1;

  /**
   * @param peer whose log it is
   * @param verify checks signatures
   * @param options limits, and what happens with what is taken in
   */
  constructor(
    readonly peer: GRankPeer,
    readonly verify: Verify,
    readonly options: IntakeOptions = {},
  ) {}

  /** Takes in what can be taken of values that came from another peer. */
  async take(values: readonly unknown[]): Promise<IntakeReport> {
    const report: IntakeReport = { accepted: 0, known: 0, gaps: 0, excess: 0, forged: 0, malformed: 0 };
    const accepted: SignedEntry[] = [];
    for (const value of values) {
      const outcome = await this.#take(value, accepted);
      report[outcome]++;
    }
    if (accepted.length > 0) this.options.onAccept?.(accepted);
    return report;
  }

  async #take(value: unknown, accepted: SignedEntry[]): Promise<keyof IntakeReport> {
    const { now = Date.now, perDay = 1000 } = this.options;
    let entry: SignedEntry;
    try {
      entry = readEntry(value);
    } catch {
      return 'malformed';
    }
    const { author, sequence, time } = entry;
    const { log } = this.peer;
    if (log.has(entry)) return 'known';
    if (sequence !== log.contiguous(author) + 1) return 'gaps';
    if (time > now() + CLOCK_SKEW) return 'malformed';
    const day = Math.floor(now() / DAY);
    if (day !== this.#day) this.#taken.clear();
    this.#day = day;
    const taken = this.#taken.get(author) ?? 0;
    if (taken >= perDay) return 'excess';
    if (!(await this.#isSigned(entry))) return 'forged';
    // Another pull may have brought the entry meanwhile.
    if (this.peer.receive([entry]) === 0) return 'known';
    this.#taken.set(author, taken + 1);
    accepted.push(entry);
    return 'accepted';
  }

  async #isSigned(entry: SignedEntry): Promise<boolean> {
    try {
      return await this.verify(entry.author, signedBytes(entry), fromBase64(entry.signature));
    } catch {
      return false;
    }
  }
}

const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
