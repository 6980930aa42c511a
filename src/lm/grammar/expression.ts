// Grammars as expressions: what GBNF and JSON Schema are read to, and what automata are made of.

/** Code points from `low` to `high`. */
export type CodeRange = readonly [low: number, high: number];

/** What a part of a text may be. */
export type Expression =
  | { readonly kind: 'literal'; readonly text: string }
  /** One character of these. */
  | { readonly kind: 'class'; readonly ranges: readonly CodeRange[] }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choice'; readonly options: readonly Expression[] }
  | { readonly kind: 'repeat'; readonly part: Expression; readonly min: number; readonly max: number };

/** Rules by name; a text matches where it matches `root`. */
export type Rules = ReadonlyMap<string, Expression>;

/** A grammar that cannot be used, with the reason. */
export class GrammarError extends Error {}

export const literal = (text: string): Expression => ({ kind: 'literal', text });
export const rule = (name: string): Expression => ({ kind: 'rule', name });
export const sequence = (...parts: readonly Expression[]): Expression =>
  parts.length === 1 ? (parts[0] as Expression) : { kind: 'sequence', parts };
export const choice = (...options: readonly Expression[]): Expression =>
  options.length === 1 ? (options[0] as Expression) : { kind: 'choice', options };
export const repeat = (part: Expression, min: number, max = Number.POSITIVE_INFINITY): Expression => ({
  kind: 'repeat',
  part,
  min,
  max,
});
export const optional = (part: Expression): Expression => repeat(part, 0, 1);
export const nothing: Expression = sequence();

/** A class by its characters, as `'09afAF'`: pairs of the first and the last one. */
export function oneOf(pairs: string): Expression {
  const points = Array.from(pairs, (character) => character.codePointAt(0) as number);
  return {
    kind: 'class',
    ranges: points.flatMap((low, i) => (i % 2 ? [] : [[low, points[i + 1] as number] as const])),
  };
}

const LAST = 0x10ffff;
const SURROGATES: CodeRange = [0xd800, 0xdfff];

/** Sorted ranges without overlaps, and without surrogates, which are no characters. */
export function normalised(ranges: readonly CodeRange[]): CodeRange[] {
  const kept: [number, number][] = [];
  for (const [low, high] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = kept.at(-1);
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else kept.push([low, high]);
  }
  return kept.flatMap(([low, high]) => {
    const parts: CodeRange[] = [
      [low, Math.min(high, SURROGATES[0] - 1)],
      [Math.max(low, SURROGATES[1] + 1), high],
    ];
    return parts.filter(([from, to]) => from <= to);
  });
}

/** The characters outside ranges. */
export function complement(ranges: readonly CodeRange[]): CodeRange[] {
  const outside: CodeRange[] = [];
  let next = 0;
  for (const [low, high] of normalised(ranges)) {
    if (low > next) outside.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= LAST) outside.push([next, LAST]);
  return normalised(outside);
}
