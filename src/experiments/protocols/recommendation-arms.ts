// Recommenders side by side: dense, sparse from scratch, with a mask that stays, pruned after
// training, and small dense ones of equal numbers of weights or of equal bytes.

import {
  type DSLOptions,
  ItemKNN,
  makeBackbone,
  Popularity,
  type RecommenderOptions,
  type RecommenderResult,
  removals,
  servedBytes,
  trainingBytes,
  trainRecommender,
  type WeightTable,
} from '../../recommend/index.js';
import type { Random } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { type Setting, tuned } from '../parts/tuning.js';
import type { ModelKind, Ranker, RecommendationTask, TrainedRanker } from './recommendation.js';

export const DENSE = 'dense';
export const POPULAR = 'popularity';
export const NEAREST = 'nearest items';
export const dslAt = (density: number): string => `DSL, density ${density}`;
export const staticAt = (density: number): string => `static mask, density ${density}`;
export const randomAt = (density: number): string => `DSL, random growth, density ${density}`;
export const equalWeights = (density: number): string => `small dense, as many weights as density ${density}`;
export const equalBytes = (density: number): string => `small dense, as many bytes as density ${density}`;
export const prunedTo = (density: number): string => `pruned to density ${density} and fine-tuned`;

/** What is alike for all arms. */
export interface ArmSettings {
  readonly epochs: number;
  /** Epochs of a trial, which chooses the rate. */
  readonly trialEpochs: number;
  /** Steps from one exploration to the next. */
  readonly interval: number;
  readonly batch: number;
  readonly dim: number;
  readonly hidden: number;
  readonly latent: number;
  readonly negatives: number;
  /** Rates that are tried. */
  readonly rates: number;
}

/** A model with the costs of its training. */
export interface Trained {
  readonly model: TrainedRanker;
  readonly result: Pick<RecommenderResult, 'multiplyAdds' | 'peakBytes' | 'coverage' | 'stored'>;
  /** Largest distance of a matrix from its number of weights after any step. */
  readonly drift: number;
  readonly seconds: number;
}

interface Arm {
  readonly title: string;
  readonly density: number;
  readonly dsl?: DSLOptions;
  readonly shape?: RecommenderOptions;
  /** The trained dense model that is pruned. */
  readonly from?: Trained | undefined;
}

/** Epochs from one validation to the next. */
const VALIDATE_EVERY = 4;

const RATES: Readonly<Record<ModelKind, readonly number[]>> = {
  lightgcn: [1e-2, 3e-2, 3e-3],
  multvae: [1e-3, 3e-3, 3e-4],
  neumf: [1e-3, 3e-3, 3e-4],
};

const shapeOf = ({ batch, dim, hidden, latent, negatives }: ArmSettings, { kind, known }: RecommendationTask) => {
  if (kind === 'multvae') return { batch, hidden, latent };
  // The width of a NeuMF embedding is a quarter of that of LightGCN.
  if (kind === 'neumf') return { batch, dim: Math.max(4, dim / 4), negatives, known };
  return { batch, dim, known };
};

function made(arm: Arm, task: RecommendationTask, settings: ArmSettings, random: Random): TrainedRanker {
  const { density, shape } = arm;
  return makeBackbone(task.kind, task.train, random.split('weights'), {
    ...shapeOf(settings, task),
    ...shape,
    density,
  }) as TrainedRanker;
}

async function train(
  arm: Arm,
  task: RecommendationTask,
  settings: ArmSettings,
  rate: number,
  run: MethodRun,
  epochs: number,
): Promise<Trained> {
  const started = performance.now();
  const model = made(arm, task, settings, run.random);
  const before = arm.from;
  if (before) pruneInto(model.weights, before.model.weights, arm.density);
  const sparse = Object.values(model.weights).filter(({ pattern }) => pattern);
  const budgets = sparse.map(({ size }) => Math.max(1, Math.round(arm.density * size)));
  let drift = 0;
  const result = await trainRecommender(model, run.random.split('fit'), {
    ...{ epochs, learningRate: rate, dsl: arm.dsl ?? { interval: 0 } },
    finalRate: task.kind === 'lightgcn' ? 0.01 : 1,
    signal: run.hooks.signal,
    onEpoch: run.hooks.onEpoch,
    validate: () => task.validate(model),
    validateEvery: VALIDATE_EVERY,
    onStep: () => {
      sparse.forEach(({ values }, at) => {
        drift = Math.max(drift, Math.abs(values.size - (budgets[at] as number)));
      });
    },
  });
  run.hooks.signal?.throwIfAborted();
  return {
    model,
    result: {
      ...result,
      multiplyAdds: result.multiplyAdds + (before?.result.multiplyAdds ?? 0),
      peakBytes: Math.max(result.peakBytes, before?.result.peakBytes ?? 0),
    },
    drift,
    seconds: (performance.now() - started) / 1000 + (before?.seconds ?? 0),
  };
}

