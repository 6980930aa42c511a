export {
  type Metapath,
  metapathDiagonal,
  metapathMeans,
  metapathName,
  metapathsTo,
  walkMetapaths,
} from './metapath.js';
export { collectSubsets, NARS, type NARSOptions, relationSubsets, type SubsetOptions } from './nars.js';
export { MetapathRegression, metapathFeatures, returningPaths } from './regression.js';
export { collectMetapaths, type MetapathOptions, SeHGNN, type SeHGNNOptions } from './sehgnn.js';
