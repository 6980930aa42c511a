// Fusion for inference: convolution or linear layer, then batch norm with known statistics, then a shortcut, then an activation become one kernel call.

import { type Activation, activations } from '../engine/index.js';
import { ChannelMatrix } from '../sparse/index.js';
import {
  add,
  addOp,
  type ConvolutionAttributes,
  convolutionSizes,
  multiply,
  type Op,
  reshape,
  sizeOf,
  type Tensor,
} from '../tensor/index.js';
import { consumers, type Graph, type GraphNode, type Value, withoutDeadNodes } from './graph.js';

export interface FusedConvolution extends ConvolutionAttributes {
  readonly activation: Activation;
  readonly hasBias: boolean;
  readonly hasResidual: boolean;
}

/** activation(x ∗ w + bias + residual): inputs x, w, then bias and residual where there are any. */
export const fusedConvolutionOp: Op<FusedConvolution> = {
  name: 'fusedConvolution',
  infer: ([x, w], { output }) => [
    { shape: [(x as Tensor).shape[0] as number, (w as Tensor).shape[0] as number, ...output], dtype: 'f32' },
  ],
  compute(device, inputs, [y], attributes) {
    const [x, w] = inputs as [Tensor, Tensor];
    const rest = inputs.slice(2);
    const bias = attributes.hasBias ? (rest.shift() as Tensor) : null;
    const residual = attributes.hasResidual ? (rest.shift() as Tensor) : null;
    const sizes = convolutionSizes(x.shape, w.shape, attributes);
    device.run('convolution', [x, w, bias, residual, y as Tensor, ...sizes, activations[attributes.activation]]);
  },
};

export interface FusedLinear {
  readonly activation: Activation;
}

/** activation(x·Wᵀ + b): inputs x, W and maybe b. */
export const fusedLinearOp: Op<FusedLinear> = {
  name: 'fusedLinear',
  infer: ([x, w]) => [{ shape: [(x as Tensor).shape[0] as number, (w as Tensor).shape[0] as number], dtype: 'f32' }],
  compute(device, [x, w, bias], [y], { activation }) {
    const [m, k] = (x as Tensor).shape as [number, number];
    const n = (w as Tensor).shape[0] as number;
    device.run('matmul', [
      x as Tensor,
      w as Tensor,
      bias ?? null,
      y as Tensor,
      1,
      m,
      n,
      k,
      0,
      1,
      activations[activation],
    ]);
  },
};

const asActivation: Readonly<Record<string, Activation>> = {
  relu: 'relu',
  relu6: 'relu6',
  silu: 'silu',
  sigmoid: 'sigmoid',
  gelu: 'gelu',
  tanh: 'tanh',
};

/** The graph while it is being rewritten: which node makes a value, and who reads it. */
class Rewriting {
  readonly #producers = new Map<Value, GraphNode>();
  readonly #readers: Map<Value, GraphNode[]>;
  readonly #outputs: ReadonlySet<Value>;

  constructor(graph: Graph) {
    this.#readers = consumers(graph);
    this.#outputs = new Set(graph.outputs);
  }

  keep(node: GraphNode): GraphNode {
    for (const output of node.outputs) this.#producers.set(output, node);
    return node;
  }

  /** The fused convolution or linear layer that makes a value for one reader alone. */
  soleProducer<A>(value: Value, op: Op<A>): (GraphNode & { readonly attributes: A }) | undefined {
    const node = this.#producers.get(value);
    const sole = this.#readers.get(value)?.length === 1 && !this.#outputs.has(value);
    return node && sole && node.op === (op as Op<unknown>) ? (node as GraphNode & { attributes: A }) : undefined;
  }
}

interface SparseConvolution {
  readonly matrix: ChannelMatrix;
  readonly activation: Activation;
}

/** A pointwise convolution whose weights are mostly zero: inputs x and maybe a bias. */
const sparseConvolutionOp: Op<SparseConvolution> = {
  name: 'sparseConvolution',
  infer: ([x], { matrix }) => [
    { shape: [(x as Tensor).shape[0] as number, matrix.rows, ...(x as Tensor).shape.slice(2)], dtype: 'f32' },
  ],
  compute: (device, [x, bias], [y], { matrix, activation }) =>
    matrix.write(device, x as Tensor, y as Tensor, bias, activation),
};

/** Share of zeros from which the sparse kernel is faster than the dense one: unstructured, and in whole blocks of rows. */
const WORTHWHILE = { 1: 0.66, 2: 0.3, 4: 0.3 } as const;

/** Puts sparse kernels in the place of pointwise convolutions with enough zeros. A shortcut becomes an addition of its own again. */
export function useSparseKernels(graph: Graph): Graph {
  const nodes = graph.nodes.flatMap((node) => sparseNodes(node) ?? [node]);
  return { ...graph, nodes };
}

