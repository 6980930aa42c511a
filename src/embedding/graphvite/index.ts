// GraphVite: skip-gram embeddings whose pairs are drawn while others are trained, in a grid of
// blocks that share no rows (Zhu, Xu, Qu, Tang, "GraphVite: A High-Performance CPU-GPU Hybrid
// System for Node Embedding", WWW 2019, arXiv 1903.00757).
//
//   loss of a pair (u, v) = −log σ(V_u·C_v) − w·Σ_m log σ(−V_u·C_m),  m from the part of v
//
// Samplers walk on the graph and sort their pairs into P × P blocks; of two pools one is filled
// while the other trains, and nothing else of the walks is kept. Workers train W blocks at a time
// without a common row or column and draw negatives from their own part, so that no two write the
// same vector: results do not depend on the number of threads.

export { type Drawing, drawingSvg } from './drawing.js';
export { type GraphViteRun, graphVite, startGraphVite } from './embed.js';
export { linearProbe, linkArea } from './evaluate.js';
export { type LayoutOptions, layoutDefaults, layoutGraph, neighbourGraph, perplexityWeights } from './layout.js';
export { type Matrices, type PartStore, type Side, StoredMatrices } from './matrices.js';
export {
  automaticStep,
  type GraphViteHooks,
  type GraphViteOptions,
  type GraphViteProgress,
  type GraphViteSettings,
  graphViteDefaults,
  graphViteSettings,
  type PairForm,
} from './options.js';
export { blockBalance, type GraphVitePlan, planTraining } from './plan.js';
export { type Episode, episodeAt } from './pools.js';
export { RankMatrices } from './ranks.js';
export { type Block, orthogonalSchedule } from './schedule.js';
export { type GraphViteCounts, type GraphViteState, GridTrainer, type TrainerOptions } from './trainer.js';
export { embedNewNodes, type TrainedVectors } from './update.js';
