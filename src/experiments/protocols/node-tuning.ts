// Node classifiers tuned alike: each has the same number of trials on the validation nodes, over
// its own hyperparameters and over the two forms of the features.

import {
  APPNP,
  DAGNN,
  DepthNetwork,
  DGMLP,
  DGMLPModel,
  fixedWeights,
  GCN,
  GCNII,
  type GraphModule,
  gcniiDecay,
  HopNetwork,
  type HopRows,
  hopRows,
  hopWeightings,
  NodeMLP,
  trainDecoupled,
  trainNodes,
} from '../../graph/index.js';
import {
  accuracy,
  type Features,
  featureCount,
  inference,
  predictedClasses,
  type SemiSupervisedOptions,
} from '../../nn/index.js';
import { Random, scope } from '../../tensor/index.js';
import type { Artifacts } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { type Grid, type Setting, settingsOf, tuned } from '../parts/tuning.js';
import { classNamesOf, type NodeData, type NodeModel, type NodeTask, nodePredictions } from './nodes.js';

/** `scaled`: bag-of-words rows that sum to 1; `raw`: as stored. */
export type FeatureForm = 'scaled' | 'raw';

/** Hyperparameters that every classifier has. */
export interface NodeSetting extends Setting {
  readonly features: FeatureForm;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly dropout: number;
}

/** A kind of network and what is tried for it. */
export interface NodeCandidate<S extends NodeSetting = NodeSetting> {
  readonly title: string;
  /** Usual values first. */
  readonly grid: Grid<S>;
  create(inFeatures: number, classes: number, random: Random, setting: S): GraphModule;
  /** Training options beyond learning rate and weight decay. */
  readonly training?: SemiSupervisedOptions;
  /** Weight decay by parameter, where it is not the same for all. */
  decay?(setting: S): SemiSupervisedOptions['weightDecay'];
}

/** A candidate of any setting in a list of candidates. */
function candidate<S extends NodeSetting>(own: NodeCandidate<S>): NodeCandidate {
  return own as unknown as NodeCandidate;
}

const forms = (first: FeatureForm): FeatureForm[] => (first === 'raw' ? ['raw', 'scaled'] : ['scaled', 'raw']);
const firstLayer =
  (prefix: string) =>
  ({ weightDecay }: NodeSetting) =>
  (name: string) =>
    name.startsWith(prefix) ? weightDecay : 0;
/** Selection of the epoch by validation loss, as the papers of GCN, APPNP and GCNII do. */
const byLoss = { select: 'loss', patience: 100 } as const;

type Stacked = NodeSetting & { readonly hidden: number; readonly layers: number };
type Propagated = NodeSetting & { readonly steps: number; readonly alpha: number };

