// FastRP: very sparse random projections of powers of the transition matrix embed nodes as well as
// skip-gram on random walks does, thousands of times faster.

import { drawFastRPSettings, type FastRPOptions, fastRP, randNE } from '../../embedding/index.js';
import { Random } from '../../tensor/index.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { choice, count, number, type OptionValues } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { type Grid, type Setting, settingsOf } from '../parts/tuning.js';
import { embeddingClaims, linkNetworks, overallEmbeddingClaims, PROJECTIONS } from '../protocols/embedding-claims.js';
import { growthStudy, speedStudy, threadStudy } from '../protocols/embedding-speed.js';
import {
  describeEmbeddingGraph,
  type EmbeddingMethod,
  embeddingMethod,
  embeddingMetrics,
  embeddingOptions,
  embeddingTask,
  loadEmbeddingGraph,
} from '../protocols/embeddings.js';
import { similarityStudies } from '../protocols/similarity-studies.js';
import {
  DEEPWALK,
  NODE2VEC,
  skipGramBaselines,
  skipGramNote,
  skipGramOptions,
  usualDeepWalk,
  usualNode2vec,
} from '../protocols/skip-gram-baselines.js';

const options = {
  ...embeddingOptions,
  degreeExponent: number(-0.64, 'β of FastRP', { minimum: -1, maximum: 1 }),
  fourth: number(6.67, 'α₄ of FastRP, beside α = (0, 0, 1)', { minimum: 0 }),
  ...skipGramOptions,
  studies: choice(['all', 'speed'], 'studies of the similarity matrix and of tuning, or of time alone'),
  studySplits: count(3, 'splits of the labels in the study of the matrix', { smoke: 1 }),
  transferTrials: count(20, 'settings in the study of tuning with few columns', { smoke: 2 }),
  transferDim: count(512, 'columns that settings chosen with 64 are compared with', { smoke: 96 }),
  speedEdges: count(1_000_000, 'edges of the largest graph of the speed study', { smoke: 100_000, minimum: 1000 }),
};

type Options = OptionValues<typeof options>;

/** Columns of the trials. */
const TRIAL_DIM = 64;

interface OrderSetting extends Setting {
  readonly self: number;
  readonly first: number;
  readonly second: number;
  readonly fourth: number;
  /** Weight of each order from the fifth to the eighth. */
  readonly beyond: number;
  readonly degreeExponent: number;
}

const orders = ({ degreeExponent, fourth }: Options): Grid<OrderSetting> => ({
  self: [0, 0.3, 1],
  first: [0, 0.3, 1, 3],
  second: [0, 0.3, 1, 3],
  fourth: [fourth, 1, 0, 30],
  beyond: [0, 1, 6.67],
  degreeExponent: [degreeExponent, 0, -0.3, -0.9],
});

/** α₀ … α₃ = (self, 1, second, second · third). */
const randneGrid = { self: [0, 1], second: [100, 10, 1, 1000], third: [10, 1, 100, 0.1] };

/** To three digits, as a person would give it. */
const rounded = (value: number) => Number(value.toPrecision(3));

function projectionsOf(values: Options): EmbeddingMethod[] {
  const { dim, degreeExponent, fourth, trials } = values;
  const usual: Setting = { fourth, degreeExponent };
  const drawn = drawFastRPSettings(trials - 1, new Random(0).split('fastrp')).map(
    (own): Setting => ({ fourth: rounded(own.weights[3] as number), degreeExponent: rounded(own.degreeExponent) }),
  );
  const columns = (trial: boolean) => (trial ? Math.min(TRIAL_DIM, dim) : dim);
  const fast = (title: string, settings: readonly Setting[]): EmbeddingMethod => ({
    title,
    settings,
    embed: (
      graph,
      { self = 0, first = 0, second = 0, fourth: last, beyond = 0, degreeExponent: beta },
      { seed },
      trial,
    ) =>
      fastRP(graph, {
        dim: columns(trial),
        seed,
        weights: [first, second, 1, last, ...(beyond ? Array(4).fill(beyond) : [])] as number[],
        degreeExponent: beta as number,
        nodeSelfInfluence: self as number,
      }),
  });
  return [
    {
      title: PROJECTIONS.random,
      settings: [{}],
      embed: ({ nodeCount }, _, { random }) => random.normal([nodeCount, dim]),
    },
    fast(PROJECTIONS.fast, [usual]),
    fast(PROJECTIONS.tuned, [usual, ...drawn]),
    fast(PROJECTIONS.all, settingsOf(orders(values), trials, new Random(0).split('orders'))),
    {
      title: PROJECTIONS.randne,
      settings: settingsOf(randneGrid, trials, new Random(0).split('randne')),
      embed: (graph, { self, second, third }, { seed }, trial) => {
        const [a, b, c] = [self, second, third] as [number, number, number];
        return randNE(graph, { dim: Math.min(columns(trial), graph.nodeCount), seed, weights: [a, 1, b, b * c] });
      },
    },
  ];
}

