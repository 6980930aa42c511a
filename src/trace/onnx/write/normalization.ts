// Norms and softmax.

import { channelAffineOp, layerNormOp, logSoftmaxOp, softmaxOp, standardizeOp } from '../../../tensor/index.js';
import type { Value } from '../../graph.js';
import { inputShape, type NodeWriter, type OnnxWriter, type WriterEntry, writes } from './writer.js';

interface NormAttributes {
  readonly epsilon: number;
  readonly center: boolean;
}

/** y = (x − mean)·s with s = 1/√(mean square + ε), without the mean for RMS norm. */
function writeStandardized(
  writer: OnnxWriter,
  x: string,
  { epsilon, center }: NormAttributes,
): { y: string; inverse: string } {
  const average = (value: string) => writer.add('ReduceMean', [value], { axes: [-1] });
  const centred = center ? writer.add('Sub', [x, average(x)]) : x;
  const variance = average(writer.add('Mul', [centred, centred]));
  const inverse = writer.add('Reciprocal', [
    writer.add('Sqrt', [writer.add('Add', [variance, writer.scalar(epsilon)])]),
  ]);
  return { y: writer.add('Mul', [centred, inverse]), inverse };
}

const standardize: NodeWriter<NormAttributes> = (writer, [x], node) => {
  const { y, inverse } = writeStandardized(writer, x as string, node.attributes);
  writer.nameValue(node.outputs[1] as Value, inverse);
  return y;
};

const layerNorm: NodeWriter<NormAttributes> = (writer, inputs, node) => {
  const { epsilon, center } = node.attributes;
  if (center) return writer.add('LayerNormalization', inputs, { axis: -1, epsilon });
  const [x, gamma] = inputs as [string, string];
  return writer.add('Mul', [writeStandardized(writer, x, node.attributes).y, gamma]);
};

const channelAffine: NodeWriter<unknown> = (writer, [x, scale, shift, center], node) => {
  const pixelAxes = inputShape(node, 0).slice(2);
  const perChannel = (weight: string) => writer.add('Reshape', [weight, writer.ints([-1, ...pixelAxes.map(() => 1)])]);
  const shifted = center ? writer.add('Sub', [x as string, perChannel(center)]) : (x as string);
  return writer.add('Add', [writer.add('Mul', [shifted, perChannel(scale as string)]), perChannel(shift as string)]);
};

export const normalizationWriters: readonly WriterEntry[] = [
  writes(standardizeOp, standardize),
  writes(layerNormOp, layerNorm),
  writes(channelAffineOp, channelAffine),
  writes(softmaxOp, (writer, inputs) => writer.add('Softmax', inputs, { axis: -1 })),
  writes(logSoftmaxOp, (writer, inputs) => writer.add('LogSoftmax', inputs, { axis: -1 })),
];
