// Answers that keep to a grammar: of 1,000 that a model of random weights samples at temperature 1.5,
// how many are valid; and what masks cost for a vocabulary of 150,000 tokens.
//
//   npm run build && node bench/json-mode.mjs [answers]

import { Random } from '../dist/index.js';
import {
  byteCharacters,
  decoderConfig,
  generate,
  jsonObjectRules,
  LanguageModel,
  namedWeights,
  schemaRules,
  TokenGrammar,
  tokenizerOfJson,
  trainBpe,
} from '../dist/lm/index.js';
import { Decoder } from '../dist/models/index.js';
import { stateOf } from '../dist/nn/index.js';

const answers = Number(process.argv[2] ?? 1000);
const schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    tags: { type: 'array', items: { type: 'string' } },
    parent: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
  },
  required: ['name', 'age', 'parent'],
};

const text = Array.from({ length: 3000 }, (_, i) => `{"w${i % 97}": [${i % 13}, "é${i % 7}", null]}\n`).join('');
const tokenizer = { ...tokenizerOfJson(trainBpe(text, 600)), stopTokens: [] };
const size = { vocabulary: tokenizer.size, features: 32, layers: 1, heads: 2, hidden: 64 };
const decoder = new Decoder(size, new Random(1));
const model = new LanguageModel(decoderConfig({ ...size, context: 512 }), namedWeights(stateOf(decoder)));
const prompt = tokenizer.encode('An answer: ');

const isRight = {
  json: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  schema: function right(value) {
    const { name, age, tags = [], parent, ...others } = value;
    const isPlain = Object.keys(others).length === 0 && typeof name === 'string' && Number.isInteger(age);
    const inRange = age >= 0 && age <= 150 && tags.every((tag) => typeof tag === 'string');
    return isPlain && inRange && (parent === null || right(parent));
  },
};

for (const [kind, rules] of Object.entries({ json: jsonObjectRules, schema: schemaRules(schema) })) {
  const grammar = new TokenGrammar(rules, tokenizer);
  let [valid, tokens, cut] = [0, 0, 0];
  for (let seed = 0; seed < answers; seed++) {
    const maxTokens = 40 + (seed % 100);
    const sampling = { temperature: 1.5, topK: 0, topP: 1, minP: 0, seed };
    const made = [];
    for await (const token of generate(model, prompt, { grammar, maxTokens, ...sampling })) made.push(token);
    tokens += made.length;
    if (made.length === maxTokens) cut += 1;
    try {
      if (isRight[kind](JSON.parse(tokenizer.decode(made)))) valid += 1;
    } catch {
      console.log(`invalid, seed ${seed}: ${tokenizer.decode(made)}`);
    }
  }
  console.log(`${kind}: ${valid} of ${answers} valid, ${tokens} tokens, ${cut} at their limit`);
}

// Words of letters, digits and marks, as a vocabulary of 150,000 has them.
const random = new Random(2);
const alphabet = Array.from(' abcdefghijklmnopqrstuvwxyz0123456789{}[]":,.\\\n_-éß中文', (one) => one);
const words = new Set(byteCharacters().map((_, byte) => String.fromCharCode(byte)));
while (words.size < 150_000)
  words.add(
    Array.from(
      { length: 1 + Math.floor(random.float() * 9) },
      () => alphabet[Math.floor(random.float() ** 2 * alphabet.length)],
    ).join(''),
  );
const list = [...words];
const large = { size: list.length, stopTokens: [], decode: (ids) => ids.map((id) => list[id]).join('') };
/** Milliseconds of processor time, which other processes do not lengthen. */
const now = () => process.cpuUsage().user / 1000;
let began = now();
const grammar = new TokenGrammar(schemaRules(schema), large);
console.log(`vocabulary of ${list.length}: ${(now() - began).toFixed(0)} ms once`);
const logits = random.normal([list.length]).dataSync();
const times = { first: [], again: [] };
for (const round of ['first', 'again']) {
  const constraint = grammar.start();
  for (const character of '{"name": "Ada Lovelace", "age": 36, "tags": ["a", "b"], "parent": null}') {
    began = now();
    constraint.masked(logits, 1000);
    times[round].push(now() - began);
    constraint.accept(list.indexOf(character));
  }
}
const mean = (values) => (values.reduce((a, b) => a + b) / values.length).toFixed(2);
for (const [round, values] of Object.entries(times))
  console.log(`masks, ${round} time: ${mean(values)} ms a token, at most ${Math.max(...values).toFixed(1)}`);
