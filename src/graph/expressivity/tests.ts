// The tests by name: what colours they give, and which graphs they tell apart.

import { type Graph, GraphCollection } from '../../structure/index.js';
import { aggregationList, type Pooling } from '../dense/aggregations.js';
import { classSchemes, subgraphClasses } from './classify.js';
import {
  type Colours,
  elementHashes,
  emptyHashes,
  type Hashes,
  MultisetHash,
  numberColours,
  refine,
  SequenceHash,
} from './colours.js';
import { distanceRound, hopCodes, initialNodes, neighbourRound, resistanceNumbers } from './node-tests.js';
import { folkloreRound, initialPairs, type Labels, pooledNodes, subgraphRound } from './pair-tests.js';

/** Tests that have a name, weaker before stronger where they can be compared. */
export const colourTests = ['1-WL', 'SPD-WL', 'RD-WL', ...subgraphClasses, 'LFWL(2)', 'SLFWL(2)', 'FWL(2)'] as const;

/** A test by its name. */
export type ColourTestName = (typeof colourTests)[number];

/** A subgraph test by its aggregations, beside χ(u, v) itself, and pooling. */
export interface SubgraphTest {
  /** Names of `aggregations`. */
  readonly aggregations: readonly string[];
  /** What is added up first. */
  readonly pooling: Pooling;
}

/** A test by name, or any subgraph test. */
export type ColourTest = ColourTestName | SubgraphTest;

/** The stable colours of a test, the same colours in all graphs. */
export interface Colouring {
  /** What the test colours. */
  readonly units: 'nodes' | 'pairs';
  /**
   * Colour of each node, or of each ordered pair of nodes of a graph, row after row, graph after
   * graph.
   */
  readonly colours: Colours;
  /** Colour of each node; of a test of pairs by its pooling. */
  readonly nodes: Colours;
  /** Colour of each graph: graphs of different colours are told apart, and are not isomorphic. */
  readonly graphs: Colours;
  /** Rounds until no colour was split any more. */
  readonly rounds: number;
}

/** Name of a test, for messages. */
export function nameOfTest(test: ColourTest): string {
  return typeof test === 'string' ? test : `{${test.aggregations.join(', ')}} with ${test.pooling}`;
}

/**
 * Refines the colours of graphs together until they are stable.
 *
 * `1-WL` colours nodes by the colours of their neighbours; `SPD-WL` and `RD-WL` by the colours and
 * the shortest-path or resistance distances of all nodes. The subgraph tests, `SWL(VS)` to `SSWL`
 * or any list of aggregations, colour pairs (root, node). `LFWL(2)`, `SLFWL(2)` and `FWL(2)` are
 * the local, the symmetric local and the whole folklore test of dimension 2.
 *
 * @throws Error for an unknown test or aggregation
 */
export function colourGraphs(test: ColourTest, graphs: GraphCollection, labels: Labels = {}): Colouring {
  if (typeof test === 'string' && !colourTests.includes(test))
    throw new Error(`colourGraphs: there is no test "${test}"; there are ${colourTests.join(', ')}`);
  if (test === '1-WL' || test === 'SPD-WL' || test === 'RD-WL') {
    const round =
      test === '1-WL'
        ? neighbourRound(graphs, labels.edges)
        : distanceRound(graphs, test === 'SPD-WL' ? hopCodes(graphs) : resistanceNumbers(graphs));
    const { rounds, ...colours } = refine(initialNodes(graphs, labels), round);
    return { units: 'nodes', colours, nodes: colours, graphs: graphColours(graphs, colours), rounds };
  }
  if (test === 'LFWL(2)' || test === 'SLFWL(2)' || test === 'FWL(2)') {
    const over = { 'LFWL(2)': 'local', 'SLFWL(2)': 'symmetric', 'FWL(2)': 'all' } as const;
    const { rounds, ...colours } = refine(initialPairs(graphs, labels, true), folkloreRound(graphs, over[test]));
    return pairColouring(graphs, colours, 'VS', rounds);
  }
  const { aggregations, pooling } = typeof test === 'string' ? classSchemes[test] : test;
  const round = subgraphRound(graphs, aggregationList(aggregations), labels.edges);
  const { rounds, ...colours } = refine(initialPairs(graphs, labels, false), round);
  return pairColouring(graphs, colours, pooling, rounds);
}

function pairColouring(graphs: GraphCollection, colours: Colours, pooling: Pooling, rounds: number): Colouring {
  const nodes = numberColours(pooledNodes(graphs, colours, pooling));
  return { units: 'pairs', colours, nodes, graphs: graphColours(graphs, nodes), rounds };
}

/** The multiset of the colours of a graph's nodes, with their number. */
function graphColours({ nodes, count }: GraphCollection, { of, count: colours }: Colours): Colours {
  const elements: Hashes = elementHashes(colours);
  const hashes = emptyHashes(count);
  const sum = new MultisetHash();
  const hash = new SequenceHash();
  for (let g = 0; g < count; g++) {
    sum.clear();
    for (let node = nodes.offsets[g] as number; node < (nodes.offsets[g + 1] as number); node++)
      sum.add(elements, of[node] as number);
    const size = (nodes.offsets[g + 1] as number) - (nodes.offsets[g] as number);
    hash.start(size).add(sum.low).add(sum.high).store(hashes, g);
  }
  return numberColours(hashes);
}

/** Whether a test tells two graphs apart. */
export function tellsApart(test: ColourTest, first: Graph, second: Graph): boolean {
  const { of } = colourGraphs(test, GraphCollection.of([first, second])).graphs;
  return of[0] !== of[1];
}

/** Pairs of graphs that a test does not tell apart: pairs of equal colour. */
export function equalPairs({ of, count }: Colours): number {
  const sizes = new Float64Array(count);
  for (const colour of of) sizes[colour] = (sizes[colour] as number) + 1;
  return sizes.reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
}

/** Whether all units that `finer` gives the same colour have one colour in `coarser` too. */
export function isFiner(finer: Colours, coarser: Colours): boolean {
  const image = new Int32Array(finer.count).fill(-1);
  return finer.of.every((colour, unit) => {
    if (image[colour] === -1) image[colour] = coarser.of[unit] as number;
    return image[colour] === coarser.of[unit];
  });
}
