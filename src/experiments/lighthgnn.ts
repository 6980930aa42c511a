// LightHGNN's claim: a distilled MLP is as good as the hypergraph network that taught it, far better than an MLP trained on labels, and two orders of
// magnitude faster to ask about a vertex.

import { type HypergraphDataset, type Split, splitPerClass } from '../data/index.js';
import { fetchIfMissing, hypergraphNames, loadHypergraph } from '../data/node.js';
import { medianSeconds } from '../engine/index.js';
import {
  classifyVertices,
  distill,
  type HypergraphNetwork,
  type Labelled,
  type NetworkKind,
  networkKinds,
  StudentModel,
  topologyScore,
  trainMlp,
  trainNetwork,
} from '../hypergraph/index.js';
import {
  accuracy,
  type Features,
  inference,
  type MLP,
  macroF1,
  parameterCount,
  predictedClasses,
  rowsOf,
  stateOf,
} from '../nn/index.js';
import { SparseMatrix } from '../sparse/index.js';
import { type Hypergraph, memo } from '../structure/index.js';
import { Random, scope, softmax, type Tensor } from '../tensor/index.js';
import { atLeast, meanScore } from './claims.js';
import type { Artifacts, Claim, Experiment, MethodScores, RunContext, Scores, SeedResult } from './contract.js';
import { speedStudies } from './lighthgnn-speed.js';
import type { OptionValues } from './options.js';

const options = {
  teacher: { kind: 'choice', choices: networkKinds, default: 'hgnn', about: 'network that teaches' },
  setting: {
    kind: 'choice',
    choices: ['transductive', 'production'],
    default: 'transductive',
    about: 'production hides a share of the test vertices while training',
  },
  holdout: {
    kind: 'number',
    default: 0.5,
    minimum: 0.01,
    maximum: 0.99,
    about: 'share of test vertices that production hides',
  },
  divergence: {
    kind: 'choice',
    choices: ['kl', 'released'],
    default: 'kl',
    about: "soft-label loss: the paper's, or the released code's",
  },
  epochs: { kind: 'number', default: 200, smoke: 60, minimum: 1, integer: true, about: 'epochs of every training' },
  learningRate: { kind: 'number', default: 0.01, minimum: 1e-9, about: "Adam's learning rate" },
  weightDecay: { kind: 'number', default: 5e-4, minimum: 0, about: 'L2 weight decay' },
  dropout: { kind: 'number', default: 0.5, minimum: 0, maximum: 0.99, about: 'dropout probability' },
  hidden: { kind: 'number', default: 32, minimum: 1, integer: true, about: "teacher's width" },
  studentHidden: { kind: 'number', default: 128, minimum: 1, integer: true, about: "student's width" },
  lambda: {
    kind: 'number',
    default: 0,
    minimum: 0,
    maximum: 1,
    about: 'share of the ground-truth term while distilling',
  },
  temperature: { kind: 'number', default: 1, minimum: 1e-6, about: 'temperature of the hyperedge term' },
  noise: { kind: 'number', default: 1, minimum: 0, about: 'noise level of hyperedge reliability' },
  trainPerClass: { kind: 'number', default: 20, minimum: 1, integer: true, about: 'labelled vertices of each class' },
  validationPerClass: {
    kind: 'number',
    default: 100,
    minimum: 1,
    integer: true,
    about: 'validation vertices of each class',
  },
  speedVertices: {
    kind: 'number',
    default: 55_000,
    smoke: 2000,
    minimum: 20,
    integer: true,
    about: 'vertices of the synthetic hypergraph of the speed study',
  },
} as const;

type Options = OptionValues<typeof options>;

const methods = {
  mlp: 'MLP',
  gcn: 'GCN (clique)',
  teacher: 'teacher',
  light: 'LightHGNN',
  plus: 'LightHGNN⁺',
} as const;

function teacherName(kind: NetworkKind): string {
  const names: Readonly<Record<NetworkKind, string>> = {
    hgnn: 'HGNN',
    hgnnp: 'HGNN⁺',
    hnhn: 'HNHN',
    unigcn: 'UniGCN',
    gcn: 'GCN',
    gat: 'GAT',
  };
  return `${names[kind]} (teacher)`;
}