const methodsOf = (values: Options) => [...projectionsOf(values), ...skipGramBaselines(values)];

function weightsOf({ degreeExponent, fourth, dim }: Options) {
  return { dim, degreeExponent, weights: [0, 0, 1, fourth] } satisfies FastRPOptions;
}

export const experiment = defineExperiment({
  options,
  datasets: ['blocks', ...linkNetworks, 'cora'],
  ownData:
    'an edge list (.csv, .tsv, .txt, .gz, .parquet) or a known set of edges, whose links are predicted; or a .npz ' +
    'archive with edges [E, 2] and labels',
  presets: { blocks: { degreeExponent: 0, fourth: 4, trials: 8 } },
  reproduction: [
    { data: 'blocks' },
    { data: 'blocks', seeds: 1, set: { walks: 80, trials: 1, studies: 'speed' } },
    { data: 'ppi', seeds: 3 },
    { data: 'ppi', seeds: 1, set: { walks: 80, trials: 1, studies: 'speed' } },
    { data: 'ca-grqc', seeds: 3 },
    ...linkNetworks.map((data) => ({ data, set: { walks: 80 }, long: true })),
    { data: 'blogcatalog', set: { dim: 512, walks: 80 }, long: true },
  ],
  metrics: embeddingMetrics,
  methods: (values) => methodsOf(values).map(({ title }) => title),
  notes: (values) => [
    `One-vs-rest logistic regression on ${Math.round(100 * values.share)} % of the labelled nodes, and on half and 90 % of them, which hold the former; each other node gets as many labels as it truly has. Links: a logistic regression on products of vectors, of a graph without a tenth of its edges.`,
    `Each method that is tuned has ${values.trials} trials, scored by macro-F1 on halves of the training nodes and by links among the training edges; C of every classifier is chosen likewise. Trials of the projections have ${TRIAL_DIM} columns. Their time is not counted.`,
    skipGramNote(values),
    '“All orders tuned” also tries the node itself, α₁ and α₂ above 0, and orders up to the eighth; the last helps on sparse graphs.',
  ],
  load: loadEmbeddingGraph,
  describe: describeEmbeddingGraph,
  async runSeed(data, values, context) {
    const task = embeddingTask(data, values, context.random);
    return runMethods(
      methodsOf(values).map((method) => embeddingMethod(method, task)),
      context,
    );
  },
  async studies(data, values) {
    const setting = weightsOf(values);
    const embed = (graph: typeof data.graph) => fastRP(graph, setting);
    const walks = {
      [DEEPWALK]: (graph: typeof data.graph) => usualDeepWalk(graph, values, 0),
      [NODE2VEC]: (graph: typeof data.graph) => usualNode2vec(graph, values, 0),
    };
    const arms = { [PROJECTIONS.fast]: embed, ...(values.walkers === 'all' && walks) };
    return joinStudies(
      values.studies === 'all' ? await similarityStudies(data, setting, values) : noStudies,
      await speedStudy(data.graph, arms),
      await threadStudy(embed, values.speedEdges),
      await growthStudy(embed, { what: 'FastRP with four orders', dim: values.dim, edges: values.speedEdges }),
    );
  },
  claims: embeddingClaims,
  overall: overallEmbeddingClaims,
});
