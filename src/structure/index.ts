// Floor 4: validated data structures on sparse matrices.

export { type PlantedHypergraph, type PlantedOptions, plantedHypergraph, uniformHypergraph } from './generators.js';
export { Hypergraph, type MergeRule } from './hypergraph.js';
export { memo } from './memo.js';
export {
  meanPropagation,
  type Propagation,
  powers,
  scaled,
  sumPropagation,
  symmetricAdjacency,
  symmetricPropagation,
} from './operators.js';
export { type Restricted, restrict } from './restrict.js';
