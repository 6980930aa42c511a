// Equivariant polynomials: what networks compute, and networks that are given what they cannot, on
// counts of subgraphs, molecules, and graphs that 1-WL does not tell apart.

import type { WholeGraphs } from '../../data/index.js';
import {
  attributeEncoding,
  type FeaturedGraphs,
  GraphBatches,
  missingPatterns,
  type PolynomialEncoding,
  PPGN,
  PPGNModel,
  type PPGNOptions,
  pairPolynomials,
  polynomialEncoding,
  SubgraphNetwork,
  TriangleNetwork,
  type WholeGraphNetwork,
  withNodePolynomials,
} from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { accuracy, parameters, seconds } from '../parts/metrics.js';
import { choice, count } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import {
  COUNTS,
  describeGraphs,
  type GraphLearningValues,
  type GraphMethod,
  graphLearningOptions,
  graphMethods,
  type LearnableGraphs,
  learnableGraphs,
  widthFor,
} from '../protocols/graph-learning.js';
import { withCliques } from '../protocols/graph-sets.js';
import { basisStudy, powerStudy, regularStudy, ringStudy } from '../protocols/polynomial-studies.js';

const options = {
  ...graphLearningOptions,
  degree: count(6, 'most edges of the polynomials that PPGN++ is given', { maximum: 7 }),
  nodeDegree: count(4, 'most edges of the polynomials that GIN is given', { maximum: 6 }),
  rivals: choice(['all', 'few'], 'few: GIN and PPGN++ alone'),
} as const;

interface Values extends GraphLearningValues {
  readonly degree: number;
  readonly nodeDegree: number;
  readonly rivals: 'all' | 'few';
}

const titles = {
  gin: 'GIN',
  ginPolynomials: 'GIN + polynomials',
  ginTriangles: 'GIN + triangle sums',
  sswl: 'SSWL⁺',
  ppgn: 'PPGN',
  ppgnPlus: 'PPGN++',
  ppgnPolynomials: 'PPGN++ + polynomials',
} as const;
const { gin, ginPolynomials, ginTriangles, sswl, ppgn, ppgnPlus, ppgnPolynomials } = titles;
const enhanced = [ginPolynomials, ginTriangles, ppgnPlus, ppgnPolynomials];
const others = [gin, sswl, ppgn];

interface PolynomialGraphs extends LearnableGraphs {
  /** Input of PPGN++, and how its polynomials were chosen. */
  readonly pairs: PolynomialEncoding;
  /** Polynomials of nodes for GIN. */
  readonly nodes: PolynomialEncoding;
}

/** Graphs of every seed's training set decide which polynomials there are, and their scales. */
function load(source: string, values: Values): PolynomialGraphs {
  const own = learnableGraphs(source, values, (set: WholeGraphs) =>
    values.target.split(',').includes('cliques4') ? withCliques(set) : set,
  );
  const { graphs } = own.set;
  const train = own.set.folds ? undefined : own.parts(0).train;
  const { degree, nodeDegree } = values;
  return {
    ...own,
    pairs: polynomialEncoding(graphs, missingPatterns({ degree }), train),
    nodes: polynomialEncoding(graphs, missingPatterns({ degree: nodeDegree, redNodes: 1, model: 'mpnn' }), train),
  };
}

/** Methods that are run. */
const chosenTitles = ({ rivals }: Values): readonly string[] =>
  rivals === 'few' ? [gin, ppgnPlus] : Object.values(titles);

type Network = WholeGraphNetwork & object;

