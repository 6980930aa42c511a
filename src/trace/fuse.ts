// Fusion for inference: convolution or linear layer, then batch norm with known statistics, then a shortcut, then an activation become one kernel call.

import { type Activation, activations } from '../engine/index.js';
import {
  add,
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

/** The same computation in fewer, larger steps. New constants live in the current scope. */
export function fuse(graph: Graph): Graph {
  const rewriting = new Rewriting(graph);
  const nodes = graph.nodes.map((node) => rewriting.keep(fuseNode(node, rewriting)));
  return withoutDeadNodes({ ...graph, nodes });
}

/** Pointwise convolutions of single pixels, such as gates and classifiers make after pooling, as linear layers: they need no panels of pixels. For plans alone, as the values keep four axes. */
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