/** Gives a sparse model the weights of largest magnitude of each dense matrix. */
function pruneInto(weights: WeightTable, dense: WeightTable, density: number): void {
  for (const [name, weight] of Object.entries(weights)) {
    const { values, size } = dense[name] as WeightTable[string];
    if (!weight.pattern) weight.values.assign(values);
    else {
      const count = Math.max(1, Math.round(density * size));
      const own = values.view();
      const [gone] = removals(
        [{ weight: dense[name] as WeightTable[string], gradient: values }],
        (size - count) / size,
        {
          ...{ prune: 'magnitude', threshold: 1e-3, protectRows: false },
        },
      ) as [Uint8Array];
      const places = Int32Array.from(Array.from(own.keys()).filter((place) => !gone[place]));
      weight.exchange(new Uint8Array(weight.values.size).fill(1), places, []);
      weight.values.assign(Float32Array.from(places, (place) => own[place] as number));
    }
  }
}

/** A shape of a dense model with about as many weights, or bytes in training. */
function smaller(
  task: RecommendationTask,
  settings: ArmSettings,
  random: Random,
  density: number,
  what: 'weights' | 'bytes',
): RecommenderOptions {
  const sizeOf = (weights: WeightTable) =>
    what === 'bytes'
      ? trainingBytes(weights)
      : Object.values(weights).reduce((sum, { values }) => sum + values.size, 0);
  const sized = (arm: Omit<Arm, 'title'>) => {
    const model = made({ title: '', ...arm }, task, settings, random) as TrainedRanker & { dispose(): void };
    const size = sizeOf(model.weights);
    model.dispose();
    return size;
  };
  const target = sized({ density });
  const shaped = (width: number): RecommenderOptions =>
    task.kind === 'multvae'
      ? { hidden: width, latent: Math.max(1, Math.round((width * settings.latent) / settings.hidden)) }
      : { dim: width };
  let best = { width: 1, off: Number.POSITIVE_INFINITY };
  for (let width = 1; width <= (task.kind === 'multvae' ? settings.hidden : settings.dim); width++) {
    const off = Math.abs(sized({ density: 1, shape: shaped(width) }) - target);
    if (off > best.off) break;
    best = { width, off };
  }
  return shaped(best.width);
}

/** The arms of a seed; the dense one first, which others begin from. */
export function arms(
  task: RecommendationTask,
  settings: ArmSettings,
  {
    densities,
    rivals,
    random,
  }: { readonly densities: readonly number[]; readonly rivals: readonly number[]; readonly random: Random },
): readonly ((dense?: Trained) => Arm)[] {
  const dsl: DSLOptions = { interval: settings.interval };
  const of =
    (title: string, density: number, more: Partial<Arm> = {}) =>
    () => ({ title, density, ...more });
  return [
    of(DENSE, 1),
    ...densities.map((density) => of(dslAt(density), density, { dsl })),
    ...rivals.flatMap((density) => [
      of(staticAt(density), density),
      of(randomAt(density), density, { dsl: { ...dsl, grow: 'random' } }),
      ...(task.kind === 'neumf'
        ? []
        : (['weights', 'bytes'] as const).map((what) =>
            of(what === 'weights' ? equalWeights(density) : equalBytes(density), 1, {
              shape: smaller(task, settings, random.split('shapes'), density, what),
            }),
          )),
      (dense?: Trained) => ({ title: prunedTo(density), density, from: dense }),
    ]),
  ];
}

/** Titles of the arms, in order. */
export const armTitles = (densities: readonly number[], rivals: readonly number[]): string[] => [
  DENSE,
  ...densities.map(dslAt),
  ...rivals.flatMap((density) =>
    [staticAt, randomAt, equalWeights, equalBytes, prunedTo].map((title) => title(density)),
  ),
];

/** A method that chooses its rate by validation, trains, and is tested once. */
export function armMethod(
  arm: Arm,
  task: RecommendationTask,
  settings: ArmSettings,
  once: object | undefined,
): Method<Trained> {
  const own = (rate: number, run: MethodRun, epochs: number) => train(arm, task, settings, rate, run, epochs);
  return tuned<Setting & { readonly rate: number }, Trained>({
    title: arm.title,
    settings: RATES[task.kind].slice(0, settings.rates).map((rate) => ({ rate })),
    train: ({ rate }, run) => own(rate, run, settings.epochs),
    trial: ({ rate }, run) => own(rate, run, Math.min(settings.trialEpochs, settings.epochs)),
    validation: ({ model }) => task.validate(model),
    ...(once && { once }),
    score: ({ model, result, drift, seconds }): Scores => ({
      ...task.test(model),
      seconds,
      stored: result.stored,
      training: result.multiplyAdds / 1e9,
      inference: model.cost().inference / 1e6,
      peak: result.peakBytes / 1e3,
      served: servedBytes(model.weights) / 1e3,
      drift,
      coverage: 100 * result.coverage,
    }),
  });
}

/** Scores of recommenders that nothing is trained for. */
export const untrained = (task: RecommendationTask): Method<Ranker>[] => [
  { title: POPULAR, train: () => new Popularity(task.known), score: (model) => task.test(model) },
  { title: NEAREST, train: () => new ItemKNN(task.train), score: (model) => task.test(model) },
];
