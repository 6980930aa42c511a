// The term of the loss that shortens the trees of a layer.
//
//   D̃ = (1/(N·L))·Σ_{(p,j)∈T} (L − ŝ_p·ŝ_j)/2 + μ·(1/(N·L))·Σ_j (L − ŝ_j·ŝ_c)/2
//
// with ŝ = sign(w) and the straight-through derivative 1[|w| ≤ 1], over the edges of the current
// tree T, and μ times the distances to a centre channel c, which bound the tree from above by a
// star of depth 1. Values are the true distances; edges shorter than a least length have no
// gradient.

import {
  add,
  gatherRows,
  less,
  multiply,
  reshape,
  signs,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import type { ChannelTree } from '../binary/index.js';

/** What channels are pulled to. */
export interface Pull {
  /** The current tree. */
  readonly tree: ChannelTree;
  /** A fixed centre [L] in place of the tree and its root: the star of the baselines. */
  readonly centre?: Float32Array;
  /** μ: weight of the distances to the root. */
  readonly centring: number;
  /**
   * Distance below which an edge is pulled no more, as a share of L: identical channels are
   * useless.
   */
  readonly least: number;
}

/**
 * Σ over rows of (L − a·b)/2 for signs a and b [edges, L], without gradient where it is below
 * `least`.
 */
function distanceSum(a: Tensor, b: Tensor, least: number): Tensor {
  const length = a.shape[1] as number;
  const distances = multiply(subtract(length, sum(multiply(a, b), [1])), 0.5);
  const short = less(stopGradient(distances), least);
  const held = multiply(short, stopGradient(distances));
  return sum(add(multiply(subtract(1, short), distances), held));
}

/**
 * D̃ of a layer, a scalar.
 *
 * @param weight real weights [N, …], L of them a channel
 */
export function treeDistance(weight: Tensor, { tree, centre, centring, least }: Pull): Tensor {
  const channels = weight.shape[0] as number;
  const rows = signs(reshape(weight, [channels, -1]));
  const length = rows.shape[1] as number;
  const scale = 1 / (channels * length);
  const shortest = least * length;
  if (centre) return multiply(distanceSum(rows, tensor(centre, [1, length]), shortest), scale);
  const children = Array.from(tree.codes.keys()).filter((channel) => channel !== tree.root);
  const rowsAt = (list: readonly number[]) => gatherRows(rows, tensor(Int32Array.from(list)));
  const own = rowsAt(children);
  const parents = rowsAt(children.map((channel) => tree.codes[channel] as number));
  const edges = distanceSum(own, parents, shortest);
  if (centring === 0) return multiply(edges, scale);
  const toRoot = distanceSum(own, rowsAt(children.map(() => tree.root)), shortest);
  return multiply(add(edges, multiply(toRoot, centring)), scale);
}
