// What each traced operation is in a computational graph.

import type { GraphNode, Value } from '../../trace/index.js';
import type { GraphBuilder, OperationRule } from './builder.js';
import type { Primitive } from './primitives.js';

const bridge: OperationRule = (builder, node) => builder.bridge(node);

/** Changes of layout keep a standardised value so. */
const layout: OperationRule = (builder, node) => {
  builder.passStandard(node);
  return builder.bridge(node);
};

/** An operation that stays a node if several branches arrive. */
const joining =
  (primitive: Primitive): OperationRule =>
  (builder, node) => {
    for (const input of node.inputs)
      builder.leaveOut(
        input,
        primitive === 'concat'
          ? 'tokens that are joined to others have no node'
          : `no primitive stands for a parameter of "${node.op.name}"`,
      );
    const from = builder.incoming(node);
    return from.size > 1 ? builder.addNode(from, { primitive }) : from;
  };

/** x, weight and maybe bias; weights that are computed leave no node. */
const layer =
  (primitiveOf: (node: GraphNode) => Primitive): OperationRule =>
  (builder, node) => {
    const [x, weight, bias] = node.inputs as [Value, Value, Value | undefined];
    if (weight.kind !== 'constant') return joining('sum')(builder, node);
    const from = builder.addParameter(builder.sourcesOf(x), weight, primitiveOf(node), node);
    return bias && builder.parametersOf(bias).length > 0 ? builder.addParameter(from, bias, 'bias', node) : from;
  };

interface ConvolutionAttributes {
  readonly groups?: number;
  readonly dilation?: readonly number[];
}

const convolution = layer(({ attributes }) => {
  const { groups = 1, dilation = [1] } = attributes as ConvolutionAttributes;
  return groups === 1 ? 'conv' : Math.min(...dilation) > 1 ? 'dil_conv' : 'sep_conv';
});

/** A product with a constant is a layer, one of two branches leaves no node. */
const product: OperationRule = (builder, node) => {
  const [a, b] = node.inputs as [Value, Value];
  const weight = [b, a].find((value) => builder.parametersOf(value).length > 0);
  return weight ? builder.addParameter(builder.incoming(node), weight, 'conv', node) : builder.bridge(node);
};

/** x, gain and maybe bias; a norm without a gain leaves no node. */
const norm =
  (primitive: Primitive): OperationRule =>
  (builder, node) => {
    const [x, gain, bias] = node.inputs as [Value, Value, Value | undefined];
    const from = builder.sourcesOf(x);
    if (builder.parametersOf(gain).length === 0) return builder.bridge(node);
    const added = builder.addParameter(from, gain, primitive, node);
    return bias ? withBias(builder, added, bias, node) : added;
  };

/** The bias of a norm is paired with its node; any other vector is a node. */
function withBias(builder: GraphBuilder, from: ReadonlySet<number>, bias: Value, node: GraphNode): ReadonlySet<number> {
  const [name, second] = builder.parametersOf(bias);
  if (name === undefined) return from;
  const [only, other] = from;
  if (only !== undefined && other === undefined && second === undefined && builder.pairBias(only, name)) return from;
  const isVector = second === undefined && builder.shapeOf(name).length === 1;
  return builder.addParameter(from, bias, isVector ? 'bias' : 'pos_enc', node);
}

/** A sum of branches, or of one with a bias or an embedding. */
const sum: OperationRule = (builder, node) => {
  const constant = node.inputs.find((value) => builder.parametersOf(value).length > 0);
  return constant ? withBias(builder, builder.incoming(node), constant, node) : joining('sum')(builder, node);
};

/** A product of branches, or the gain of a norm whose parts are operations of their own. */
const factor: OperationRule = (builder, node) => {
  const constant = node.inputs.find((value) => builder.parametersOf(value).length > 0);
  if (!constant) {
    layoutOfScalars(builder, node);
    return joining('cse')(builder, node);
  }
  if (builder.hasBuffer(constant)) return builder.addParameter(builder.incoming(node), constant, 'bn', node);
  if (node.inputs.some((value) => builder.isStandard(value)))
    return builder.addParameter(builder.incoming(node), constant, 'ln', node);
  return builder.bridge(node);
};

