// Fusion for inference: a convolution or linear layer, the batch norm (with fixed statistics),
// residual addition and activation after it become one kernel call.

import { type Activation, activations } from '../engine/index.js';
import {
  add,
  addOp,
  type ConvolutionAttributes,
  channelAffineOp,
  convolutionCount,
  convolutionOp,
  convolutionSizes,
  linearOp,
  multiply,
  negate,
  type Op,
  reshape,
  type Shape,
  sizeOf,
  subtract,
  type Tensor,
} from '../tensor/index.js';
import { consumers, type Graph, type GraphNode, type Value, withoutDeadNodes } from './graph.js';

/** Attributes of a convolution with what follows it. */
export interface FusedConvolution extends ConvolutionAttributes {
  readonly activation: Activation;
  readonly hasBias: boolean;
  readonly hasResidual: boolean;
}

/**
 * activation(x ∗ w + bias + residual). Inputs: x [n, c, h, w], filters [o, c / groups, kh, kw],
 * then bias [o] and residual (of the output's shape) where there are any.
 */
export const fusedConvolutionOp: Op<FusedConvolution> = {
  name: 'fusedConvolution',
  multiplyAdds: ([, w], output) => convolutionCount(output, w as Shape),
  infer: ([x, w], { output }) => [
    { shape: [(x as Tensor).shape[0] as number, (w as Tensor).shape[0] as number, ...output], dtype: 'f32' },
  ],
  compute(device, inputs, [y], attributes) {
    const [x, w] = inputs as [Tensor, Tensor];
    const rest = inputs.slice(2);
    const bias = attributes.hasBias ? (rest.shift() as Tensor) : null;
    const residual = attributes.hasResidual ? (rest.shift() as Tensor) : null;
    const sizes = convolutionSizes(x.shape, w.shape, attributes);
    device.run('convolution', {
      x,
      w,
      bias,
      residual,
      y: y as Tensor,
      sizes,
      activation: activations[attributes.activation],
    });
  },
};

/** Attributes of a linear layer with its activation. */
export interface FusedLinear {
  readonly activation: Activation;
}

/** activation(x·Wᵀ + b). Inputs: x [m, k], W [n, k] and maybe b [n]. */
export const fusedLinearOp: Op<FusedLinear> = {
  name: 'fusedLinear',
  multiplyAdds: ([, w], output) => sizeOf(output) * sizeOf((w as Shape).slice(1)),
  infer: ([x, w]) => [{ shape: [(x as Tensor).shape[0] as number, (w as Tensor).shape[0] as number], dtype: 'f32' }],
  compute(device, [x, w, bias], [y], { activation }) {
    const [m, k] = (x as Tensor).shape as [number, number];
    const n = (w as Tensor).shape[0] as number;
    device.run('matmul', {
      a: x as Tensor,
      b: w as Tensor,
      bias: bias ?? null,
      c: y as Tensor,
      batch: 1,
      m,
      n,
      k,
      transposeA: 0,
      transposeB: 1,
      activation: activations[activation],
    });
  },
};

/** A graph under rewriting: the producer of each value, and its readers. */
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

  /**
   * The fused convolution or linear layer whose output has one reader and is no output of the
   * graph.
   */
  soleProducer<A>(value: Value, op: Op<A>): (GraphNode & { readonly attributes: A }) | undefined {
    const node = this.#producers.get(value);
    const sole = this.#readers.get(value)?.length === 1 && !this.#outputs.has(value);
    return node && sole && node.op === (op as Op<unknown>) ? (node as GraphNode & { attributes: A }) : undefined;
  }
}

/** Rewrites a graph to fused operations. New constants live in the current scope. */
export function fuse(graph: Graph): Graph {
  const rewriting = new Rewriting(graph);
  const nodes = graph.nodes.map((node) => rewriting.keep(fuseNode(node, rewriting)));
  return withoutDeadNodes({ ...graph, nodes });
}

/**
 * Replaces 1×1 convolutions of 1×1 images, as in squeeze-and-excitation gates and in classifiers
 * after pooling, by linear layers, which pack no panels of pixels. For plans alone: the values keep
 * their four axes.
 */