/** Networks of about as many parameters as PPGN++ with polynomials has at the width asked for. */
function methodsOf(data: PolynomialGraphs, values: Values): GraphMethod<Network>[] {
  const { hidden, layers } = values;
  const { input, sizes, pairs, nodes } = data;
  const withPairs: FeaturedGraphs = { ...input, pairs: pairPolynomials(input.graphs, pairs) };
  const withNodes = withNodePolynomials(input, nodes);
  const more = { ...sizes, nodes: sizes.nodes + nodes.patterns.length };
  const pairsOf = (variant: PPGNOptions['variant'], channels: number) => (width: number, random: Random) =>
    new PPGN({ ...sizes, pairs: channels }, random, { variant, depth: layers, hidden: width });
  const subgraphs = (own: typeof sizes, scheme: 'mpnn' | 'sswl-plus') => (width: number, random: Random) =>
    new SubgraphNetwork(own, random, { scheme, layers, hidden: width });
  const plain = { policy: 'plain' } as const;
  const whole = new GraphBatches(input);
  const ordinary = new GraphBatches(input, plain);
  const channels = pairs.patterns.length;
  const all: readonly [string, (width: number, random: Random) => Network, GraphBatches][] = [
    [gin, subgraphs(sizes, 'mpnn'), ordinary],
    [ginPolynomials, subgraphs(more, 'mpnn'), new GraphBatches(withNodes, plain)],
    [ginTriangles, (width, random) => new TriangleNetwork(sizes, random, { layers, hidden: width }), ordinary],
    [sswl, subgraphs(sizes, 'sswl-plus'), whole],
    [ppgn, pairsOf('plain', 0), whole],
    [ppgnPlus, pairsOf('++', 0), whole],
    [ppgnPolynomials, pairsOf('++', channels), new GraphBatches(withPairs)],
  ];
  const size = parameterCount(pairsOf('++', channels)(hidden, new Random(0)));
  return all
    .filter(([title]) => chosenTitles(values).includes(title))
    .map(([title, make, batches]) => {
      const width = title === ppgnPolynomials ? hidden : widthFor(size, (own) => make(own, new Random(0)));
      return { title, make: (random: Random) => make(width, random), batches };
    });
}

type Run = Evidence<Values>;
const { abstract, ours } = claimsOf<Values>();

/** Least error of the best network of the others over that of the best enhanced one. */
const margin = (e: Run) =>
  Math.min(...others.map((title) => e.mean(title, 'error'))) -
  Math.min(...enhanced.map((title) => e.mean(title, 'error')));

