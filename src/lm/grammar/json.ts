// JSON (RFC 8259) as a grammar. White space is bounded, so that a model cannot go on with it for
// ever: one space, or a new line with an indent.

import {
  type CodeRange,
  choice,
  complement,
  type Expression,
  literal,
  nothing,
  oneOf,
  optional,
  type Rules,
  repeat,
  rule,
  sequence,
} from './expression.js';

const DIGIT = oneOf('09');
const HEX = oneOf('09afAF');
/** Digits in a row: more than a float64 tells apart would go on for ever. */
const MOST_DIGITS = 16;
const MOST_INDENT = 20;

/** Characters that stand in a string as they are. */
export const PLAIN: readonly CodeRange[] = complement([
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
]);

/** White space between tokens. */
export const space: Expression = choice(
  nothing,
  literal(' '),
  sequence(literal('\n'), repeat(oneOf('  \t\t'), 0, MOST_INDENT)),
);

/** One character of a string; of escapes by number those that are characters. */
export const character: Expression = choice(
  { kind: 'class', ranges: PLAIN },
  sequence(
    literal('\\'),
    choice(
      oneOf('""\\\\//bbffnnrrtt'),
      sequence(
        literal('u'),
        choice(sequence(oneOf('09acAC'), HEX), sequence(oneOf('efEF'), HEX), sequence(oneOf('ddDD'), oneOf('07'))),
        HEX,
        HEX,
      ),
    ),
  ),
);

export const quoted = (content: Expression): Expression => sequence(literal('"'), content, literal('"'));
export const string: Expression = quoted(repeat(character, 0));
export const boolean: Expression = choice(literal('true'), literal('false'));
export const nullValue: Expression = literal('null');

const positive = choice(literal('0'), sequence(oneOf('19'), repeat(DIGIT, 0, MOST_DIGITS - 1)));
export const integer: Expression = sequence(optional(literal('-')), positive);
export const number: Expression = sequence(
  integer,
  optional(sequence(literal('.'), repeat(DIGIT, 1, MOST_DIGITS))),
  optional(sequence(oneOf('eeEE'), optional(oneOf('++--')), repeat(DIGIT, 1, 2))),
);

/** Parts with commas between them. */
const list = (item: Expression): Expression => sequence(item, repeat(sequence(space, literal(','), space, item), 0));

/** A list in brackets, maybe empty. */
export const arrayOf = (item: Expression): Expression =>
  sequence(literal('['), space, optional(sequence(list(item), space)), literal(']'));

/** An object of any names, maybe empty. */
export const objectOf = (value: Expression): Expression =>
  sequence(
    literal('{'),
    space,
    optional(sequence(list(sequence(string, space, literal(':'), space, value)), space)),
    literal('}'),
  );

/** The rule of any value, and those of any array and object. */
export const jsonRules: Rules = new Map<string, Expression>([
  ['json-value', choice(rule('json-object'), rule('json-array'), string, number, boolean, nullValue)],
  ['json-object', objectOf(rule('json-value'))],
  ['json-array', arrayOf(rule('json-value'))],
]);

/** A JSON object, as OpenAI's `json_object` asks for. */
export const jsonObjectRules: Rules = new Map([['root', rule('json-object')], ...jsonRules]);
