// `gossamer tell`: which tests tell graphs apart.

import { Command } from 'commander';
import { writeCsv } from '../data/index.js';
import {
  type ColourTestName,
  colourGraphs,
  colourTests,
  determines,
  equalPairs,
  type GraphProperty,
  properties,
} from '../graph/index.js';
import { GraphCollection } from '../structure/index.js';
import { GRAPH_SET_FORMS, graphsAt } from './graph-sets.js';

const examples = `
Examples
  gossamer tell a.g6 b.g6                          two graphs: which tests tell them apart
  gossamer tell molecules/ --tests 1-WL,SSWL       a set: pairs that a test leaves alike
  gossamer tell molecules/ --encodes               and whether its colours know distances and cuts
  gossamer tell a.csv b.graphml                    edges, or graphs of other programs, one a file

A graph network tells apart at most what its test does: message passing what 1-WL does, subgraph networks what their class does (SWL(VS) … SSWL; see gossamer fit --model sswl-plus), all of them less than FWL(2). Attributes of nodes and edges are left out.`;

interface Flags {
  readonly tests?: string;
  readonly encodes: boolean;
  readonly json: boolean;
}

export function tellCommand(): Command {
  return new Command('tell')
    .description('which tests of isomorphism tell graphs apart, and what networks can therefore learn')
    .argument('<graphs...>', GRAPH_SET_FORMS)
    .option('--tests <names>', `tests, separated by commas, of ${colourTests.join(', ')}; all when left out`)
    .option('--encodes', 'also whether colours determine distances, cut nodes and cut edges', false)
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(tell);
}

/** Names of tests. @throws Error naming one that there is not */
function testsOf(text: string | undefined): readonly ColourTestName[] {
  if (text === undefined) return colourTests;
  return text.split(',').map((part) => {
    const found = colourTests.find((name) => name.toLowerCase() === part.trim().toLowerCase());
    if (!found) throw new Error(`--tests: there is no test "${part}"; there are ${colourTests.join(', ')}`);
    return found;
  });
}

/** Most pairs of nodes that are coloured: about 40 bytes each. */
const MOST_PAIRS = 2 ** 26;

async function tell(paths: readonly string[], flags: Flags): Promise<void> {
  const tests = testsOf(flags.tests);
  const all = (await Promise.all(paths.map(graphsAt))).flatMap(({ graphs }) => graphs);
  if (all.length < 2) throw new Error(`tell: ${all.length} graph in ${paths.join(', ')}; at least two are compared`);
  const graphs = GraphCollection.of(all.map((graph) => graph.undirected()));
  const pairs = all.reduce((sum, { nodeCount }) => sum + nodeCount ** 2, 0);
  if (pairs > MOST_PAIRS)
    throw new Error(
      `tell: the graphs have ${pairs.toLocaleString('en')} pairs of nodes, more than ${MOST_PAIRS.toLocaleString('en')}; give fewer or smaller ones`,
    );
  const asked = flags.encodes ? (Object.keys(properties) as GraphProperty[]) : [];
  const results = tests.map((name) => {
    const colouring = colourGraphs(name, graphs);
    return {
      test: name,
      classes: colouring.graphs.count,
      alike: equalPairs(colouring.graphs),
      rounds: colouring.rounds,
      ...(flags.encodes && {
        encodes: Object.fromEntries(asked.map((property) => [property, determines(colouring, property, graphs).holds])),
      }),
    };
  });
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ graphs: all.length, tests: results })}\n`);
    return;
  }
  const isPair = all.length === 2;
  process.stdout.write(
    writeCsv(
      [
        'test',
        ...(isPair ? ['told apart'] : ['classes', 'pairs alike']),
        ...asked.map((property) => `knows ${property}`),
      ],
      results.map((own) => [
        own.test,
        ...(isPair ? [own.alike === 0 ? 'yes' : 'no'] : [own.classes, own.alike]),
        ...asked.map((property) => (own.encodes?.[property] ? 'yes' : 'no')),
      ]),
    ),
  );
}
