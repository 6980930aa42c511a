// Names that a JSON text gives twice. `JSON.parse` keeps the last of them and says nothing.

/** Strings and structure of valid JSON; numbers and literals are of no interest here. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/**
 * The first key that an object of a valid JSON text holds twice, undefined when there is none.
 *
 * @param text that `JSON.parse` accepts
 */
export function repeatedKey(text: string): string | undefined {
  // For each open bracket: the keys of an object, undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  let awaitsKey = false;
  for (const [token] of text.matchAll(TOKENS)) {
    const keys = open.at(-1);
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      awaitsKey = token === '{';
    } else if (token === '}' || token === ']') {
      open.pop();
      awaitsKey = false;
    } else if (token === ',') awaitsKey = keys !== undefined;
    else if (awaitsKey && keys) {
      const key = JSON.parse(token) as string;
      if (keys.has(key)) return key;
      keys.add(key);
      awaitsKey = false;
    }
  }
  return undefined;
}