/** Networks that are trained on the graph, and the perceptron. */
export const graphCandidates: readonly NodeCandidate[] = [
  {
    title: 'MLP',
    grid: {
      features: forms('scaled'),
      learningRate: [0.01, 0.005],
      weightDecay: [5e-3, 5e-4],
      dropout: [0.5, 0.2],
    },
    create: (i, o, random, { dropout }) => new NodeMLP(i, o, random, { dropout }),
  },
  candidate<Stacked>({
    title: 'GCN',
    grid: {
      features: forms('scaled'),
      learningRate: [0.01, 0.02],
      weightDecay: [5e-4, 5e-3],
      dropout: [0.5, 0.2, 0.7],
      hidden: [16, 64],
      layers: [2],
    },
    create: (i, o, random, { dropout, hidden, layers }) => new GCN(i, o, random, { dropout, hidden, layers }),
    training: byLoss,
    decay: firstLayer('layers.0'),
  }),
  candidate<Stacked>({
    title: 'ResGCN',
    grid: {
      features: forms('scaled'),
      learningRate: [0.01, 0.005],
      weightDecay: [5e-4, 5e-3],
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
  candidate<Propagated>({
    title: 'APPNP',
    grid: {
      features: forms('scaled'),
      learningRate: [0.01, 0.02],
      weightDecay: [5e-3, 1e-3],
      dropout: [0.5, 0.2],
      steps: [10, 20],
      alpha: [0.1, 0.05, 0.2],
    },
    create: (i, o, random, { dropout, steps, alpha }) => new APPNP(i, o, random, { dropout, steps, alpha }),
    training: byLoss,
    decay: firstLayer('first'),
  }),
  candidate<NodeSetting & { readonly steps: number }>({
    title: 'DAGNN',
    grid: {
      features: forms('scaled'),
      learningRate: [0.01, 0.02],
      weightDecay: [5e-3, 2e-2, 5e-4],
      dropout: [0.5, 0.8, 0.2],
      steps: [10, 5, 20],
    },
    create: (i, o, random, { dropout, steps }) => new DAGNN(i, o, random, { dropout, steps }),
  }),
  candidate<NodeSetting & { readonly lambda: number }>({
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
    decay: () => gcniiDecay,
  }),
];

/** Hyperparameters of linear classifiers on combined hops. */
export type HopSetting = NodeSetting & { readonly steps: number };

/** Settings that are published for a data set. */
export type PublishedSetting = Pick<HopSetting, 'steps' | 'learningRate' | 'weightDecay' | 'dropout'>;

const distinct = (values: readonly number[]) => [...new Set(values)];
const upTo = (steps: number) => Array.from({ length: steps }, (_, k) => k + 1);

/**
 * What is tried for every linear classifier on hops: the published setting first, then around it.
 */
export function hopGrid(
  { learningRate, weightDecay, dropout }: PublishedSetting,
  steps: readonly number[],
): Grid<HopSetting> {
  return {
    features: forms('raw'),
    learningRate: distinct([learningRate, 0.1, 0.2]),
    weightDecay: distinct([weightDecay, 5e-4, 5e-3]),
    dropout: distinct([dropout, 0.5, 0.2]),
    steps: distinct(steps),
  };
}

/** SGC, S²GC, GBP and the plain mean of hops, K = 1 … 20. */
export function hopCandidates(published: PublishedSetting): NodeCandidate[] {
  const on = (title: string, first: number, weights: (steps: number) => number[]) =>
    candidate<HopSetting>({
      title,
      grid: hopGrid(published, [first, ...upTo(20)]),
      create: (i, o, random, { steps, dropout }) =>
        new HopNetwork(i, o, fixedWeights(weights(steps)), random, { dropout }),
    });
  return [
    on('SGC', 2, hopWeightings.last),
    on('S²GC', 16, hopWeightings.averaged),
    on('GBP', 10, hopWeightings.pageRank),
    on('mean of hops', published.steps, hopWeightings.mean),
  ];
}

/** DGMLP, with as many values to try as the others on hops. */
export function dgmlpCandidate(
  title: string,
  published: PublishedSetting & { readonly temperature: number },
): NodeCandidate {
  const { steps, temperature } = published;
  return candidate<HopSetting>({
    title,
    grid: hopGrid(published, [steps, ...upTo(20)]),
    create: (i, o, random, { dropout, steps: own }) => new DGMLP(i, o, random, { steps: own, dropout, temperature }),
  });
}

/** The model file of a trained DGMLP, and its predictions on all nodes. */
export function dgmlpArtifacts(model: TunedModel, data: NodeData): Artifacts {
  const network = model.network as DGMLP;
  const file = new DGMLPModel(network, {
    inFeatures: featureCount(data.features),
    classes: classNamesOf(data),
    scaleRows: model.setting.features === 'scaled',
    ...(data.structural && { structural: true }),
    options: network.layout,
  });
  return { model: file.save({ data: data.name }), predictions: nodePredictions(model, data) };
}

/** A trained classifier, its setting, and its accuracy on the validation nodes. */
export interface TunedModel extends NodeModel {
  readonly setting: NodeSetting;
  readonly validated: number;
}

/** What all tuned methods of a seed share. */
export interface NodeComparison {
  readonly data: NodeData;
  readonly task: NodeTask;
  /** Settings that are tried for each method. */
  readonly trials: number;
  /** Epochs at most. */
  readonly epochs: number;
}

/**
 * The methods of some candidates: the choice is made once where the split is fixed, else in each
 * seed.
 */
export function tunedNodeMethods(
  candidates: readonly NodeCandidate[],
  comparison: NodeComparison,
): Method<TunedModel>[] {
  const { data, task, trials, epochs } = comparison;
  const depths = candidates.flatMap(({ grid }) => ('steps' in grid ? (grid.steps as readonly number[]) : []));
  const hops = hopsOfTask(data, task, Math.max(0, ...depths));
  return candidates.map((own) =>
    tuned<NodeSetting, TunedModel>({
      title: own.title,
      settings: settingsOf(own.grid, trials, new Random(0).split(own.title)),
      ...(data.split && { once: data }),
      async train(setting, { random, hooks }) {
        const features = featuresOf(data, setting.features);
        const network = own.create(featureCount(features), data.classes, random.split('weights'), setting);
        const options = {
          epochs,
          ...own.training,
          learningRate: setting.learningRate,
          weightDecay: own.decay?.(setting) ?? setting.weightDecay,
          ...hooks,
        };
        const input = { ...task, features };
        const { training } =
          network instanceof HopNetwork
            ? await trainDecoupled(network, input, random, { ...options, hops: hops(setting.features) })
            : await trainNodes(network, input, random, options);
        const known = options.select === 'loss' ? undefined : training.bestMetric;
        return { network, features, setting, validated: known ?? validationAccuracy(network, input) };
      },
      validation: ({ validated }) => validated,
    }),
  );
}

function featuresOf({ features, scaled }: NodeData, form: FeatureForm): Features {
  return form === 'raw' ? features : scaled;
}

function validationAccuracy(network: GraphModule, { features, graph, labels, validation }: NodeTask): number {
  return scope(() => accuracy(predictedClasses(network.forward(features, graph, inference)), labels, validation));
}

/** Hops of the training and validation nodes, computed once for each form of the features. */
function hopsOfTask(data: NodeData, { graph, train, validation }: NodeTask, steps: number) {
  const known = new Map<FeatureForm, HopRows>();
  return (form: FeatureForm): HopRows => {
    const own =
      known.get(form) ?? hopRows(featuresOf(data, form), graph, steps, Int32Array.of(...train, ...validation));
    known.set(form, own);
    return own;
  };
}
