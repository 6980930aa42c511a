// The bytes of all tokens as a trie, so that a walk finds those that a grammar allows.

import type { TextTokenizer } from '../tokenizer/index.js';
import type { Automaton, State } from './automaton.js';

/** Nodes in the order of a walk from the root, children behind their parents. */
export class TokenTrie {
  /** The byte that leads to each node. */
  readonly #bytes: Uint8Array;
  /** Bytes before that one. */
  readonly #depths: Uint16Array;
  /** The node behind the last one below it. */
  readonly #skips: Int32Array;
  /** The tokens [from, to) of `#tokens` that end at each node. */
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #tokens: Int32Array;
  /** Tokens that have text: control tokens have none. */
  readonly size: number;
  /** Bytes of each token with text. */
  readonly texts: ReadonlyMap<number, Uint8Array>;

  constructor(tokenizer: Pick<TextTokenizer, 'size' | 'decode' | 'bytesOf'>) {
    const texts = new Map<number, Uint8Array>();
    const encoder = new TextEncoder();
    const keys: string[] = [];
    for (let token = 0; token < tokenizer.size; token++) {
      const text = tokenizer.decode([token]);
      // Control tokens have no text, whatever they are spelt.
      if (text === '') continue;
      const bytes = tokenizer.bytesOf ? Uint8Array.from(tokenizer.bytesOf(token)) : encoder.encode(text);
      if (bytes.length === 0) continue;
      texts.set(token, bytes);
      keys.push(`${sortable(bytes)}\0${token}`);
    }
    this.texts = texts;
    this.size = texts.size;
    // Texts sort several times faster than with a function that compares.
    const order = keys.sort().map((key) => Number(key.slice(key.indexOf('\0') + 1)));
    const sorted = order.map((token) => [token, texts.get(token) as Uint8Array] as const);
    this.#tokens = Int32Array.from(order);
    const total = sorted.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    const [values, depths] = [new Uint8Array(total), new Uint16Array(total)];
    const [skips, from, to] = [new Int32Array(total), new Int32Array(total), new Int32Array(total)];
    const path: number[] = [];
    let count = 0;
    let before: Uint8Array = new Uint8Array();
    sorted.forEach(([, bytes], i) => {
      let shared = 0;
      while (shared < bytes.length && bytes[shared] === before[shared]) shared += 1;
      for (const node of path.splice(shared)) skips[node] = count;
      for (let depth = shared; depth < bytes.length; depth++) {
        values[count] = bytes[depth] as number;
        depths[count] = depth;
        path.push(count);
        count += 1;
      }
      const last = path.at(-1) as number;
      // Of tokens with the same bytes the first one made the node.
      if (shared < bytes.length) from[last] = i;
      to[last] = i + 1;
      before = bytes;
    });
    for (const node of path) skips[node] = count;
    this.#bytes = values.slice(0, count);
    this.#depths = depths.slice(0, count);
    this.#skips = skips.slice(0, count);
    this.#from = from.slice(0, count);
    this.#to = to.slice(0, count);
  }

  /** Calls `visit` with each token that may follow a state, and the state behind it. */
  walk(automaton: Automaton, start: State, visit: (token: number, state: State) => void): void {
    const [bytes, depths, skips] = [this.#bytes, this.#depths, this.#skips];
    const path: State[] = [start];
    for (let node = 0; node < bytes.length; ) {
      const depth = depths[node] as number;
      const state = path[depth] as State;
      const byte = bytes[node] as number;
      const known = state.next[byte];
      const next = known === undefined ? automaton.step(state, byte) : known;
      if (next === null) {
        node = skips[node] as number;
        continue;
      }
      path[depth + 1] = next;
      const to = this.#to[node] as number;
      for (let i = this.#from[node] as number; i < to; i++) visit(this.#tokens[i] as number, next);
      node += 1;
    }
  }
}

/** Bytes as a text that sorts as they do, before all that goes on: no character of it is 0. */
function sortable(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode((bytes[i] as number) + 1);
  return text;
}