export function pixelsAsRows(graph: Graph): Graph {
  const nodes = graph.nodes.map((node): GraphNode => {
    if (node.op !== (fusedConvolutionOp as Op<unknown>)) return node;
    const { groups, input, padding, hasResidual, activation } = node.attributes as FusedConvolution;
    const kernel = (node.inputs[1] as Value).shape.slice(2);
    const single = [...input, ...kernel, ...padding].join() === '1,1,1,1,0,0' && groups === 1 && !hasResidual;
    return single ? { ...node, op: fusedLinearOp as Op<unknown>, attributes: { activation } } : node;
  });
  return { ...graph, nodes };
}

type Fusion = (node: GraphNode, rewriting: Rewriting) => GraphNode;

/**
 * How the operations that start a fused one, or are folded into the one before them, are rewritten.
 */
const fusions: ReadonlyMap<Op<never>, Fusion> = new Map<Op<never>, Fusion>([
  [convolutionOp, asFusedConvolution],
  [linearOp, asFusedLinear],
  [channelAffineOp, foldAffine],
  [addOp, foldAddition],
]);

function fuseNode(node: GraphNode, rewriting: Rewriting): GraphNode {
  return (fusions.get(node.op) ?? foldActivation)(node, rewriting);
}

function asFusedConvolution(node: GraphNode): GraphNode {
  const attributes: FusedConvolution = {
    ...(node.attributes as ConvolutionAttributes),
    activation: 'none',
    hasBias: node.inputs.length === 3,
    hasResidual: false,
  };
  return { ...node, op: fusedConvolutionOp as Op<unknown>, attributes };
}

function asFusedLinear(node: GraphNode): GraphNode {
  const { relu } = node.attributes as { relu: boolean };
  return { ...node, op: fusedLinearOp as Op<unknown>, attributes: { activation: relu ? 'relu' : 'none' } };
}

function constant(tensor: Tensor, origins: readonly string[]): Value {
  return { id: -1, shape: tensor.shape, dtype: tensor.dtype, kind: 'constant', tensor, origins };
}

/** scale·(w∗x + b − center) + shift = (scale·w)∗x + (scale·(b − center) + shift). */
function foldAffine(node: GraphNode, rewriting: Rewriting): GraphNode {
  const [value, scale, shift, center] = node.inputs as [Value, Value, Value, Value | undefined];
  const made = rewriting.soleProducer(value, fusedConvolutionOp);
  if (made?.attributes.activation !== 'none' || made.attributes.hasResidual) return node;
  const [x, w, bias] = made.inputs as [Value, Value, Value | undefined];
  if ([w, scale, shift, bias, center].some((input) => input && input.kind !== 'constant')) return node;
  const weight = multiply(w.tensor, reshape(scale.tensor, [-1, 1, 1, 1]));
  const offset = center ? (bias ? subtract(bias.tensor, center.tensor) : negate(center.tensor)) : bias?.tensor;
  const total = offset ? add(multiply(offset, scale.tensor), shift.tensor) : shift.tensor;
  const origins = [...new Set([w, scale, shift].flatMap((input) => input.origins))];
  return {
    op: made.op,
    inputs: [x, constant(weight, origins), constant(total, shift.origins)],
    outputs: node.outputs,
    attributes: { ...made.attributes, hasBias: true },
  };
}

function foldAddition(node: GraphNode, rewriting: Rewriting): GraphNode {
  const [a, b] = node.inputs as [Value, Value];
  return foldResidual(node, a, b, rewriting) ?? foldResidual(node, b, a, rewriting) ?? node;
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
  const { activation } = node.op;
  const [value] = node.inputs as [Value];
  if (!activation || node.inputs.length !== 1) return node;
  const made = rewriting.soleProducer(value, fusedConvolutionOp) ?? rewriting.soleProducer(value, fusedLinearOp);
  if (made?.attributes.activation !== 'none') return node;
  return { ...made, outputs: node.outputs, attributes: { ...made.attributes, activation } };
}
