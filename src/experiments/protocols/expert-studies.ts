// Studies of mixtures of experts with zero-computation experts: what tokens use, what the balance
// loss and capacities do, warm starts, and experts spread over ranks.

import { runOnThreads, shareOf } from '../../distributed/index.js';
import { addZeroComputation, trainLanguageModel, validationLoss, type ZeroComputation } from '../../lm/index.js';
import type { Decoder } from '../../models/index.js';
import type { ExpertLayer, ShardedJob, ShardedResult } from '../../nn/index.js';
import { type Random, scope } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import { ends, expertScores, expertsByToken, layersOf, measured } from './experts.js';
import type { TokenizedText, TrainedDecoder } from './text.js';

/** Steps of training on from a trained mixture. */
const WARM_STEPS = 100;
const WARM_RATE = 1e-3;

type Values = { readonly steps: number; readonly batch: number; readonly length: number };

/** Tokens that compute the most and the fewest feed-forward experts. */
export function tokenStudy(model: Decoder, data: TokenizedText, length: number, about: string): StudyResults {
  return studyOf({
    title: 'Tokens and the experts that they use',
    note: `Feed-forward experts computed per layer, of two, by the input token, over test windows; the eight most and least, of those seen at least 20 times. ${about}.`,
    ...ends(expertsByToken(model, data, length)),
  });
}

/** Share of the slots that go to the most used expert of a layer, in %, mean over layers. */
function largestShare(model: Decoder, data: TokenizedText, length: number): number {
  return scope(() => {
    const { usage } = measured(model, data, length);
    return summarize(
      usage.map(({ counts }) => (100 * Math.max(...counts)) / counts.reduce((sum, count) => sum + count, 0)),
    ).mean;
  });
}

/** Scores `largest with` and `largest without`: shares of the most used expert, in %. */
export function balanceStudy(balanced: Decoder, free: Decoder, data: TokenizedText, length: number): StudyResults {
  const [own, without] = [balanced, free].map((model) => largestShare(model, data, length)) as [number, number];
  return studyOf(
    {
      title: 'The balance loss',
      note: 'Share of the slots of test tokens that go to the most used expert of a layer, mean over layers.',
      columns: ['balance loss', 'largest share (%)'],
      rows: [
        ['β = 0.01', own.toFixed(1)],
        ['none', without.toFixed(1)],
      ],
    },
    { 'largest with': own, 'largest without': without },
  );
}

/** Slots and dropped slots by expert of a decoder that was trained with capacities. */
export function capacityStudy(model: Decoder, data: TokenizedText, length: number, kinds: readonly string[]) {
  const { usage } = scope(() => {
    const { usage: layers } = measured(model, data, length, { training: true });
    return { usage: layers.map(({ counts, dropped }) => ({ counts, dropped })) };
  });
  const totals = (part: 'counts' | 'dropped') =>
    kinds.map((_, expert) => usage.reduce((sum, layer) => sum + (layer[part][expert] as number), 0));
  const [slots, dropped] = [totals('counts'), totals('dropped')];
  const all = slots.reduce((sum, count) => sum + count, 0);
  const loss = validationLoss(model, { validation: data.tokens.test }, { length });
  return studyOf({
    title: 'Capacities in training',
    note: `Trained with a capacity factor of 1.1; of the slots of test tokens over all layers, those of each expert, and the share of them that a pass of training drops. A pass of inference drops none; its test loss is ${loss.toFixed(3)} nats.`,
    columns: ['expert', 'slots (%)', 'dropped (%)'],
    rows: kinds.map((kind, expert) => [
      `${expert}: ${kind}`,
      ((100 * (slots[expert] as number)) / all).toFixed(1),
      ((100 * (dropped[expert] as number)) / Math.max(1, slots[expert] as number)).toFixed(1),
    ]),
  });
}

/**
 * Trains a mixture on, once as it is and once with zero-computation experts; the given model is
 * changed. Scores `plain loss`, `warm loss` (test, nats) and `warm slots`.
 */
