export {
  type Attended,
  AttentionBlock,
  attend,
  InducedAttentionBlock,
  type InducedAttentionOptions,
  PairAttentionBlock,
} from './attention.js';
export { cliqueGradient, cliqueProximal, MeanBlock, meanOfSet } from './mean.js';
export { bySetsInParts, type SetFunction } from './set-function.js';
