// Usage and speed of the mixture-of-experts layers of a decoder, on test tokens of a text.

import { windowsAt } from '../../data/index.js';
import { secondsInTurns } from '../../engine/index.js';
import type { Decoder } from '../../models/index.js';
import { type ExpertLayer, type ExpertUsage, expertContext, spearman } from '../../nn/index.js';
import { groupedMatmul } from '../../sparse/index.js';
import { matmul, Random, scope, type Tensor } from '../../tensor/index.js';
import type { MethodScores, Metric, Scores, Table } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import type { TokenizedText } from './text.js';

/** Test tokens that are measured on, at least. */
export const MEASURED_TOKENS = 2048;
/** Tokens with fewer occurrences are left out of the table. */
const LEAST_TIMES = 20;
const ROUNDS = { repeats: 21, warmUp: 2 };
/** Least share of the time with routing that the same work without it may take. */
const PLAUSIBLE = 0.95;

export const expertMetrics = {
  slots: { label: 'experts computed per token', digits: 2, better: 'smaller' },
  variety: { label: 'least share of 0, 1, 2 experts computed, and of constants', unit: '%', better: 'larger' },
  hardness: { label: 'rank correlation of experts computed and loss', digits: 3, better: 'larger' },
  experts: { label: 'experts', unit: 'ms', digits: 2, better: 'smaller' },
  routed: { label: 'experts with routing', unit: 'ms', digits: 2, better: 'smaller' },
  rate: { label: 'grouped products', unit: 'GFLOP/s', digits: 1, better: 'larger' },
  dense: { label: 'dense product of as many rows', unit: 'GFLOP/s', digits: 1, better: 'neither' },
  variance: { label: 'variance of the top probability', digits: 4, better: 'neither' },
} as const satisfies Record<string, Metric>;

/** What the layers of a decoder did on adjacent windows of the test tokens. */
export interface Measured {
  /** Inputs and routing of each layer. */
  readonly usage: readonly ExpertUsage[];
  /** The tokens, and the loss of predicting the next one at each. */
  readonly tokens: Int32Array;
  readonly losses: Float64Array;
}

/** Runs a decoder on test windows. @param training with capacities, as in a pass of training */
export function measured(
  model: Decoder,
  { tokens: { test } }: TokenizedText,
  length: number,
  { training = false } = {},
): Measured {
  const windows = Math.min(Math.ceil(MEASURED_TOKENS / length), Math.floor((test.length - 1) / length));
  const starts = Array.from({ length: windows }, (_, i) => i * length);
  const context = expertContext({ training });
  const { inputs, targets } = windowsAt(test, starts, length);
  const logits = model.forward(inputs, context);
  return { usage: context.usage, tokens: inputs.view<Int32Array>(), losses: tokenLosses(logits, targets) };
}

/** Cross-entropy at each position: logits […, vocabulary], targets [positions]. */
function tokenLosses(logits: Tensor, targets: Tensor): Float64Array {
  const values = logits.dataSync();
  const size = logits.shape.at(-1) as number;
  return Float64Array.from(targets.view<Int32Array>(), (target, t) => {
    const row = values.subarray(t * size, (t + 1) * size);
    const top = row.reduce((a, b) => Math.max(a, b));
    return top + Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0)) - (row[target] as number);
  });
}

/** The layers of experts of a decoder, all of whose feed-forward layers are such. */
export function layersOf(model: Decoder): ExpertLayer[] {
  return model.model.layers.map(({ mlp }) => mlp as ExpertLayer);
}

/** Number of feed-forward experts that each token computes in a layer [T]. */
function computed({ routing: { experts, k } }: ExpertUsage, feedForward: number): Int32Array {
  const chosen = experts.view<Int32Array>();
  const counts = new Int32Array(chosen.length / k);
  for (let slot = 0; slot < chosen.length; slot++)
    if ((chosen[slot] as number) < feedForward)
      counts[Math.floor(slot / k)] = (counts[Math.floor(slot / k)] as number) + 1;
  return counts;
}

/**
 * Scores of a decoder whose feed-forward layers are all layers of experts.
 *
 * @param constants constant experts, which follow the feed-forward ones
 */
export function expertScores(model: Decoder, data: TokenizedText, length: number, constants: number): Scores {
  return scope(() => {
    const { usage, losses } = measured(model, data, length);
    const feedForward = layersOf(model)[0]?.experts.count ?? 0;
    const counts = usage.map((layer) => computed(layer, feedForward));
    const all = counts.flatMap((layer) => [...layer]);
    const total = Float64Array.from(losses, (_, t) => counts.reduce((sum, layer) => sum + (layer[t] as number), 0));
    return {
      slots: summarize(all).mean,
      variance: summarize(usage.map(({ routing }) => varianceOfTop(routing.probabilities))).mean,
      ...(constants > 0 && {
        variety: 100 * Math.min(...[0, 1, 2].map((n) => shareOf(all, n)), constantShare(usage, feedForward, constants)),
        hardness: spearman(total, losses),
      }),
    };
  });
}

