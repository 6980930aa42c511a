// Networks on hypergraphs, perceptrons, and students of LightHGNN and GLNN side by side: tuned
// alike on the validation vertices.

import {
  distill,
  type HypergraphNetwork,
  type NetworkKind,
  networkKinds,
  type Teacher,
  trainMlp,
  trainNetwork,
} from '../../hypergraph/index.js';
import { inference, type MLP } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { choice, count, number, type OptionValues, rate, share } from '../parts/options.js';
import { type Grid, settingsOf, tuned } from '../parts/tuning.js';
import { structureFor, type VertexTask, vertexOptions } from './vertices.js';

export const studentOptions = {
  teacher: choice(networkKinds, 'network that teaches'),
  ...vertexOptions,
  baselines: choice(['few', 'all'], 'networks beside MLP, GCN, GLNN and the teacher', { smoke: 'few' }),
  graphNetworks: choice(['with', 'without'], 'GCN, its student GLNN, and GAT; without: where cliques are too large'),
  trials: count(1, 'settings tried for each method on validation vertices', { smoke: 1 }),
  divergence: choice(['kl', 'released'], "soft-label loss: the paper's, or the released code's"),
  epochs: count(200, 'epochs of every training', { smoke: 60 }),
  learningRate: rate(0.01, "Adam's learning rate"),
  weightDecay: number(5e-4, 'L2 weight decay', { minimum: 0 }),
  dropout: share(0.5, 'dropout probability', { maximum: 0.99 }),
  hidden: count(32, "teacher's width"),
  studentHidden: count(128, "student's width"),
  lambda: share(0, 'share of the ground-truth term while distilling'),
  temperature: rate(1, 'temperature of the hyperedge term'),
  noise: number(1, 'noise level of hyperedge reliability', { minimum: 0 }),
};

export type StudentValues = OptionValues<typeof studentOptions>;

const kinds: Readonly<Record<NetworkKind, string>> = {
  hgnn: 'HGNN',
  hgnnp: 'HGNN⁺',
  hnhn: 'HNHN',
  unigcn: 'UniGCN',
  gcn: 'GCN',
  gat: 'GAT',
};

/** Titles of methods. */
export const [PLAIN, GRAPH, GRAPH_STUDENT, LIGHT, PLUS] = ['MLP', 'GCN', 'GLNN', 'LightHGNN', 'LightHGNN⁺'] as const;
/** The students of the paper. */
export const students: readonly string[] = [LIGHT, PLUS];

/** Title of the network that teaches. */
export function teacherTitle(kind: NetworkKind): string {
  return `${kinds[kind]} (teacher)`;
}

type Choice = Pick<StudentValues, 'teacher' | 'baselines' | 'graphNetworks'>;

/** Kinds of networks beside the teacher and GCN. */
function others({ teacher, baselines, graphNetworks }: Choice): NetworkKind[] {
  if (baselines === 'few') return [];
  const left = graphNetworks === 'with' ? ['gcn'] : ['gcn', 'gat'];
  return networkKinds.filter((kind) => kind !== teacher && !left.includes(kind));
}

/** Titles in the order of `vertexMethods`. */
export function vertexTitles(values: Choice): readonly string[] {
  const networks = others(values).map((kind) => kinds[kind]);
  const ofGraph = values.graphNetworks === 'with' ? [GRAPH, GRAPH_STUDENT] : [];
  return [PLAIN, ...ofGraph, ...networks, teacherTitle(values.teacher), ...students];
}

/** What is chosen on the validation vertices, alike for every method. */
type VertexSetting = { readonly learningRate: number; readonly weightDecay: number; readonly dropout: number };

/** The settings of every method: the options, then others of the grid. */
export function vertexSettings({ learningRate, weightDecay, dropout, trials }: StudentValues): VertexSetting[] {
  const grid: Grid<VertexSetting> = {
    learningRate: [learningRate, learningRate / 3],
    weightDecay: [weightDecay, 10 * weightDecay, weightDecay / 10],
    dropout: [dropout, dropout / 2, (1 + dropout) / 2],
  };
  return settingsOf(grid, trials, new Random(0).split('settings'));
}

/** A trained model, and its accuracy on the validation vertices. */
export interface TrainedVertexModel {
  readonly model: HypergraphNetwork | MLP;
  readonly validated: number;
}

type Train = (setting: VertexSetting, run: MethodRun) => Promise<TrainedVertexModel>;

/** Every method. Students learn from the network that its own validation has chosen. */
export function vertexMethods(task: VertexTask, values: StudentValues): Method<TrainedVertexModel>[] {
  const { seen } = task;
  const { epochs, hidden, studentHidden } = values;
  const settings = vertexSettings(values);
  const method = (title: string, train: Train) =>
    tuned<VertexSetting, TrainedVertexModel>({ title, settings, train, validation: ({ validated }) => validated });
  const network = (title: string, kind: NetworkKind) =>
    method(title, async (setting, { random, hooks }) => {
      const data = { ...seen, hypergraph: structureFor(kind, seen) };
      const trained = await trainNetwork(data, random, { ...setting, ...hooks, epochs, kind, hidden });
      return { model: trained.network, validated: trained.training.bestMetric as number };
    });
  const taught = new Map<string, HypergraphNetwork>();
  const teaching = (own: Method<TrainedVertexModel>): Method<TrainedVertexModel> => ({
    ...own,
    async train(run) {
      const trained = await own.train(run);
      taught.set(own.title, trained.model as HypergraphNetwork);
      return trained;
    },
  });
  const student = (title: string, teacher: string, plus = false) =>
    method(title, async (setting, { random, hooks }) => {
      const { lambda, temperature, noise, divergence } = values;
      const options = { epochs, plus, hidden: studentHidden, lambda, temperature, noise, divergence };
      const learned = teacherOf(taught.get(teacher) as HypergraphNetwork, task);
      const trained = await distill(learned, seen, random, { ...options, ...setting, ...hooks });
      return { model: trained.student, validated: trained.training.bestMetric as number };
    });
  const teacher = teacherTitle(values.teacher);
  return [
    method(PLAIN, async (setting, { random, hooks }) => {
      const trained = await trainMlp(seen, random, { ...setting, ...hooks, epochs, hidden: studentHidden });
      return { model: trained.student, validated: trained.training.bestMetric as number };
    }),
    ...(values.graphNetworks === 'with' ? [teaching(network(GRAPH, 'gcn')), student(GRAPH_STUDENT, GRAPH)] : []),
    ...others(values).map((kind) => network(kinds[kind], kind)),
    teaching(network(teacher, values.teacher)),
    student(LIGHT, teacher),
    student(PLUS, teacher, true),
  ];
}

/** A trained network as a teacher of the vertices that training sees, without dropout. */
function teacherOf(network: HypergraphNetwork, { seen }: VertexTask): Teacher {
  return (features) => network.forward(features, structureFor(network.kind, seen), inference);
}
