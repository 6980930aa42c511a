// Matrix products, attention and rotary position embedding.

import { attentionOp, linearOp, matmulOp, rotateOp } from '../../../tensor/index.js';
import { fusedLinearOp } from '../../fuse.js';
import { writeActivation } from './activation.js';
import { inputShape, type NodeWriter, type OnnxWriter, type WriterEntry, writes } from './writer.js';

function writeLinear(writer: OnnxWriter, inputs: readonly string[]): string {
  return writer.add('Gemm', inputs, { transB: 1 });
}

function transposeLastTwo(writer: OnnxWriter, x: string, rank: number): string {
  return writer.add('Transpose', [x], {
    perm: Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)),
  });
}

const matmul: NodeWriter<{ readonly transposeA: boolean; readonly transposeB: boolean }> = (writer, [a, b], node) => {
  const { transposeA, transposeB } = node.attributes;
  const side = (x: string, input: number, transposed: boolean) =>
    transposed ? transposeLastTwo(writer, x, inputShape(node, input).length) : x;
  return writer.add('MatMul', [side(a as string, 0, transposeA), side(b as string, 1, transposeB)]);
};

interface AttentionAttributes {
  readonly causal: boolean;
  readonly window: number;
  readonly scale: number;
}

const attention: NodeWriter<AttentionAttributes> = (writer, [q, k, v, mask], node) => {
  const { causal, window, scale } = node.attributes;
  const [batch, heads, queries] = inputShape(node, 0) as [number, number, number];
  const [, keyHeads, keys] = inputShape(node, 1) as [number, number, number];
  const forEachHead = (x: string, input: number) => {
    if (heads === keyHeads) return x;
    const depth = inputShape(node, input)[3] as number;
    const apart = writer.add('Unsqueeze', [x, writer.ints([2])]);
    const repeated = writer.add('Expand', [apart, writer.ints([batch, keyHeads, heads / keyHeads, keys, depth])]);
    return writer.add('Reshape', [repeated, writer.ints([batch, heads, keys, depth])]);
  };
  const product = writer.add('MatMul', [q as string, transposeLastTwo(writer, forEachHead(k as string, 1), 4)]);
  let scores = writer.add('Mul', [product, writer.scalar(scale)]);
  if (causal || window > 0) {
    const hidden = writer.floats(hiddenKeys(queries, keys, node.attributes), [queries, keys]);
    scores = writer.add('Add', [scores, hidden]);
  }
  if (mask) scores = writer.add('Add', [scores, mask]);
  return writer.add('MatMul', [writer.add('Softmax', [scores], { axis: -1 }), forEachHead(v as string, 2)]);
};

/**
 * Added to scores: 0 where a query sees a key, else −3.4·10³⁸, as −∞ gives NaN in rows without
 * keys.
 */
function hiddenKeys(queries: number, keys: number, { causal, window }: AttentionAttributes): Float32Array {
  const hidden = new Float32Array(queries * keys);
  for (let i = 0; i < queries; i++)
    for (let j = 0; j < keys; j++) {
      const ahead = j - (i + keys - queries);
      if ((causal && ahead > 0) || (window > 0 && Math.abs(ahead) >= window)) hidden[i * keys + j] = -3.4e38;
    }
  return hidden;
}

const rotate: NodeWriter<{ readonly interleaved: boolean; readonly sign: number }> = (
  writer,
  [x, cosines, sines],
  node,
) => {
  const { interleaved, sign } = node.attributes;
  const depth = inputShape(node, 0).at(-1) as number;
  const pairs = inputShape(node, 1).at(-1) as number;
  const s = sign === 1 ? (sines as string) : writer.add('Neg', [sines as string]);
  const part = (start: number, end: number, step = 1) =>
    writer.slice(x as string, { starts: [start], ends: [end], axes: [-1] }, [step]);
  const [a, b] = interleaved
    ? [part(0, 2 * pairs, 2), part(1, 2 * pairs, 2)]
    : [part(0, pairs), part(pairs, 2 * pairs)];
  const times = (p: string, q: string) => writer.add('Mul', [p, q]);
  const first = writer.add('Sub', [times(a, cosines as string), times(b, s)]);
  const second = writer.add('Add', [times(a, s), times(b, cosines as string)]);
  const rest = depth > 2 * pairs ? [part(2 * pairs, depth)] : [];
  if (!interleaved) return writer.add('Concat', [first, second, ...rest], { axis: -1 });
  const lead = inputShape(node, 0).slice(0, -1);
  const apart = [first, second].map((half) => writer.add('Unsqueeze', [half, writer.ints([-1])]));
  const joined = writer.add('Reshape', [writer.add('Concat', apart, { axis: -1 }), writer.ints([...lead, 2 * pairs])]);
  return rest.length ? writer.add('Concat', [joined, ...rest], { axis: -1 }) : joined;
};

export const productWriters: readonly WriterEntry[] = [
  writes(linearOp, (writer, inputs, node) =>
    writeActivation(writer, writeLinear(writer, inputs), node.attributes.relu ? 'relu' : 'none'),
  ),
  writes(fusedLinearOp, (writer, inputs, node) =>
    writeActivation(writer, writeLinear(writer, inputs), node.attributes.activation),
  ),
  writes(matmulOp, matmul),
  writes(attentionOp, attention),
  writes(rotateOp, rotate),
];
