// Hypercomplex layers in place of the convolutions and linear layers of any network, and back.

import { Random, scope, type Tensor } from '../../tensor/index.js';
import { Conv1d, Conv2d } from '../convolution.js';
import { Linear } from '../linear.js';
import { parameter, type Weights } from '../module.js';
import { type LayerPlace, placesOf } from '../places.js';
import { HypercomplexLayer, PHConv1d, PHConv2d, PHLinear } from './layers.js';

/** A layer that has a hypercomplex twin. */
export type PlainLayer = Conv1d | Conv2d | Linear;

const isPlain = (value: unknown): value is PlainLayer =>
  value instanceof Conv1d || value instanceof Conv2d || value instanceof Linear;
const isHypercomplex = (value: unknown): value is HypercomplexLayer => value instanceof HypercomplexLayer;

/** The convolutions and linear layers of a module, at any depth. */
export function plainPlaces(module: object): LayerPlace<PlainLayer>[] {
  return placesOf(module, isPlain);
}

/** Whether a module has hypercomplex layers. */
export function hasHypercomplex(module: object): boolean {
  return placesOf(module, isHypercomplex).length > 0;
}

/**
 * A hypercomplex layer of the same kind as a plain one, with its bias.
 *
 * @param algebra A [n, n, n]
 * @param filters F [n, s/n, d/n, …kernel]
 */
export function hypercomplexFrom(layer: PlainLayer, algebra: Tensor, filters: Tensor): HypercomplexLayer {
  const [n = 0, outer = 0, inner = 0] = filters.shape;
  const [inputs, outputs] = [n * inner, n * outer];
  const random = new Random(0);
  const made =
    layer instanceof Linear
      ? new PHLinear(inputs, outputs, n, random, { bias: false })
      : layer instanceof Conv1d
        ? new PHConv1d(inputs, outputs, layer.kernelSize, n, random, { ...layer.options, bias: false })
        : new PHConv2d(inputs, outputs, layer.kernelSize, n, random, { ...layer.options, bias: false });
  for (const field of ['algebra', 'filters'] as const) made[field].dispose();
  made.algebra = algebra;
  made.filters = filters;
  made.bias = layer.bias;
  return made;
}

/** The plain layer that computes the same, or undefined for a kind that has none. */
function plainFrom(layer: HypercomplexLayer, weight: Tensor): PlainLayer | undefined {
  const [outputs = 0, inputs = 0] = weight.shape;
  const random = new Random(0);
  const made =
    layer instanceof PHLinear
      ? new Linear(inputs, outputs, random, { bias: false })
      : layer instanceof PHConv1d
        ? new Conv1d(inputs, outputs, layer.kernelSize, random, { ...plainOptions(layer.options), bias: false })
        : layer instanceof PHConv2d
          ? new Conv2d(inputs, outputs, layer.kernelSize, random, { ...plainOptions(layer.options), bias: false })
          : undefined;
  if (!made) return undefined;
  made.weight.dispose();
  made.weight = parameter(weight);
  made.bias = layer.bias;
  return made;
}

function plainOptions<O extends { readonly algebra?: unknown; readonly init?: unknown }>({
  algebra: _,
  init: __,
  ...options
}: O): Omit<O, 'algebra' | 'init'> {
  return options;
}

/**
 * Writes the weights H of the hypercomplex layers of a network out into plain layers, in place: the
 * same function with n times the weights, of which each can be pruned by itself. Layers in 3-D
 * stay.
 *
 * @returns names of the layers
 */
export function toPlain(model: object): string[] {
  return placesOf(model, isHypercomplex).flatMap(({ name, owner, key, layer }) => {
    const plain = plainFrom(
      layer,
      scope(() => layer.weight.clone()),
    );
    if (!plain) return [];
    for (const field of ['algebra', 'filters'] as const) layer[field].dispose();
    owner[key] = plain;
    return [name];
  });
}

/**
 * Makes the layers of a new network of the kind that the weights of a file are for: hypercomplex
 * where it has `NAME.algebra` and `NAME.filters`, plain where it has `NAME.weight` alone.
 *
 * @throws Error for an algebra and filters that are none
 */
export function followLayerKinds(model: object, weights: Weights): void {
  for (const { name, owner, key, layer } of placesOf(model, isPlain)) {
    const [algebra, filters] = [weights[`${name}.algebra`], weights[`${name}.filters`]];
    if (!algebra || !filters) continue;
    const [n = 0, ...sides] = algebra.shape;
    const fits = algebra.rank === 3 && sides.every((side) => side === n) && n > 0 && filters.shape[0] === n;
    if (!fits || filters.rank !== layer.weight.rank + 1 || filters.size === 0)
      throw new Error(`"${name}": ${algebra} and ${filters} are no algebra [n, n, n] and filters [n, s/n, d/n, …]`);
    layer.weight.dispose();
    owner[key] = hypercomplexFrom(layer, parameter(algebra.clone()), parameter(filters.clone()));
  }
  for (const { name, owner, key, layer } of placesOf(model, isHypercomplex)) {
    const weight = weights[`${name}.weight`];
    if (weights[`${name}.algebra`] || !weight || weight.rank !== layer.filters.rank - 1) continue;
    const plain = plainFrom(layer, weight.clone());
    if (!plain) continue;
    for (const field of ['algebra', 'filters'] as const) layer[field].dispose();
    owner[key] = plain;
  }
}
