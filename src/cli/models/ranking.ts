// Personalised PageRank of a graph, made by `gossamer fit --model fully-ppr`.

import { existsSync } from 'node:fs';
import { columnNamed, textsOrGaps } from '../../data/index.js';
import { isFolder, isGraphFile, loadAttributedGraph, loadTable, readBytes } from '../../data/node.js';
import { type ChangedGraph, classShares, mixedRanking, RankModel } from '../../embedding/index.js';
import { rankScoreLines } from '../fit/ranking.js';
import type { Predictions, PredictOptions, Predictor } from './predictor.js';

/** Columns of a table of nodes to answer for. */
const NODES = ['node', 'id', 'source'];

export function open(path: string): Predictor {
  const model = RankModel.load(readBytes(path), path);
  return {
    predict: async (paths, options) => answer(model, paths, options),
    describe: () => describe(model),
  };
}

/**
 * Answers for the nodes of a table, or with a graph that has changed, whose nodes may be new, for
 * those of the table in it, or without a table for all of its nodes.
 */
async function answer(model: RankModel, paths: readonly string[], options: PredictOptions): Promise<Predictions> {
  const { table, graph } = filesOf(paths);
  const asked = table === undefined ? undefined : await nodesIn(table, options);
  if (graph === undefined) return answerNodes(model, asked as Asked, options);
  const changed = await changedGraph(model, graph, options);
  const own = asked ?? { nodes: changed.nodes, groups: undefined };
  return answerNodes(await model.on(changed, own.nodes), own, options);
}

/** A folder of tables, or a file of another program. */
const isGraph = (path: string) => isFolder(path) || (existsSync(path) && isGraphFile(path));

/** The table and the graph; of two files the second is the graph, unless the first alone is one. */
function filesOf(paths: readonly string[]): { readonly table?: string; readonly graph?: string } {
  const [first, second, ...more] = paths;
  if (first === undefined || more.length > 0)
    throw new Error(`the model reads a table of nodes and maybe a graph that has changed, got ${paths.join(', ')}`);
  if (second === undefined) return isGraph(first) ? { graph: first } : { table: first };
  return isGraph(first) && !isGraph(second) ? { table: second, graph: first } : { table: first, graph: second };
}

/** The graph, with the classes that it gives by the model's names. */
async function changedGraph({ description }: RankModel, path: string, options: PredictOptions): Promise<ChangedGraph> {
  const { directed, target, classes } = description;
  const data = await loadAttributedGraph(path, { ...options.table, directed, ...(target !== '' && { target }) });
  const column = target === '' ? undefined : columnNamed(data.attributes, target);
  const texts = column ? textsOrGaps(column) : [];
  const unknown = new Set(texts.filter((text) => text !== undefined && !classes.includes(text)));
  if (unknown.size > 0)
    options.note(
      `"${target}" of "${data.name}" holds ${[...unknown].slice(0, 5).join(', ')}, which training did not know`,
    );
  const labels = Int32Array.from(data.nodeNames, (_, v) => classes.indexOf(texts[v] ?? ''));
  return { graph: data.graph, nodes: data.nodeNames, labels, data: data.name };
}

/** Nodes that are asked about, and the group of each where there are groups. */
interface Asked {
  readonly nodes: readonly string[];
  readonly groups: readonly (string | undefined)[] | undefined;
}

async function nodesIn(path: string, { table: options }: PredictOptions): Promise<Asked> {
  const table = await loadTable(path, { ...options, categorical: (name) => [...NODES, 'group'].includes(name) });
  const column = NODES.flatMap((name) => columnNamed(table, name) ?? [])[0];
  if (!column) throw new Error(`"${path}" has no column "node"; it names the nodes to answer for`);
  const nodes = textsOrGaps(column).map((name, row) => {
    if (name === undefined) throw new Error(`"${path}": row ${row + 1} names no node`);
    return name;
  });
  const group = columnNamed(table, 'group');
  return { nodes, groups: group && textsOrGaps(group) };
}

/**
 * For each node its class where the model knows classes, else the nodes closest to it; nodes of the
 * same group are asked about together.
 */
function answerNodes(model: RankModel, { nodes, groups }: Asked, { top = 10 }: PredictOptions): Predictions {
  if (model.description.classes.length > 0 && !groups) return classesOf(model, nodes);
  const asked = new Map<string, number[]>();
  nodes.forEach((node, row) => {
    const key = groups?.[row] ?? node;
    asked.set(key, [...(asked.get(key) ?? []), model.node(node)]);
  });
  return {
    columns: [groups ? 'group' : 'source', 'rank', 'node', 'score'],
    rows: [...asked].flatMap(([key, sources]) =>
      mixedRanking(model.rows, sources, top).map(({ node, score }, at) => [
        key,
        at + 1,
        model.description.nodes[node] as string,
        Number(score.toPrecision(6)),
      ]),
    ),
  };
}

function classesOf(model: RankModel, nodes: readonly string[]): Predictions {
  const { rows, labels } = model;
  const { classes, target } = model.description;
  const shares = classShares(rows, labels, classes.length);
  return {
    columns: ['node', target, ...classes.map((name) => `p(${name})`)],
    rows: nodes.map((node) => {
      const v = model.node(node);
      const own = shares.subarray(v * classes.length, (v + 1) * classes.length);
      const top = Math.max(...own);
      return [node, top > 0 ? (classes[own.indexOf(top)] as string) : '', ...Array.from(own, (p) => p.toFixed(4))];
    }),
  };
}

function describe({ description, rows }: RankModel): string[] {
  const { nodes, alpha, walks, kept, directed, target, classes, trained } = description;
  return [
    `Ranks nodes by personalised PageRank${classes.length > 0 ? `, and tells their "${target}" (${classes.slice(0, 12).join(', ')})` : ''}`,
    `Walks       ${walks} from each node, stopping with probability ${alpha}; ${kept} nodes kept of each, ${rows.targets.length} in all`,
    `Edges       ${directed ? 'directed' : 'both ways'}`,
    `Made of     ${trained.data}: ${nodes.length} nodes, ${trained.edges} edges`,
    ...rankScoreLines(description).map((line) => `Scores      ${line}`),
  ];
}
