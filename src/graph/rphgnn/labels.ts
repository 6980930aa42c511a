// Label propagation of RpHGNN: known labels travel two steps along each relation and reach nodes
// other than their own.
//
// With Y the labels (one-hot where known, uniform elsewhere and on all other types), M_e the mean
// over neighbours and D the diagonal of M_rev(e)·M_e:
//
//   h = (M_rev(e)·M_e·Y − D∘Y) / (1 − D)
//
// which is the mean over the nodes at the other ends of paths u ← · ← v, v ≠ u. It is summed
// without the node's own label, so that no rounding lets it through.

import type { HeteroGraph, Relation } from '../../structure/index.js';
import { keep, type Tensor, tensor } from '../../tensor/index.js';
import type { RowGroup, RowGroups } from './collect.js';

/** Labels that may be propagated. */
export interface KnownLabels {
  /** Class of each node of the target type [n], −1 where unknown. */
  readonly labels: Int32Array;
  /** Nodes whose labels are known: training nodes. */
  readonly known: Int32Array;
  /** Number of classes C. */
  readonly classes: number;
}

/** Y [n, C]. */
function labelRows(n: number, { labels, known, classes }: KnownLabels): Float64Array {
  const rows = new Float64Array(n * classes).fill(1 / classes);
  for (const v of known) {
    rows.fill(0, v * classes, (v + 1) * classes);
    rows[v * classes + (labels[v] as number)] = 1;
  }
  return rows;
}

/**
 * Label features of all nodes of the target type, none of which depends on the node's own label:
 * for each relation from the type, labels two steps away, and for each within the type those of
 * neighbours, too.
 *
 * @returns groups of one tensor [1, n, C]; rows whom no label reaches are uniform
 */
export function propagateLabels(graph: HeteroGraph, target: string, labels: KnownLabels): RowGroups {
  const y = labelRows(graph.countOf(target), labels);
  return graph.relations
    .filter(({ source }) => source === target)
    .flatMap((relation) => [
      ...(relation.isSymmetric
        ? [groupOf(`label odd ${relation.key}`, oneStep(relation, y, labels.classes), labels)]
        : []),
      groupOf(`label even ${relation.key}`, twoSteps(relation, y, labels.classes), labels),
    ]);
}

function groupOf(name: string, rows: Float32Array, { classes }: KnownLabels): RowGroup {
  const values: Tensor = keep(tensor(rows, [1, rows.length / classes, classes]));
  return { name, values };
}

/** Means over the neighbours within a type, loops left out. */
function oneStep({ pattern }: Relation, y: Float64Array, classes: number): Float32Array {
  const { rows, indptr, indices } = pattern;
  const result = new Float32Array(rows * classes).fill(1 / classes);
  const sum = new Float64Array(classes);
  for (let v = 0; v < rows; v++) {
    sum.fill(0);
    let count = 0;
    for (let e = indptr[v] as number; e < (indptr[v + 1] as number); e++) {
      const u = indices[e] as number;
      if (u === v) continue;
      count += 1;
      for (let c = 0; c < classes; c++) sum[c] = (sum[c] as number) + (y[u * classes + c] as number);
    }
    if (count > 0) for (let c = 0; c < classes; c++) result[v * classes + c] = (sum[c] as number) / count;
  }
  return result;
}

/** Means over the other ends of two steps along a relation and back. */
function twoSteps(relation: Relation, y: Float64Array, classes: number): Float32Array {
  const forth = relation.pattern; // rows: nodes between, columns: nodes of the type
  const back = relation.reverse.pattern;
  const sums = new Float64Array(forth.rows * classes);
  for (let j = 0; j < forth.rows; j++)
    for (let e = forth.indptr[j] as number; e < (forth.indptr[j + 1] as number); e++) {
      const u = forth.indices[e] as number;
      for (let c = 0; c < classes; c++)
        sums[j * classes + c] = (sums[j * classes + c] as number) + (y[u * classes + c] as number);
    }
  const result = new Float32Array(back.rows * classes).fill(1 / classes);
  const own = new Float64Array(classes);
  for (let v = 0; v < back.rows; v++) {
    own.fill(0);
    let weight = 0;
    for (let e = back.indptr[v] as number; e < (back.indptr[v + 1] as number); e++) {
      const j = back.indices[e] as number;
      const degree = (forth.indptr[j + 1] as number) - (forth.indptr[j] as number);
      weight += (degree - 1) / degree;
      for (let c = 0; c < classes; c++)
        own[c] = (own[c] as number) + ((sums[j * classes + c] as number) - (y[v * classes + c] as number)) / degree;
    }
    if (weight > 0) for (let c = 0; c < classes; c++) result[v * classes + c] = (own[c] as number) / weight;
  }
  return result;
}
