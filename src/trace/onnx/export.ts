// A captured computation as an ONNX model (opset 17): each of our operations becomes one or a few
// standard ones; batch norms are folded into convolutions before.

import type { Op, Tensor } from '../../tensor/index.js';
import { fuse } from '../fuse.js';
import { type Graph, type GraphNode, requireAllValues, trace, type Value } from '../graph.js';
import { DATA_TYPE, encodeModel, type ModelProto, type ValueInfoProto } from './schema.js';
import { writeActivation } from './write/activation.js';
import { convolutionWriters } from './write/convolution.js';
import { elementwiseWriters } from './write/elementwise.js';
import { layoutWriters } from './write/layout.js';
import { normalizationWriters } from './write/normalization.js';
import { productWriters } from './write/product.js';
import { reductionWriters } from './write/reduction.js';
import { type NodeWriter, OnnxWriter } from './write/writer.js';

/** Options of `exportOnnx`. */
export interface ExportOptions {
  /** Names of the weights in the file: `stateOf(model)`. */
  readonly weights?: Readonly<Record<string, Tensor>>;
  /** Default `input`, or `input0`, `input1`, … where there are several. */
  readonly inputNames?: readonly string[];
  /** Default `output`, or `output0`, `output1`, … where there are several. */
  readonly outputNames?: readonly string[];
}

/**
 * A function of tensors as the contents of an `.onnx` file, for inputs of the examples' shapes.
 *
 * @example writeFileSync('model.onnx', exportOnnx((x) => model.forward(x, inference), [zeros([1, 3,
 * 224, 224])]));
 * @throws Error naming the operation that ONNX has no form for, and when the function reads values
 * that depend on its inputs.
 */
export function exportOnnx(
  fn: (...inputs: Tensor[]) => unknown,
  examples: readonly Tensor[],
  { weights = {}, inputNames = [], outputNames = [] }: ExportOptions = {},
): Uint8Array {
  return trace(fn, examples, weights, (graph) => {
    requireAllValues('exportOnnx', graph);
    return encodeModel(modelOf(fuse(graph), inputNames, outputNames));
  });
}

function modelOf(graph: Graph, inputNames: readonly string[], outputNames: readonly string[]): ModelProto {
  const writer = new OnnxWriter();
  const inputs = graph.inputs.map((value, index) => {
    const name = inputNames[index] ?? (graph.inputs.length === 1 ? 'input' : `input${index}`);
    writer.nameValue(value, name);
    return valueInfo(name, value);
  });
  for (const node of graph.nodes) writer.nameValue(node.outputs[0] as Value, writeNode(writer, node));
  const outputs = graph.outputs.map((value, index) => {
    const name = outputNames[index] ?? (graph.outputs.length === 1 ? 'output' : `output${index}`);
    writer.nodes.push({ opType: 'Identity', name, input: [writer.name(value)], output: [name] });
    return valueInfo(name, value);
  });
  return {
    irVersion: 8,
    producerName: 'gossamer',
    opsetImport: [{ domain: '', version: 17 }],
    graph: { name: 'gossamer', node: writer.nodes, initializer: writer.initializers, input: inputs, output: outputs },
  };
}

/** Writers of the operations whose records name no ONNX operator or activation. */
const writers: ReadonlyMap<Op<unknown>, NodeWriter> = new Map([
  ...convolutionWriters,
  ...productWriters,
  ...normalizationWriters,
  ...reductionWriters,
  ...elementwiseWriters,
  ...layoutWriters,
]);

function writeNode(writer: OnnxWriter, node: GraphNode): string {
  const { name, onnx, activation } = node.op;
  const write = writers.get(node.op);
  if (!write && !onnx && !activation) throw new Error(`exportOnnx: the operation "${name}" has no ONNX form here`);
  const inputs = node.inputs.map((input) => writer.name(input));
  if (write) return write(writer, inputs, node);
  if (onnx) return writer.add(onnx, inputs);
  return writeActivation(writer, inputs[0] as string, activation ?? 'none');
}

function valueInfo(name: string, { shape, dtype }: Value): ValueInfoProto {
  const elemType = dtype === 'f32' ? DATA_TYPE.float : DATA_TYPE.int32;
  return { name, type: { tensorType: { elemType, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } } };
}
