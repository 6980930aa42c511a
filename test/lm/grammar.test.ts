import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Automaton, compileGrammar, type State } from '../../src/lm/grammar/automaton.js';
import { integersBetween } from '../../src/lm/grammar/integers.js';
import { jsonRules } from '../../src/lm/grammar/json.js';
import { TokenTrie } from '../../src/lm/grammar/trie.js';
import { utf8Sequences } from '../../src/lm/grammar/utf8.js';
import {
  characterTokenizer,
  GrammarError,
  generate,
  jsonObjectRules,
  lookupDraft,
  type Rules,
  readGbnf,
  schemaRules,
  TokenGrammar,
} from '../../src/lm/index.js';
import { Random } from '../../src/tensor/index.js';
import { complement, normalised, quotedPattern } from './grammar-parts.js';
import { byteModel, byteTokenizer } from './server-model.js';

/** Whether a text, or bytes, match whole. */
function accepts(rules: Rules, text: string): boolean {
  const automaton = new Automaton(compileGrammar(rules));
  let state: State | null = automaton.start;
  for (const byte of new TextEncoder().encode(text)) state &&= automaton.step(state, byte);
  return state?.isEnd ?? false;
}

/** A random text of a grammar: of the bytes that may follow, those that end it from `limit` bytes on. */
function sampled(rules: Rules, random: Random, limit = 60): string {
  const automaton = new Automaton(compileGrammar(rules));
  const bytes: number[] = [];
  let state = automaton.start;
  for (;;) {
    const next = Array.from({ length: 256 }, (_, byte) => [byte, automaton.step(state, byte)] as const).filter(
      (pair): pair is readonly [number, State] => pair[1] !== null,
    );
    if (next.length === 0 || (state.isEnd && (bytes.length >= limit || random.float() < 0.2))) break;
    const least = Math.min(...next.map(([, { need }]) => need));
    const open = bytes.length < limit ? next : next.filter(([, { need }]) => need === least);
    const [byte, behind] = open[Math.floor(random.float() * open.length)] as readonly [number, State];
    bytes.push(byte);
    state = behind;
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
}

describe('GBNF', () => {
  test.each([
    ['root ::= "a" "b"', ['ab'], ['a', 'abb', '']],
    ['root ::= "a" | "b" "c" | ', ['a', 'bc', ''], ['b', 'ac']],
    ['root ::= [a-c]+ [^a-z\\n]? # comment\n', ['abc', 'aÄ', 'c0'], ['', 'ad', 'a\n', 'abcÄÄ']],
    ['root ::= ("x" | "y"\n  z)* "!"\nz ::= "\\"" | "\\x41" | "\\u00e9"', ['!', 'xy"yA!', 'yé!'], ['y!', 'x']],
    ['root ::= "a"{2} "b"{1,} "c"{0,2}', ['aab', 'aabbbcc'], ['ab', 'aa', 'aabccc']],
    [
      'root ::= expr\nexpr ::= term ("+" term)*\nterm ::= [0-9]+ | "(" expr ")"',
      ['1+(2+34)+5', '((7))'],
      ['1+', '(1', ''],
    ],
    ['root ::= .{2}', ['a𝕏', '€\n'], ['a', 'abc']],
    ['root ::= "a" root "b" | ""', ['', 'ab', 'aaabbb'], ['aab', 'ba']],
    ['root ::=\n  "a" |\n  "b"\n', ['a', 'b'], ['ab']],
    ['root ::= [\\]\\-^]+', [']-^'], ['a']],
  ])('%s', (source, right, wrong) => {
    const rules = readGbnf(source);
    expect(right.filter((text) => !accepts(rules, text))).toEqual([]);
    expect(wrong.filter((text) => accepts(rules, text))).toEqual([]);
  });

  test.each([
    ['a ::= "b"', 'the grammar has no rule "root"'],
    ['root ::= b', 'the grammar has no rule "b"'],
    ['root ::= "a', 'line 1, column 12: expected " before the end of the line'],
    ['root ::= "a"\nroot "b"', 'line 2, column 6: expected ::= behind "root"'],
    ['root ::= ("a"', 'expected )'],
    ['root ::= "a"{3,1}', 'a repetition has 0 to 10000 times'],
    ['root ::= [z-a]', 'a range begins behind its end'],
    ['root ::= "\\uZZZZ"', 'expected 4 hexadecimal digits'],
    ['root ::= b{9999}\nb ::= "a"{9999}', undefined],
  ])('%s: %s', (source, message) => {
    const compile = () => compileGrammar(readGbnf(source));
    if (message === undefined) compile();
    else expect(compile).toThrow(message);
  });

  test('alternatives that match nothing are never begun', () => {
    const automaton = new Automaton(compileGrammar(readGbnf('root ::= "a" x | "b"\nx ::= "c" x')));
    expect(automaton.step(automaton.start, 0x61)).toBeNull();
    expect(automaton.step(automaton.start, 0x62)?.isEnd).toBe(true);
  });

  test('recursion at the end takes no memory, ambiguity no time', () => {
    const automaton = new Automaton(compileGrammar(readGbnf('root ::= (a | b)*\na ::= "x"\nb ::= "x" | "xx"')));
    let state: State | null = automaton.start;
    for (let i = 0; i < 10_000; i++) state &&= automaton.step(state, 0x78);
    expect(state?.isEnd).toBe(true);
    expect(automaton.size).toBeLessThan(10);
  });
});

describe('characters', () => {
  const point = fc.integer({ min: 0, max: 0x10ffff }).filter((one) => one < 0xd800 || one > 0xdfff);

  test('ranges as bytes match exactly the encodings of their characters', () => {
    fc.assert(
      fc.property(point, point, fc.array(point, { maxLength: 30 }), (a, b, others) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const sequences = normalised([[low, high]]).flatMap(utf8Sequences);
        for (const one of [low, high, low + 1, high - 1, high + 1, ...others]) {
          if (one < 0 || one > 0x10ffff || (one >= 0xd800 && one <= 0xdfff)) continue;
          const bytes = new TextEncoder().encode(String.fromCodePoint(one));
          const matches = sequences.some(
            (ranges) =>
              ranges.length === bytes.length &&
              ranges.every(([from, to], i) => (bytes[i] as number) >= from && (bytes[i] as number) <= to),
          );
          expect(matches).toBe(one >= low && one <= high);
        }
      }),
    );
  });

  test('complements hold what ranges lack', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(point, point), { maxLength: 5 }), point, (pairs, one) => {
        const ranges = pairs.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
        const has = (list: readonly (readonly [number, number])[]) => list.some(([a, b]) => one >= a && one <= b);
        expect(has(complement(ranges))).toBe(!has(ranges));
      }),
    );
  });

  test('integers between bounds are those', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1200, max: 1200 }), fc.nat(1500), (low, span) => {
        const automaton = new Automaton(compileGrammar(new Map([['root', integersBetween(low, low + span)]])));
        for (let value = -1300; value <= 2800; value += 7) {
          let state: State | null = automaton.start;
          for (const byte of new TextEncoder().encode(String(value))) state &&= automaton.step(state, byte);
          expect([value, state?.isEnd ?? false]).toEqual([value, value >= low && value <= low + span]);
        }
      }),
      { numRuns: 20 },
    );
    const above = new Map([['root', integersBetween(95, Number.POSITIVE_INFINITY)]]);
    expect(['94', '095', '-95'].some((text) => accepts(above, text))).toBe(false);
    expect(['95', '100', '123456789'].every((text) => accepts(above, text))).toBe(true);
    const below = new Map([['root', integersBetween(Number.NEGATIVE_INFINITY, -3)]]);
    expect(['-3', '-30', '-4000'].every((text) => accepts(below, text))).toBe(true);
    expect(['-2', '0', '3', '-0'].some((text) => accepts(below, text))).toBe(false);
  });
});

