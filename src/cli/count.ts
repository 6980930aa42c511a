// `gossamer count`: how often a pattern occurs in graphs, at their nodes or edges.

import { Command, Option } from 'commander';
import { csvField } from '../data/index.js';
import { requireWritable } from '../data/node.js';
import {
  type CountKind,
  countPattern,
  isComputable,
  type NamedPattern,
  namedPatterns,
  type PatternCounts,
  patternNamed,
  sequenceLines,
} from '../graph/index.js';
import { number } from './arguments.js';
import { GRAPH_SET_FORMS, graphsAt, type NamedGraphs } from './graph-sets.js';
import { writeOutput } from './output.js';

const examples = `
Examples
  gossamer count molecules/ --pattern triangle                     triangles of each graph of a set
  gossamer count edges.csv --pattern "ab bc cd da" --per node      4-cycles at each node
  gossamer count molecules/ --pattern "ab ac ad" --per node        stars, by the role of a node in them
  gossamer count a.g6 --pattern clique-4 --per edge --kind induced -o out.csv
  gossamer count --pattern "ab bc ca" --explain                    which networks can count it, and how

A pattern is a list of edges, two letters each or two names joined by a hyphen, or one of ${Object.keys(namedPatterns).join(', ')}. Directions, weights and self-loops of the graphs are left out.`;

interface Flags {
  readonly pattern: string;
  readonly kind: CountKind;
  readonly per: 'graph' | 'node' | 'edge';
  readonly red?: string;
  readonly explain: boolean;
  readonly most?: number;
  readonly out?: string;
}

export function countCommand(): Command {
  return new Command('count')
    .description('count a pattern, such as triangles or a substructure of your own, in graphs, at nodes or edges')
    .argument('[graphs...]', GRAPH_SET_FORMS)
    .requiredOption('--pattern <edges>', 'what is counted: edges such as "ab bc ca", or a name')
    .addOption(
      new Option('--kind <name>', 'induced: without further edges; homomorphisms: nodes may coincide')
        .choices(['subgraphs', 'induced', 'homomorphisms'])
        .default('subgraphs'),
    )
    .addOption(new Option('--per <unit>', 'what gets a number').choices(['graph', 'node', 'edge']).default('graph'))
    .option('--explain', 'print which networks compute the pattern, and by which steps', false)
    .option('--red <nodes>', 'with --explain: nodes of the pattern, at most two, whose indices stay, such as a,b')
    .option('--most <entries>', 'largest intermediate result; 4,194,304 when left out', number(1))
    .option('-o, --out <file>', 'table; standard output when left out')
    .addHelpText('after', examples)
    .action(countIn);
}

async function countIn(paths: readonly string[], flags: Flags): Promise<void> {
  const red = flags.red?.split(',').map((name) => name.trim()) ?? [];
  const named = patternNamed(flags.pattern, red);
  if (flags.out !== undefined) requireWritable(flags.out);
  if (flags.explain) writeOutput([explained(named)], flags.out);
  if (!flags.explain && red.length > 0) throw new Error('count: --red is for --explain; --per node gives every role');
  if (paths.length === 0) {
    if (flags.explain) return;
    throw new Error('count: no graphs are given; name files or folders of graphs, or ask --explain');
  }
  if (flags.explain) throw new Error('count: --explain reads no graphs; leave one of both out');
  const sets = await Promise.all(paths.map(graphsAt));
  writeOutput(rowsOf(sets, named, flags), flags.out);
}

/** Whether message passing and PPGN compute the pattern, with the steps of each. */
function explained({ pattern, names }: NamedPattern): string {
  const models = pattern.red.length === 2 ? (['ppgn'] as const) : (['mpnn', 'ppgn'] as const);
  const lines = models.flatMap((model) => [...sequenceLines(pattern, model, names), '']);
  const isLeft = !isComputable(pattern, 'ppgn').computable;
  const advice = isLeft
    ? `gossamer fit --model ppgn++ --set degree=${pattern.edges.length} gives a network what it lacks.`
    : '';
  return `${[...lines, advice].join('\n').trim()}\n`;
}

function* rowsOf(sets: readonly NamedGraphs[], { pattern, names }: NamedPattern, flags: Flags): Generator<string> {
  const { kind, per, most } = flags;
  let hasHeader = false;
  for (const { graphs, names: graphNames, nodeName } of sets)
    for (const [g, graph] of graphs.entries()) {
      const counts = countPattern(graph, pattern, kind, {
        nodes: per === 'node',
        edges: per === 'edge',
        ...(most !== undefined && { most }),
      });
      if (!hasHeader) yield `${header(counts, pattern, names, per).map(csvField).join(',')}\n`;
      hasHeader = true;
      const name = graphNames[g] as string;
      if (per === 'graph') {
        yield `${csvField(name)},${counts.total}\n`;
        continue;
      }
      const ends = per === 'edge' ? graph.edges() : undefined;
      const rows = ends ? ends.sources.length : graph.nodeCount;
      let text = '';
      for (let row = 0; row < rows; row++) {
        if (ends && ends.sources[row] === ends.targets[row]) continue;
        const own = ends ? [ends.sources[row] as number, ends.targets[row] as number] : [row];
        const roles = (per === 'node' ? counts.nodes : counts.edges).map((role) => role.counts[row] as number);
        text += `${[name, ...own.map((node) => nodeName(g, node))].map(csvField).join(',')},${roles.join(',')}\n`;
      }
      yield text;
    }
}

/** A column for each role: the nodes or edges of the pattern that play it. */
function header(
  counts: PatternCounts,
  { edges }: NamedPattern['pattern'],
  names: readonly string[],
  per: Flags['per'],
): readonly string[] {
  if (per === 'graph') return ['graph', 'count'];
  const edgeName = (edge: number) => `${names[edges[edge]?.from ?? 0]}${names[edges[edge]?.to ?? 0]}`;
  const roles = per === 'node' ? counts.nodes : counts.edges;
  const columns = roles.map(({ role }) =>
    roles.length === 1 ? 'count' : `as ${role.map((own) => (per === 'node' ? names[own] : edgeName(own))).join(' ')}`,
  );
  return [...(per === 'node' ? ['graph', 'node'] : ['graph', 'source', 'target']), ...columns];
}
