// What recurrent hypernetworks are asked beside their accuracies: which weights depend on which
// steps, and what growth is worth once tasks are many.

import { type DependencyHypernetOptions, Layout, RecurrentHypernet, TargetNetwork } from '../../hypernet/index.js';
import { parameterCount } from '../../nn/index.js';
import { Random, scope, type Tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import { type ContinualMethod, type ContinualValues, continualMethod, targetOf } from './continual.js';
import { type StreamData, streamOf } from './continual-streams.js';

/**
 * Numbers of a target network, and the shares of pairs of steps of an untrained hypernetwork where
 * the weights of the one change with the embedding of the other: of an earlier one, of a later one.
 */
export function dependencyStudy(data: StreamData, values: ContinualValues): StudyResults {
  const classes = values.stream === 'split' ? 2 : data.train.classes.length;
  const target = new TargetNetwork(data.train.x.shape.slice(1), classes, new Random(0), targetOf(values));
  const small = new TargetNetwork([8], 3, new Random(1), { hidden: [8, 8] });
  const net = new RecurrentHypernet(Layout.of(small), 4, new Random(2), { units: 8, chunk: 20 });
  const steps = net.sizes.length;
  const starts = net.sizes.map((_size, s) => net.sizes.slice(0, s).reduce((a, b) => a + b, 0));
  const embedding = new Random(3).normal([1, 4]);
  const made = () => scope(() => net.layout.pack(Object.fromEntries(oneOf(net.generate(embedding, [0])))));
  const before = made();
  const counts = { earlier: 0, later: 0 };
  for (let moved = 0; moved < steps; moved++) {
    const kept = net.positions.view().slice();
    const [, width] = net.positions.shape as [number, number];
    net.positions.assign(kept.map((v, i) => (Math.floor(i / width) === moved ? v + 0.3 : v)));
    const after = made();
    net.positions.assign(kept);
    for (const [s, size] of net.sizes.entries()) {
      const from = starts[s] as number;
      const changes = before.subarray(from, from + size).some((v, i) => v !== after[from + i]);
      if (changes && s > moved) counts.earlier += 1;
      if (changes && s < moved) counts.later += 1;
    }
  }
  const pairs = (steps * (steps - 1)) / 2;
  const [follows, precedes] = [counts.earlier / pairs, counts.later / pairs];
  return studyOf(
    {
      title: 'Which weights depend on which steps',
      columns: ['pairs of steps', 'the later follows the earlier', 'the earlier follows the later'],
      rows: [[pairs, `${counts.earlier} of ${pairs}`, `${counts.later} of ${pairs}`]],
      note: 'The embedding of one step is moved by 0.3; an untrained recurrent hypernetwork.',
    },
    { follows, precedes, target: parameterCount(target) },
  );
}

const oneOf = (weights: Readonly<Record<string, Tensor>>) =>
  Object.entries(weights).map(([name, weight]) => [name, weight.reshape(weight.shape.slice(1))] as const);

/** Tasks of the study, units at the start, seeds. */
const TASKS = 12;
const UNITS = 8;
const SEEDS = 3;
/** Units at the end: three additions of half as many. */
const FINAL = UNITS + 3 * (UNITS / 2);

const arms: Readonly<Record<string, DependencyHypernetOptions>> = {
  'no growth': { units: UNITS },
  growth: { units: UNITS, growEvery: 3, growUnits: UNITS / 2 },
  'final size from the start': { units: FINAL },
};

/** Twelve permuted tasks by eight units, by eight that grow to twenty, and by twenty. */
export async function growthStudy(
  method: (title: string, own: DependencyHypernetOptions) => ContinualMethod,
  data: StreamData,
  values: ContinualValues & { readonly growth: number },
  { signal, seed, progress }: RunContext,
): Promise<StudyResults> {
  const own: ContinualValues = {
    ...values,
    ...{ stream: 'permuted', scenario: 'task', tasks: TASKS, steps: values.growth, trials: 1 },
  };
  const scores = Object.entries(arms).map(([title, options]) => ({
    title,
    options,
    final: [] as number[],
    last: [] as number[],
  }));
  for (let at = 0; at < SEEDS; at++) {
    const random = new Random(seed + at).split('growth');
    const stream = streamOf(data, own, random.split('stream'));
    for (const [i, arm] of scores.entries()) {
      const learner = continualMethod(method(arm.title, arm.options), data, stream, own);
      const { matrix } = await learner.train({
        ...{ title: arm.title, seed, random, hooks: { signal }, chose: () => {} },
        progress: (share) => progress('growth', (at * scores.length + i + share) / (SEEDS * scores.length)),
      });
      arm.final.push(matrix.average);
      arm.last.push(mean(matrix.rows.slice(-4).map((row, t) => row[TASKS - 4 + t] as number)));
    }
  }
  const [none, growth] = scores as [(typeof scores)[number], (typeof scores)[number]];
  const gains = growth.final.map((value, i) => value - (none.final[i] as number));
  const { mean: gain, sd } = summarize(gains);
  return studyOf(
    {
      title: 'Growth over twelve permuted tasks',
      columns: ['hypernetwork', 'final accuracy (%)', 'just after the last four tasks (%)'],
      rows: scores.map(({ title, final, last }) => [title, shown(final), shown(last)]),
      note: `${UNITS} units, ${UNITS / 2} more after each three tasks, up to ${FINAL}; ${SEEDS} seeds, the first of the settings.`,
    },
    { growth: gain - (2 * sd) / Math.sqrt(SEEDS), growthLast: mean(growth.last) - mean(none.last) },
  );
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

function shown(values: readonly number[]): string {
  const { mean: average, sd } = summarize(values);
  return `${average.toFixed(1)} ± ${sd.toFixed(1)}`;
}
