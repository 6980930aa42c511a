// Studies of SmallThinker: load balance by groups of micro-batches, recall beyond windows, and a
// head that computes few rows.

import { PADDING, type TokenBatch, windowsAt } from '../../data/index.js';
import {
  decoderConfig,
  decoderOf,
  LanguageModel,
  namedWeights,
  tokenizerOf,
  trainHeadPredictor,
  trainLanguageModel,
  validationLoss,
  vocabularyOf,
} from '../../lm/index.js';
import type { Decoder } from '../../models/index.js';
import { type ExpertUsage, expertContext, stateOf } from '../../nn/index.js';
import { type Random, scope, tensor } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { loadTokens, type TokenizedText } from './text.js';

const names = ['count', 'total', 'index', 'value', 'left', 'right', 'size', 'next'];

/** TypeScript functions made by a grammar. */
export function generatedCode(characters: number, random: Random): string {
  const pick = (list: readonly string[]) => list[random.integer(list.length)] as string;
  const value = () => (random.float() < 0.3 ? String(random.integer(100)) : pick(names));
  const sum = () => `${value()} ${pick(['+', '-', '*', '%', '<<'])} ${value()}`;
  const statements = [
    () => `const ${pick(names)} = ${sum()};`,
    () => `if (${value()} ${pick(['<', '===', '>='])} ${value()}) return ${value()};`,
    () => `for (let i = 0; i < ${value()}; i++) ${pick(names)} += ${sum()};`,
    () => `${pick(names)}[${value()}] = ${sum()};`,
  ];
  let code = '';
  while (code.length < characters) {
    const body = Array.from(
      { length: 2 + random.integer(4) },
      () => `  ${(statements[random.integer(4)] as () => string)()}\n`,
    );
    code += `function ${pick(names)}${random.integer(10)}(${pick(names)}: number): number {\n${body.join('')}  return ${value()};\n}\n`;
  }
  return code.slice(0, characters);
}

/** Micro-batches of a step, of one domain each, and windows of each. */
const MICRO = 8;
const WINDOWS = 2;
/** Parts of the step over which load is balanced. */
const partitions = { 'micro-batches': MICRO, groups: 2, 'whole step': 1 } as const;
const CHARACTERS = 200_000;

/**
 * Scores: `distance <partition> <seed>`, the total-variation distance of expert usage between two
 * domains, and `loss <partition>`.
 */
export async function groupStudy(
  data: TokenizedText,
  {
    steps,
    length,
    seeds,
    experts,
  }: { readonly steps: number; readonly length: number; readonly seeds: number; readonly experts: number },
  random: Random,
): Promise<StudyResults> {
  const text = data.tokenizer.decode([...data.tokens.train]).slice(0, CHARACTERS);
  const code = generatedCode(CHARACTERS, random.split('code'));
  const vocabulary = vocabularyOf(text + code);
  const tokenizer = tokenizerOf(vocabulary);
  const cut = (whole: string) => {
    const tokens = Int32Array.from(tokenizer.encode(whole));
    const at = Math.floor(0.9 * tokens.length);
    return { train: tokens.subarray(0, at), validation: tokens.subarray(at) };
  };
  const domains = [cut(text), cut(code)] as const;
  const config = decoderConfig({
    ...{
      vocabulary: tokenizer.size,
      features: 64,
      layers: 2,
      heads: 4,
      hidden: 32,
      context: 1024,
      activation: 'reglu',
    },
    experts: { count: experts, k: 2, normalised: true, early: true },
  });
  // Domains take turns, micro-batch by micro-batch: groups hold both.
  const windows = (order: Random): TokenBatch => {
    const parts = Array.from({ length: MICRO }, (_, i) => {
      const { train } = domains[i % 2] as { readonly train: Int32Array };
      const draws = order.split(i);
      const starts = Array.from({ length: WINDOWS }, () => draws.integer(train.length - length - 1));
      return windowsAt(train, starts, length);
    });
    const joined = (of: (batch: TokenBatch) => Int32Array) => Int32Array.from(parts.flatMap((part) => [...of(part)]));
    return {
      inputs: tensor(
        joined(({ inputs }) => inputs.view<Int32Array>()),
        [MICRO * WINDOWS, length],
      ),
      targets: tensor(joined(({ targets }) => targets.view<Int32Array>())),
    };
  };
  const scores: Record<string, number> = {};
  const rows: (string | number)[][] = [];
  for (const [title, balanceGroups] of Object.entries(partitions)) {
    const found: { distance: number; loss: number; hits: number }[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      const own = random.split(seed);
      const model = decoderOf(config, own.split('model'));
      await trainLanguageModel(model, domains[0], own.split('fit'), { steps, balance: 0.02, balanceGroups, windows });
      const usages = domains.map(({ validation }) => usageOn(model, validation, length));
      const losses = domains.map(({ validation }) => validationLoss(model, { validation }, { length, windows: 64 }));
      found.push({
        distance: distanceOf(usages[0] as Usage, usages[1] as Usage),
        loss: ((losses[0] as number) + (losses[1] as number)) / 2,
        hits: (hitRate(usages[0] as Usage) + hitRate(usages[1] as Usage)) / 2,
      });
      scores[`distance ${title} ${seed}`] = (found[seed] as { distance: number }).distance;
    }
    const mean = (of: 'distance' | 'loss' | 'hits') => found.reduce((sum, one) => sum + one[of], 0) / found.length;
    scores[`loss ${title}`] = mean('loss');
    const distances = found.map(({ distance }) => distance.toFixed(3)).join(', ');
    rows.push([
      title,
      mean('distance').toFixed(3),
      distances,
      mean('loss').toFixed(3),
      (100 * mean('hits')).toFixed(1),
    ]);
  }
  return studyOf(
    {
      title: 'Load balance by micro-batches, groups, and the whole step',
      note: `Steps of ${MICRO} micro-batches of ${WINDOWS} windows, in turns of the text and of generated TypeScript; ${experts} experts, two a token; β = 0.02. Distance: total variation between the domains’ usage of experts, mean over layers, and seed by seed; loss on held-out windows of both; hits of a cache of half of the experts, least recently used first.`,
      columns: ['balanced over', 'distance', 'by seed', 'loss (nats)', 'hits (%)'],
      rows,
    },
    scores,
  );
}

