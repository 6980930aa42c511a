// Orders of the channels of binary layers.

export { majoritySigns, type SignRows, signDistances } from './distances.js';
export { majorityRatio, type TreeMeasures, treeBits, treeMeasures } from './measures.js';
export {
  type ChannelTree,
  channelStar,
  nearestChain,
  type SpanningTreeOptions,
  spanningTree,
  spanningTreeFrom,
} from './spanning-tree.js';
