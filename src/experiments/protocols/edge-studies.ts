// Studies of EHGNN: the cost and the inverse of the dual transformation, deep networks on nodes,
// and generation of molecules.

import { type GraphDataset, splitOf } from '../../data/index.js';
import { loadGraph } from '../../data/node.js';
import {
  atomPairs,
  DeepNodeNetwork,
  type DenseMolecules,
  EdgeCritic,
  type MoleculeCritic,
  MoleculeGenerator,
  type MoleculeSizes,
  NodeCritic,
  trainAdversarially,
} from '../../hypergraph/index.js';
import {
  accuracy,
  type Features,
  featureCount,
  inference,
  labelledLoss,
  predictedClasses,
  trainByValidation,
} from '../../nn/index.js';
import { dualIncidences, edgeIncidences, edgesOfIncidences, GraphCollection } from '../../structure/index.js';
import { cosineSimilarities, mean, type Random, scope, tensor } from '../../tensor/index.js';
import type { Scores, StudyResults } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { studyOf } from '../parts/studies.js';
import type { EdgeData, EdgeValues } from './edge-learning.js';
import { validMolecules } from './edge-sets.js';

const STAR = 100_000;

/** The dual of a star: time, bytes, and whether the dual of the dual is the star. */
export function dualStudy(): StudyResults {
  const star = {
    nodeCount: STAR + 1,
    sources: new Int32Array(STAR),
    targets: Int32Array.from({ length: STAR }, (_, e) => e + 1),
  };
  const started = performance.now();
  const dual = dualIncidences(edgeIncidences(star));
  const seconds = (performance.now() - started) / 1000;
  const bytes = dual.vertices.byteLength + dual.hyperedges.offsets.byteLength;
  const back = edgesOfIncidences(dualIncidences(dual));
  const isInverse = (side: 'sources' | 'targets') => back[side].every((node, e) => node === star[side][e]);
  const inverse = Number(isInverse('sources') && isInverse('targets') && back.nodeCount === star.nodeCount);
  return studyOf(
    {
      title: 'The dual of a star',
      note: `${STAR} edges at one node, which have 5·10⁹ pairs in a line graph; one run.`,
      columns: ['edges', 'time (s)', 'bytes an edge', 'dual of the dual is the star'],
      rows: [[STAR, seconds.toFixed(3), (bytes / STAR).toFixed(1), inverse === 1 ? 'yes' : 'no']],
    },
    { dualSeconds: seconds, dualBytes: bytes / STAR, inverse },
  );
}

/** A graph with classes of its nodes, for deep networks. */
export interface DepthData {
  readonly set: GraphDataset;
  readonly graph: GraphCollection;
}

/** Known graphs that deep networks are trained on. */
export const depthSets: readonly string[] = ['cora', 'citeseer'];

export function depthData(source: string): DepthData {
  const set = loadGraph(source);
  return { set, graph: GraphCollection.of([set.graph]) };
}

const depths = [4, 8, 16];
const variants: Readonly<Record<string, { ratio?: number; batchNorm?: boolean }>> = {
  GCN: {},
  'GCN + BatchNorm': { batchNorm: true },
  'GCN + HyperDrop': { ratio: 0.8 },
};

/** Title of a network of some depth. */
export const depthTitle = (variant: string, layers: number) => `${variant}, ${layers} layers`;

export const depthTitles: readonly string[] = Object.keys(variants).flatMap((variant) =>
  depths.map((layers) => depthTitle(variant, layers)),
);

/** Deep networks with and without HyperDrop: accuracy, and how far apart the nodes still are. */
export function depthMethods(data: DepthData, values: EdgeValues, seed: Random): Method<DeepNodeNetwork>[] {
  const { labels, classes, features } = data.set;
  if (!features) throw new Error(`graph "${data.set.name}" has no features`);
  const split = splitOf(data.set, seed.split('split'));
  const { epochs, hidden, learningRate, patience } = values;
  return Object.entries(variants).flatMap(([variant, own]) =>
    depths.map((layers) => ({
      title: depthTitle(variant, layers),
      async train({ random, hooks }) {
        const shape = { layers, hidden, dropout: 0.5, ...own };
        const network = new DeepNodeNetwork(featureCount(features), classes, random.split('weights'), shape);
        await trainByValidation(
          network,
          { labels, ...split },
          (live, mode) => live.forward(features, data.graph, mode),
          labelledLoss(labels, split.train),
          random.split('fit'),
          { epochs, learningRate, patience, weightDecay: 5e-4, select: 'loss', ...hooks },
        );
        return network;
      },
      score: (network) => ({
        accuracy:
          100 *
          accuracy(
            scope(() => predictedClasses(network.forward(features, data.graph, inference))),
            labels,
            split.test,
          ),
        distance: pairDistance(network, features, data.graph, seed.split('pairs')),
      }),
    })),
  );
}