describe('JSON', () => {
  const value: Rules = new Map([['root', { kind: 'rule', name: 'json-value' } as const], ...jsonRules]);

  test('values of any kind are accepted, plain or indented', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 8 });
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, false, 0, -1, 1.5, 1e21, -2.5e-7, 123456789),
        text,
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(text, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (one) => {
        expect(accepts(value, JSON.stringify(one))).toBe(true);
        expect(accepts(value, JSON.stringify(one, null, 2))).toBe(true);
      }),
    );
  });

  test.each(['', '{', '01', '.5', '1.', '+1', '"\n"', '"\\x"', '"\\ud800"', "{'a':1}", '[1,]', '{"a"}', 'nul', '1 2'])(
    '%j is none',
    (text) => {
      expect(accepts(value, text)).toBe(false);
    },
  );

  test('every text of the grammar parses', () => {
    const random = new Random(4);
    for (let i = 0; i < 60; i++) expect(typeof JSON.parse(sampled(jsonObjectRules, random))).toBe('object');
  });
});

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 5 },
    age: { type: 'integer', minimum: 18, maximum: 120 },
    tags: { type: 'array', items: { enum: ['a', 'b', 3] }, minItems: 1, maxItems: 3 },
    pet: { anyOf: [{ $ref: '#/$defs/pet' }, { type: 'null' }] },
    code: { type: 'string', pattern: '^[A-Z]{2}-\\d+$' },
    when: { type: 'string', format: 'date' },
    pair: { type: 'array', prefixItems: [{ const: 'x' }, { type: 'boolean' }], items: false },
  },
  required: ['name', 'age', 'pet'],
  $defs: {
    pet: { type: 'object', properties: { kind: { const: 'cat' }, child: { $ref: '#/$defs/pet' } }, required: ['kind'] },
  },
} as const;

