// Node classifiers and the hyperparameters that are tried for each: those published for the data
// set first, then others drawn from a grid.

import {
  APPNP,
  DAGNN,
  DepthNetwork,
  DGMLP,
  fixedWeights,
  GCN,
  GCNII,
  type GraphModule,
  gcniiDecay,
  HopNetwork,
  hopWeightings,
  NodeMLP,
} from '../../graph/index.js';
import type { SemiSupervisedOptions } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { type Grid, settingsOf } from '../parts/tuning.js';
import {
  type FeatureForm,
  gbpTeleport,
  type HopSetting,
  type NodeSetting,
  publishedHops,
  publishedNetworks,
} from './node-settings.js';

/** A kind of network and what is tried for it. */
export interface NodeCandidate<S extends NodeSetting = NodeSetting> {
  readonly title: string;
  /** Settings to try, at most so many, that of its paper first. */
  settings(trials: number): readonly S[];
  create(inFeatures: number, classes: number, random: Random, setting: S): GraphModule;
  /** Training options beyond learning rate, weight decay and epochs. */
  readonly training?: SemiSupervisedOptions;
  /** Whether the choice is trained for as long as its paper trains it. Default: false. */
  readonly patient?: boolean;
  /** Weight decay by parameter, where it is not the same for all. */
  decay?(setting: S): SemiSupervisedOptions['weightDecay'];
}

type GridCandidate<S extends NodeSetting> = Omit<NodeCandidate<S>, 'settings'> & {
  /** Usual values first; what is published for the data set goes before them. */
  readonly grid: Grid<S>;
};

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];
const forms = (first: FeatureForm): FeatureForm[] => (first === 'raw' ? ['raw', 'scaled'] : ['scaled', 'raw']);
const firstLayer =
  (prefix: string) =>
  ({ weightDecay }: NodeSetting) =>
  (name: string) =>
    name.startsWith(prefix) ? weightDecay : 0;
/** Selection of the epoch by validation loss, as the papers of these networks do. */
const byLoss = { select: 'loss', patience: 100 } as const;

type Stacked = NodeSetting & { readonly hidden: number; readonly layers: number };
type Propagated = NodeSetting & { readonly steps: number; readonly alpha: number };

/** Networks that are trained on the graph, and the perceptron, for a data set. */
export function graphCandidates(data: string): NodeCandidate[] {
  function on<S extends NodeSetting>({ grid, ...own }: GridCandidate<S>): NodeCandidate {
    const published: Readonly<Record<string, unknown>> = publishedNetworks[own.title]?.[data] ?? {};
    const values = Object.entries<readonly unknown[]>(grid).map(([name, usual]) => [
      name,
      name in published ? distinct([published[name], ...usual]) : usual,
    ]);
    const ordered = Object.fromEntries(values) as Grid<S>;
    return {
      ...own,
      settings: (trials: number) => settingsOf(ordered, trials, new Random(0).split(own.title)),
    } as unknown as NodeCandidate;
  }
  return [
    on({
      title: 'MLP',
      grid: {
        features: forms('scaled'),
        learningRate: [0.01, 0.005],
        weightDecay: [5e-3, 5e-4, 5e-5],
        dropout: [0.5, 0.2],
      },
      create: (i, o, random, { dropout }) => new NodeMLP(i, o, random, { dropout }),
    }),
    on<Stacked>({
      title: 'GCN',
      grid: {
        features: forms('scaled'),
        learningRate: [0.01, 0.02],
        weightDecay: [5e-4, 5e-3, 5e-5],
        dropout: [0.5, 0.2, 0.7],
        hidden: [16, 64],
        layers: [2],
      },
      create: (i, o, random, { dropout, hidden, layers }) => new GCN(i, o, random, { dropout, hidden, layers }),
      training: byLoss,
      decay: firstLayer('layers.0'),
    }),
    on<Stacked>({
      title: 'ResGCN',
      grid: {
        features: forms('scaled'),
        learningRate: [0.01, 0.005],
        weightDecay: [5e-4, 5e-3, 5e-5],
        dropout: [0.2, 0.5],
        hidden: [64],
        layers: [4, 2, 8],
      },
      create: (i, o, random, { dropout, hidden, layers }) =>
        new DepthNetwork(
          i,
          o,
          { propagations: layers, transformations: layers, hidden, dropout, skip: 'residual' },
          random,
        ),
    }),
    on<Propagated>({
      title: 'APPNP',
      grid: {
        features: forms('scaled'),
        learningRate: [0.01, 0.02],
        weightDecay: [5e-3, 1e-3, 5e-5],
        dropout: [0.5, 0.2],
        steps: [10, 20],
        alpha: [0.1, 0.05, 0.2],
      },
      create: (i, o, random, { dropout, steps, alpha }) => new APPNP(i, o, random, { dropout, steps, alpha }),
      training: byLoss,
      patient: true,
      decay: firstLayer('first'),
    }),
    on<NodeSetting & { readonly steps: number }>({
      title: 'DAGNN',
      grid: {
        features: forms('scaled'),
        learningRate: [0.01, 0.02],
        weightDecay: [5e-3, 2e-2, 5e-4, 5e-5],
        dropout: [0.8, 0.5, 0.2],
        steps: [10, 5, 20],
      },
      create: (i, o, random, { dropout, steps }) => new DAGNN(i, o, random, { dropout, steps }),
      training: byLoss,
      patient: true,
    }),
    on<NodeSetting & { readonly lambda: number }>({
      title: 'GCNII, 16 layers',
      grid: {
        features: forms('scaled'),
        learningRate: [0.01, 0.005],
        weightDecay: [0.01],
        dropout: [0.6, 0.5, 0.7],
        lambda: [0.5, 0.6],
      },
      create: (i, o, random, { dropout, lambda }) => new GCNII(i, o, random, { layers: 16, dropout, lambda }),
      training: byLoss,
      patient: true,
      decay: () => gcniiDecay,
    }),
  ];
}

