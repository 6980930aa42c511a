// Bytes of tokens as text. A token may be a part of a character, whose text no string can hold.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text; those that are no UTF-8 as "\xf0\x9f", as OpenAI writes them. */
export function textOfBytes(bytes: readonly number[]): string {
  try {
    return decoder.decode(Uint8Array.from(bytes));
  } catch {
    return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  }
}