/** Experts of each token, by layer, and how often each was chosen. */
type Usage = readonly Pick<ExpertUsage, 'counts' | 'routing'>[];

function usageOn(model: Decoder, tokens: Int32Array, length: number): Usage {
  const context = expertContext();
  const count = Math.min(32, Math.floor((tokens.length - 1) / length));
  const { inputs } = windowsAt(
    tokens,
    Array.from({ length: count }, (_, i) => i * length),
    length,
  );
  model.forward(inputs, context);
  return context.usage;
}

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

/** ½ Σ |f − g| of the shares of experts, mean over layers. */
function distanceOf(a: Usage, b: Usage): number {
  const each = a.map(({ counts }, layer) => {
    const other = (b[layer] as Usage[number]).counts;
    const [all, rest] = [sum(counts), sum(other)];
    return 0.5 * sum(Array.from(counts, (n, e) => Math.abs(n / all - (other[e] as number) / rest)));
  });
  return sum(each) / each.length;
}

/** Share of choices that a cache of half of a layer's experts holds, mean over layers. */
function hitRate(usage: Usage): number {
  const rates = usage.map(({ counts, routing }) => {
    const kept = new Set<number>();
    const chosen = routing.experts.view<Int32Array>();
    let hits = 0;
    for (const expert of chosen) {
      if (kept.delete(expert)) hits += 1;
      kept.add(expert);
      if (kept.size > counts.length / 2) kept.delete(kept.values().next().value as number);
    }
    return hits / chosen.length;
  });
  return sum(rates) / rates.length;
}

/** Keys, and values, of the recall task; its tokens: pairs, a filler, queries, values. */
const KEYS = 8;
const FILLER = KEYS * KEYS;
const VOCABULARY = FILLER + 1 + 2 * KEYS;
const RECALL = { window: 8, filler: 48, layers: 4 };

/** Pairs of a key and a value, a gap, then each key and its value; only values are to be told. */
function recallBatch(count: number, random: Random): TokenBatch {
  const { filler } = RECALL;
  const length = KEYS + filler + 2 * KEYS;
  const inputs = new Int32Array(count * length).fill(FILLER);
  const targets = new Int32Array(count * length).fill(PADDING);
  for (let row = 0; row < count; row++) {
    const values = Array.from({ length: KEYS }, () => random.integer(KEYS));
    const [order, asked] = [random.permutation(KEYS), random.permutation(KEYS)];
    for (let i = 0; i < KEYS; i++) {
      const key = order[i] as number;
      inputs[row * length + i] = key * KEYS + (values[key] as number);
      const at = row * length + KEYS + filler + 2 * i;
      const query = asked[i] as number;
      inputs[at] = FILLER + 1 + query;
      targets[at] = FILLER + 1 + KEYS + (values[query] as number);
      inputs[at + 1] = targets[at] as number;
    }
  }
  const mask = new Float32Array(count * length).fill(1);
  return { inputs: tensor(inputs, [count, length]), targets: tensor(targets), mask };
}

