// Constants, and values in other types.

import { broadcastTo, cast, reshape, sizeOf, tensor } from '../../../tensor/index.js';
import { DATA_TYPE } from '../schema.js';
import { valueOf } from './initializer.js';
import { type ImportedValue, isInts, type NodeReader, type NodeReaders } from './node.js';

const casting: NodeReader = (node) => {
  const [x] = node.inputs as [ImportedValue];
  const to = node.int('to', DATA_TYPE.float);
  if (to === DATA_TYPE.int64) return isInts(x) ? x : cast(x, 'i32');
  if (to === DATA_TYPE.float || to === DATA_TYPE.bool) return isInts(x) ? node.tensor(0) : cast(x, 'f32');
  if (to === DATA_TYPE.int32) return isInts(x) ? tensor(Int32Array.from(x.ints), x.shape, 'i32') : cast(x, 'i32');
  return node.fail(`casts to element type ${to}, which is not supported`);
};

export const constantReaders: NodeReaders = {
  Cast: casting,
  Identity: (node) => node.inputs[0] ?? node.fail('lacks its input'),
  Dropout: (node) => node.tensor(0),
  Constant: (node) => {
    const proto = node.tensorAttribute('value');
    if (proto) return valueOf(proto, node.label);
    const floats = node.floatAttributes('value_floats');
    if (floats) return tensor([...floats]);
    const ints = node.intsOf('value_ints');
    if (ints) return { ints, shape: [ints.length] };
    return node.fail('holds no value that is supported');
  },
  ConstantOfShape: (node) => {
    const shape = node.intsOf('shape', 0) ?? node.fail('lacks a shape');
    const value = node.tensorAttribute('value');
    const fill = value ? valueOf(value, node.label) : tensor([0]);
    if (isInts(fill)) return { ints: new Array<number>(sizeOf(shape)).fill(fill.ints[0] as number), shape };
    return broadcastTo(
      reshape(
        fill,
        shape.map(() => 1),
      ),
      shape,
    );
  },
};