const shareOf = (counts: readonly number[], wanted: number) =>
  counts.filter((count) => count === wanted).length / counts.length;

/** Constants chosen per token and layer. */
function constantShare(usage: readonly ExpertUsage[], first: number, constants: number): number {
  const chosen = usage.flatMap(({ counts }) => [...counts.subarray(first, first + constants)]);
  const tokens = usage.reduce((sum, { tokens: { shape } }) => sum + (shape[0] as number), 0);
  return chosen.reduce((sum, count) => sum + count, 0) / tokens;
}

/** Variance over tokens of the largest probability of a router. */
function varianceOfTop(probabilities: Tensor): number {
  return summarize(Array.from(probabilities.max(1).dataSync())).sd ** 2;
}

/**
 * Times of the experts of several decoders, arms in turns, joined to their scores: `experts` with
 * given routing, `routed` with the router, the `rate` of the first grouped product and that of a
 * `dense` product of as many rows.
 */
export async function withTimes(
  methods: readonly MethodScores[],
  models: ReadonlyMap<string, Decoder>,
  data: TokenizedText,
  length: number,
): Promise<MethodScores[]> {
  using _ = scope();
  const arms = methods.map(({ method }) => armsOf(models.get(method) as Decoder, data, length));
  const bodies = arms.flatMap((own, at) => Object.entries(own.bodies).map(([name, body]) => [`${at} ${name}`, body]));
  const seconds: Readonly<Record<string, number>> = await secondsInTurns(Object.fromEntries(bodies), ROUNDS);
  return methods.map(({ scores, ...method }, at) => {
    const time = (name: string) => seconds[`${at} ${name}`] as number;
    const work = (arms[at] as ReturnType<typeof armsOf>).work / 1e9;
    // Routing adds work: where it seems to save time, the machine was busy and the times mean
    // nothing.
    const isPlausible = time('routed') >= PLAUSIBLE * time('experts');
    const times = { experts: isPlausible ? 1000 * time('experts') : Number.NaN, routed: 1000 * time('routed') };
    return { ...method, scores: { ...scores, ...times, rate: work / time('grouped'), dense: work / time('dense') } };
  });
}

/** What is timed of a decoder, and the operations of its first grouped product. */
function armsOf(model: Decoder, data: TokenizedText, length: number) {
  const layers = layersOf(model);
  const { usage } = measured(model, data, length);
  const pass = (choices: 'given' | 'made') => () =>
    scope(() => {
      layers.forEach((layer, i) => {
        const { tokens, routing } = usage[i] as ExpertUsage;
        const before = i > 0 ? { ...expertContext(), logits: (usage[i - 1] as ExpertUsage).routing.logits } : undefined;
        const choice = choices === 'made' ? layer.route(tokens, before) : routing;
        layer.compute(tokens, choice, layer.dispatch(choice));
      });
    });
  const [layer, { tokens, routing }] = [layers[0] as ExpertLayer, usage[0] as ExpertUsage];
  const { up, features, hidden } = layer.experts;
  const plan = layer.dispatch(routing);
  const rows = plan.gather(tokens);
  const weights = new Random(1).normal([2 * hidden, features]);
  return {
    work: 4 * plan.size * features * hidden,
    bodies: {
      experts: pass('given'),
      routed: pass('made'),
      grouped: () => void scope(() => groupedMatmul(rows, up, plan.segments, { transposeB: true })),
      dense: () => void scope(() => matmul(rows, weights, { transposeB: true })),
    },
  };
}

/**
 * Mean number of feed-forward experts that a layer computes for each token of the vocabulary, most
 * first.
 */
export function expertsByToken(model: Decoder, data: TokenizedText, length: number): Table {
  return scope(() => {
    const { usage, tokens } = measured(model, data, length);
    const feedForward = layersOf(model)[0]?.experts.count ?? 0;
    const counts = usage.map((layer) => computed(layer, feedForward));
    const seen = new Map<number, { computed: number; times: number }>();
    for (const [t, token] of tokens.entries()) {
      const entry = seen.get(token) ?? { computed: 0, times: 0 };
      entry.times += 1;
      for (const layer of counts) entry.computed += (layer[t] as number) / counts.length;
      seen.set(token, entry);
    }
    const rows = [...seen]
      .map(([token, { computed: sum, times }]) => ({ token, experts: sum / times, times }))
      .filter(({ times }) => times >= LEAST_TIMES)
      .sort((a, b) => b.experts - a.experts);
    return {
      columns: ['token', 'experts', 'times'],
      rows: rows.map(({ token, experts, times }) => [
        JSON.stringify(data.tokenizer.decode([token])),
        experts.toFixed(3),
        times,
      ]),
    };
  });
}

/** The first and last rows of a long table. */
export function ends({ columns, rows }: Table, each = 8): Table {
  return { columns, rows: rows.length > 2 * each ? [...rows.slice(0, each), ...rows.slice(-each)] : rows };
}
