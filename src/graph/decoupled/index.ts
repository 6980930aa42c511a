// Decoupled networks: what is propagated has no parameters and is computed once.

export { A2DUG, type A2DUGOptions } from './a2dug.js';
export { ADPA, type ADPAOptions } from './adpa.js';
export {
  fixedWeights,
  type HopCombination,
  HopNetwork,
  hopWeightings,
  type LabelledInput,
  labelledRowsOf,
  partsOf,
  type RowTrainingOptions,
  trainDecoupled,
  trainOnRows,
} from './hop-network.js';
export { LightDiC, type LightDiCOptions, magneticHops } from './light-dic.js';
export { isRowwise, type RowwiseModule, trainRowwise } from './rowwise.js';
