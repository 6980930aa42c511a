// Activations, alone or after a layer.

import type { Activation } from '../../../engine/index.js';
import type { OnnxWriter } from './writer.js';

type ActivationWriter = (writer: OnnxWriter, x: string) => string;

/** x/6 + 1/2, limited to [0, 1]. */
const hardSigmoid: ActivationWriter = (writer, x) =>
  writer.add('Clip', [
    writer.add('Add', [writer.add('Mul', [x, writer.scalar(1 / 6)]), writer.scalar(0.5)]),
    writer.scalar(0),
    writer.scalar(1),
  ]);

const activationWriters: Readonly<Record<Activation, ActivationWriter>> = {
  none: (_, x) => x,
  relu: (writer, x) => writer.add('Relu', [x]),
  relu6: (writer, x) => writer.add('Clip', [x, writer.scalar(0), writer.scalar(6)]),
  silu: (writer, x) => writer.add('Mul', [x, writer.add('Sigmoid', [x])]),
  sigmoid: (writer, x) => writer.add('Sigmoid', [x]),
  tanh: (writer, x) => writer.add('Tanh', [x]),
  gelu: (writer, x) => {
    const erf = writer.add('Erf', [writer.add('Mul', [x, writer.scalar(Math.SQRT1_2)])]);
    const half = writer.add('Mul', [x, writer.scalar(0.5)]);
    return writer.add('Mul', [half, writer.add('Add', [erf, writer.scalar(1)])]);
  },
  hardSigmoid,
  hardSwish: (writer, x) => writer.add('Mul', [x, hardSigmoid(writer, x)]),
};

/** The name of activation(x). */
export function writeActivation(writer: OnnxWriter, x: string, activation: Activation): string {
  return activationWriters[activation](writer, x);
}
