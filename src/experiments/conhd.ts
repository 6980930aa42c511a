// CoNHD's claim: a vertex's role differs from hyperedge to hyperedge, so incidences need representations of their own; diffusion among them tells roles that vertices alone do not.

import { type IncidenceDataset, incidencesFromArrays, readNpz, roleDataset } from '../data/index.js';
import { knownArchive, readBytes } from '../data/node.js';
import {
  CoNHD,
  IncidenceHGNN,
  IncidenceMLP,
  type IncidenceNetwork,
  rankPositions,
  structuralFeatures,
  trainIncidences,
} from '../hypergraph/index.js';
import { accuracy, inference, macroF1, parameterCount, predictedClasses, stateOf } from '../nn/index.js';
import { keep, Random, scope, softmax, type Tensor, tensor } from '../tensor/index.js';
import { atLeast, meanScore } from './claims.js';
import type { Claim, Experiment, MethodScores, RunContext, SeedResult } from './contract.js';
import type { OptionValues } from './options.js';

const options = {
  epochs: { kind: 'number', default: 120, smoke: 25, minimum: 1, integer: true, about: 'full-batch epochs' },
  hidden: { kind: 'number', default: 32, smoke: 16, minimum: 4, integer: true, about: 'width' },
  layers: { kind: 'number', default: 2, minimum: 1, integer: true, about: 'diffusion steps' },
  block: { kind: 'choice', choices: ['mean', 'attention'], default: 'mean', about: 'equivariant block' },
  dropout: { kind: 'number', default: 0.2, minimum: 0, maximum: 0.99, about: 'dropout probability' },
  learningRate: { kind: 'number', default: 3e-3, minimum: 1e-9, about: "Adam's learning rate" },
  vectors: {
    kind: 'number',
    default: 40,
    minimum: 1,
    integer: true,
    about: 'singular vectors in the inputs of sets without features',
  },
} as const;

type Options = OptionValues<typeof options>;

const titles = {
  mlp: 'MLP',
  ranks: 'MLP with ranks',
  hgnn: 'HGNN',
  aggregated: 'CoNHD, aggregated',
  gd: 'CoNHD',
  admm: 'CoNHD, ADMM',
} as const;
const files: Readonly<Record<string, string>> = {
  'stackoverflow-biology': 'edge-dependent/stackoverflow-biology.npz',
  'email-eu': 'edge-dependent/email-eu.npz',
  'coauth-dblp': 'edge-dependent/coauth-dblp.npz',
  'cora-outsider': 'edge-dependent/cora-outsider.npz',
};

interface Data extends IncidenceDataset {
  /** Features of the vertices [N, d], and ranks of the incidences where the set has no features of its own. */
  readonly features: Tensor;
  readonly positions: Tensor | undefined;
}

function load(source: string, { vectors }: Options): Data {
  const random = new Random(0).split('conhd');
  if (source === 'role') {
    const data = roleDataset(random);
    return {
      ...data,
      features: keep(tensor(data.features, [data.incidences.vertexCount, data.width])),
      positions: undefined,
    };
  }
  const known = files[source];
  const path = known ? knownArchive(source, known) : source;
  const data = incidencesFromArrays(readNpz(readBytes(path), source), source);
  return {
    ...data,
    features: structuralFeatures(data.incidences, random, vectors),
    positions: rankPositions(data.incidences),
  };
}

async function runSeed(data: Data, values: Options, context: RunContext) {
  const random = new Random(context.seed);
  const { hidden, dropout, layers, block } = values;
  const labelled = { ...data, ...data.split };
  const [inFeatures, positions] = [data.features.shape[1] as number, data.positions ? 4 : 0];
  const conhd = (method: string, extra: object = {}) =>
    new CoNHD(inFeatures, data.classes, random.split(method), { hidden, dropout, layers, block, positions, ...extra });
  const make: Readonly<Record<string, (method: string) => IncidenceNetwork & object>> = {
    [titles.mlp]: (method) => new IncidenceMLP(inFeatures, data.classes, random.split(method), { hidden, dropout }),
    ...(positions > 0 && {
      [titles.ranks]: (method: string) =>
        new IncidenceMLP(inFeatures, data.classes, random.split(method), { hidden, dropout, positions }),
    }),
    [titles.hgnn]: (method) => new IncidenceHGNN(inFeatures, data.classes, random.split(method), { hidden, dropout }),
    [titles.aggregated]: (method) => conhd(method, { aggregated: true }),
    [titles.gd]: conhd,
    [titles.admm]: (method) => conhd(method, { diffusion: 'admm' }),
  };
  const results: MethodScores[] = [];
  let kept: IncidenceNetwork | undefined;
  for (const [method, create] of Object.entries(make)) {
    const started = performance.now();
    const network = create(method);
    await trainIncidences(network, labelled, random.split(method), {
      epochs: values.epochs,
      learningRate: values.learningRate,
      signal: context.signal,
      checkpoint: context.checkpoint(method),
      onEpoch: (report) => context.onEpoch(method, report),
    });
    context.signal?.throwIfAborted();
    const seconds = (performance.now() - started) / 1000;
    const predicted = scope(() => predictedClasses(network.forward(labelled, inference)));
    const { labels, classes, split } = data;
    const scores = {
      micro: 100 * accuracy(predicted, labels, split.test),
      macro: 100 * macroF1(predicted, labels, classes, split.test),
      seconds,
      parameters: parameterCount(network),
    };
    results.push({ method, scores });
    if (method === titles.gd) kept = network;
  }
  return { methods: results, artifacts: () => artifactsOf(kept as IncidenceNetwork & object, labelled) };
}

