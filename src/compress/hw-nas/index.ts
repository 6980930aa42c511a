// Hardware-aware search for sub-networks of a super-network.

export { GeneSpace } from './encoding.js';
export { accuracyInPasses, imageEvaluation, searchSplit } from './image-evaluation.js';
export {
  type HardwareSetting,
  type LatencyOptions,
  networkLatency,
  planLatency,
} from './latency.js';
export {
  type Evaluated,
  evaluationTable,
  type LogEntry,
  type LogStore,
  type Measurement,
  readEvaluations,
} from './log.js';
export { frontOf, type Goal, goalsOf, minimized, type SearchOptions, type SearchResult, search } from './search.js';
export { bertSst2, ofaMobileNetV3, ofaResNet50, publishedSpaces, transformerWmt } from './spaces.js';
export {
  type EvaluationData,
  type EvaluatorOptions,
  SubNetworkEvaluator,
  type SubNetworkMetric,
  subNetworkMetrics,
} from './super-network.js';
export { type FitPredictor, type TacticName, tactics } from './tactics.js';