function sparseNodes(node: GraphNode): GraphNode[] | undefined {
  if (node.op !== (fusedConvolutionOp as Op<unknown>)) return undefined;
  const { groups, stride, padding, hasBias, hasResidual, activation } = node.attributes as FusedConvolution;
  const [x, w, ...rest] = node.inputs as [Value, Value, ...Value[]];
  const pointwise = groups === 1 && sizeOf(w.shape.slice(2)) === 1 && [...stride, ...padding].join() === '1,1,0,0';
  if (!pointwise || w.kind !== 'constant' || (hasResidual && activation !== 'none')) return undefined;
  const zeros = w.tensor.view().reduce((count, value) => count + Number(value === 0), 0) / sizeOf(w.shape);
  if (zeros < WORTHWHILE[2]) return undefined;
  const matrix = new ChannelMatrix(reshape(w.tensor, [w.shape[0] as number, -1]));
  if (zeros < WORTHWHILE[matrix.height]) return undefined;
  const bias = hasBias ? rest.slice(0, 1) : [];
  const product = { op: sparseConvolutionOp as Op<unknown>, inputs: [x, ...bias], attributes: { matrix, activation } };
  const [output] = node.outputs as [Value];
  if (!hasResidual) return [{ ...product, outputs: [output] }];
  const sum: Value = { ...output, id: -1 };
  const addition = {
    op: addOp as Op<unknown>,
    inputs: [sum, rest.at(-1) as Value],
    outputs: [output],
    attributes: undefined,
  };
  return [{ ...product, outputs: [sum] }, addition];
}

/** The same computation in fewer, larger steps. New constants live in the current scope. */
export function fuse(graph: Graph): Graph {
  const rewriting = new Rewriting(graph);
  const nodes = graph.nodes.map((node) => rewriting.keep(fuseNode(node, rewriting)));
  return withoutDeadNodes({ ...graph, nodes });
}

function fuseNode(node: GraphNode, rewriting: Rewriting): GraphNode {
  const [first, second] = node.inputs as [Value, Value];
  switch (node.op.name) {
    case 'convolution':
      return {
        ...node,
        op: fusedConvolutionOp as Op<unknown>,
        attributes: {
          ...(node.attributes as ConvolutionAttributes),
          activation: 'none',
          hasBias: node.inputs.length === 3,
          hasResidual: false,
        } satisfies FusedConvolution,
      };
    case 'linear': {
      const { relu } = node.attributes as { relu: boolean };
      return { ...node, op: fusedLinearOp as Op<unknown>, attributes: { activation: relu ? 'relu' : 'none' } };
    }
    case 'channelAffine':
      return foldAffine(node, rewriting);
    case 'add':
      return foldResidual(node, first, second, rewriting) ?? foldResidual(node, second, first, rewriting) ?? node;
    default:
      return foldActivation(node, rewriting);
  }
}

function constant(tensor: Tensor, origins: readonly string[]): Value {
  return { id: -1, shape: tensor.shape, dtype: tensor.dtype, kind: 'constant', tensor, origins };
}

/** scale·(w∗x + b) + shift = (scale·w)∗x + (scale·b + shift). */
function foldAffine(node: GraphNode, rewriting: Rewriting): GraphNode {
  const [value, scale, shift] = node.inputs as [Value, Value, Value];
  const made = rewriting.soleProducer(value, fusedConvolutionOp);
  if (made?.attributes.activation !== 'none' || made.attributes.hasResidual) return node;
  const [x, w, bias] = made.inputs as [Value, Value, Value | undefined];
  if ([w, scale, shift, ...(bias ? [bias] : [])].some((input) => input.kind !== 'constant')) return node;
  const weight = multiply(w.tensor, reshape(scale.tensor, [-1, 1, 1, 1]));
  const total = bias ? add(multiply(bias.tensor, scale.tensor), shift.tensor) : shift.tensor;
  const origins = [...new Set([w, scale, shift].flatMap((input) => input.origins))];
  return {
    op: made.op,
    inputs: [x, constant(weight, origins), constant(total, shift.origins)],
    outputs: node.outputs,
    attributes: { ...made.attributes, hasBias: true },
  };
}

function foldResidual(node: GraphNode, value: Value, residual: Value, rewriting: Rewriting): GraphNode | undefined {
  const made = rewriting.soleProducer(value, fusedConvolutionOp);
  if (made?.attributes.activation !== 'none' || made.attributes.hasResidual) return undefined;
  const depthwise = made.attributes.groups > 1 && made.inputs[1]?.shape[1] === 1;
  if (depthwise || value === residual || sizeOf(value.shape) !== sizeOf(residual.shape) || residual.kind !== 'computed')
    return undefined;
  return {
    op: made.op,
    inputs: [...made.inputs, residual],
    outputs: node.outputs,
    attributes: { ...made.attributes, hasResidual: true },
  };
}

function foldActivation(node: GraphNode, rewriting: Rewriting): GraphNode {
  const activation = asActivation[node.op.name];
  const [value] = node.inputs as [Value];
  if (!activation || node.inputs.length !== 1) return node;
  const made = rewriting.soleProducer(value, fusedConvolutionOp) ?? rewriting.soleProducer(value, fusedLinearOp);
  if (made?.attributes.activation !== 'none') return node;
  return { ...made, outputs: node.outputs, attributes: { ...made.attributes, activation } };
}
