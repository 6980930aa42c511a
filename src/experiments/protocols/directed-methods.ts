// Directed networks beside symmetrised ones and a perceptron, each tuned by as many settings on the
// same validation nodes: directions and depth of directed networks, q of MagNet, depth and width of
// the others.

import { DirGNN, GCNConv, type GraphModule, MagNet, NodeMLP, SAGEConv, trainNodes } from '../../graph/index.js';
import { accuracy, type FitResult, featureCount, inference, predictedClasses } from '../../nn/index.js';
import { type Random, scope } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { type Setting, tuned } from '../parts/tuning.js';
import { symmetrised } from './directed-networks.js';
import { type NodeModel, type NodeTask, nodeScores } from './nodes.js';

/** What all methods of a set share. */
export interface DirectedTraining {
  /** Hidden width. */
  readonly hidden: number;
  readonly dropout: number;
  readonly normalize: 'yes' | 'no';
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Epochs at most. */
  readonly epochs: number;
  /** Epochs without a better validation accuracy. */
  readonly patience: number;
  /** Settings of each method. */
  readonly trials: number;
}

/** A method: what is tried, and how a network is made of it. */
interface Candidate {
  readonly settings: readonly Setting[];
  create(inFeatures: number, classes: number, random: Random, setting: Setting): GraphModule;
}

/** Titles of the methods that ignore directions, and of those that do not. */
export const MLP = 'MLP';
export const undirectedTitles = ['GCN, symmetrised', 'GraphSAGE, symmetrised', 'MagNet, q = 0'] as const;
export const directedTitles = ['Dir-GCN', 'Dir-SAGE', 'MagNet'] as const;
export const methodTitles = [MLP, ...undirectedTitles, ...directedTitles] as const;
type Title = (typeof methodTitles)[number];

const product = (...axes: readonly Readonly<Record<string, readonly (number | boolean)[]>>[]): Setting[] =>
  axes
    .flatMap((axis) => Object.entries(axis))
    .reduce<Setting[]>(
      (all, [key, values]) => values.flatMap((value) => all.map((own) => ({ ...own, [key]: value }))),
      [{}],
    );

const depths = [2, 1, 4];

/** All candidates for a set; six settings each, the usual one first. */
function candidates({ hidden, dropout, normalize }: DirectedTraining): Readonly<Record<Title, Candidate>> {
  const jumping = ({ depth }: Setting) => ({
    layers: depth as number,
    hidden,
    dropout,
    normalize: normalize === 'yes',
  });
  const undirected = (Layer: typeof GCNConv | typeof SAGEConv): Candidate => ({
    settings: product({ depth: depths }, { width: [1, 2] }),
    create: (i, o, random, { width, ...setting }) =>
      symmetrised(Layer, { ...jumping(setting), hidden: hidden * (width as number) })(i, o, random),
  });
  const magnet = (i: number, o: number, random: Random, { q, order, width = 1 }: Setting) =>
    new MagNet(i, o, random, {
      q: q as number,
      order: order as number,
      hidden: (hidden * (width as number)) / 2,
      dropout,
    });
  return {
    MLP: {
      settings: product({ width: [1, 2] }, { drop: [dropout, 0.2, 0.7] }),
      create: (i, o, random, { width, drop }) =>
        new NodeMLP(i, o, random, { hidden: hidden * (width as number), dropout: drop as number }),
    },
    'GCN, symmetrised': undirected(GCNConv),
    'GraphSAGE, symmetrised': undirected(SAGEConv),
    'MagNet, q = 0': {
      settings: product({ order: [1, 2] }, { width: [1, 2, 4] }, { q: [0] }),
      create: magnet,
    },
    'Dir-GCN': {
      settings: product({ alpha: [0.5, 1, 0] }, { depth: [2, 4] }),
      create: (i, o, random, { alpha, ...setting }) =>
        new DirGNN(i, o, random, { ...jumping(setting), alpha: alpha as number, conv: 'gcn', selfLoops: false }),
    },
    'Dir-SAGE': {
      settings: product({ alpha: [0.5, 1, 0] }, { depth: [2, 4] }),
      create: (i, o, random, { alpha, ...setting }) =>
        new DirGNN(i, o, random, { ...jumping(setting), alpha: alpha as number, conv: 'sage' }),
    },
    MagNet: {
      settings: product({ q: [0.25, 0.1, 0, 0.15, 0.2, 0.05] }, { order: [1] }),
      create: magnet,
    },
  };
}

/** A trained network with its validation accuracy. */
export interface DirectedModel extends NodeModel {
  readonly validated: number;
  readonly stopped: FitResult['stopped'];
}

/** Trains a network on a task, its best epoch by validation accuracy restored. */
export async function trainDirected(
  network: GraphModule,
  task: NodeTask,
  values: Pick<DirectedTraining, 'epochs' | 'patience' | 'learningRate' | 'weightDecay'>,
  { random, hooks }: Pick<MethodRun, 'random' | 'hooks'>,
): Promise<DirectedModel> {
  const { epochs, patience, learningRate, weightDecay } = values;
  const options = { epochs, patience, learningRate, weightDecay, ...hooks };
  const { training } = await trainNodes(network, task, random, options);
  return { network, features: task.features, validated: training.bestMetric ?? Number.NaN, stopped: training.stopped };
}

/** The methods, each with its choice of setting made in every seed. */
export function directedMethods(task: NodeTask, values: DirectedTraining): Method<DirectedModel>[] {
  const all = candidates(values);
  return methodTitles.map((title) => {
    const { settings, create } = all[title];
    return tuned<Setting, DirectedModel>({
      title,
      settings: settings.slice(0, values.trials),
      train: (setting, run) => {
        const network = create(featureCount(task.features), task.classes, run.random.split('weights'), setting);
        return trainDirected(network, task, values, run);
      },
      validation: ({ validated }) => validated,
    });
  });
}

/** Test scores, and the accuracy on validation nodes by which methods are chosen. */
export function directedScores(model: DirectedModel, task: NodeTask): Scores {
  return { ...nodeScores(model, task), validation: 100 * validationAccuracy(model, task) };
}

function validationAccuracy({ network, features }: NodeModel, { graph, labels, validation }: NodeTask): number {
  return scope(() => accuracy(predictedClasses(network.forward(features, graph, inference)), labels, validation));
}
