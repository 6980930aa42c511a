// Studies of heads on pairs of nodes and on whole graphs: which way the arcs of a set lead, and the
// problem that a program solves, from its syntax tree as a graph without cycles.

import { splitPerClass } from '../../data/index.js';
import { hasSources, loadSources } from '../../data/node.js';
import {
  ArcClassifier,
  arcAccuracy,
  augmentedFeatures,
  DirGNN,
  GCNConv,
  type LabelledGraphs,
  MagNetEncoder,
  NodeMLP,
  trainArcs,
  trainGraphClassifier,
  WholeGraphClassifier,
  wholeGraphAccuracy,
} from '../../graph/index.js';
import { languages, loadParser, sourceHypergraph } from '../../hypergraph/index.js';
import { type Features, featureCount } from '../../nn/index.js';
import { SparseMatrix } from '../../sparse/index.js';
import { type ArcQuestion, arcTask, Graph } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { noStudies, studyOf } from '../parts/studies.js';
import type { DirectedTraining } from './directed-methods.js';
import { type Create, spread, symmetrised } from './directed-networks.js';
import type { DirectedData } from './directed-sets.js';

type Context = Pick<RunContext, 'signal'>;

const SYMMETRISED = 'GCN, symmetrised';
const questions: readonly ArcQuestion[] = ['existence', 'direction', 'three-class'];

function networksOf({ hidden, dropout }: DirectedTraining): Readonly<Record<string, Create>> {
  const jumping = { hidden, dropout };
  return {
    MLP: (i, o, random) => new NodeMLP(i, o, random, jumping),
    [SYMMETRISED]: symmetrised(GCNConv, jumping),
    'Dir-GCN': (i, o, random) => new DirGNN(i, o, random, { ...jumping, selfLoops: true }),
    'Dir-SAGE': (i, o, random) => new DirGNN(i, o, random, { ...jumping, conv: 'sage' }),
    MagNet: (i, o, random) => new MagNetEncoder(i, o, random),
  };
}

/** Accuracy on held-out pairs, by network and question; what directed arcs tell is held out too. */
export async function arcStudy(
  data: DirectedData,
  training: DirectedTraining,
  seeds: number,
  { signal }: Context,
): Promise<StudyResults> {
  const networks = Object.entries(networksOf(training));
  const found = new Map<string, number[]>();
  for (let seed = 0; seed < seeds; seed++) {
    const { graph, features } = data.task(seed);
    for (const question of questions) {
      const task = arcTask(graph, question, new Random(seed).split('pairs'));
      // Degrees of the arcs that are left, as MagNet's authors give them, beside the features.
      const own: Features = augmentedFeatures(features, task.graph, { kinds: ['degrees'] });
      for (const [title, create] of networks) {
        signal?.throwIfAborted();
        const random = new Random(seed).split(`${title} ${question}`);
        const network = create(featureCount(own), training.hidden, random.split('network'));
        const classifier = new ArcClassifier(network, training.hidden, task.classNames.length, random);
        const { epochs, patience, learningRate, weightDecay } = training;
        const options = {
          epochs,
          patience,
          learningRate,
          weightDecay,
          select: 'loss',
          ...(signal && { signal }),
        } as const;
        await trainArcs(classifier, own, task, random.split('fit'), options);
        const key = `${question} ${title}`;
        found.set(key, [...(found.get(key) ?? []), 100 * arcAccuracy(classifier, own, task.graph, task.test)]);
      }
    }
  }
  const of = (question: string, title: string) => found.get(`${question} ${title}`) as number[];
  const scores = Object.fromEntries([...found].map(([key, values]) => [key, summarize(values).mean]));
  const directed = networks.map(([title]) => title).filter((title) => title !== 'MLP' && title !== SYMMETRISED);
  return studyOf(
    {
      title: 'Questions on pairs of nodes',
      columns: ['network', ...questions.map((question) => `${question} (%)`)],
      rows: networks.map(([title]) => [title, ...questions.map((question) => spread(of(question, title)))]),
      note: `Accuracy on the pairs of ${data.name} that are held out (15 %), ${seeds} seeds; features and log-degrees of the arcs that are left. By chance 50, 50 and 33 %.`,
    },
    {
      ...scores,
      'direction, directed': Math.max(...directed.map((title) => scores[`direction ${title}`] as number)),
      'direction, symmetrised': scores[`direction ${SYMMETRISED}`] as number,
    },
  );
}

/** Node types that are told apart; rarer ones are one. */
const TYPES = 96;
/** Programs of a problem to train on, to validate and to test; problems with fewer are left out. */
const PARTS = { train: 20, validation: 10, test: 30 };
/** Nodes of a program at most. */
const NODES = 800;