/** Scores `recall hybrid` and `recall windows`: shares of values told right. */
export async function recallStudy(steps: number, random: Random): Promise<StudyResults> {
  const { window, layers, filler } = RECALL;
  const arms = { hybrid: { fullLayers: [0], nopeLayers: [0] }, windows: {} };
  const scores: Record<string, number> = {};
  for (const [title, arm] of Object.entries(arms)) {
    const config = decoderConfig({
      ...{ vocabulary: VOCABULARY, features: 32, layers, heads: 2, hidden: 32, context: 256, window, ...arm },
      ...{ activation: 'reglu', experts: { count: 4, k: 2, normalised: true, early: true } },
    });
    const model = decoderOf(config, random.split('model'));
    const windows = (order: Random) => recallBatch(16, order);
    const nothing = { train: new Int32Array(0) };
    await trainLanguageModel(model, nothing, random.split('fit'), { steps, learningRate: 5e-3, windows });
    scores[`recall ${title}`] = scope(() => {
      const { inputs, targets } = recallBatch(64, random.split('test'));
      const best = model.forward(inputs).argmax(2).view<Int32Array>();
      const wanted = targets.view<Int32Array>();
      const asked = Array.from(wanted.keys()).filter((i) => wanted[i] !== PADDING);
      return asked.filter((i) => best[i] === wanted[i]).length / asked.length;
    });
  }
  return studyOf(
    {
      title: 'Recall beyond the windows',
      note: `${KEYS} pairs of key and value, ${filler} tokens that say nothing, then the keys; ${layers} layers with a window of ${window}, of which the first has full attention without rotary embeddings, or none. Chance is ${(100 / KEYS).toFixed(1)} %.`,
      columns: ['layers', 'values told right (%)'],
      rows: Object.entries(scores).map(([name, share]) => [name.replace('recall ', ''), (100 * share).toFixed(1)]),
    },
    scores,
  );
}

/** Byte pairs of the text whose head is made sparse. */
const PAIRS = 512;
const TESTED = 512;

/** Scores `kept` and `rows`: shares of tokens whose largest logit is kept, and of rows computed. */
export async function headStudy(
  { name }: TokenizedText,
  { steps, batch, length }: { readonly steps: number; readonly batch: number; readonly length: number },
  random: Random,
): Promise<StudyResults> {
  const data = await loadTokens(name, { pairs: PAIRS });
  const config = decoderConfig({
    ...{ vocabulary: data.tokenizer.size, features: 64, layers: 2, heads: 4, hidden: 64, context: 1024 },
    ...{ activation: 'reglu', experts: { count: 8, k: 2, normalised: true, early: true } },
  });
  const model = decoderOf(config, random.split('model'));
  await trainLanguageModel(model, data.tokens, random.split('fit'), { steps, batch, length });
  const predictor = await trainHeadPredictor(
    model,
    { tokens: data.tokens.train, random: random.split('head') },
    { rank: 32, steps, batch, length },
  );
  const source = namedWeights({ ...stateOf(model), 'lm_head_profiler.weight': predictor });
  const sparse = new LanguageModel(config, source, { sparseHead: { least: 16 } });
  const dense = new LanguageModel(config, source);
  const [own, whole] = [sparse.cache(), dense.cache()];
  let kept = 0;
  const tested = data.tokens.test.subarray(0, Math.min(TESTED, config.context));
  for (const token of tested)
    scope(() => {
      const [a, b] = [sparse.forward([token], own), dense.forward([token], whole)];
      kept += Number(a.argmax(1).view<Int32Array>()[0] === b.argmax(1).view<Int32Array>()[0]);
    });
  const scores = { kept: kept / tested.length, rows: sparse.headShare };
  return studyOf(
    {
      title: 'A sparse head',
      note: `${PAIRS} byte pairs; a predictor of rank 32 of the rows that the head needs, trained on the training text; ${tested.length} tokens of the test text.`,
      columns: ['largest logit kept (%)', 'rows computed (%)'],
      rows: [[(100 * scores.kept).toFixed(1), (100 * scores.rows).toFixed(1)]],
    },
    scores,
  );
}