/** Seed-specific view of the data: what training may see, and where the methods are tested. */
interface Setting {
  readonly seen: Labelled;
  readonly whole: { readonly features: Features; readonly hypergraph: Hypergraph; readonly labels: Int32Array };
  readonly test: Int32Array;
}

/** What all seeds share, made once, so that operators on it are made once too. */
function prepare(data: HypergraphDataset): { features: Features; hypergraph: Hypergraph } {
  if (!data.features) throw new Error(`data set "${data.name}" has no vertex features, which an MLP student needs`);
  const hypergraph = memo(data.hypergraph, 'prepared', () => data.hypergraph.mergeDuplicates().withSelfLoops());
  return { features: data.features, hypergraph };
}

function makeSetting(
  data: HypergraphDataset,
  { setting, holdout, trainPerClass, validationPerClass }: Options,
  random: Random,
): Setting {
  const { features, hypergraph } = prepare(data);
  const classes = data.classNames.length;
  const split = splitPerClass(
    data.labels,
    classes,
    { train: trainPerClass, validation: validationPerClass },
    random.split('split'),
  );
  const whole = { features, hypergraph, labels: data.labels };
  if (setting === 'transductive') return { seen: { ...whole, classes, ...split }, whole, test: split.test };
  return hideVertices(data, whole, classes, split, holdout, random.split('holdout'));
}

/** Production: a share of the test vertices does not exist while training, and the methods are tested on it. */
function hideVertices(
  data: HypergraphDataset,
  whole: Setting['whole'],
  classes: number,
  split: Split,
  holdout: number,
  random: Random,
): Setting {
  const order = random.permutation(split.test.length);
  const unseen = order.subarray(0, Math.ceil(holdout * order.length)).map((at) => split.test[at] as number);
  const hidden = new Set(unseen);
  const observed = Int32Array.from(data.labels.keys()).filter((vertex) => !hidden.has(vertex));
  const position = new Map(Array.from(observed, (vertex, at) => [vertex, at]));
  const renumber = (vertices: Int32Array) => vertices.map((vertex) => position.get(vertex) as number);
  const seen = {
    features: rowsOf(whole.features, observed),
    hypergraph: data.hypergraph.induced(observed).mergeDuplicates().withSelfLoops(),
    labels: observed.map((vertex) => data.labels[vertex] as number),
    classes,
    train: renumber(split.train),
    validation: renumber(split.validation),
  };
  return { seen, whole, test: unseen };
}

function score(logits: Tensor, { whole, test, seen }: Setting): Scores {
  const predicted = predictedClasses(logits);
  return {
    accuracy: 100 * accuracy(predicted, whole.labels, test),
    macroF1: 100 * macroF1(predicted, whole.labels, seen.classes, test),
  };
}

/** Milliseconds to classify one vertex: a network fetches its neighbourhood (all vertices where its layers do not allow less), an MLP reads one row. */
function milliseconds(classify: (vertex: Int32Array) => Tensor, random: Random, vertices: number): number {
  const ask = () => scope(() => classify(Int32Array.of(random.integer(vertices))).view()[0]);
  return 1000 * medianSeconds(ask, 31, 5);
}

function scoreNetwork(network: HypergraphNetwork, setting: Setting, random: Random): Scores {
  const { features, hypergraph } = setting.whole;
  const classify = ['hnhn', 'gat'].includes(network.kind)
    ? () => network.forward(features, hypergraph, inference)
    : (vertices: Int32Array) => classifyVertices(network, features, hypergraph, vertices);
  return scope(() => ({
    ...score(network.forward(features, hypergraph, inference), setting),
    topology: topologyScore(network.hidden(features, hypergraph), hypergraph),
    latency: milliseconds(classify, random, hypergraph.vertexCount),
    parameters: parameterCount(network),
  }));
}

