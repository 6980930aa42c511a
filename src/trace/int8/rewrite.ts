// Post-training quantisation to int8: convolutions, linear layers and what stands between
// convolutions. Weights get one scale per filter, activations the range that they take on
// calibration inputs.
//
// Each value may exist as NCHW float32 and as NHWC int8; either is converted to the other where a
// reader needs it. Convolutional networks stay in int8 from end to end, but for vectors with one
// number a channel: means of images and gates, which are floats. Operations without an int8 kernel
// run on float32 in between.

import type { ActivationBits } from '../../quantized/index.js';
import type { Graph } from '../graph.js';
import type { Ranges } from './calibrate.js';
import { layerRules } from './layers.js';
import { mapByTable, mapRules } from './maps.js';
import { Int8Rewriting } from './rewriting.js';

/**
 * Rewrites a graph to int8 kernels.
 *
 * @param graph a fused graph
 * @param ranges of its values
 */
export function useInt8Kernels(graph: Graph, ranges: Ranges, bits: ActivationBits = 8): Graph {
  const rewriting = new Int8Rewriting(graph, ranges, bits);
  for (const node of graph.nodes) {
    const rule = layerRules.get(node.op) ?? mapRules.get(node.op);
    if (rule?.(rewriting, node) || mapByTable(rewriting, node)) continue;
    for (const input of node.inputs) rewriting.floats(input);
    rewriting.nodes.push(node);
  }
  for (const output of graph.outputs) rewriting.floats(output);
  return { ...graph, nodes: rewriting.nodes };
}
