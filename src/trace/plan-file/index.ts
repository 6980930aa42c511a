// Plans as files.

export type { IndexRange } from './arguments.js';
export { decodePlan, encodePlan, type SavedPlan } from './file.js';
export { followedIndices } from './indices.js';
export { checkPlan, type Port, type RecordedPlan, recordCalls, withoutUnused } from './recorded.js';