function artifactsOf(network: IncidenceNetwork & object, data: Data) {
  const probabilities = scope(() => softmax(network.forward(data, inference)).dataSync());
  const edges = data.incidences.hyperedges.ids.view();
  const rows = Array.from(data.split.test, (i) => {
    const own = probabilities.subarray(i * data.classes, (i + 1) * data.classes);
    const best = own.indexOf(Math.max(...own));
    return [
      data.incidences.vertices[i] as number,
      edges[i] as number,
      best,
      (own[best] as number).toFixed(4),
      data.labels[i] as number,
    ];
  });
  return {
    model: { weights: stateOf(network), metadata: { system: 'conhd', data: data.name, classes: String(data.classes) } },
    predictions: { columns: ['vertex', 'hyperedge', 'prediction', 'probability', 'label'], rows },
  };
}

/** Depth: the network stays as good with four times the layers. */
async function studies(data: Data, values: Options, seed: number) {
  if (data.name !== 'role') return { studies: [], scores: {} };
  const random = new Random(seed);
  const rows: (string | number)[][] = [];
  const scores: Record<string, number> = {};
  for (const layers of [2, 4, 8]) {
    const network = new CoNHD(data.features.shape[1] as number, data.classes, random.split(layers), {
      hidden: values.hidden,
      dropout: values.dropout,
      layers,
      block: values.block,
    });
    await trainIncidences(network, { ...data, ...data.split }, random.split(layers), {
      epochs: values.epochs,
      learningRate: values.learningRate,
    });
    const predicted = scope(() => predictedClasses(network.forward({ ...data, ...data.split }, inference)));
    scores[`depth${layers}`] = 100 * accuracy(predicted, data.labels, data.split.test);
    rows.push([layers, (scores[`depth${layers}`] as number).toFixed(1)]);
  }
  return {
    studies: [
      {
        title: 'Depth',
        note: 'Micro-F1 of CoNHD in %, one seed: representations of incidences do not smooth out.',
        columns: ['layers', 'micro-F1'],
        rows,
      },
    ],
    scores,
  };
}

function claims(
  results: readonly SeedResult[],
  study: Readonly<Record<string, number>>,
  _: Options,
  data: Data,
): Claim[] {
  const above = (method: string, metric: string) =>
    meanScore(results, titles.gd, metric) - meanScore(results, method, metric);
  if (data.name === 'role')
    return [
      atLeast('CoNHD above MLP (points of micro-F1)', above(titles.mlp, 'micro'), 10),
      atLeast('CoNHD above HGNN (points of micro-F1)', above(titles.hgnn, 'micro'), 15),
      atLeast(
        'Eight layers against two (points of micro-F1)',
        (study.depth8 ?? Number.NaN) - (study.depth2 ?? Number.NaN),
        -2,
      ),
    ];
  return [
    atLeast('CoNHD above HGNN (points of micro-F1)', above(titles.hgnn, 'micro'), 4),
    atLeast('CoNHD above HGNN (points of macro-F1)', above(titles.hgnn, 'macro'), 6),
    atLeast('CoNHD above MLP with ranks (points of micro-F1)', above(titles.ranks, 'micro'), 3),
  ];
}

export const conhd: Experiment<typeof options, Data> = {
  system: 'conhd',
  title: 'CoNHD: co-representation neural hypergraph diffusion',
  family: 'hypergraph',
  paper:
    'Zheng, Worring, "Co-Representation Neural Hypergraph Diffusion for Edge-Dependent Node Classification", CIKM 2025 (arXiv 2405.14286)',
  abstract:
    'Modelling every incidence by itself, with diffusion within hyperedges and within vertices by equivariant operators, gives the best accuracy on all edge-dependent node classification sets without loss of efficiency.',
  options,
  datasets: ['role', ...Object.keys(files)],
  ownData:
    'a .npz archive with he_indptr, he_indices, pin_labels and split (0 train, 1 validation, 2 test, one a hyperedge)',
  metrics: {
    micro: { label: 'micro-F1', unit: '%', digits: 1, better: 'larger' },
    macro: { label: 'macro-F1', unit: '%', digits: 1, better: 'larger' },
    seconds: { label: 'training', unit: 's', digits: 1, better: 'smaller' },
    parameters: { label: 'parameters', digits: 0, better: 'smaller' },
  },
  methods: Object.values(titles),
  notes: () => [
    'A label for every vertex in every hyperedge; scores over the incidences of test hyperedges, which take part in diffusion without their labels.',
    '"Aggregated" replaces each message by the mean of its set: what networks with one vector a vertex or hyperedge can pass on.',
  ],
  async load(source, values) {
    return load(source, values);
  },
  describe: ({ name, incidences, classes }) =>
    `${name}: ${incidences.vertexCount} vertices, ${incidences.hyperedgeCount} hyperedges, ${incidences.count} incidences, ${classes} classes`,
  runSeed,
  studies,
  claims,
};
