// Trees as tensors: the concatenated arrays of all trees, with their lengths.

import { type Tensor, tensor } from '../../tensor/index.js';
import type { Tree } from './trees.js';

const parts = ['features', 'thresholds', 'children', 'leaves'] as const satisfies readonly (keyof Tree)[];

/**
 * Trees as tensors. `nodes` [trees] holds the number of nodes of each tree, `outputs` [trees] the
 * length of its `leaves`; the other arrays are concatenated over trees.
 */
export function stateOfTrees(trees: readonly Tree[]): Record<string, Tensor> {
  const joined = (part: (typeof parts)[number]) => {
    const values = trees.flatMap((tree) => [...tree[part]]);
    return tensor(part === 'thresholds' || part === 'leaves' ? Float32Array.from(values) : Int32Array.from(values));
  };
  return {
    nodes: tensor(Int32Array.from(trees, (tree) => tree.features.length)),
    outputs: tensor(Int32Array.from(trees, (tree) => tree.leaves.length)),
    ...Object.fromEntries(parts.map((part) => [part, joined(part)])),
  };
}

/** The trees of a state made by `stateOfTrees`; their arrays are views of its tensors. */
export function treesOfState(state: Readonly<Record<string, Tensor>>): Tree[] {
  const read = <T extends Int32Array | Float32Array>(name: string) => (state[name] as Tensor).dataSync<T>();
  const [nodes, outputs] = [read<Int32Array>('nodes'), read<Int32Array>('outputs')];
  const [features, children] = [read<Int32Array>('features'), read<Int32Array>('children')];
  const [thresholds, leaves] = [read<Float32Array>('thresholds'), read<Float32Array>('leaves')];
  let [node, leaf] = [0, 0];
  return Array.from(nodes, (count, t): Tree => {
    const [from, first] = [node, leaf];
    node += count;
    leaf += outputs[t] as number;
    return {
      features: features.subarray(from, node),
      thresholds: thresholds.subarray(from, node),
      children: children.subarray(from, node),
      leaves: leaves.subarray(first, leaf),
    };
  });
}