/** Mean of 1 − cos over pairs of the last hidden states of 500 nodes drawn. */
function pairDistance(network: DeepNodeNetwork, x: Features, graph: GraphCollection, random: Random): number {
  return scope(() => {
    const rows = tensor(random.sample(graph.nodeCount, Math.min(500, graph.nodeCount)));
    const states = network.hidden(x, graph, inference).gatherRows(rows);
    const count = states.shape[0] as number;
    // The diagonal has distance 0 where a state is not zero.
    return ((1 - mean(cosineSimilarities(states, states)).item()) * count) / (count - 1);
  });
}

const ELEMENTS = ['6', '7', '8', '9'];
const BONDS = ['single', 'double', 'triple', 'aromatic'];
const MOLECULE: MoleculeSizes = { atoms: 9, kinds: ELEMENTS.length + 1, types: BONDS.length + 1 };

/** Critics by the title of the method. */
const critics: Readonly<Record<string, (random: Random, hidden: number) => MoleculeCritic & object>> = {
  'MolGAN, R-GCN critic': (random, hidden) => new NodeCritic(MOLECULE, hidden, random),
  'MolGAN, EHGNN critic': (random, hidden) => new EdgeCritic(MOLECULE, hidden, random),
};

export const criticTitles: readonly string[] = Object.keys(critics);

/** A molecule as text, the same for the same numbering alone. */
type Molecule = { readonly atoms: readonly number[]; readonly bonds: readonly number[] };

/** Generators trained against critics of nodes and of edges. */
export function generationMethods(data: EdgeData, values: EdgeValues): Method<MoleculeGenerator>[] {
  const molecules = smallMolecules(data);
  const known = new Set(molecules.map(canonical));
  const real = batchOf(molecules);
  return Object.entries(critics).map(([title, make]) => ({
    title,
    train({ random, hooks, progress }) {
      const generator = new MoleculeGenerator(MOLECULE, 32, random.split('generator'));
      trainAdversarially(generator, make(random.split('critic'), values.hidden), real, random.split('fit'), {
        steps: values.epochs,
        batch: values.batch,
        learningRate: values.learningRate,
        signal: hooks.signal,
        onProgress: progress,
      });
      return generator;
    },
    score: (generator, { random }) => generationScores(sampled(generator, 1000, random.split('samples')), known),
  }));
}

/** Molecules of at most nine atoms C, N, O and F, in the order of their file. */
function smallMolecules({ set, typed }: EdgeData): Molecule[] {
  const element = set.nodeColumns.find(({ name }) => name === 'element')?.values;
  if (!element || !typed) throw new Error(`set of graphs "${set.name}" has no elements and bonds to generate from`);
  const pairs = new Map(atomPairs(MOLECULE.atoms).map(([u, v], p) => [`${u} ${v}`, p]));
  const { nodes, edges, sources, targets } = set.graphs;
  return Array.from({ length: set.graphs.count }, (_, g) => {
    const first = nodes.offsets[g] as number;
    const kinds = Array.from({ length: (nodes.offsets[g + 1] as number) - first }, (_, i) =>
      ELEMENTS.indexOf(String(element[first + i])),
    );
    const bonds = new Array<number>(pairs.size).fill(0);
    for (let e = edges.offsets[g] as number; e < (edges.offsets[g + 1] as number); e++) {
      const [u, v] = [(sources[e] as number) - first, (targets[e] as number) - first];
      const pair = pairs.get(`${Math.min(u, v)} ${Math.max(u, v)}`);
      if (pair !== undefined) bonds[pair] = 1 + BONDS.indexOf(typed.names[typed.types[e] as number] as string);
    }
    const atoms = Array.from({ length: MOLECULE.atoms }, (_, i) => (i < kinds.length ? 1 + (kinds[i] as number) : 0));
    return { atoms, bonds, fits: kinds.length <= MOLECULE.atoms && kinds.every((kind) => kind >= 0) };
  }).filter(({ fits }) => fits);
}