/** What the schema above says, in code. */
function isRight(one: Record<string, unknown>): boolean {
  const isPet = (pet: unknown): boolean => {
    const { kind, child, ...rest } = pet as Record<string, unknown>;
    return kind === 'cat' && Object.keys(rest).length === 0 && (child === undefined || isPet(child));
  };
  const { name, age, pet, tags, code, when, pair, ...others } = one;
  return (
    Object.keys(others).length === 0 &&
    typeof name === 'string' &&
    [...name].length >= 1 &&
    [...name].length <= 5 &&
    Number.isInteger(age) &&
    (age as number) >= 18 &&
    (age as number) <= 120 &&
    (pet === null || isPet(pet)) &&
    (tags === undefined ||
      (Array.isArray(tags) &&
        tags.length >= 1 &&
        tags.length <= 3 &&
        tags.every((tag) => ['a', 'b', 3].includes(tag)))) &&
    (code === undefined || /^[A-Z]{2}-\d+$/.test(code as string)) &&
    (when === undefined || new Date(`${when}T00:00:00Z`).toISOString().startsWith(when as string)) &&
    (pair === undefined || (Array.isArray(pair) && pair.length <= 2 && (pair[0] ?? 'x') === 'x'))
  );
}

describe('JSON Schema', () => {
  test('every text of the grammar satisfies the schema', () => {
    const random = new Random(5);
    const seen = new Set<string>();
    for (let i = 0; i < 80; i++) {
      const one = JSON.parse(sampled(schemaRules(schema), random, 120));
      for (const key of Object.keys(one)) seen.add(key);
      expect([one, isRight(one)]).toEqual([one, true]);
    }
    expect(seen.size).toBe(7);
  });

  test.each([
    [schema, '{"name":"Ada","age":36,"pet":null}', true],
    [schema, '{"name":"Ada","age":36}', false],
    [schema, '{"name":"Ada","age":17,"pet":null}', false],
    [schema, '{"name":"","age":36,"pet":null}', false],
    [schema, '{"name":"Ada","age":36,"pet":{"kind":"cat","child":{"kind":"cat"}}}', true],
    [{ type: 'object' }, '{"a":[1,{"b":null}]}', true],
    [{ type: 'object', properties: {}, additionalProperties: false }, '{}', true],
    [{ type: 'object', properties: {}, additionalProperties: false }, '{"a":1}', false],
    [{ additionalProperties: { type: 'integer' } }, '{"a":1,"b":-2}', true],
    [{ additionalProperties: { type: 'integer' } }, '{"a":1.5}', false],
    [{ properties: { a: {}, b: {} }, required: ['b'] }, '{"b":1}', true],
    [{ properties: { a: {}, b: {} }, required: ['b'] }, '{"a":[],"b":1}', true],
    [{ properties: { a: {}, b: {} }, required: ['b'] }, '{"a":1}', false],
    [{ type: ['string', 'null'] }, 'null', true],
    [{ type: ['string', 'null'] }, '1', false],
    [{ type: 'string', nullable: true }, 'null', true],
    [{ enum: [1, 'x', null, { a: [2] }] }, '{"a":[2]}', true],
    [{ enum: [1, 'x'], type: 'string' }, '1', false],
    [{ allOf: [{ type: 'boolean' }] }, 'true', true],
    [{ type: 'array', items: { type: 'integer' }, maxItems: 2 }, '[1,2,3]', false],
    [{ type: 'array', items: { type: 'integer' }, maxItems: 0 }, '[]', true],
    [{ type: 'array', prefixItems: [{ type: 'integer' }], minItems: 2 }, '[1]', false],
    [{ type: 'array', prefixItems: [{ type: 'integer' }], minItems: 2 }, '[1,"x"]', true],
    [{ type: 'array', prefixItems: [{ type: 'integer' }] }, '[]', true],
    [{ type: 'array', prefixItems: [{ type: 'integer' }] }, '["x"]', false],
    [{ oneOf: [{ type: 'string' }, { type: 'integer' }] }, '5', true],
    [{ type: 'string', format: 'date-time' }, '"2024-02-29T10:00:00Z"', false],
    [{ type: 'string', format: 'date-time' }, '"2024-04-30T10:00:00Z"', true],
    [{ type: 'string', format: 'date' }, '"2024-04-31"', false],
    [{ type: 'string', format: 'ipv4' }, '"192.168.0.1"', true],
    [{ type: 'string', format: 'ipv4' }, '"256.1.1.1"', false],
    [{ type: 'string', format: 'email' }, '"ada@example.org"', true],
    [{ type: 'string', format: 'uuid' }, '"123e4567-e89b-12d3-a456-426614174000"', true],
    [{ type: 'string', minLength: 2, maxLength: 2 }, '"€\\n"', true],
    [{ type: 'integer', exclusiveMinimum: 0 }, '0', false],
    [{ type: 'integer', exclusiveMinimum: 0 }, '1', true],
    [true, '[{}]', true],
  ])('%j: %s %s', (one, text, right) => {
    expect(accepts(schemaRules(one as never), text)).toBe(right);
  });

  test.each([
    [{ type: 'object', minProperties: 2 }, 'schema, #/minProperties: not supported'],
    [{ properties: { a: { type: 'array', uniqueItems: true } } }, 'schema, #/properties/a/uniqueItems: not supported'],
    [{ type: 'number', minimum: 0 }, 'schema, #/minimum: not supported; bounds are, of integers'],
    [{ type: 'text' }, 'schema, #/type: "text" is no type; string, '],
    [{ $ref: '#/$defs/lost' }, 'schema, #/$ref: there is no "#/$defs/lost"'],
    [{ $ref: 'https://example.org/x' }, 'only references within the schema'],
    [{ allOf: [{}, {}] }, 'schema, #/allOf: more than one is not supported'],
    [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, 'a value may satisfy two of them'],
    [{ type: 'string', pattern: '(?=a)' }, 'of groups (…) and (?:…) are supported'],
    [{ type: 'string', pattern: '\\bx' }, '\\b is not supported'],
    [{ type: 'string', pattern: 'a', maxLength: 3 }, 'one is supported at a time'],
    [{ type: 'string', format: 'regex' }, '"regex" is not supported; date, '],
    [{ type: 'integer', minimum: 3, maximum: 2 }, 'no integer is from 3 to 2'],
    [{ type: 'array', minItems: 3, maxItems: 2 }, 'an array has no 3 to 2 elements'],
    [{ required: ['a'], additionalProperties: false }, '"a" is no property'],
    [{ properties: { a: false }, required: ['a'] }, 'false allows no value'],
    [{ enum: [] }, 'expected a list of values'],
    [{ $ref: '#', type: 'object' }, 'schema, #/type: not supported beside "$ref"'],
  ])('%j is refused', (one, message) => {
    expect(() => schemaRules(one as never)).toThrow(GrammarError);
    expect(() => schemaRules(one as never)).toThrow(message);
  });

  test('a schema that only contains itself matches no text', () => {
    const rules = schemaRules({ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] });
    expect(() => compileGrammar(rules)).toThrow('the grammar matches no text');
  });

  test('patterns match what JavaScript’s match', () => {
    const patterns = [
      '^a|b$',
      'a.c',
      '^(?:ab|c)*$',
      '^[^"\\\\]{2,3}$',
      '"',
      '^\\w+\\s\\d?$',
      '^[\\d.-]+$',
      '^\\S\\D$',
      '^(a|b(c|d){2})+$',
    ];
    const text = fc.string({ unit: fc.constantFrom(...'abcd"\\ 1.-\n'), maxLength: 6 });
    for (const pattern of patterns) {
      const rules: Rules = new Map([['root', quotedPattern(pattern)]]);
      const expression = new RegExp(pattern, 'u');
      fc.assert(
        fc.property(text, (one) => {
          expect([pattern, one, accepts(rules, JSON.stringify(one))]).toEqual([pattern, one, expression.test(one)]);
        }),
        { numRuns: 60 },
      );
    }
  });
});

