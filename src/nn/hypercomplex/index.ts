// Parameterized hypercomplex layers: weights that are sums of Kronecker products.

export {
  followLayerKinds,
  hasHypercomplex,
  hypercomplexFrom,
  type PlainLayer,
  plainPlaces,
  toPlain,
} from './convert.js';
export { blockRows, kroneckerSum, presetAlgebra } from './kronecker.js';
export {
  algebraNames,
  HypercomplexLayer,
  type HypercomplexOptions,
  PHConv1d,
  PHConv2d,
  PHConv3d,
  PHLinear,
  requireDomain,
} from './layers.js';