function batchOf(molecules: readonly Molecule[]): (count: number, random: Random) => DenseMolecules {
  const oneHots = (rows: readonly (readonly number[])[], width: number) => {
    const length = rows[0]?.length ?? 0;
    const values = new Float32Array(rows.length * length * width);
    rows.forEach((row, r) => {
      row.forEach((code, i) => {
        values[(r * length + i) * width + code] = 1;
      });
    });
    return tensor(values, [rows.length, length, width]);
  };
  return (count, random) => {
    const chosen = Array.from({ length: count }, () => molecules[random.integer(molecules.length)] as Molecule);
    return {
      atoms: oneHots(
        chosen.map(({ atoms }) => atoms),
        MOLECULE.kinds,
      ),
      bonds: oneHots(
        chosen.map(({ bonds }) => bonds),
        MOLECULE.types,
      ),
    };
  };
}

function sampled(generator: MoleculeGenerator, count: number, random: Random): Molecule[] {
  return scope(() => {
    const { atoms, bonds } = generator.forward(count, random);
    const codes = (x: typeof atoms) => {
      const [, length] = x.shape as [number, number, number];
      const all = predictedClasses(x);
      return Array.from({ length: count }, (_, m) => Array.from(all.subarray(m * length, (m + 1) * length)));
    };
    const [kinds, types] = [codes(atoms), codes(bonds)];
    return kinds.map((own, m) => ({ atoms: own, bonds: types[m] as number[] }));
  });
}

/** Atoms refined three times by their neighbours: equal for renumbered molecules. */
function canonical({ atoms, bonds }: Molecule): string {
  const pairs = atomPairs(MOLECULE.atoms).flatMap(([u, v], p) =>
    (bonds[p] as number) > 0 ? [[u, v, bonds[p] as number] as const] : [],
  );
  let colours = atoms.map(String);
  for (let round = 0; round < 3; round++)
    colours = colours.map((own, atom) => {
      const around = pairs.flatMap(([u, v, bond]) =>
        u === atom ? [`${bond}:${colours[v]}`] : v === atom ? [`${bond}:${colours[u]}`] : [],
      );
      return `${own}(${around.sort().join(',')})`;
    });
  return colours.sort().join(' ');
}

/** One connected molecule whose bonds fit its atoms. */
function isValid({ atoms, bonds }: Molecule): boolean {
  const present = atoms.flatMap((kind, atom) => (kind > 0 ? [atom] : []));
  if (present.length === 0) return false;
  const numbers = new Map(present.map((atom, i) => [atom, i]));
  const kept = atomPairs(MOLECULE.atoms).flatMap(([u, v], p) =>
    (bonds[p] as number) > 0 ? [{ u: numbers.get(u), v: numbers.get(v), bond: BONDS[(bonds[p] as number) - 1] }] : [],
  );
  if (kept.some(({ u, v }) => u === undefined || v === undefined)) return false;
  const reached = new Set([0]);
  for (let before = 0; before < reached.size; ) {
    before = reached.size;
    for (const { u, v } of kept) {
      if (reached.has(u as number)) reached.add(v as number);
      if (reached.has(v as number)) reached.add(u as number);
    }
  }
  if (reached.size < present.length) return false;
  const ends = {
    nodes: { offsets: Int32Array.of(0, present.length) },
    nodeCount: present.length,
    sources: kept.map(({ u }) => u as number),
    targets: kept.map(({ v }) => v as number),
  };
  const element = present.map((atom) => ELEMENTS[(atoms[atom] as number) - 1] as string);
  const types = kept.map(({ bond }) => bond as string);
  return validMolecules(ends, { element, charge: new Float64Array(present.length) }, types, [0])[0] ?? false;
}

/**
 * Validity, uniqueness among the valid, novelty among the unique, in %, and their first product.
 */
function generationScores(molecules: readonly Molecule[], known: ReadonlySet<string>): Scores {
  const valid = molecules.filter(isValid).map(canonical);
  const unique = new Set(valid);
  const share = (part: number, whole: number) => (whole === 0 ? 0 : (100 * part) / whole);
  return {
    validity: share(valid.length, molecules.length),
    unique: share(unique.size, valid.length),
    novel: share([...unique].filter((molecule) => !known.has(molecule)).length, unique.size),
    distinct: share(unique.size, molecules.length),
  };
}
