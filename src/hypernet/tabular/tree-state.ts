// Trees as tensors: the arrays of all trees one after another, with how long each is.

import { type Tensor, tensor } from '../../tensor/index.js';
import type { Tree } from './trees.js';

const parts = ['features', 'thresholds', 'children', 'leaves'] as const satisfies readonly (keyof Tree)[];

/** `nodes` and `outputs` [trees] count the nodes and the outputs of each tree's leaves; the rest is joined. */
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
