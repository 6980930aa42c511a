// PfLayer: networks whose spatial operations have no parameters (Han, Yoo, Kim, Heo, "Learning
// Features with Parameter-Free Layers", ICLR 2022), and the search of operators block by block.

export { nanoStrides, PfNano, type PfNanoOptions } from './nano.js';
export { PoolingTransformer, type PoolingTransformerOptions } from './pit.js';
export { type PfFigures, pfFigures, pfNanos, pfResNets, pfTransformers, pits } from './presets.js';
export {
  type FoundOperators,
  type OperatorSearchOptions,
  operatorSettings,
  operatorsOf,
  type SearchedBlock,
  searchOperators,
  searchSpace,
} from './search.js';
