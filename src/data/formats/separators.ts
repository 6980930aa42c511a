// What separates the columns of an edge list, as its first line tells.

export const [TAB, SPACE, QUOTE, COMMA, SEMICOLON] = [9, 32, 34, 44, 59] as const;

/** Three columns apart by spaces, the last with a decimal comma. */
const DECIMAL_COMMA = /^[^\s,"]+\s+[^\s,"]+\s+[+-]?\d*,\d+$/;

/**
 * The separators that a line may have: one or, where a comma may be that of a decimal, two. What is
 * quoted does not count.
 */
export function separatorsOf(line: Uint8Array): readonly number[] {
  const found = new Set<number>();
  const all: readonly number[] = [TAB, COMMA, SEMICOLON, SPACE];
  let quoted = false;
  let begins = true;
  for (const byte of line) {
    // A quote within an unquoted field is part of it.
    if (byte === QUOTE && (quoted || begins)) quoted = !quoted;
    else if (!quoted) found.add(byte);
    begins = all.includes(byte);
  }
  if (found.has(TAB)) return [TAB];
  if (!found.has(COMMA)) return [found.has(SEMICOLON) ? SEMICOLON : SPACE];
  if (found.has(SEMICOLON)) return [SEMICOLON, COMMA];
  return DECIMAL_COMMA.test(new TextDecoder().decode(line)) ? [SPACE, COMMA] : [COMMA];
}

const names: ReadonlyMap<number, string> = new Map([
  [TAB, 'tabs'],
  [COMMA, 'commas'],
  [SEMICOLON, 'semicolons'],
  [SPACE, 'spaces'],
]);

/** "semicolons or commas". */
export function separatorNames(separators: readonly number[]): string {
  return separators.map((separator) => names.get(separator)).join(' or ');
}
