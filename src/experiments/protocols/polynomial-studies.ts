// What networks compute, by polynomials, without training: the basis, the power of architectures,
// and the graphs that polynomials tell apart.

import { hasDataset, loadWholeGraphs } from '../../data/node.js';
import {
  connectedPatterns,
  denseValue,
  evaluatePattern,
  GraphBatches,
  isComputable,
  missingPatterns,
  outputsOf,
  type Pattern,
  PPGN,
  polynomialBasis,
  polynomialEncoding,
  runSequence,
  SubgraphNetwork,
  sparseInput,
  TriangleNetwork,
  toldApart,
  type WholeGraphNetwork,
  withNodePolynomials,
} from '../../graph/index.js';
import { changGraphs, cycles, type Graph, GraphCollection, rookGraph, shrikhandeGraph } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { directSum, elementsByPartitions } from './polynomial-oracles.js';

const reds = [0, 1, 2] as const;
const largestGap = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let [gap, scale] = [0, 1];
  for (let i = 0; i < b.length; i++) {
    gap = Math.max(gap, Math.abs((a[i] as number) - (b[i] as number)));
    scale = Math.max(scale, Math.abs(b[i] as number));
  }
  return gap / scale;
};

/** Numbers of elements of the basis beside a count by partitions, and values beside plain sums. */
export function basisStudy(): StudyResults {
  const settings = [
    { title: 'directed', kind: 'directed', channels: 1, degrees: [0, 1, 2, 3] },
    { title: 'symmetric', kind: 'symmetric', channels: 1, degrees: [0, 1, 2, 3] },
    { title: 'directed, two channels', kind: 'directed', channels: 2, degrees: [0, 1, 2] },
  ] as const;
  let wrong = 0;
  const rows = settings.flatMap(({ title, kind, channels, degrees }) =>
    reds.map((redNodes) => [
      title,
      redNodes,
      ...[0, 1, 2, 3].map((degree) => {
        if (!degrees.some((own) => own === degree)) return '';
        const found = polynomialBasis(degree, { redNodes, kind, channels }).length;
        wrong += Number(found !== elementsByPartitions(degree, redNodes, kind, channels));
        return found;
      }),
    ]),
  );
  const n = 5;
  const random = new Random(3);
  const x = Float64Array.from({ length: n * n }, () => random.gaussian());
  const patterns = [1, 2, 3].flatMap((degree) =>
    reds.flatMap((redNodes) => polynomialBasis(degree, { redNodes }).filter(({ nodes }) => nodes <= 5)),
  );
  const gap = Math.max(
    ...patterns.map((own) => largestGap(denseValue(evaluatePattern(own, [sparseInput(x, n)])), directSum(own, x, n))),
  );
  return studyOf(
    {
      title: 'Elements of the basis, by degree',
      note:
        'Multigraphs with so many edges, up to isomorphism. The same numbers follow from partitions of the indices of a ' +
        'monomial, modulo the order of its factors; 15 is the number of linear equivariant maps of a matrix. The values of ' +
        `${patterns.length} elements by contraction are those of the sum over all indices (5 × 5 matrix, largest relative difference ${gap.toExponential(1)}).`,
      columns: ['input', 'red nodes', 'degree 0', '1', '2', '3'],
      rows,
    },
    { basisWrong: wrong, linearMaps: polynomialBasis(1, { redNodes: 2 }).length, contractionGap: gap },
  );
}

/** Rooted graphs by edges, and those that PPGN and message passing lack, by other programs. */
const known = {
  3: [3, 5, 10, 0, 0, 0, 1, 1],
  4: [5, 13, 35, 0, 0, 0, 2, 4],
  5: [12, 37, 125, 0, 0, 1, 6, 17],
  6: [30, 114, 460, 1, 1, 9, 19, 66],
} as const;

/** What message passing and PPGN compute, and their sequences run by their own operations. */
export function powerStudy(): StudyResults {
  let wrong = 0;
  const rows = Object.entries(known).map(([edges, expected]) => {
    const all = reds.map((red) => connectedPatterns(Number(edges), red));
    const missing = (model: 'ppgn' | 'mpnn', red: 0 | 1 | 2) =>
      (all[red] as readonly Pattern[]).filter((own) => !isComputable(own, model).computable).length;
    const found = [
      ...all.map(({ length }) => length),
      ...reds.map((red) => missing('ppgn', red)),
      ...([0, 1] as const).map((red) => missing('mpnn', red)),
    ];
    wrong += found.filter((own, i) => own !== expected[i]).length;
    return [edges, ...found];
  });
  const { run, gap } = executed();
  return studyOf(
    {
      title: 'What message passing and PPGN lack',
      note:
        'Connected simple graphs with so many edges and 0, 1 or 2 red nodes, and how many of their polynomials no sequence ' +
        'of the contractions of a network computes. ' +
        `The ${run} sequences found for graphs of at most 5 edges, run by the operations of the network, give the values of the contraction (largest relative difference ${gap.toExponential(1)}).`,
      columns: [
        'edges',
        ...reds.map((red) => `graphs, ${red} red`),
        ...reds.map((red) => `not by PPGN, ${red} red`),
        ...[0, 1].map((red) => `not by message passing, ${red} red`),
      ],
      rows,
    },
    { powerWrong: wrong, sequenceGap: gap },
  );
}

