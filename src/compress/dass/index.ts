// DASS (Mousavi, Loni, Alibeigi, Daneshtalab, "DASS: Differentiable Architecture Search for Sparse
// Neural Networks", ACM TECS 2023, arXiv 2207.06968).
//
// Cells that a search found on dense operations lose most when 95 to 99 % of their weights are
// pruned. Here the operations are sparse while the search compares them, and α follows the loss of
// the network that is pruned and fine-tuned; at a share of 1 the search is that of DARTS.

export {
  type ByPhase,
  runPhases,
  type SparsePhase,
  type SparseTraining,
  type SparseTrainingOptions,
  sparseDefaults,
  sparsePhases,
  trainSparsely,
} from './phases.js';
export {
  type CellSearchOptions,
  type FoundCells,
  type SparseSearchOptions,
  searchBytes,
  searchCells,
  searchDefaults,
  searchSparsely,
} from './search.js';
export {
  type Learning,
  learningNames,
  requireKeep,
  Selected,
  SparseLayer,
  type SparseNetwork,
  scoreMask,
  toSparse,
} from './sparse-layers.js';
export { type UnrolledGradient, type UnrolledOptions, unrolledGradient, unrolledStep } from './unrolled.js';
