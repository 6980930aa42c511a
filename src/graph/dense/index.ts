// Features of pairs of nodes, n × n for each of many small graphs.

export {
  type Aggregation,
  aggregationList,
  aggregationNames,
  aggregations,
  type Pooling,
  poolings,
} from './aggregations.js';
export {
  type CellBatch,
  type CellPolicy,
  CellSource,
  type CellTensors,
  cellNumber,
  cellTensors,
  segmentOfEach,
} from './cells.js';
export {
  type AttributeEncoding,
  attributeEncoding,
  attributeSizes,
  CELL_BUDGET,
  type CellLimits,
  encodeAttributes,
  type FeaturedGraphs,
  type GraphBatch,
  GraphBatches,
  graphSizes,
  inverseCounts,
  MOST_NODES,
  type PairFeatures,
  partsWithin,
  requireCells,
} from './inputs.js';
export { type AnswerOptions, type WholeGraphDescription, WholeGraphModel } from './model.js';
export { type Along, cellProduct, neighbourSum, neighbourSumReference, plusRows, sumByIndex } from './operations.js';
export {
  answersOf,
  columnOf,
  type GraphScores,
  type GraphTask,
  graphScores,
  graphTask,
  outputsOfTask,
  targetsOf,
} from './tasks.js';
export {
  type GraphTargets,
  outputsOf,
  type TrainingGraphs,
  trainWholeGraphs,
  type WholeGraphNetwork,
  type WholeGraphTraining,
} from './training.js';
