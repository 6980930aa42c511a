// Floor 3: captured computations, and what can be made of them.

export { type CompileOptions, compile } from './compile.js';
export { type Cost, cost, formatCost, graphCost, type NodeCost } from './cost.js';
export { type Counted, countMultiplyAdds } from './count.js';
export {
  type ChannelSlice,
  type Dependencies,
  dependenciesOf,
  dependencyGroups,
  graphDependencies,
  type PruningGroup,
} from './dependencies.js';
export { fuse } from './fuse.js';
export { consumers, type Graph, type GraphNode, trace, type Value } from './graph.js';
export type { Int8Options } from './int8/index.js';
export { type CostLine, calibrateKernels, fitCosts, type KernelCosts, type TimedWork } from './kernel-costs.js';
export { type ExportOptions, exportOnnx } from './onnx/export.js';
export { type ImportOptions, importOnnx, type OnnxModel } from './onnx/import.js';
export { loadPlan, Plan, savePlan } from './plan.js';
export { eachPlace, subTensor, withoutSlices } from './pruning/remove.js';
export type { LayerOperator, SparseForm, SparseKernel } from './sparse-forms.js';
export type { KernelChoice, SparseOptions } from './sparse-kernels.js';
export type { LayerWork } from './sparse-race.js';
