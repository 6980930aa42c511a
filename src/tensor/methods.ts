// The operations as methods, so that computations chain: x.matmul(w).add(b).relu().

import * as ops from './ops/index.js';
import { Tensor } from './tensor.js';

const methods = {
  abs: ops.abs,
  add: ops.add,
  argmax: ops.argmax,
  argmin: ops.argmin,
  broadcastTo: ops.broadcastTo,
  cast: ops.cast,
  clip: ops.clip,
  cos: ops.cos,
  divide: ops.divide,
  elu: ops.elu,
  equal: ops.equal,
  erf: ops.erf,
  exp: ops.exp,
  expandAxis: ops.expandAxis,
  flip: ops.flip,
  floor: ops.floor,
  gatherRows: ops.gatherRows,
  gelu: ops.gelu,
  greater: ops.greater,
  greaterEqual: ops.greaterEqual,
  leakyRelu: ops.leakyRelu,
  less: ops.less,
  lessEqual: ops.lessEqual,
  log: ops.log,
  logSoftmax: ops.logSoftmax,
  logSumExp: ops.logSumExp,
  matmul: ops.matmul,
  max: ops.max,
  maximum: ops.maximum,
  mean: ops.mean,
  min: ops.min,
  minimum: ops.minimum,
  multiply: ops.multiply,
  negate: ops.negate,
  notEqual: ops.notEqual,
  pad: ops.pad,
  permute: ops.permute,
  power: ops.power,
  reciprocal: ops.reciprocal,
  relu: ops.relu,
  relu6: ops.relu6,
  reshape: ops.reshape,
  rsqrt: ops.rsqrt,
  scatterAddRows: ops.scatterAddRows,
  sigmoid: ops.sigmoid,
  sign: ops.sign,
  silu: ops.silu,
  sin: ops.sin,
  slice: ops.slice,
  softmax: ops.softmax,
  softplus: ops.softplus,
  sqrt: ops.sqrt,
  square: ops.square,
  squeeze: ops.squeeze,
  subtract: ops.subtract,
  sum: ops.sum,
  tanh: ops.tanh,
  transpose: ops.transpose,
  variance: ops.variance,
};

type Methods = typeof methods;
type Method<F> = F extends (first: infer _First, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

/** What `Tensor` gains: each operation with the tensor as its first argument. */
export type Chained = { [Name in keyof Methods]: Method<Methods[Name]> };

for (const [name, operation] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return (operation as (...args: unknown[]) => Tensor)(this, ...rest);
    },
  });
}