describe('tokens', () => {
  const tokenizer = byteTokenizer();
  const model = byteModel();
  const json = new TokenGrammar(jsonObjectRules, tokenizer);
  const prompt = tokenizer.encode('An answer: ');

  test('a walk finds the tokens whose bytes may follow, and no control tokens', () => {
    const words = ['{', '{"', '"}', '":', '{"a":1', '}', ' ', 'é', '\n', '{"a":1}', '[', '{"', '{}'];
    const own = {
      size: words.length,
      stopTokens: [],
      decode: (ids: readonly number[]) => ids.map((id) => (id === 12 ? '' : (words[id] as string))).join(''),
      // The last one is a control token, whose spelling would fit.
      bytesOf: (id: number) => Array.from(new TextEncoder().encode(words[id])),
    };
    const trie = new TokenTrie(own);
    const automaton = new Automaton(compileGrammar(jsonObjectRules));
    const behind = (text: string, from = automaton.start): State | null => {
      let state: State | null = from;
      for (const byte of new TextEncoder().encode(text)) state &&= automaton.step(state, byte);
      return state;
    };
    for (const before of ['', '{', '{"', '{"a":', '{"a":1', '{"a":1}']) {
      const found: number[] = [];
      const state = behind(before) as State;
      trie.walk(automaton, state, (token, next) => {
        expect(next).toBe(behind(words[token] as string, state));
        found.push(token);
      });
      const expected = words.flatMap((word, i) => (i < 12 && behind(word, state) ? [i] : []));
      expect(found.sort((a, b) => a - b)).toEqual(expected);
    }
  });

  test('JSON mode gives JSON, whatever is sampled and however few tokens there are', async () => {
    let cut = 0;
    for (let seed = 0; seed < 40; seed++) {
      const made: number[] = [];
      const maxTokens = 8 + seed;
      const options = { grammar: json, maxTokens, temperature: 1.5, topK: 0, topP: 1, minP: 0, seed };
      for await (const token of generate(model, prompt, { ...options, stopTokens: tokenizer.stopTokens }))
        made.push(token);
      expect(typeof JSON.parse(tokenizer.decode(made))).toBe('object');
      if (made.length >= maxTokens - 1) cut += 1;
    }
    // Many answers would have gone on.
    expect(cut).toBeGreaterThan(5);
  });

  test('drafts change nothing', async () => {
    const rules = readGbnf('root ::= ("abc" | "abd" | "xyz" ){5,20}');
    const texts: string[] = [];
    for (const draft of [undefined, lookupDraft()]) {
      const made: number[] = [];
      const grammar = new TokenGrammar(rules, tokenizer);
      for await (const token of generate(model, prompt, { grammar, maxTokens: 70, temperature: 1, seed: 3, draft }))
        made.push(token);
      texts.push(tokenizer.decode(made));
    }
    expect(texts[0]).toMatch(/^(abc|abd|xyz){5,20}$/);
    expect(texts[1]).toBe(texts[0]);
  });

  test('a text that is whole ends, also without stop tokens; no control token is spelt', async () => {
    const own = { ...tokenizer, stopTokens: [] };
    const ended = async (source: string, maxTokens = 50) => {
      const grammar = new TokenGrammar(readGbnf(source), own);
      const tokens = generate(model, prompt, { grammar, maxTokens, temperature: 0 });
      const made: number[] = [];
      let next = await tokens.next();
      for (; !next.done; next = await tokens.next()) made.push(next.value);
      return [tokenizer.decode(made), next.value, made.every((token) => token < 256)];
    };
    expect(await ended('root ::= "yes"')).toEqual(['yes', 'stop', true]);
    expect(await ended('root ::= ""')).toEqual(['', 'stop', true]);
    expect(await ended('root ::= "<|im_end|>"')).toEqual(['<|im_end|>', 'stop', true]);
    expect(await ended('root ::= "abc"', 3)).toEqual(['abc', 'stop', true]);
    expect(await ended('root ::= "a"+', 5)).toEqual(['aaaaa', 'length', true]);
  });

  test('what the tokens cannot say is an error that shows where', async () => {
    const few = characterTokenizer('abc');
    const run = async (source: string) => {
      const grammar = new TokenGrammar(readGbnf(source), few);
      for await (const _ of generate(model, [1, 2], { grammar, maxTokens: 9 }));
    };
    await expect(run('root ::= "x"')).rejects.toThrow(
      'no token of the model goes on within the grammar at its beginning',
    );
    await expect(run('root ::= "abx"')).rejects.toThrow('within the grammar after "ab"');
  });
});
