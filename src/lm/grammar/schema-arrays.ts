// Arrays of JSON Schema.

import { type Expression, GrammarError, literal, nothing, optional, repeat, rule, sequence } from './expression.js';
import { space } from './json.js';
import { countOf } from './schema-strings.js';

/**
 * An array: first those of `prefixItems`, then any number of `items`.
 *
 * @throws GrammarError when the counts are no counts, or contradict the items.
 */
export function arrayOfSchema(
  reader: { value(schema: unknown, at: string): Expression },
  schema: Readonly<Record<string, unknown>>,
  at: string,
): Expression {
  const { prefixItems, items, additionalItems } = schema;
  const isOld = Array.isArray(items);
  const before = isOld ? items : (prefixItems ?? []);
  const behind = isOld ? (additionalItems ?? true) : (items ?? true);
  if (!Array.isArray(before)) throw new GrammarError(`schema, ${at}/prefixItems: expected a list`);
  if (!isOld && additionalItems !== undefined)
    throw new GrammarError(`schema, ${at}/additionalItems: supported beside a list of items alone`);
  const min = countOf(schema, 'minItems', at) ?? 0;
  const limit = behind === false ? before.length : Number.POSITIVE_INFINITY;
  const max = Math.min(countOf(schema, 'maxItems', at) ?? limit, limit);
  if (min > max) throw new GrammarError(`schema, ${at}: an array has no ${min} to ${max} elements`);
  const comma = sequence(space, literal(','), space);
  const element = (i: number): Expression => {
    const value = reader.value(before[i], `${at}/prefixItems/${i}`);
    return i === 0 ? value : sequence(comma, value);
  };
  const other = behind === false ? nothing : behind === true ? rule('json-value') : reader.value(behind, `${at}/items`);
  const fixed = Math.min(before.length, max);
  const more = (from: number): Expression => repeat(sequence(comma, other), Math.max(0, min - from), max - from);
  // From the last to the first element: what follows it.
  let rest = max <= fixed ? nothing : fixed > 0 ? more(fixed) : sequence(other, more(1));
  if (fixed === 0 && min === 0 && max > 0) rest = optional(rest);
  for (let i = fixed - 1; i >= 0; i--) {
    const own = sequence(element(i), rest);
    rest = i < min ? own : optional(own);
  }
  return sequence(literal('['), space, rest, space, literal(']'));
}
