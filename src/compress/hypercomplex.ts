// Hypercomplex layers in place of the convolutions and linear layers of any network.

import { symmetricEigen64 } from '../linalg/index.js';
import {
  blockRows,
  type HypercomplexLayer,
  hypercomplexFrom,
  type LayerPlace,
  Linear,
  type PlainLayer,
  parameter,
  plainPlaces,
  requireDomain,
} from '../nn/index.js';
import { scope, tensor } from '../tensor/index.js';

/** Which layers `toHypercomplex` replaces, and by what. */
export interface ConversionOptions {
  /** Size of the domain. */
  readonly n: number;
  /**
   * Names of the layers that are replaced, such as `layer1.0.conv1`. Default: all convolutions and
   * linear layers whose channels n divides, but those with groups and a last linear layer.
   */
  readonly layers?: readonly string[];
}

/** What `toHypercomplex` did. */
export interface Conversion {
  /** Names of the layers that are hypercomplex now. */
  readonly replaced: readonly string[];
  /** Names of the convolutions and linear layers that stayed as they were. */
  readonly kept: readonly string[];
  /** Parameters of the replaced layers before and after, biases left out. */
  readonly parameters: readonly [before: number, after: number];
}

/**
 * Replaces layers of a network, trained or not, by hypercomplex ones, in place. Their weights are
 * the nearest Kronecker sum of n terms to the old ones: with the blocks of H as rows of a matrix
 * [n², s/n·d/n·k], A is its first n left singular vectors, and F what H has along them.
 *
 * @throws RangeError when n does not divide the channels of a named layer, naming the nearest;
 * Error for a name that the network lacks, or where no layer can be replaced
 */
export function toHypercomplex(model: object, { n, layers }: ConversionOptions): Conversion {
  const places = plainPlaces(model);
  const unknown = layers?.find((name) => !places.some((place) => place.name === name));
  if (unknown !== undefined)
    throw new Error(`toHypercomplex: no layer "${unknown}"; there are ${places.map(({ name }) => name).join(', ')}`);
  const last = places.at(-1);
  const isChosen = (place: LayerPlace<PlainLayer>) => {
    if (layers) return layers.includes(place.name);
    const [outputs = 0, inputs = 0] = place.layer.weight.shape;
    const isHead = place === last && place.layer instanceof Linear;
    return !isHead && groupsOf(place.layer) === 1 && outputs % n === 0 && inputs % n === 0;
  };
  const chosen = places.filter(isChosen);
  for (const { name, layer } of chosen) {
    const [outputs = 0, inputs = 0] = layer.weight.shape;
    requireDomain(`toHypercomplex: ${name}`, n, inputs, outputs);
    if (groupsOf(layer) !== 1) throw new Error(`toHypercomplex: ${name} has ${groupsOf(layer)} groups`);
  }
  if (chosen.length === 0)
    throw new Error(`toHypercomplex: n = ${n} divides the channels of no layer; there are ${sizesOf(places)}`);
  let [before, after] = [0, 0];
  for (const { owner, key, layer } of chosen) {
    const made = scope(() => nearestSum(layer, n));
    before += layer.weight.size;
    after += made.algebra.size + made.filters.size;
    layer.weight.dispose();
    owner[key] = made;
  }
  const kept = places.filter((place) => !chosen.includes(place)).map(({ name }) => name);
  return { replaced: chosen.map(({ name }) => name), kept, parameters: [before, after] };
}

const groupsOf = (layer: PlainLayer) => (layer instanceof Linear ? 1 : (layer.options.groups ?? 1));

const sizesOf = (places: readonly LayerPlace<PlainLayer>[]) =>
  places.map(({ name, layer }) => `${name} (${layer.weight.shape.slice(0, 2).join('×')})`).join(', ') || 'none';

/** The hypercomplex layer that is nearest to a plain one. */
function nearestSum(layer: PlainLayer, n: number): HypercomplexLayer {
  const rows = blockRows(layer.weight, n);
  const [blocks, length] = rows.shape as [number, number];
  const values = rows.view();
  const gram = new Float64Array(blocks * blocks);
  for (let a = 0; a < blocks; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let at = 0; at < length; at++)
        sum += (values[a * length + at] as number) * (values[b * length + at] as number);
      gram[a * blocks + b] = sum;
    }
  const { vectors } = symmetricEigen64(gram, blocks);
  const algebra = new Float32Array(n * blocks);
  const filters = new Float32Array(n * length);
  for (let m = 0; m < n; m++)
    for (let block = 0; block < blocks; block++) {
      // Eigenvalues ascend, so that the last columns are the first singular vectors.
      const share = vectors[block * blocks + (blocks - 1 - m)] as number;
      algebra[m * blocks + block] = share;
      for (let at = 0; at < length; at++)
        filters[m * length + at] =
          (filters[m * length + at] as number) + share * (values[block * length + at] as number);
    }
  const [outputs = 0, inputs = 0, ...kernel] = layer.weight.shape;
  return hypercomplexFrom(
    layer,
    parameter(tensor(algebra, [n, n, n])),
    parameter(tensor(filters, [n, outputs / n, inputs / n, ...kernel])),
  );
}
