// BlockFFN: blocks that tokens choose freely, trained so that neighbours choose alike.

export {
  adjacentWindows,
  type DocumentWindow,
  documentBatch,
  documentLoss,
  documentSampler,
  splitDocuments,
} from './documents.js';
export { AdaptiveFactor, type AdaptiveFactorOptions } from './factor.js';
export { BlockFFN, type BlockSizes, gatedBlocks, ROUTER_EPSILON, reluGates } from './layer.js';
export { activationLocality, chunkSparsification } from './losses.js';
export { decoderUsage, textUsage } from './measure.js';
export { BlockSparsity, type BlockSparsityOptions, scheduleFor } from './objective.js';
export { ReMoEObjective, type ReMoEOptions, RivalBlocks, type RivalRouter } from './rivals.js';
export { BlockUsage, CHUNK_LENGTHS } from './usage.js';
