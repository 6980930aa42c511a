// Personalised PageRank of a graph, made by `gossamer fit --model fully-ppr`.

import { columnNamed, textsOrGaps } from '../../data/index.js';
import { loadTable, readBytes } from '../../data/node.js';
import { classShares, mixedRanking, RankModel } from '../../embedding/index.js';
import { rankScoreLines } from '../fit/ranking.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

/** Columns of a table of nodes to answer for. */
const NODES = ['node', 'id', 'source'];

export function open(path: string): Predictor {
  const model = RankModel.load(readBytes(path), path);
  return {
    predict: async (paths, options) => answer(model, onlyPath(paths), options),
    describe: () => describe(model),
  };
}

/**
 * For each node of a table its class where the model knows classes, else the nodes closest to it;
 * nodes of the same `group` are asked about together.
 */
async function answer(
  model: RankModel,
  path: string,
  { table: options, top = 10 }: PredictOptions,
): Promise<Predictions> {
  const table = await loadTable(path, { ...options, categorical: (name) => [...NODES, 'group'].includes(name) });
  const column = NODES.flatMap((name) => columnNamed(table, name) ?? [])[0];
  if (!column) throw new Error(`"${path}" has no column "node"; it names the nodes to answer for`);
  const nodes = textsOrGaps(column).map((name, row) => {
    if (name === undefined) throw new Error(`"${path}": row ${row + 1} names no node`);
    return name;
  });
  const group = columnNamed(table, 'group');
  if (model.description.classes.length > 0 && !group) return classesOf(model, nodes);
  const asked = new Map<string, number[]>();
  const names = group ? textsOrGaps(group) : nodes;
  nodes.forEach((node, row) => {
    const key = names[row] ?? node;
    asked.set(key, [...(asked.get(key) ?? []), model.node(node)]);
  });
  return {
    columns: [group ? 'group' : 'source', 'rank', 'node', 'score'],
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