function scoreStudent(student: MLP, setting: Setting, random: Random): Scores {
  const { features, hypergraph } = setting.whole;
  return scope(() => ({
    ...score(student.forward(features, inference), setting),
    topology: topologyScore(student.hidden(features, inference) as Tensor, hypergraph),
    latency: milliseconds(
      (vertices) => student.forward(rowsOf(features, vertices), inference),
      random,
      hypergraph.vertexCount,
    ),
    parameters: parameterCount(student),
  }));
}

async function runSeed(data: HypergraphDataset, values: Options, context: RunContext) {
  const random = new Random(context.seed);
  const setting = makeSetting(data, values, random);
  const timing = random.split('timing');
  const training = (method: string) => ({
    epochs: values.epochs,
    learningRate: values.learningRate,
    weightDecay: values.weightDecay,
    dropout: values.dropout,
    signal: context.signal,
    checkpoint: context.checkpoint(method),
    onEpoch: (report: Parameters<RunContext['onEpoch']>[1]) => context.onEpoch(method, report),
  });
  const results: MethodScores[] = [];
  const add = (method: string, scores: Scores) => {
    context.signal?.throwIfAborted();
    results.push({ method, scores });
  };

  const mlp = await trainMlp(setting.seen, random.split('mlp'), {
    ...training(methods.mlp),
    hidden: values.studentHidden,
  });
  add(methods.mlp, scoreStudent(mlp.student, setting, timing));
  const gcn = await trainNetwork(setting.seen, random.split('gcn'), {
    ...training(methods.gcn),
    kind: 'gcn',
    hidden: values.hidden,
  });
  add(methods.gcn, scoreNetwork(gcn.network, setting, timing));
  const { network } = await trainNetwork(setting.seen, random.split('teacher'), {
    ...training(methods.teacher),
    kind: values.teacher,
    hidden: values.hidden,
  });
  add(teacherName(values.teacher), scoreNetwork(network, setting, timing));

  const teach = (features: Features, hypergraph: Hypergraph) => network.forward(features, hypergraph, inference);
  const recipe = {
    hidden: values.studentHidden,
    lambda: values.lambda,
    temperature: values.temperature,
    noise: values.noise,
    divergence: values.divergence,
  };
  const light = await distill(teach, setting.seen, random.split('light'), { ...training(methods.light), ...recipe });
  add(methods.light, scoreStudent(light.student, setting, timing));
  const plus = await distill(teach, setting.seen, random.split('plus'), {
    ...training(methods.plus),
    ...recipe,
    plus: true,
  });
  add(methods.plus, scoreStudent(plus.student, setting, timing));
  return { methods: results, artifacts: () => artifactsOf(plus.student, data, setting) };
}

function artifactsOf(student: MLP, data: HypergraphDataset, setting: Setting): Artifacts {
  const probabilities = scope(() => softmax(student.forward(setting.whole.features, inference)).dataSync());
  const classes = data.classNames.length;
  const rows = data.vertexNames.map((vertex, v) => {
    const own = probabilities.subarray(v * classes, (v + 1) * classes);
    const best = own.indexOf(Math.max(...own));
    return [
      vertex,
      data.classNames[best] as string,
      (own[best] as number).toFixed(4),
      data.classNames[data.labels[v] as number] ?? '',
    ];
  });
  const metadata = new StudentModel(data.classNames, student).metadata({ method: methods.plus, data: data.name });
  return {
    model: { weights: stateOf(student), metadata },
    predictions: { columns: ['vertex', 'prediction', 'probability', 'label'], rows },
  };
}

/** Margins that the method shows on its reference data; other data are held to those of the real sets. */
function expectedMargins(name: string): { aboveMlp: number; belowTeacher: number } {
  return name === 'planted' ? { aboveMlp: 20, belowTeacher: 1 } : { aboveMlp: 12, belowTeacher: 1.5 };
}

