// Intervals of weights: boxes of embeddings, and what networks compute with weights between bounds.

export { type Box, intersection } from './boxes.js';
export { IntervalHypernet, type IntervalHypernetOptions, intervalWeightsOf } from './hypernet.js';
export { certified, type Interval, type IntervalWeights, propagate, worstCase } from './propagate.js';