export const experiment = defineExperiment({
  options,
  datasets: [COUNTS, 'graph8c', 'esol', 'qm9-12k', 'exp'],
  ownData:
    'a folder with edges.csv (graph,source,target and attributes), graphs.csv (graph,label or columns of numbers) and maybe ' +
    'nodes.csv, graph6 (.g6), or an archive .npz with node_ptr, edge_ptr, edges and graph_label or y',
  presets: {
    [COUNTS]: { target: 'triangles', hidden: 16, layers: 3, epochs: 30, trials: 2 },
    graph8c: { target: 'triangles,cycles4', hidden: 24, layers: 3, epochs: 25, batch: 25, most: 600, trials: 2 },
    esol: { target: 'y', hidden: 16, layers: 3, epochs: 25, most: 420, trials: 2 },
    'qm9-12k': { target: 'y0', hidden: 16, layers: 3, epochs: 25, most: 900, trials: 2 },
    exp: { hidden: 12, layers: 3, epochs: 60, trials: 1, rivals: 'few' },
  },
  reproduction: [
    { data: COUNTS, seeds: 3, set: { trialShare: 0.34 } },
    { data: 'graph8c', seeds: 3, set: { trialShare: 0.34 } },
    { data: 'graph8c', seeds: 3, set: { target: 'cliques4', trialShare: 0.34 } },
    { data: 'esol', seeds: 3, set: { trialShare: 0.34 } },
    { data: 'qm9-12k', seeds: 3, set: { trialShare: 0.34 } },
    { data: 'exp', seeds: 3, long: true },
    { data: 'graph8c', seeds: 5, set: { most: 3000, epochs: 60, batch: 100 }, long: true },
    { data: 'graph8c', seeds: 5, set: { target: 'cliques4', most: 3000, epochs: 60, batch: 100 }, long: true },
    { data: 'qm9-12k', seeds: 5, set: { most: 12_000, hidden: 24, epochs: 60 }, long: true },
  ],
  metrics: {
    error: { label: 'absolute error / deviation of targets', digits: 4, better: 'smaller' },
    absolute: { label: 'absolute error', digits: 4, better: 'smaller' },
    accuracy,
    seconds,
    parameters,
  },
  methods: chosenTitles,
  notes: ({ trials, trialShare, target, degree, nodeDegree }: Values) => [
    `All have about as many parameters. ${target ? `Learnt: ${target}, by absolute error. ` : ''}PPGN++ is given the polynomials up to degree ${degree} that it cannot compute, ` +
      `GIN those of nodes up to degree ${nodeDegree}, each divided by its largest value over the training graphs; those that are 0 there are left out. ` +
      'The weights of least validation loss are scored once on the test graphs.',
    trials === 1
      ? 'One learning rate for all.'
      : `The learning rate is the best of ${trials} by validation loss${trialShare < 1 ? ` after ${Math.round(100 * trialShare)} % of the epochs` : ''}, chosen once for all seeds.`,
  ],
  load,
  describe: (data: PolynomialGraphs) =>
    `${describeGraphs(data)}; ${data.pairs.patterns.length} polynomials of pairs, ${data.nodes.patterns.length} of nodes`,
  async runSeed(data: PolynomialGraphs, values: Values, context) {
    const { methods, kept } = await runMethods(
      graphMethods(data, values, context.seed, methodsOf(data, values)),
      context,
      { keep: ppgnPolynomials },
    );
    if (!kept) return { methods };
    const description = {
      encoding: attributeEncoding(data.set, data.set.folds ? undefined : data.parts(0).train),
      task: data.task,
      polynomials: data.pairs,
      options: { variant: '++', depth: values.layers, hidden: values.hidden } as const,
    };
    return {
      methods,
      artifacts: () => ({
        model: new PPGNModel(description, kept.network as PPGN).save({ data: data.set.name }),
      }),
    };
  },
  studies(data: PolynomialGraphs, { target }: Values) {
    if (data.set.name === COUNTS && target === 'triangles') return joinStudies(basisStudy(), ringStudy());
    if (data.set.name === 'graph8c' && target !== 'cliques4') return joinStudies(powerStudy(), regularStudy());
    return noStudies;
  },
  claims: [
    ...where({ data: [COUNTS] }, [
      abstract(
        'basis',
        'Numbers of elements, of 33, that are not those of partitions of indices',
        atMost(0),
        (e: Run) => e.study('basisWrong'),
      ),
      abstract('basis', 'Linear elements with two red nodes, off the 15 equivariant maps', atMost(0), (e: Run) =>
        Math.abs(e.study('linearMaps') - 15),
      ),
      abstract('contraction', 'Contractions beside sums over all indices, relative', atMost(1e-10), (e: Run) =>
        e.study('contractionGap'),
      ),
      abstract(
        'enhance',
        'Enhanced networks that tell a ring of six from two of three, and GIN does not',
        atLeast(1),
        (e: Run) => e.study('ringsByEnhanced') - e.study('ringsByGin'),
      ),
    ]),
    ...where({ data: ['graph8c'], when: ({ target }: Values) => target !== 'cliques4' }, [
      abstract('evaluate', 'Numbers of polynomials that networks lack, of 32, other than known', atMost(0), (e: Run) =>
        e.study('powerWrong'),
      ),
      abstract(
        'evaluate',
        'Sequences run by the operations of networks beside contractions, relative',
        atMost(1e-10),
        (e: Run) => e.study('sequenceGap'),
      ),
      abstract(
        'enhance',
        'Pairs of strongly regular graphs that PPGN or PPGN++ tell apart alone',
        atMost(0),
        (e: Run) => e.study('toldWithout'),
      ),
      abstract('enhance', 'Pairs that PPGN++ with polynomials of degree 6 leaves alike', atMost(0), (e: Run) =>
        e.study('leftAlike'),
      ),
      ours('Difference of a strongly regular graph from itself renumbered, relative', atMost(1e-11), (e: Run) =>
        e.study('control'),
      ),
    ]),
    ...where({ data: ['esol', 'qm9-12k'] }, [
      abstract(
        'benchmarks',
        'Error of the best of the others less that of the best enhanced network',
        above(0),
        margin,
      ),
    ]),
    ...where({ data: [COUNTS, 'graph8c'], when: ({ target }: Values) => target !== 'cliques4' }, [
      ours('Error of GIN with polynomials over that of GIN', atMost(0.5), (e: Run) =>
        e.ratio(ginPolynomials, gin, 'error'),
      ),
      ours('Error of PPGN++ over that of GIN', atMost(0.5), (e: Run) => e.ratio(ppgnPlus, gin, 'error')),
    ]),
    ...where({ data: ['graph8c'], when: ({ target }: Values) => target === 'cliques4' }, [
      ours('Error of PPGN++ with polynomials over that without', atMost(0.4), (e: Run) =>
        e.ratio(ppgnPolynomials, ppgnPlus, 'error'),
      ),
    ]),
    ...where({ data: ['exp'] }, [
      ours('Accuracy of PPGN++ on pairs that 1-WL does not tell apart (%)', atLeast(95), (e: Run) =>
        e.mean(ppgnPlus, 'accuracy'),
      ),
      ours('Accuracy of message passing there, off 50 (points)', atMost(3), (e: Run) =>
        Math.abs(e.mean(gin, 'accuracy') - 50),
      ),
    ]),
  ],
});
