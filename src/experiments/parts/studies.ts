// Studies: measurements beside the methods.

import type { Scores, Study, StudyResults } from './contract.js';

/** No studies. */
export const noStudies: StudyResults = { studies: [], scores: {} };

/** One study and the numbers in it that claims are computed on. */
export function studyOf(study: Study, scores: Scores = {}): StudyResults {
  return { studies: [study], scores };
}

/** Several studies as one result. */
export function joinStudies(...parts: readonly StudyResults[]): StudyResults {
  return {
    studies: parts.flatMap(({ studies }) => studies),
    scores: Object.assign({}, ...parts.map(({ scores }) => scores)),
  };
}
