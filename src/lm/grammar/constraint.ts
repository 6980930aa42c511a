// Generation within a grammar: which tokens may follow, and what was said so far.

import type { TokenConstraint } from '../runtime/generate.js';
import type { TextTokenizer } from '../tokenizer/index.js';
import { Automaton, compileGrammar, type Program, type State } from './automaton.js';
import { GrammarError, type Rules } from './expression.js';
import { TokenTrie } from './trie.js';

/** Which tokens a state allows. */
interface Allowed {
  /** A bit for each token of the vocabulary. */
  readonly bits: Uint32Array;
  readonly count: number;
  /** Fewest bytes to an end behind any of them. */
  readonly least: number;
  /** Most of these fewest bytes. */
  readonly most: number;
}

/** States and masks that an automaton keeps for the next answer. */
const MOST_STATES = 20_000;
const MOST_MASKS = 500;

const tries = new WeakMap<object, TokenTrie>();

/**
 * The trie of a tokenizer, made when it is first needed. A server makes it when it starts: for
 * 150,000 tokens that takes a second.
 */
export function trieOf(tokenizer: Pick<TextTokenizer, 'size' | 'decode' | 'bytesOf'>): TokenTrie {
  let trie = tries.get(tokenizer);
  if (!trie) {
    trie = new TokenTrie(tokenizer);
    tries.set(tokenizer, trie);
  }
  return trie;
}

/**
 * A grammar for the tokens of one model. Masks are kept: texts that lead to the same state share
 * them, also those of other answers.
 */
export class TokenGrammar {
  readonly #trie: TokenTrie;
  readonly #program: Program;
  readonly #stops: readonly number[];
  #automaton: Automaton;
  /** States with masks, the oldest first. */
  #masked: State[] = [];

  /** @throws GrammarError when no text matches, or the rules cannot be used. */
  constructor(rules: Rules, tokenizer: Pick<TextTokenizer, 'size' | 'decode' | 'bytesOf' | 'stopTokens'>) {
    this.#program = compileGrammar(rules);
    this.#automaton = new Automaton(this.#program);
    this.#trie = trieOf(tokenizer);
    this.#stops = tokenizer.stopTokens;
  }

  /** A new text. */
  start(): TokenConstraint {
    if (this.#automaton.size > MOST_STATES) {
      this.#automaton = new Automaton(this.#program);
      this.#masked = [];
    }
    return new GrammarConstraint(this, this.#automaton, this.#trie);
  }

  /** Token ids that end a text. */
  get stops(): readonly number[] {
    return this.#stops;
  }

  /** The tokens that a state allows. */
  allowed(automaton: Automaton, state: State, vocabulary: number): Allowed {
    if (state.memo) return state.memo as Allowed;
    const bits = new Uint32Array(Math.ceil(vocabulary / 32));
    let [count, least, most] = [0, Number.POSITIVE_INFINITY, 0];
    this.#trie.walk(automaton, state, (token, { need }) => {
      if (token >= vocabulary) return;
      bits[token >> 5] = (bits[token >> 5] as number) | (1 << (token & 31));
      count += 1;
      if (need < least) least = need;
      if (need > most) most = need;
    });
    const allowed = { bits, count, least, most };
    state.memo = allowed;
    this.#masked.push(state);
    if (this.#masked.length > MOST_MASKS) (this.#masked.shift() as State).memo = undefined;
    return allowed;
  }
}

class GrammarConstraint implements TokenConstraint {
  #state: State;
  #text: number[] = [];

  constructor(
    readonly grammar: TokenGrammar,
    readonly automaton: Automaton,
    readonly trie: TokenTrie,
  ) {
    this.#state = automaton.start;
  }

  get isOver(): boolean {
    const { isEnd, stacks } = this.#state;
    return isEnd && stacks.length === 0;
  }

  masked(logits: Float32Array, remaining: number): Float32Array {
    const state = this.#state;
    const masked = new Float32Array(logits.length).fill(Number.NEGATIVE_INFINITY);
    const { bits, count, least, most } = this.grammar.allowed(this.automaton, state, logits.length);
    const { stops } = this.grammar;
    if (state.isEnd) for (const token of stops) masked[token] = logits[token] as number;
    if (count === 0 && !(state.isEnd && stops.length > 0)) this.#fail();
    // Where every byte may be a token of its own, so many tokens reach an end in time.
    const budget = Math.max(remaining - 1, least);
    if (most <= budget) {
      for (let token = 0; token < logits.length; token++)
        if (((bits[token >> 5] as number) >>> (token & 31)) & 1) masked[token] = logits[token] as number;
    } else if (!state.isEnd || least <= remaining - 1 || stops.length === 0)
      this.trie.walk(this.automaton, state, (token, { need }) => {
        if (need <= budget && token < logits.length) masked[token] = logits[token] as number;
      });
    return masked;
  }

  accept(token: number): void {
    for (const byte of this.trie.texts.get(token) ?? []) {
      this.#text.push(byte);
      const next = this.automaton.step(this.#state, byte);
      if (!next) this.#fail();
      this.#state = next;
    }
    if (this.#text.length > 64) this.#text = this.#text.slice(-32);
  }

  #fail(): never {
    const before = new TextDecoder().decode(Uint8Array.from(this.#text.slice(-32)));
    throw new GrammarError(
      `no token of the model goes on within the grammar ${before === '' ? 'at its beginning' : `after ${JSON.stringify(before)}`}`,
    );
  }
}
