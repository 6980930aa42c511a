// HyperAgent (Zhang, Shi, Gu, Zhang, You, Gan, Yuan, Huang, "HyperAgent: Leveraging Hypergraphs for
// Topology Optimization in Multi-Agent Communication", arXiv 2510.10611, 2025): which groups of
// agents talk about a task is decided per task, by a policy that is trained on answers and tokens.
//
// A variational hypergraph encoder reads agents and task (policy.ts), a decoder scores pairs, the
// sketch of pairs is refined to low rank near given anchors and cut into groups (refine.ts), and
// REINFORCE trains the policy (training.ts).

export { GDesigner, type GDesignerInputs, GDesignerNetwork, type GDesignerOptions } from './g-designer.js';
export { type DecisionOptions, decide, GroupSketches } from './group-sketches.js';
export { inputHypergraph, type PairRows, type QueryBatch, TeamInputs } from './inputs.js';
export {
  type DiscussionSettings,
  defaultEncoder,
  HYPERAGENT_MODEL,
  type Plan,
  TeamPolicy,
  type TeamPolicySettings,
} from './model.js';
export { gaussianDivergence, type PairLogits, type PolicyOptions, TopologyPolicy } from './policy.js';
export {
  type GroupOptions,
  groupAgents,
  groupMatrix,
  pairAgents,
  pairMatrix,
  type Refined,
  type RefineOptions,
  refine,
} from './refine.js';
export {
  advantages,
  type Outcome,
  type Play,
  policyObjective,
  type Sketch,
  type SketchModel,
  type TopologyTrainingOptions,
  trainTopology,
  utilityOf,
} from './training.js';
