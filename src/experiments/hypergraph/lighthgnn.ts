// LightHGNN: a distilled MLP is as good as the hypergraph network that taught it, far better than
// an MLP trained on labels, and two orders of magnitude faster to ask about a vertex.

import { fetchIfMissing, hypergraphNames, loadHypergraph } from '../../data/node.js';
import {
  distill,
  type HypergraphNetwork,
  type NetworkKind,
  networkKinds,
  StudentModel,
  trainMlp,
  trainNetwork,
} from '../../hypergraph/index.js';
import { inference, type MLP } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { predictionTable } from '../parts/artifacts.js';
import { atLeast, below, claimsOf, type Evidence, meanOver, overallClaimsOf, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { type Method, type MethodRun, runMethods } from '../parts/methods.js';
import { accuracy, latency, macroF1, parameters } from '../parts/metrics.js';
import { choice, count, number, type OptionValues, rate, share } from '../parts/options.js';
import { speedStudies } from '../protocols/vertex-speed.js';
import {
  describeHypergraph,
  readsAll,
  type VertexTask,
  vertexOptions,
  vertexScores,
  vertexTask,
} from '../protocols/vertices.js';

const options = {
  teacher: choice(networkKinds, 'network that teaches'),
  ...vertexOptions,
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
  speedVertices: count(55_000, 'vertices of the synthetic hypergraph of the speed study', { smoke: 2000, minimum: 20 }),
};

type Options = OptionValues<typeof options>;

const kinds: Readonly<Record<NetworkKind, string>> = {
  hgnn: 'HGNN',
  hgnnp: 'HGNN⁺',
  hnhn: 'HNHN',
  unigcn: 'UniGCN',
  gcn: 'GCN',
  gat: 'GAT',
};

const PLAIN = 'MLP';
const teacherTitle = (kind: NetworkKind) => `${kinds[kind]} (teacher)`;
const LIGHT = 'LightHGNN';
const PLUS = 'LightHGNN⁺';
const students = [LIGHT, PLUS];

function methodsOf({ seen }: VertexTask, values: Options): Method<HypergraphNetwork | MLP>[] {
  const { epochs, learningRate, weightDecay, dropout, hidden, studentHidden, lambda, temperature, noise } = values;
  const training = { epochs, learningRate, weightDecay, dropout };
  const network = (title: string, kind: NetworkKind) => ({
    title,
    train: async ({ random, hooks }: MethodRun) =>
      (await trainNetwork(seen, random, { ...training, ...hooks, kind, hidden })).network,
  });
  let teacher: HypergraphNetwork | undefined;
  const student = (title: string, plus: boolean) => ({
    title,
    train: async ({ random, hooks }: MethodRun) => {
      const { student: trained } = await distill(
        (features, hypergraph) => (teacher as HypergraphNetwork).forward(features, hypergraph, inference),
        seen,
        random,
        {
          ...training,
          ...hooks,
          plus,
          hidden: studentHidden,
          lambda,
          temperature,
          noise,
          divergence: values.divergence,
        },
      );
      return trained;
    },
  });
  const teaching = network(teacherTitle(values.teacher), values.teacher);
  return [
    {
      title: PLAIN,
      train: async ({ random, hooks }) =>
        (await trainMlp(seen, random, { ...training, ...hooks, hidden: studentHidden })).student,
    },
    network('GCN (clique)', 'gcn'),
    { ...teaching, train: async (run) => (teacher = await teaching.train(run)) },
    student(LIGHT, false),
    student(PLUS, true),
  ];
}

const transductive = ({ setting }: Options) => setting === 'transductive';
const sets: readonly string[] = hypergraphNames.filter((name) => name !== 'planted');

const { abstract, paper, ours } = claimsOf<Options>();
const margins = [
  { data: ['planted'], aboveMlp: 20, belowTeacher: 1 },
  { data: sets, aboveMlp: 12, belowTeacher: 1.5 },
];

const claims = [
  ...margins.flatMap(({ data, aboveMlp, belowTeacher }) =>
    students.flatMap((method) =>
      where({ data, when: transductive }, [
        ours(`${method} above the MLP, least of the seeds (points)`, atLeast(aboveMlp), (e) =>
          e.leastGain(method, PLAIN, 'accuracy'),
        ),
        ours(`${method} above its teacher, least of the seeds (points)`, atLeast(-belowTeacher), (e) =>
          e.leastGain(method, teacherTitle(e.options.teacher), 'accuracy'),
        ),
      ]),
    ),
  ),
  ...where(
    { when: ({ setting }) => setting === 'production' },
    students.map((method) =>
      ours(`Unseen vertices: ${method} above the MLP, least of the seeds (points)`, atLeast(6), (e) =>
        e.leastGain(method, PLAIN, 'accuracy'),
      ),
    ),
  ),
  ...where({ when: transductive }, [
    paper('Topology score of the teacher as a share of LightHGNN’s', below(0.3), (e) =>
      e.ratio(teacherTitle(e.options.teacher), LIGHT, 'topology'),
    ),
    paper('Topology score of LightHGNN⁺ as a share of LightHGNN’s', atLeast(1), (e) =>
      e.ratio(PLUS, LIGHT, 'topology'),
    ),
  ]),
  ...where({ when: ({ speedVertices }) => speedVertices >= 55_000 }, [
    abstract('speed', 'All 55,000 synthetic vertices: times faster than HGNN', atLeast(100), (e) =>
      e.study('syntheticWhole'),
    ),
    ours('One of 55,000 synthetic vertices: times faster than HGNN', atLeast(100), (e) => e.study('syntheticVertex')),
  ]),
];

/** The real sets of a reproduction. */
const real = (runs: readonly Evidence<Options>[]) =>
  runs.filter(({ data, options: values }) => sets.includes(data) && transductive(values));

const over = overallClaimsOf<Options>();
const overall = students.flatMap((method) => [
  over.abstract('teacher', `${method} above its teacher, mean over the sets (points)`, atLeast(0), (runs) =>
    meanOver(real(runs), (run) => run.gain(method, teacherTitle(run.options.teacher), 'accuracy')),
  ),
  over.ours(`${method} above the MLP, mean over the sets at hand (points)`, atLeast(16.3), (runs) =>
    meanOver(real(runs), (run) => run.gain(method, PLAIN, 'accuracy')),
  ),
]);

export const experiment = defineExperiment({
  options,
  datasets: hypergraphNames,
  ownData:
    'a .npz archive (he_indptr and he_indices, or edges of a graph; labels; x or x_indptr/x_indices/x_shape), or a ' +
    'folder with hyperedges.csv, features.csv and labels.csv',
  reproduction: [
    { data: 'planted' },
    { data: 'coauthorship-cora', seeds: 5 },
    { data: 'cocitation-cora', seeds: 5 },
    { data: 'cocitation-citeseer', seeds: 5 },
    { data: 'coauthorship-cora', seeds: 5, set: { setting: 'production' } },
  ],
  metrics: {
    accuracy,
    macroF1,
    latency: latency('one vertex'),
    parameters,
    topology: { label: 'topology score', better: 'neither' },
  },
  methods: ({ teacher }) => [PLAIN, 'GCN (clique)', teacherTitle(teacher), LIGHT, PLUS],
  notes: ({ setting, teacher }) => [
    setting === 'transductive'
      ? 'Transductive: students are trained on soft labels of the very vertices they are tested on; labels of those vertices are never seen.'
      : 'Production: tested on vertices that did not exist while training. Networks see them with the whole hypergraph, students by their features alone.',
    `The teacher is ${teacher}. "One vertex" is the median time to classify one random vertex: networks fetch its 2-hop neighbourhood${readsAll(teacher) ? ' (this teacher: all vertices)' : ''}, MLPs read its features.`,
  ],
  async load(source, values, onDownload) {
    await fetchIfMissing(source, onDownload);
    const data = loadHypergraph(source);
    vertexTask(data, values, new Random(0));
    return data;
  },
  describe: describeHypergraph,
  async runSeed(data, values, context) {
    const task = vertexTask(data, values, context.random);
    const { methods, kept } = await runMethods(methodsOf(task, values), context, {
      score: (model) => vertexScores(model, task, context.random.split('timing')),
      keep: PLUS,
    });
    const { classNames, vertexNames, labels, name } = data;
    const model = new StudentModel(classNames, kept as MLP);
    return {
      methods,
      artifacts: () => ({
        model: model.save({ data: name, method: PLUS }),
        predictions: predictionTable({
          row: 'vertex',
          rowNames: vertexNames,
          classNames,
          probabilities: model.predictProba(task.whole.features),
          labels,
        }),
      }),
    };
  },
  studies: (_data, values, { seed }) => speedStudies(values, seed),
  claims,
  overall,
  unmeasured: {
    mlp: 'the mean over eight hypergraphs; the features of two of them are not at hand',
    graphs: 'PubMed’s features are not at hand',
  },
});
