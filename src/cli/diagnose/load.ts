// A graph with what a report may read of it.

import { existsSync } from 'node:fs';
import {
  type AttributedGraph,
  columnNamed,
  givenSplit,
  type NodeClasses,
  nodeClasses,
  type Split,
} from '../../data/index.js';
import { isFolder, isGraphFile, loadAttributedGraph, loadGraphDocument } from '../../data/node.js';
import { type DiagnosedGraph, featuresOf, fitInputs } from '../../graph/index.js';
import { type TableFlags, tableOptionsOf } from '../tables.js';

/** A graph to report on, and what it is called. */
export interface LoadedGraph extends DiagnosedGraph {
  readonly name: string;
  /** The attribute of classes; undefined without labels. */
  readonly target: string | undefined;
  /** Labels that are read, and those of test nodes, which are not. */
  readonly labelled: { readonly read: number; readonly hidden: number };
}

/**
 * Loads a graph with directions, where its form has them. Labels are those of `target`, or of
 * `label` or `class` where there is one; a graph may have none.
 *
 * @param note called with what a person should know of the data
 * @throws Error for an attribute that is not there or names no classes
 */
export async function loadDiagnosed(
  path: string,
  flags: TableFlags & { readonly target?: string },
  note: (text: string) => void,
): Promise<LoadedGraph> {
  const { target } = flags;
  const directed = !saysUndirected(path);
  if (!directed) note('the file says that its edges have no direction');
  const data = await loadAttributedGraph(path, { ...tableOptionsOf(flags), directed, target });
  const classes = classesOf(data, target, note);
  const split = classes && givenSplit(data, classes.labels);
  const labels = classes && withoutTest(classes.labels, split);
  const { inputs } = fitInputs(data, [...(classes ? [classes.target] : []), 'split']);
  const read = countKnown(labels);
  return {
    name: data.name,
    graph: data.graph,
    ...(labels && { labels }),
    ...(classes && { classNames: classes.classNames }),
    ...(inputs.kind !== 'structure' && { features: featuresOf(inputs, data) }),
    target: classes?.target,
    labelled: { read, hidden: countKnown(classes?.labels) - read },
  };
}

const countKnown = (labels: Int32Array | undefined) =>
  labels?.reduce((count, label) => count + Number(label >= 0), 0) ?? 0;

/** Whether a graph file says that its edges have no direction. */
function saysUndirected(path: string): boolean {
  if (isFolder(path) || !existsSync(path) || !isGraphFile(path)) return false;
  return loadGraphDocument(path).directed === false;
}

function classesOf(
  data: AttributedGraph,
  target: string | undefined,
  note: (text: string) => void,
): NodeClasses | undefined {
  if (target !== undefined) return nodeClasses(data, target);
  if (!['label', 'class'].some((name) => columnNamed(data.attributes, name))) return undefined;
  try {
    return nodeClasses(data);
  } catch (error) {
    note(`${(error as Error).message}; the report goes without labels`);
    return undefined;
  }
}

/** Labels of training and validation nodes alone. */
function withoutTest(labels: Int32Array, split: Split | undefined): Int32Array {
  const kept = labels.slice();
  for (const v of split?.test ?? []) kept[v] = -1;
  return kept;
}
