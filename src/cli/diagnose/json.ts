// The report on a graph as JSON.

import { toJson } from '../../experiments/runner/json.js';
import type { DirectednessReport } from '../../graph/index.js';
import type { LoadedGraph } from './load.js';

/** The report with the name of the data; numbers that are not known are "NaN". */
export function reportJson({ name, target, labelled }: LoadedGraph, report: DirectednessReport): string {
  return toJson({ data: name, ...(target !== undefined && { target }), labelled, ...report }, 2);
}
