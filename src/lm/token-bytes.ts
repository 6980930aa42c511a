// The bytes that a token stands for. A token may be a part of a character, whose text no string can
// hold.

import { byteCharacters } from './bpe.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** How the tokens of a tokenizer.json spell bytes. */
interface Spelling {
  readonly decoder?: unknown;
  readonly added_tokens?: readonly { readonly content: string }[];
}

/**
 * The function that gives the bytes of a token from its text in the vocabulary: byte-level BPE has
 * a character for each byte, SentencePiece writes "▁" for a space and "<0xF0>" for the byte f0.
 * Undefined for tokenizers that do neither.
 */
export function bytesOfTokens(json: object): ((content: string) => readonly number[]) | undefined {
  const { decoder: steps, added_tokens: added = [] } = json as Spelling;
  const kinds = JSON.stringify(steps ?? null);
  const whole = new Set(added.map(({ content }) => content));
  const textBytes = (text: string) => Array.from(encoder.encode(text));
  if (kinds.includes('"ByteLevel"')) {
    const byteOf = new Map(byteCharacters().map((character, byte) => [character, byte]));
    return (content) =>
      whole.has(content)
        ? textBytes(content)
        : Array.from(content).flatMap((character) => byteOf.get(character) ?? textBytes(character));
  }
  if (!kinds.includes('"ByteFallback"')) return undefined;
  return (content) => {
    const [, byte] = /^<0x([0-9A-Fa-f]{2})>$/.exec(content) ?? [];
    if (byte !== undefined) return [Number.parseInt(byte, 16)];
    return textBytes(whole.has(content) ? content : content.replaceAll('▁', ' '));
  };
}

/** Bytes as text; those that are no UTF-8 as "\xf0\x9f", as OpenAI writes them. */
export function textOfBytes(bytes: readonly number[]): string {
  try {
    return decoder.decode(Uint8Array.from(bytes));
  } catch {
    return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  }
}
