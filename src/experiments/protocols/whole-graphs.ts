// Learning on whole graphs: each seed is a fold of the ten that are published with a set, or a
// random split; the epoch is chosen on validation graphs, and test graphs are looked at once.

import { splitPerClass, type WholeGraphs } from '../../data/index.js';
import { Random } from '../../tensor/index.js';

/** The graphs of a seed, by number. */
export interface GraphParts {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

/**
 * Fold f = seed is tested, fold f − 1 (of the first the last) validates, all others train, as do
 * graphs in no fold. Without folds: the published split, else 80 : 10 : 10 drawn from the seed, by
 * class where there are classes.
 *
 * @throws Error when a part is empty
 */
export function partsOfSeed(
  data: Pick<WholeGraphs, 'graphs' | 'labels' | 'folds' | 'split' | 'name'>,
  seed: number,
): GraphParts {
  const parts = data.folds ? foldParts(data.folds, seed, data.name) : (data.split ?? randomParts(data, seed));
  for (const [part, graphs] of Object.entries(parts))
    if ((graphs as Int32Array).length === 0)
      throw new Error(`set of graphs "${data.name}": no graph is left for ${part}`);
  return parts;
}

function foldParts(folds: Int32Array, seed: number, name: string): GraphParts {
  const count = folds.reduce((most, fold) => Math.max(most, fold + 1), 0);
  if (count < 3) throw new Error(`set of graphs "${name}" has ${count} folds; testing and validating take three`);
  const test = seed % count;
  const validation = (test + count - 1) % count;
  const of = (isIn: (fold: number) => boolean) => Int32Array.from(folds.keys()).filter((g) => isIn(folds[g] as number));
  return {
    test: of((fold) => fold === test),
    validation: of((fold) => fold === validation),
    train: of((fold) => fold !== test && fold !== validation),
  };
}

function randomParts({ graphs, labels }: Pick<WholeGraphs, 'graphs' | 'labels'>, seed: number): GraphParts {
  const random = new Random(seed).split('split');
  const known = Int32Array.from(labels.keys()).filter((g) => (labels[g] as number) >= 0);
  if (known.length === 0) {
    const order = random.permutation(graphs.count);
    const tenth = Math.max(1, Math.floor(graphs.count / 10));
    return {
      test: order.slice(0, tenth),
      validation: order.slice(tenth, 2 * tenth),
      train: order.slice(2 * tenth),
    };
  }
  const classes = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const smallest = Math.min(
    ...Array.from({ length: classes }, (_, c) => labels.reduce((sum, label) => sum + Number(label === c), 0)),
  );
  const tenth = Math.max(1, Math.floor(smallest / 10));
  const drawn = splitPerClass(labels, classes, { train: tenth, validation: tenth }, random);
  return { test: drawn.train, validation: drawn.validation, train: drawn.test };
}

/** Accuracy in % of logits [graphs, classes] against the labels of the graphs. */
export function graphAccuracy(logits: Float32Array, labels: Int32Array, graphs: Int32Array): number {
  const classes = logits.length / graphs.length;
  const right = graphs.reduce((sum, graph, i) => {
    const own = logits.subarray(i * classes, (i + 1) * classes);
    return sum + Number(own.indexOf(own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)) === labels[graph]);
  }, 0);
  return (100 * right) / graphs.length;
}

/** One line on a set of graphs: sizes and classes. */
export function describeWholeGraphs({ name, graphs, classNames, nodeColumns, edgeColumns }: WholeGraphs): string {
  const columns = (what: string, own: readonly { readonly name: string }[]) =>
    own.length > 0 ? `, of ${what} ${own.map((column) => column.name).join(' and ')}` : '';
  const classes = classNames.length > 0 ? `, ${classNames.length} classes` : '';
  return `${name}: ${graphs.count} graphs, ${graphs.nodeCount} nodes, ${graphs.edgeCount} edges${classes}${columns('nodes', nodeColumns)}${columns('edges', edgeColumns)}`;
}
