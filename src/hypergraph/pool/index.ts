export { clusterCount, HyperCluster } from './hyper-cluster.js';
export { type DroppedEdges, HyperDrop } from './hyper-drop.js';
export { GraphMultisetPool, type KeptNodes, type NodeDrop, SAGPool, TopKPool } from './node-pools.js';
export { SeedPool, type SeedPooled, type SeedPoolOptions } from './seed-pool.js';
export { topShare } from './selection.js';
