// Usage and speed of the mixture-of-experts layers of a decoder: the experts alone, on validation
// tokens of a text.

import { windowsAt } from '../../data/index.js';
import { medianSeconds } from '../../engine/index.js';
import type { Decoder } from '../../models/index.js';
import { type ExpertLayer, type ExpertUsage, expertContext } from '../../nn/index.js';
import { groupedMatmul } from '../../sparse/index.js';
import { matmul, Random, scope, type Tensor } from '../../tensor/index.js';
import type { Metric, Scores, Table } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import type { TokenizedText } from './text.js';

/** Validation tokens that are measured on, at least. */
export const MEASURED_TOKENS = 2048;
/** Tokens with fewer occurrences are left out of the table. */
const LEAST_TIMES = 20;

export const expertMetrics = {
  slots: { label: 'experts computed per token', digits: 2, better: 'smaller' },
  experts: { label: 'experts', unit: 'ms', digits: 2, better: 'smaller' },
  routed: { label: 'experts with routing', unit: 'ms', digits: 2, better: 'smaller' },
  rate: { label: 'grouped products', unit: 'GFLOP/s', digits: 1, better: 'larger' },
  variance: { label: 'variance of the top probability', digits: 4, better: 'neither' },
} as const satisfies Record<string, Metric>;

/** Inputs and routing of each layer on adjacent windows of the validation tokens. */
function usageOn(model: Decoder, { tokens: { validation } }: TokenizedText, length: number): readonly ExpertUsage[] {
  const windows = Math.min(Math.ceil(MEASURED_TOKENS / length), Math.floor((validation.length - 1) / length));
  const starts = Array.from({ length: windows }, (_, i) => i * length);
  const context = expertContext();
  model.forward(windowsAt(validation, starts, length).inputs, context);
  return context.usage;
}

function layersOf(model: Decoder): ExpertLayer[] {
  return model.model.layers.map(({ mlp }) => mlp as ExpertLayer);
}

/** Scores of a decoder whose feed-forward layers are all layers of experts. */
export function expertScores(model: Decoder, data: TokenizedText, length: number): Scores {
  return scope(() => {
    const usage = usageOn(model, data, length);
    const [first] = usage as [ExpertUsage];
    const rows = usage.reduce((sum, layer) => sum + layer.rows, 0);
    return {
      slots: rows / usage.length / (first.tokens.shape[0] as number),
      experts: 1000 * expertSeconds(model, usage, 'given'),
      routed: 1000 * expertSeconds(model, usage, 'made'),
      rate: groupedRate(layersOf(model)[0] as ExpertLayer, first),
      variance: summarize(usage.map(({ routing }) => varianceOfTop(routing.probabilities))).mean,
    };
  });
}

/** Seconds of all layers' experts, with given routing or with the router included. */
function expertSeconds(model: Decoder, usage: readonly ExpertUsage[], choices: 'given' | 'made'): number {
  const layers = layersOf(model);
  const pass = () =>
    scope(() => {
      layers.forEach((layer, i) => {
        const { tokens, routing } = usage[i] as ExpertUsage;
        const choice = choices === 'made' ? layer.route(tokens) : routing;
        layer.compute(tokens, choice, layer.dispatch(choice));
      });
    });
  return medianSeconds(pass, 5);
}

/** Rate of the first product of a layer's experts, in GFLOP/s. */
function groupedRate(layer: ExpertLayer, { tokens, routing }: ExpertUsage): number {
  const plan = layer.dispatch(routing);
  const rows = plan.gather(tokens);
  const { up, features, hidden } = layer.experts;
  const seconds = medianSeconds(() => scope(() => groupedMatmul(rows, up, plan.segments, { transposeB: true })), 15);
  return rateOf(plan.size, features, hidden, seconds);
}

/** Rate in GFLOP/s of a dense product of some rows with the first matrix of an expert. */
export function denseRate(rows: number, features: number, hidden: number): number {
  return scope(() => {
    const random = new Random(1);
    const [x, w] = [random.normal([rows, features]), random.normal([2 * hidden, features])];
    const seconds = medianSeconds(() => scope(() => matmul(x, w, { transposeB: true })), 25);
    return rateOf(rows, features, hidden, seconds);
  });
}

function rateOf(rows: number, features: number, hidden: number, seconds: number): number {
  return (4 * rows * features * hidden) / seconds / 1e9;
}

/** Variance over tokens of the largest probability of a router. */
function varianceOfTop(probabilities: Tensor): number {
  return summarize(Array.from(probabilities.max(1).dataSync())).sd ** 2;
}

/**
 * Mean number of feed-forward experts that a layer computes for each token of the vocabulary, most
 * first.
 */
export function expertsByToken(model: Decoder, data: TokenizedText, length: number): Table {
  return scope(() => {
    const usage = usageOn(model, data, length);
    const feedForward = layersOf(model)[0]?.experts.count ?? 0;
    const seen = new Map<number, { computed: number; times: number }>();
    for (const { routing, tokens } of usage) {
      const chosen = routing.experts.view<Int32Array>();
      for (let t = 0; t < (tokens.shape[0] as number); t++) {
        const token = data.tokens.validation[t] as number;
        const entry = seen.get(token) ?? { computed: 0, times: 0 };
        seen.set(token, entry);
        entry.times += 1;
        for (const expert of chosen.subarray(t * routing.k, (t + 1) * routing.k))
          entry.computed += Number(expert < feedForward);
      }
    }
    const rows = [...seen]
      .map(([token, { computed, times }]) => ({ token, experts: computed / times, times: times / usage.length }))
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
