// Tensors, gradients and threads: what most programs start from. Layers, structures and families
// have subpaths of their own.

export { cpu, type DType, type FeatureLevel, type MemoryUse, memoryUse, setThreads, threads } from './engine/index.js';
export * from './tensor/index.js';
