// Plans as files.

export type { IndexRange } from './arguments.js';
export { decodePlan, encodePlan, type SavedPlan } from './file.js';
export { checkPlan, indicesAmongInputs, type Port, type RecordedPlan, recordCalls, withoutUnused } from './recorded.js';
