// Floor 2: tensors, operations, gradients, random numbers.

import './methods.js';

export {
  apply,
  applyAll,
  type Backward,
  isObserved,
  type Observer,
  type Op,
  observe,
  onlyGradient,
  privately,
  requireDType,
  type Spec,
  unobserved,
} from './apply.js';
export {
  checkpoint,
  grad,
  jvp,
  type ValueAndGrad,
  valueAndGrad,
  vjp,
} from './autograd.js';
export { arange, eye, full, type Nested, ones, tensor, zeros } from './create.js';
export * from './ops/index.js';
export { dropout, type Key, Random } from './random.js';
export { watchReads } from './reads.js';
export { throughReference } from './reference.js';
export { keep, Scope, scope, whileRecording } from './scope.js';
export { broadcastShapes, formatShape, requireChoice, type Shape, sameShape, sizeOf } from './shape.js';
export { emptyTensor, type Role, requireTensor, Tensor } from './tensor.js';
export { leaves, mapTree } from './tree.js';
export { joinedArrays } from './typed-arrays.js';