/** Classes of programs by their syntax trees, arcs from a node to what it is made of. */
export async function programStudy(
  training: DirectedTraining,
  seeds: number,
  { signal }: Context,
  name = 'code-gcj',
): Promise<StudyResults> {
  if (!hasSources(name)) return noStudies;
  const data = await syntaxTrees(name);
  const networks = networksOf(training);
  const rows: string[][] = [];
  const scores: Record<string, number> = {};
  for (const title of ['MLP', SYMMETRISED, 'Dir-SAGE'] as const) {
    const accuracies: number[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      signal?.throwIfAborted();
      const { train, validation, test } = splitPerClass(data.labels, data.classes, PARTS, new Random(seed));
      const labelled: LabelledGraphs = { ...data, train, validation };
      const random = new Random(seed).split(title);
      const create = networks[title] as Create;
      const network = create(TYPES, training.hidden, random.split('network'));
      const classifier = new WholeGraphClassifier(network, training.hidden, data.classes.length, random);
      await trainGraphClassifier(classifier, labelled, random.split('fit'), {
        epochs: Math.min(20, training.epochs),
        patience: 10,
        learningRate: 5e-3,
        ...(signal && { signal }),
      });
      accuracies.push(100 * wholeGraphAccuracy(classifier, labelled, test));
    }
    scores[`programs ${title}`] = summarize(accuracies).mean;
    rows.push([title, spread(accuracies)]);
  }
  const problems = data.classes.length;
  return studyOf(
    {
      title: 'Problems that programs solve, by their syntax trees',
      columns: ['network', 'accuracy (%)'],
      rows,
      note: `${problems} problems of ${name}: of each ${PARTS.train} programs to train, ${PARTS.validation} to validate and ${PARTS.test} to test, ${seeds} seeds; a node has its type alone. By chance ${(100 / problems).toFixed(0)} %.`,
    },
    { ...scores, 'programs by chance': 100 / problems },
  );
}

interface SyntaxTrees extends Pick<LabelledGraphs, 'graphs' | 'features' | 'labels'> {
  readonly classes: readonly string[];
}

/** A program's tree, its types in the order of its nodes, and its problem. */
interface Program {
  readonly graph: Graph;
  readonly types: readonly string[];
  readonly label: number;
}

async function syntaxTrees(name: string): Promise<SyntaxTrees> {
  const parser = await loadParser('java');
  const { files, labels, classes: names } = await loadSources(name, languages.java.endings);
  const all = files.flatMap(({ source, path }, at): Program[] => {
    const tree = sourceHypergraph(parser, source, path, { allowErrors: true });
    if (tree.vertexCount > NODES) return [];
    const { parents } = tree;
    const children = Int32Array.from({ length: tree.vertexCount - 1 }, (_, v) => v + 1);
    const to = children.map((v) => parents[v] as number);
    const graph = Graph.fromEdges(tree.vertexCount, to, children, { directed: true });
    // Names and numbers are left out: the tree alone decides.
    const types = tree.values.map((value, v) => (tree.kinds[v] === 0 ? value : 'name'));
    return [{ graph, types, label: labels[at] as number }];
  });
  const { programs, classes } = largeProblems(all, names);
  const codes = frequent(programs.map(({ types }) => types));
  const columns = programs.map(({ types }) => Int32Array.from(types, (type) => codes.get(type) ?? TYPES - 1));
  return {
    graphs: programs.map(({ graph }) => graph),
    labels: Int32Array.from(programs, ({ label }) => label),
    classes,
    features: (chosen) => {
      const column = Int32Array.from(Array.from(chosen, (g) => [...(columns[g] as Int32Array)]).flat());
      return SparseMatrix.fromCoordinates(
        column.length,
        TYPES,
        column.map((_, row) => row),
        column,
      );
    },
  };
}

/** As many programs of each problem as the parts take; problems with fewer are left out. */
function largeProblems(all: readonly Program[], names: readonly string[]) {
  const needed = PARTS.train + PARTS.validation + PARTS.test;
  const chosen = names
    .map((name, label) => ({ name, own: all.filter((program) => program.label === label).slice(0, needed) }))
    .filter(({ own }) => own.length === needed);
  return {
    programs: chosen.flatMap(({ own }, label) => own.map((program) => ({ ...program, label }))),
    classes: chosen.map(({ name }) => name),
  };
}

/** Numbers of the most frequent types; one number is left for all others. */
function frequent(types: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const own of types) for (const type of own) counts.set(type, (counts.get(type) ?? 0) + 1);
  const sorted = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return new Map(sorted.slice(0, TYPES - 1).map(([type], code) => [type, code]));
}
