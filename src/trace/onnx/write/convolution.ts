// Convolutions, and other operations on images.

import {
  aggregationOp,
  averagePoolOp,
  type ConvolutionAttributes,
  convolutionOp,
  maxPoolOp,
  resizeOp,
  transposedConvolutionOp,
  type WindowAttributes,
} from '../../../tensor/index.js';
import { type FusedConvolution, fusedConvolutionOp } from '../../fuse.js';
import type { GraphNode } from '../../graph.js';
import { writeActivation } from './activation.js';
import { type AttributeValue, inputShape, type NodeWriter, outputShape, type WriterEntry, writes } from './writer.js';

function convolutionAttributes(node: GraphNode<ConvolutionAttributes>): Record<string, AttributeValue> {
  const { stride, padding, dilation, groups, input, output } = node.attributes;
  const kernel = inputShape(node, 1).slice(2);
  const after = [0, 1].map((axis) => {
    const reach = ((kernel[axis] as number) - 1) * (dilation[axis] as number) + 1;
    return (
      ((output[axis] as number) - 1) * (stride[axis] as number) +
      reach -
      (input[axis] as number) -
      (padding[axis] as number)
    );
  });
  // A negative surplus is input that no window reaches.
  const pads = [...padding, ...after.map((value) => Math.max(0, value))];
  return { kernel_shape: kernel, strides: stride, dilations: dilation, group: groups, pads };
}

const convolution: NodeWriter<ConvolutionAttributes> = (writer, inputs, node) =>
  writer.add('Conv', inputs, convolutionAttributes(node));

const fusedConvolution: NodeWriter<FusedConvolution> = (writer, inputs, node) => {
  const { activation, hasBias, hasResidual } = node.attributes;
  const [x, w, ...rest] = inputs as [string, string, ...string[]];
  const bias = hasBias ? [rest.shift() as string] : [];
  const y = writer.add('Conv', [x, w, ...bias], convolutionAttributes(node));
  return writeActivation(writer, hasResidual ? writer.add('Add', [y, rest.shift() as string]) : y, activation);
};

const transposedConvolution: NodeWriter<ConvolutionAttributes> = (writer, inputs, node) => {
  const { stride, padding, dilation, groups, input, output } = node.attributes;
  const kernel = inputShape(node, 1).slice(2);
  const extra = [0, 1].map(
    (axis) =>
      (input[axis] as number) -
      ((output[axis] as number) - 1) * (stride[axis] as number) +
      2 * (padding[axis] as number) -
      (dilation[axis] as number) * ((kernel[axis] as number) - 1) -
      1,
  );
  const attributes = { kernel_shape: kernel, strides: stride, dilations: dilation, group: groups };
  return writer.add('ConvTranspose', inputs, {
    ...attributes,
    pads: [...padding, ...padding],
    output_padding: extra,
  });
};

/** Per-pixel 3×3 filters: the sum of nine shifted images, each times its tap. */
const aggregation: NodeWriter = (writer, [x, f], node) => {
  const [n, channels, height, width] = inputShape(node, 0) as [number, number, number, number];
  const sharing = inputShape(node, 1)[1] as number;
  const padded = writer.add('Pad', [x as string, writer.ints([0, 0, 1, 1, 0, 0, 1, 1]), writer.scalar(0)]);
  const groups = writer.ints([n, channels / sharing, sharing, height, width]);
  const once = writer.ints([n, 1, sharing, height, width]);
  const terms = Array.from({ length: 9 }, (_, tap) => {
    const [down, right] = [Math.floor(tap / 3), tap % 3];
    const box = { starts: [down, right], ends: [down + height, right + width], axes: [2, 3] };
    const shifted = writer.slice(padded, box);
    const filter = writer.slice(f as string, { starts: [tap], ends: [tap + 1], axes: [2] });
    return writer.add('Mul', [writer.add('Reshape', [shifted, groups]), writer.add('Reshape', [filter, once])]);
  });
  return writer.add('Reshape', [writer.add('Sum', terms), writer.ints([n, channels, height, width])]);
};

const pool =
  (opType: 'MaxPool' | 'AveragePool'): NodeWriter<WindowAttributes & { readonly divisor?: number }> =>
  (writer, inputs, node) => {
    const { sliding, divisor, rows, columns } = node.attributes;
    if (!sliding) {
      const [height, width] = inputShape(node, 0).slice(2) as [number, number];
      const whole = rows.join() === `0,${height}` && columns.join() === `0,${width}`;
      if (whole && (opType === 'MaxPool' || divisor === 0)) return writer.add(`Global${opType}`, inputs);
      throw new Error('exportOnnx: pooling over windows that are not all alike has no ONNX form');
    }
    const { kernel, stride, padding } = sliding;
    const attributes = { kernel_shape: kernel, strides: stride, pads: [...padding, ...padding] };
    const counting = opType === 'AveragePool' && { count_include_pad: divisor === 0 ? 0 : 1 };
    return writer.add(opType, inputs, { ...attributes, ...counting });
  };

export const convolutionWriters: readonly WriterEntry[] = [
  writes(convolutionOp, convolution),
  writes(fusedConvolutionOp, fusedConvolution),
  writes(transposedConvolutionOp, transposedConvolution),
  writes(aggregationOp, aggregation),
  writes(maxPoolOp, pool('MaxPool')),
  writes(averagePoolOp, pool('AveragePool')),
  writes(resizeOp, (writer, [x], node) => {
    const { mode, alignCorners } = node.attributes;
    const sizes = writer.ints(outputShape(node));
    return writer.add('Resize', [x as string, '', '', sizes], {
      mode: mode === 'nearest' ? 'nearest' : 'linear',
      coordinate_transformation_mode: mode === 'nearest' ? 'asymmetric' : alignCorners ? 'align_corners' : 'half_pixel',
      ...(mode === 'nearest' && { nearest_mode: 'floor' }),
    });
  }),
];