/** The published setting of DGMLP, or what stands in its place. */
export type DGMLPSetting = Pick<HopSetting, 'steps' | 'learningRate' | 'weightDecay' | 'dropout'>;

const upTo = (steps: number) => Array.from({ length: steps }, (_, k) => k + 1);

/**
 * What is tried for a linear classifier on hops: its own published setting, then those of the
 * others, then settings drawn from one stream. All classifiers on hops try the same settings.
 *
 * @param own title; one without a setting of its own starts with DGMLP's
 */
export function hopSettings(own: string, data: string, dgmlp: DGMLPSetting, trials: number): HopSetting[] {
  const { steps, learningRate, weightDecay, dropout } = dgmlp;
  const published: Readonly<Record<string, HopSetting>> = publishedHops(data);
  const drawn = settingsOf<HopSetting>(
    {
      features: forms('raw'),
      learningRate: distinct([learningRate, 0.1, 0.2]),
      weightDecay: distinct([weightDecay, 5e-5, 5e-4, 5e-3]),
      dropout: distinct([dropout, 0.5, 0.2]),
      steps: distinct([steps, ...upTo(20)]),
    },
    trials,
    new Random(0).split('hops'),
  );
  const [usual, ...others] = drawn as [HopSetting, ...HopSetting[]];
  const pool = [usual, ...Object.values(published), ...others];
  const first = published[own] ?? usual;
  return [first, ...pool.filter((setting) => setting !== first)].slice(0, trials);
}

/** SGC, S²GC, GBP, the plain mean of hops and DGMLP: linear classifiers on hops, K = 1 … 20. */
export function hopCandidates(data: string, dgmlp: DGMLPSetting & { readonly temperature: number }): NodeCandidate[] {
  const on = (
    title: string,
    create: (inFeatures: number, classes: number, random: Random, setting: HopSetting) => HopNetwork,
  ) =>
    ({
      title,
      settings: (trials: number) => hopSettings(title, data, dgmlp, trials),
      create,
    }) as unknown as NodeCandidate;
  const fixed = (title: string, weights: (steps: number) => number[]) =>
    on(
      title,
      (i, o, random, { steps, dropout }) => new HopNetwork(i, o, fixedWeights(weights(steps)), random, { dropout }),
    );
  const { temperature } = dgmlp;
  return [
    fixed('SGC', hopWeightings.last),
    fixed('S²GC', (steps) => hopWeightings.averaged(steps)),
    fixed('GBP', (steps) => hopWeightings.pageRank(steps, gbpTeleport(data))),
    fixed('mean of hops', hopWeightings.mean),
    on('DGMLP', (i, o, random, { dropout, steps }) => new DGMLP(i, o, random, { steps, dropout, temperature })),
  ];
}