export async function warmStudy(
  { model, config }: TrainedDecoder,
  data: TokenizedText,
  { batch, length, ...values }: Values,
  random: Random,
  added: ZeroComputation,
): Promise<StudyResults> {
  const { constants = 2 } = added;
  const warm = addZeroComputation(model, config, random.split('warm'), added).model;
  const steps = Math.min(WARM_STEPS, values.steps);
  const result = async (decoder: Decoder, zeroComputation: number) => {
    const options = { steps, batch, length, learningRate: WARM_RATE };
    await trainLanguageModel(decoder, data.tokens, random.split('fit'), options);
    return {
      loss: validationLoss(decoder, { validation: data.tokens.test }, { length }),
      slots: expertScores(decoder, data, length, zeroComputation).slots as number,
    };
  };
  const [grown, plain] = [await result(warm, constants), await result(model, 0)];
  return studyOf(
    {
      title: 'Warm start from the mixture of two',
      note: `Both are trained on for ${steps} steps at learning rate ${WARM_RATE}, on the same windows.`,
      columns: ['continued as', 'test loss (nats)', 'experts computed per token'],
      rows: [
        ['mixture of two', plain.loss.toFixed(3), plain.slots.toFixed(2)],
        ['MoE++ (zero-computation experts added)', grown.loss.toFixed(3), grown.slots.toFixed(2)],
      ],
    },
    { 'plain loss': plain.loss, 'warm loss': grown.loss, 'warm slots': grown.slots },
  );
}

/** The experts of each layer with the routing of the test tokens. */
function jobsOf(model: Decoder, data: TokenizedText, length: number): ShardedJob[] {
  return scope(() =>
    measured(model, data, length).usage.map(({ tokens, routing }, i) => {
      const { experts } = layersOf(model)[i] as ExpertLayer;
      const { count, features, hidden, activation } = experts;
      const copies = { up: experts.up, down: experts.down, tokens, gates: routing.gates };
      const arrays = Object.fromEntries(
        Object.entries(copies).map(([name, values]) => [name, values.dataSync().slice()]),
      ) as Record<keyof typeof copies, Float32Array>;
      const choices = routing.experts.view<Int32Array>().slice();
      return { experts: count, features, hidden, activation, k: routing.k, choices, ...arrays };
    }),
  );
}

/** Slots whose feed-forward expert is on another rank than their token. */
export function remoteSlots({ choices, k, experts }: Pick<ShardedJob, 'choices' | 'k' | 'experts'>, size: number) {
  const owner = (item: number, count: number) =>
    Array.from({ length: size }, (_, rank) => shareOf(count, { rank, size })).findIndex(
      ([begin, end]) => item >= begin && item < end,
    );
  return choices.reduce((sum, expert, slot) => {
    if (expert >= experts) return sum;
    return sum + Number(owner(expert, experts) !== owner(Math.floor(slot / k), choices.length / k));
  }, 0);
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/**
 * Runs the experts of decoders on ranks, the tokens spread over them too. Scores `bytes <title>
 * <ranks>` that all ranks sent to others, and `other bytes <title> <ranks>`: those beyond two rows
 * per feed-forward slot on another rank, which zero-computation experts would have caused.
 */
export async function deploymentStudy(
  models: Readonly<Record<string, Decoder>>,
  data: TokenizedText,
  length: number,
  rankCounts: readonly number[],
): Promise<StudyResults> {
  const scores: Record<string, number> = {};
  const rows: (string | number)[][] = [];
  for (const [title, model] of Object.entries(models)) {
    const jobs = jobsOf(model, data, length);
    for (const ranks of rankCounts) {
      const program = import.meta.resolve('gossamer/nn');
      const results = await runOnThreads<ShardedResult[]>(ranks, program, 'runSharded', jobs);
      const bytes = sum(results.flat().map((result) => result.bytes));
      const remote = sum(jobs.map((job) => 2 * 4 * job.features * remoteSlots(job, ranks)));
      const imbalance = jobs.map((_, layer) => {
        const own = results.map((rank) => (rank[layer] as ShardedResult).rows);
        return (Math.max(...own) * ranks) / sum(own);
      });
      scores[`bytes ${title} ${ranks}`] = bytes;
      scores[`other bytes ${title} ${ranks}`] = bytes - remote;
      rows.push([title, ranks, (bytes / 2 ** 20).toFixed(2), bytes - remote, summarize(imbalance).mean.toFixed(2)]);
    }
  }
  return studyOf(
    {
      title: 'Experts spread over ranks',
      note: 'Ranks are worker threads, each with a share of the test tokens and of the feed-forward experts; zero-computation experts are on every rank. MiB of rows and outputs that ranks sent to others in all layers; bytes of them beyond two rows per feed-forward slot on another rank; rows of the busiest rank over the mean, mean over layers.',
      columns: ['method', 'ranks', 'exchanged (MiB)', 'beyond feed-forward slots (B)', 'imbalance'],
      rows,
    },
    scores,
  );
}

/** Kinds of the experts of a layer, by their number. */
export function expertKinds({ feedForward, constant }: { readonly feedForward: number; readonly constant: number }) {
  const repeated = (kind: string, times: number) => new Array<string>(times).fill(kind);
  return [...repeated('feed-forward', feedForward), ...repeated('constant', constant), 'copy', 'zero'];
}
