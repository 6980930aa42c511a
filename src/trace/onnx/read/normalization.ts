// Norms and softmax.

import {
  add,
  arange,
  argmax,
  batchNormInference,
  equal,
  groupNorm,
  layerNorm,
  logSoftmax,
  mean,
  multiply,
  ones,
  reshape,
  rsqrt,
  sizeOf,
  softmax,
  type Tensor,
  variance,
  zeros,
} from '../../../tensor/index.js';
import { type OnnxNode, type Operator, type Operators, operator, type Run } from './node.js';

/** A function of rows, over one axis; before opset 13 over all axes from one on, joined. */
function rows(fn: (x: Tensor, axis: number) => Tensor): Operator {
  return operator(1, 1, (node) => {
    const joined = node.version < 13;
    const given = node.int('axis', joined ? 1 : -1);
    return (inputs) => {
      const x = inputs.floats(0);
      const axis = joined && given === x.rank ? given : node.resolveAxis(given, x.rank);
      if (!joined) return fn(x, axis);
      const [outer, inner] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))];
      return reshape(fn(reshape(x, [outer, inner]), -1), x.shape);
    };
  });
}

const batchNormalization = operator(5, 5, (node) => {
  const epsilon = node.float('epsilon', 1e-5);
  node.unused('momentum', 'float');
  if (node.version >= 14 && node.flag('training_mode')) node.fail('is in training mode, which is not supported');
  return (inputs) => {
    const [x, gamma, beta, average, variance] = [0, 1, 2, 3, 4].map((i) => inputs.floats(i)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    return batchNormInference(x, gamma, beta, average, variance, epsilon);
  };
});

/** 1 for the first of the largest elements of an axis, else 0. */
function hardmax(x: Tensor, axis: number): Tensor {
  const at = axis < 0 ? axis + x.rank : axis;
  const length = x.shape[at] as number;
  const along = x.shape.map((_, i) => (i === at ? length : 1));
  const kept = x.shape.map((size, i) => (i === at ? 1 : size));
  return equal(reshape(arange(length, 'i32'), along), reshape(argmax(x, at), kept));
}

/** Layer norm over all axes from one on; mean and 1/deviation are further outputs. */
const layerNormalization: Operator = operator(2, 3, layerNormalizationReader, 3);

function layerNormalizationReader(node: OnnxNode): Run {
  const [given, epsilon] = [node.int('axis', -1), node.float('epsilon', 1e-5)];
  if (node.int('stash_type', 1) !== 1) node.fail('computes statistics in other types than float');
  return (inputs) => {
    const [x, gamma, beta] = [inputs.floats(0), inputs.floats(1), inputs.optionalFloats(2)];
    const axis = node.resolveAxis(given, x.rank);
    const n = sizeOf(x.shape.slice(axis));
    const whole = gamma.size === n && (!beta || beta.size === n);
    const flat = (weight: Tensor) => reshape(weight, [n]);
    const statistics = () => {
      if (node.outputCount === 1) return [];
      const options = { keepAxes: true };
      const axes = x.shape.flatMap((_, i) => (i < axis ? [] : [i]));
      return [mean(x, axes, options), rsqrt(add(variance(x, axes, options), epsilon))];
    };
    const standardized = reshape(
      layerNorm(reshape(x, [-1, n]), whole ? flat(gamma) : ones([n]), whole && beta ? flat(beta) : undefined, epsilon),
      x.shape,
    );
    if (whole) return [standardized, ...statistics()];
    const scaled = inputs.likeFirst(multiply(standardized, gamma));
    return [beta ? inputs.likeFirst(add(scaled, beta)) : scaled, ...statistics()];
  };
}

const instanceNormalization = operator(3, 3, (node) => {
  const epsilon = node.float('epsilon', 1e-5);
  return (inputs) => {
    const x = inputs.floats(0);
    return groupNorm(x, x.shape[1] as number, inputs.floats(1), inputs.floats(2), epsilon);
  };
});

/** Zero mean and unit variance over batch and pixels. */
const standardizing = operator(1, 1, (node) => {
  const axes = node.ints('axes');
  if (axes && axes.join() !== '0,2,3') node.fail(`standardises over axes ${axes.join(', ')}, which is not supported`);
  return (inputs) => {
    const x = inputs.floats(0);
    if (x.rank !== 4) node.fail('expects images [n, c, h, w]');
    const [n, c, ...pixels] = x.shape as [number, number, number, number];
    const byChannel = reshape(x.transpose(0, 1), [1, c, n * pixels[0], pixels[1]]);
    const standard = groupNorm(byChannel, c, ones([c]), zeros([c]), MVN_EPSILON);
    return reshape(standard, [c, n, ...pixels]).transpose(0, 1);
  };
});

/** As in the function that ONNX defines MeanVarianceNormalization by, up to where it is added. */
const MVN_EPSILON = 1e-18;

export const normalizationReaders: Operators = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  MeanVarianceNormalization: standardizing,
  Softmax: rows(softmax),
  LogSoftmax: rows(logSoftmax),
  Hardmax: rows(hardmax),
};
