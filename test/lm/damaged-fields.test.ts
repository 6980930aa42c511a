import { describe, expect, test } from 'vitest';
import { languageModelCases } from './fuzz-cases.js';

const junk: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  1e300,
  2 ** 31,
  '',
  'x',
  '\ud800',
  [],
  [null],
  [[]],
  {},
  { type: 'x' },
];

type Path = readonly (string | number)[];

/** Paths of all values, of long lists and vocabularies the first ones alone. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).slice(0, 20);
  return [path, ...inner.flatMap(([key, one]) => pathsOf(one, [...path, key]))];
}

function changed(value: unknown, [key, ...rest]: Path, to: unknown): unknown {
  if (key === undefined) return to;
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? ([...value] as never)
    : { ...(value as object) };
  if (rest.length === 0 && to === undefined) delete copy[key];
  else copy[key] = changed(copy[key], rest, to);
  return copy;
}

const ofTheLanguage =
  /is not a function|not iterable|Cannot (read|convert|mix|set)|undefined|call stack|Invalid|\[object/;

describe('every field of another kind, or left out, is refused with a reason or read', () => {
  const cases = languageModelCases.filter(({ name }) => name === 'tokenizer-json' || name === 'config-json');
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_, { seeds, read }) => {
    for (const seed of await seeds()) {
      const json: unknown = JSON.parse(new TextDecoder().decode(seed));
      for (const path of pathsOf(json))
        for (const value of [undefined, ...junk]) {
          if (path.length === 0 && value === undefined) continue;
          const file = new TextEncoder().encode(JSON.stringify(changed(json, path, value)));
          try {
            read(file);
          } catch (error) {
            const { name, message } = error as Error;
            const what = `${path.join('.')} as ${JSON.stringify(value)}: ${name}: ${message}`;
            expect(['Error', 'RangeError'], what).toContain(name);
            expect(message, what).not.toMatch(ofTheLanguage);
          }
        }
    }
  });
});
