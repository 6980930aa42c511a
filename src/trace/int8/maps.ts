// How operations between convolutions run on int8 maps, where what they read exists as int8 alone.

import { cpu } from '../../engine/index.js';
import {
  type AverageAttributes,
  addOp,
  averagePoolOp,
  concatenateOp,
  emptyTensor,
  maxPoolOp,
  multiplyOp,
  type Op,
  sameShape,
  sumOp,
  type WindowAttributes,
} from '../../tensor/index.js';
import type { GraphNode, Value } from '../graph.js';
import {
  addInt8Op,
  averagePoolInt8Op,
  gateInt8Op,
  joinInt8Op,
  maxPoolInt8Op,
  sumPixelsInt8Op,
  tableInt8Op,
} from './operators.js';
import type { Int8Rewriting, Rule } from './rewriting.js';
import { tableFor } from './tables.js';

const isMap = ({ shape }: Value): boolean => shape.length === 4;

/** The largest values of windows, where nothing reads their positions. */
const maxPool: Rule = (rewriting, { inputs: [x], outputs: [y, positions], attributes }) => {
  if (!rewriting.isQuantized(x as Value) || rewriting.isRead(positions as Value)) return false;
  const { value, quantization } = rewriting.quantaOf(x as Value);
  const { rows, columns } = attributes as WindowAttributes;
  rewriting.pushQuanta(maxPoolInt8Op, [value], y as Value, quantization, { rows, columns });
  return true;
};

const averagePool: Rule = (rewriting, { inputs: [x], outputs: [y], attributes }) => {
  if (!rewriting.isQuantized(x as Value)) return false;
  const { value, quantization: from } = rewriting.quantaOf(x as Value);
  const { rows, columns, divisor } = attributes as AverageAttributes;
  const to = rewriting.quantizationOf(y as Value);
  rewriting.pushQuanta(averagePoolInt8Op, [value], y as Value, to, { rows, columns, divisor, from, to });
  return true;
};

/** Means of images, one float a channel. */
const sum: Rule = (rewriting, { inputs: [x], outputs: [y], attributes }) => {
  const { axes, divisor } = attributes as { readonly axes: readonly number[]; readonly divisor: number };
  if (!rewriting.isQuantized(x as Value) || axes.join() !== '2,3') return false;
  const { value, quantization: from } = rewriting.quantaOf(x as Value);
  rewriting.push(sumPixelsInt8Op, [value], y as Value, { divisor, from });
  return true;
};

/** A map times one number for each image and channel. */
const multiply: Rule = (rewriting, { inputs, outputs: [y] }) => {
  const [x, gate] = (rewriting.isQuantized(inputs[0] as Value) ? inputs : [...inputs].reverse()) as [Value, Value];
  if (!rewriting.isQuantized(x) || rewriting.isQuantized(gate) || gate.dtype !== 'f32') return false;
  if (!sameShape(gate.shape, [...x.shape.slice(0, 2), 1, 1])) return false;
  const { value, quantization: from } = rewriting.quantaOf(x);
  const to = rewriting.quantizationOf(y as Value);
  rewriting.pushQuanta(gateInt8Op, [value, rewriting.floats(gate)], y as Value, to, { from, to });
  return true;
};

const add: Rule = (rewriting, { inputs, outputs: [y] }) => {
  const [a, b] = inputs as [Value, Value];
  if (!rewriting.isQuantized(a) || !rewriting.isQuantized(b) || !sameShape(a.shape, b.shape)) return false;
  const both = [rewriting.quantaOf(a), rewriting.quantaOf(b)] as const;
  const to = rewriting.quantizationOf(y as Value);
  const from = [both[0].quantization, both[1].quantization] as const;
  rewriting.pushQuanta(addInt8Op, [both[0].value, both[1].value], y as Value, to, { from, to });
  return true;
};

/** Channels one behind the other, where one of the maps is int8 alone. */
const join: Rule = (rewriting, { inputs, outputs: [y], attributes }) => {
  const { axis } = attributes as { readonly axis: number };
  const maps = inputs.every((x) => isMap(x) && x.kind === 'computed');
  if (axis !== 1 || !maps || !inputs.some((x) => rewriting.isQuantized(x))) return false;
  const quanta = inputs.map((x) => rewriting.quantaOf(x));
  const to = rewriting.quantizationOf(y as Value);
  rewriting.pushQuanta(
    joinInt8Op,
    quanta.map(({ value }) => value),
    y as Value,
    to,
    {
      from: quanta.map(({ quantization }) => quantization),
      channels: inputs.map(({ shape }) => shape[1] as number),
      to,
    },
  );
  return true;
};

/** Rules of operations that read maps. */
export const mapRules: ReadonlyMap<Op<never>, Rule> = new Map<Op<never>, Rule>([
  [maxPoolOp, maxPool],
  [averagePoolOp, averagePool],
  [sumOp, sum],
  [multiplyOp, multiply],
  [addOp, add],
  [concatenateOp, join],
]);

/** Elementwise functions of one map, and of single numbers that are constant, by a table. */
export function mapByTable(rewriting: Int8Rewriting, { op, inputs, outputs, attributes }: GraphNode): boolean {
  const [output] = outputs as [Value];
  const maps = inputs.filter((x) => rewriting.isQuantized(x));
  const others = inputs.filter((x) => !maps.includes(x));
  const [x] = maps;
  if (!op.elementwise || !x || maps.length !== 1 || outputs.length !== 1 || output.dtype !== 'f32') return false;
  if (!sameShape(x.shape, output.shape) || others.some(({ kind, tensor }) => kind !== 'constant' || tensor.size !== 1))
    return false;
  const { value, quantization } = rewriting.quantaOf(x);
  const to = rewriting.quantizationOf(output);
  const table = tableFor(
    (values) => {
      const y = emptyTensor(values.shape, 'f32');
      const given = inputs.map((input) => (input === x ? values : input.tensor));
      op.compute?.(cpu, given, [y], attributes);
      return y;
    },
    quantization,
    to,
  );
  if (table) rewriting.pushQuanta(tableInt8Op, [value], output, to, { table });
  return table !== undefined;
}