/** A factor without parameters keeps a standardised value so. */
function layoutOfScalars(builder: GraphBuilder, node: GraphNode): void {
  if (node.inputs.some(({ kind }) => kind === 'constant')) builder.passStandard(node);
}

const standardize: OperationRule = (builder, node) => {
  builder.markStandard(node);
  return builder.bridge(node);
};

/** A table of embeddings; rows of what was computed are a change of layout. */
const gather: OperationRule = (builder, node) => {
  const [table, indices] = node.inputs as [Value, Value];
  return builder.parametersOf(table).length > 0
    ? builder.addParameter(builder.sourcesOf(indices), table, 'pos_enc', node)
    : builder.bridge(node);
};

interface WindowAttributes {
  readonly sliding?: { readonly kernel: readonly [number, number] };
}

/** A pooling window; one that covers all pixels is a global average. */
const pool =
  (primitive: 'max_pool' | 'avg_pool'): OperationRule =>
  (builder, node) => {
    const [, , height = 1, width = 1] = node.inputs[0]?.shape ?? [];
    const [, , rows = 1, columns = 1] = node.outputs[0]?.shape ?? [];
    const from = builder.incoming(node);
    if (primitive === 'avg_pool' && rows === 1 && columns === 1 && height * width > 1)
      return builder.addNode(from, { primitive: 'glob_avg' });
    const { sliding } = node.attributes as WindowAttributes;
    const kernel = sliding?.kernel ?? [Math.ceil(height / rows), Math.ceil(width / columns)];
    return builder.addNode(from, { primitive, shape: [1, 1, ...kernel] });
  };

interface SumAttributes {
  readonly axes: readonly number[];
  readonly divisor: number;
}

/** A mean over pixels, or over tokens, is a global average. */
const reduction: OperationRule = (builder, node) => {
  const { axes, divisor } = node.attributes as SumAttributes;
  const rank = node.inputs[0]?.shape.length ?? 0;
  const isGlobal =
    divisor !== 1 && ((rank === 4 && axes.includes(2) && axes.includes(3)) || (rank === 3 && axes.join() === '1'));
  return isGlobal ? builder.addNode(builder.incoming(node), { primitive: 'glob_avg' }) : builder.bridge(node);
};

/** Attention of queries, keys and values; a mask with parameters is not predicted. */
const attention: OperationRule = (builder, node) => {
  for (const input of node.inputs) builder.leaveOut(input, 'a bias of attention scores has no node');
  return builder.addNode(builder.incoming(node), { primitive: 'msa' });
};

const named = (names: readonly string[], rule: OperationRule) => names.map((name) => [name, rule] as const);

/** Rules by the name of the traced operation. */
export const operationRules: ReadonlyMap<string, OperationRule> = new Map([
  ...named(['convolution', 'transposedConvolution'], convolution),
  ...named(
    ['linear'],
    layer(() => 'conv'),
  ),
  ...named(['matmul'], product),
  ...named(['layerNorm'], norm('ln')),
  ...named(['batchNorm', 'channelAffine'], norm('bn')),
  ...named(['standardize'], standardize),
  ...named(['gatherRows'], gather),
  ...named(['add', 'subtract'], sum),
  ...named(['maximum', 'minimum'], joining('sum')),
  ...named(['multiply', 'divide'], factor),
  // Convolutions whose filters are computed are products of two branches too.
  ...named(['aggregation'], joining('cse')),
  ...named(['concatenate'], joining('concat')),
  ...named(['attention', 'softmax'], attention),
  ...named(['maxPool'], pool('max_pool')),
  ...named(['averagePool'], pool('avg_pool')),
  ...named(['sum'], reduction),
  ...named(['reshape', 'permute', 'broadcastTo'], layout),
  ...named(
    [
      ...['slice', 'pad', 'cast', 'resize', 'dropout', 'stopGradient', 'rotate', 'max', 'min', 'affine'],
      ...['rows', 'takeRows', 'putRows', 'topK', 'argmax', 'divideBy', 'straightThrough'],
    ],
    bridge,
  ),
]);