function executed(): { readonly run: number; readonly gap: number } {
  const n = 5;
  const random = new Random(4);
  const x = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      x[i * n + j] = random.gaussian();
      x[j * n + i] = x[i * n + j] as number;
    }
  const gaps = (['mpnn', 'ppgn'] as const).flatMap((model) =>
    [1, 2, 3, 4, 5].flatMap((edges) =>
      reds.flatMap((red) =>
        connectedPatterns(edges, red, (own) => isComputable(own, model).computable).map((own) =>
          largestGap(runSequence(own, model, x, n), denseValue(evaluatePattern(own, [sparseInput(x, n)]))),
        ),
      ),
    ),
  );
  return { run: gaps.length, gap: Math.max(...gaps) };
}

const REGULAR = 'sr251256';

/** Pairs of strongly regular graphs that networks with random weights tell apart. */
export function regularStudy(): StudyResults {
  const sets: readonly { readonly title: string; readonly graphs: readonly Graph[] }[] = [
    { title: 'rook 4×4, Shrikhande', graphs: [rookGraph(4), shrikhandeGraph()] },
    { title: 'T(8) and the Chang graphs', graphs: changGraphs() },
    ...(hasDataset(REGULAR, 'whole-graphs')
      ? [{ title: 'SR(25, 12, 5, 6)', graphs: graphsOf(loadWholeGraphs(REGULAR).graphs) }]
      : []),
  ];
  const networks = [
    { title: 'PPGN', variant: 'plain', degree: 0 },
    { title: 'PPGN++', variant: '++', degree: 0 },
    { title: 'PPGN++ (5)', variant: '++', degree: 5 },
    { title: 'PPGN++ (6)', variant: '++', degree: 6 },
  ] as const;
  let control = 0;
  const told = networks.map(({ variant, degree }) =>
    sets.map(({ graphs }) => {
      const patterns = missingPatterns({ degree });
      const own = toldApart(graphs, patterns, new Random(5), { variant, depth: 3, hidden: 8, suffix: 8 });
      control = Math.max(control, own.control);
      return own;
    }),
  );
  const sum = (network: number, of: 'told' | 'pairs') =>
    (told[network] as (typeof told)[number]).reduce((all, own) => all + own[of], 0);
  return studyOf(
    {
      title: 'Pairs of strongly regular graphs told apart',
      note:
        'Networks of three blocks of width 8 with random weights, in double precision; outputs differ by more than 10⁻⁹ of ' +
        `their length. Each graph beside 20 renumberings of its own nodes: at most ${control.toExponential(1)}.`,
      columns: ['graphs', 'pairs', ...networks.map(({ title }) => title)],
      rows: sets.map(({ title }, s) => [title, told[0]?.[s]?.pairs ?? 0, ...told.map((own) => own[s]?.told ?? 0)]),
    },
    {
      toldWithout: sum(0, 'told') + sum(1, 'told'),
      leftAlike: sum(3, 'pairs') - sum(3, 'told'),
      gainOfDegree5: sum(2, 'told') - sum(1, 'told'),
      control,
    },
  );
}

function graphsOf(graphs: GraphCollection): Graph[] {
  return Array.from({ length: graphs.count }, (_, g) => graphs.graph(g));
}

/** Whether networks with random weights tell a ring of six from two of three. */
export function ringStudy(): StudyResults {
  const graphs = GraphCollection.of([cycles(6), cycles(3, 3)]);
  const input = { graphs, nodes: undefined, edges: undefined };
  const encoding = polynomialEncoding(graphs, missingPatterns({ degree: 3, redNodes: 1, model: 'mpnn' }));
  const sizes = { nodes: 0, edges: 0, outputs: 1 };
  const layout = { layers: 2, hidden: 8 };
  const plain = { policy: 'plain' } as const;
  const gin = (nodes: number) => new SubgraphNetwork({ ...sizes, nodes }, new Random(1), { scheme: 'mpnn', ...layout });
  const distance = (network: WholeGraphNetwork & object, batches: GraphBatches) => {
    const [a, b] = outputsOf(network, batches, Int32Array.of(0, 1)) as Float32Array & [number, number];
    return Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
  };
  const rows = [
    ['GIN', distance(gin(0), new GraphBatches(input, plain))],
    [
      'GIN + polynomials',
      distance(gin(encoding.patterns.length), new GraphBatches(withNodePolynomials(input, encoding), plain)),
    ],
    [
      'GIN + triangle sums',
      distance(new TriangleNetwork(sizes, new Random(1), layout), new GraphBatches(input, plain)),
    ],
    [
      'PPGN',
      distance(
        new PPGN({ ...sizes, pairs: 0 }, new Random(1), { variant: 'plain', depth: 2, hidden: 8 }),
        new GraphBatches(input),
      ),
    ],
  ] as const;
  const tells = rows.map(([, own]) => Number(own > 1e-4));
  return studyOf(
    {
      title: 'A ring of six beside two of three',
      note: 'Relative distance of the outputs of networks with random weights.',
      columns: ['network', 'distance', 'told apart'],
      rows: rows.map(([title, own], i) => [title, own.toExponential(1), tells[i] ? 'yes' : 'no']),
    },
    { ringsByGin: tells[0] as number, ringsByEnhanced: Math.min(...tells.slice(1)) },
  );
}
