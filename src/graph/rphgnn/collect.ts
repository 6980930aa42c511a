// The tensors of the pre-computation, collected for some nodes: what networks train on, in
// mini-batches and without the graph.

import { type Features, featureCount, rowsOf } from '../../nn/index.js';
import { SparseMatrix } from '../../sparse/index.js';
import type { HeteroGraph } from '../../structure/index.js';
import { gatherKnownRows, keep, type Random, scope, type Tensor, tensor, zeros } from '../../tensor/index.js';
import type { TypedFeatures } from '../conv/index.js';
import { type GroupShape, landingGroups, type PropagationOptions, propagateAndUpdate } from './propagate.js';

/** Options of `collect`. */
export interface CollectionOptions extends PropagationOptions {
  /** Whether the target's own features stand first in every group of even steps. Default: true. */
  readonly input?: boolean;
  /** Whether the target's own features are a group of their own. Default: false. */
  readonly selfGroup?: boolean;
}

/** Tensors of one kind for some nodes. */
export interface RowGroup {
  /** Name of the group. */
  readonly name: string;
  /** [count, rows, width]. */
  readonly values: Tensor;
}

/** What networks read of some nodes: groups of tensors, all of the same rows. */
export type RowGroups = readonly RowGroup[];

const SELF = 'self';
const isEven = (name: string) => name.startsWith('even ');

/**
 * The groups that are collected: those of `landingGroups`, the target's own features in front where
 * the options say so.
 */
export function collectedGroups(
  graph: HeteroGraph,
  features: TypedFeatures,
  target: string,
  { input = true, selfGroup = false, ...options }: CollectionOptions = {},
): GroupShape[] {
  const widths = new Map([...features].map(([type, own]) => [type, featureCount(own)]));
  const landing = landingGroups(graph, widths, target, options);
  const own = { name: SELF, count: 1, width: widths.get(target) as number };
  return [
    ...(selfGroup ? [own] : []),
    ...landing.map((group) => (input && isEven(group.name) ? { ...group, count: group.count + 1 } : group)),
  ];
}

/** Bytes of the collected tensors of so many rows. */
export function collectedBytes(groups: readonly GroupShape[], rows: number): number {
  return 4 * rows * groups.reduce((total, { count, width }) => total + count * width, 0);
}

/** Called with a tensor of a group, valid during the call alone. */
export type CollectionVisitor = (group: number, at: number, values: Features) => void;

/** Runs the pre-computation, calling `visit` for every tensor of `collectedGroups`. */
export function walkCollected(
  graph: HeteroGraph,
  features: TypedFeatures,
  target: string,
  random: Random,
  options: CollectionOptions,
  visit: CollectionVisitor,
): void {
  const groups = collectedGroups(graph, features, target, options);
  const filled = new Int32Array(groups.length);
  const put = (name: string, values: Features) => {
    const g = groups.findIndex((group) => group.name === name);
    visit(g, filled[g] as number, values);
    filled[g] = (filled[g] as number) + 1;
  };
  const own = features.get(target) as Features;
  for (const { name } of groups) if (name === SELF || (isEven(name) && options.input !== false)) put(name, own);
  propagateAndUpdate(graph, features, target, random, options, put);
}

/**
 * Runs the pre-computation and keeps its tensors for some nodes of the target type, by parts such
 * as training and validation nodes.
 *
 * Memory: the collected tensors (`collectedBytes`) and what `propagateAndUpdate` holds.
 *
 * @param parts nodes of each part; undefined for all nodes
 * @returns the groups of each part
 */
export function collect(
  graph: HeteroGraph,
  features: TypedFeatures,
  target: string,
  parts: readonly (Int32Array | undefined)[],
  random: Random,
  options: CollectionOptions = {},
): RowGroups[] {
  const groups = collectedGroups(graph, features, target, options);
  const collected = parts.map((rows) =>
    groups.map(({ name, count, width }): RowGroup => {
      return { name, values: keep(zeros([count, rows?.length ?? graph.countOf(target), width])) };
    }),
  );
  walkCollected(graph, features, target, random, options, (g, at, values) => {
    for (const [part, rows] of parts.entries())
      scope(() => {
        const own = rows ? rowsOf(values, rows) : values;
        const dense = own instanceof SparseMatrix ? own.toDense() : own;
        ((collected[part] as RowGroup[])[g] as RowGroup).values.view().set(dense.view(), at * dense.size);
      });
  });
  return collected;
}

/** The given rows of groups. */
export function takeRowGroups(groups: RowGroups, rows: Int32Array): Tensor[] {
  return groups.map(({ values }) => {
    const [count, n, width] = values.shape as [number, number, number];
    const indices = new Int32Array(count * rows.length);
    for (let k = 0; k < count; k++)
      for (let i = 0; i < rows.length; i++) indices[k * rows.length + i] = k * n + (rows[i] as number);
    return gatherKnownRows(values.reshape([count * n, width]), tensor(indices)).reshape([count, rows.length, width]);
  });
}

/** Number of rows of groups. */
export function rowCount(groups: RowGroups): number {
  return groups[0]?.values.shape[1] ?? 0;
}

/** Frees groups. */
export function disposeGroups(groups: RowGroups): void {
  for (const { values } of groups) values.dispose();
}
