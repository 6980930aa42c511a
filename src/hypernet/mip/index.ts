// Magnitude-invariant parametrisation of hypernetworks.

export { MIP_OPTIONS, mipDecay } from './options.js';
export { ConditionedTable, type ConditionedTableOptions, conditionRanges, MIP_MODEL } from './table-model.js';
