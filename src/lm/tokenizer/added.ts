// Tokens that are found in a text before it is cut into words.

import type { PromptPart } from './contract.js';

/** A token that is matched whole. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether only templates may write it, and decoding leaves it out. */
  readonly special: boolean;
  /** Whether it is found only between characters that are no parts of words. */
  readonly singleWord?: boolean;
  /** Whether white space before and after it belongs to it. */
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

/** Longest added token in UTF-16 code units. */
const LONGEST = 1024;

/**
 * Whether a message may write an added token: a word or white space added to the vocabulary, in
 * contrast to `<think>` or `[INST]`, which templates and models write.
 */
const isWord = ({ special, content }: AddedToken) => !special && /^[\p{L}\p{M}\p{N}\s\u2581]+$/u.test(content);

const isWordCharacter = (character: string | undefined) =>
  character !== undefined && /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/u.test(character);

/** Finds added tokens: the first, and among those at one place the longest. */
export class AddedTokens {
  readonly #byContent = new Map<string, AddedToken>();
  /** Lengths of the tokens by their first code unit, the longest first. */
  readonly #lengths = new Map<string, number[]>();
  readonly #words = new Set<AddedToken>();

  /** @throws Error naming a token that is empty, too long or given twice. */
  constructor(readonly tokens: readonly AddedToken[]) {
    for (const token of tokens) {
      const { content } = token;
      if (content.length === 0 || content.length > LONGEST)
        throw new Error(`the added token ${token.id} has ${content.length} characters; 1 to ${LONGEST} are allowed`);
      if (this.#byContent.has(content)) throw new Error(`the added token "${content}" is there twice`);
      this.#byContent.set(content, token);
      if (isWord(token)) this.#words.add(token);
      const first = content[0] as string;
      const lengths = this.#lengths.get(first) ?? [];
      if (!lengths.includes(content.length)) lengths.push(content.length);
      this.#lengths.set(first, lengths);
    }
    for (const lengths of this.#lengths.values()) lengths.sort((a, b) => b - a);
  }

  /** The token that starts at a place; one that messages may not write lies before `controlEnd`. */
  #at(text: string, at: number, controlEnd: number): AddedToken | undefined {
    for (const length of this.#lengths.get(text[at] as string) ?? []) {
      const token = this.#byContent.get(text.slice(at, at + length));
      if (!token || (at + length > controlEnd && !this.#words.has(token))) continue;
      if (token.singleWord && (isWordCharacter(text[at - 1]) || isWordCharacter(text[at + length]))) continue;
      return token;
    }
    return undefined;
  }

  /** The text between added tokens, and the tokens. */
  split(parts: readonly PromptPart[]): (string | AddedToken)[] {
    const text = parts.map((part) => part.text).join('');
    const sections: (string | AddedToken)[] = [];
    let [from, part, partEnd, controlEnd] = [0, -1, 0, 0];
    const push = (to: number) => {
      if (to > from) sections.push(text.slice(from, to));
    };
    for (let at = 0; at < text.length; ) {
      while (at >= partEnd) {
        partEnd += parts[++part]?.text.length ?? Infinity;
        if (partEnd > controlEnd) controlEnd = controlEndOf(parts, part, partEnd);
      }
      const token = this.#at(text, at, controlEnd);
      if (!token) {
        at += 1;
        continue;
      }
      push(token.lstrip ? from + text.slice(from, at).trimEnd().length : at);
      sections.push(token);
      at += token.content.length;
      if (token.rstrip) at += text.length - at - text.slice(at).trimStart().length;
      from = at;
    }
    push(text.length);
    return sections;
  }
}

/** Where the parts that may hold control tokens end, from the one given on. */
function controlEndOf(parts: readonly PromptPart[], part: number, end: number): number {
  if (!parts[part]?.control) return 0;
  let last = end;
  for (let i = part + 1; parts[i]?.control; i++) last += parts[i]?.text.length ?? 0;
  return last;
}