function claims(
  results: readonly SeedResult[],
  study: Readonly<Record<string, number>>,
  values: Options,
  data: HypergraphDataset,
): Claim[] {
  const mean = (method: string, metric: string) => meanScore(results, method, metric);
  const teacher = teacherName(values.teacher);
  const students = [methods.light, methods.plus];
  const speed = [
    atLeast(
      'One vertex on demand, synthetic hypergraph: times faster than HGNN',
      study.syntheticRatio ?? Number.NaN,
      100,
    ),
  ];
  if (values.setting === 'production') {
    return [
      ...students.map((method) =>
        atLeast(
          `Unseen vertices: ${method} above MLP (points)`,
          mean(method, 'accuracy') - mean(methods.mlp, 'accuracy'),
          6,
        ),
      ),
      ...speed,
    ];
  }
  const { aboveMlp, belowTeacher } = expectedMargins(data.name);
  return [
    ...students.flatMap((method) => [
      atLeast(`${method} above MLP (points)`, mean(method, 'accuracy') - mean(methods.mlp, 'accuracy'), aboveMlp),
      atLeast(
        `${method} against its teacher (points)`,
        mean(method, 'accuracy') - mean(teacher, 'accuracy'),
        -belowTeacher,
      ),
      atLeast(
        `${method} as a share of its teacher's accuracy`,
        mean(method, 'accuracy') / mean(teacher, 'accuracy'),
        0.98,
      ),
    ]),
    {
      ...share(
        'Topology score: teacher as a share of LightHGNN',
        mean(teacher, 'topology') / mean(methods.light, 'topology'),
      ),
      bound: '< 0.3',
    },
    atLeast(
      'Topology score: LightHGNN⁺ above LightHGNN',
      mean(methods.plus, 'topology') - mean(methods.light, 'topology'),
      0,
    ),
    ...speed,
  ];
}

function share(claim: string, value: number): Claim {
  return { claim, value, bound: '', holds: value < 0.3 };
}

export const lighthgnn: Experiment<typeof options, HypergraphDataset> = {
  system: 'lighthgnn',
  title: 'LightHGNN: distilling hypergraph networks into MLPs',
  family: 'hypergraph',
  paper:
    'Feng, Luo, Ying, Gao, "LightHGNN: Distilling Hypergraph Neural Networks into MLPs for 100× Faster Inference", ICLR 2024',
  abstract:
    'MLP students match or beat their hypergraph teachers, outperform MLPs by 16.3 points on average, and run 100× faster on synthetic hypergraphs with 55,000 vertices.',
  options,
  datasets: hypergraphNames,
  ownData:
    'a .npz archive (he_indptr and he_indices, or edges of a graph; labels; x or x_indptr/x_indices/x_shape), or a folder with hyperedges.csv, features.csv and labels.csv',
  metrics: {
    accuracy: { label: 'accuracy', unit: '%', digits: 1, better: 'larger' },
    macroF1: { label: 'macro F1', unit: '%', digits: 1, better: 'larger' },
    latency: { label: 'one vertex', unit: 'ms', digits: 3, better: 'smaller' },
    parameters: { label: 'parameters', digits: 0, better: 'smaller' },
    topology: { label: 'topology score', digits: 2, better: 'neither' },
  },
  methods: Object.values(methods),
  notes: ({ setting, teacher }) => [
    setting === 'transductive'
      ? 'Transductive: students are trained on soft labels of the very vertices they are tested on; labels of those vertices are never seen.'
      : 'Production: tested on vertices that did not exist while training. Networks see them with the whole hypergraph, students by their features alone.',
    `"One vertex" is the median time to classify one random vertex: networks fetch its 2-hop neighbourhood${['hnhn', 'gat'].includes(teacher) ? ' (this teacher: all vertices)' : ''}, MLPs read its features.`,
  ],
  async load(source, values, onDownload) {
    await fetchIfMissing(source, onDownload);
    const data = loadHypergraph(source);
    makeSetting(data, values, new Random(0));
    return data;
  },
  describe({ name, hypergraph, features, classNames }) {
    const width = features instanceof SparseMatrix ? features.columns : ((features as Tensor).shape[1] as number);
    return `${name}: ${hypergraph.vertexCount} vertices, ${hypergraph.hyperedgeCount} hyperedges, ${width} features, ${classNames.length} classes`;
  },
  runSeed,
  studies: async (_, values, seed) => speedStudies(values, seed),
  claims,
};
