// Sets of questions: known ones, and files.

import { datasetOf, namesOf } from './catalogue.js';
import { readUnpackedText } from './files.js';
import { datasetPaths, hasDataset } from './folders.js';
import { parseQuestions, type Question } from './questions.js';

/** Names that `loadQuestions` knows. */
export const questionSetNames: readonly string[] = namesOf('questions');

/** Questions to learn from, and others to test on. */
export interface QuestionSet {
  /** Questions to learn from. */
  readonly train: readonly Question[];
  /** Questions to test on. */
  readonly test: readonly Question[];
}

/** Whether a known set of questions lies on this machine. */
export function hasQuestions(name: string): boolean {
  return hasDataset(name, 'questions');
}

/** A known set of questions. @throws Error when it is unknown, or not on this machine */
export function loadQuestionSet(name: string): QuestionSet {
  const record = datasetOf(name, 'questions');
  if (!record) throw new Error(`"${name}" is no known set of questions (${questionSetNames.join(', ')})`);
  const [train, test] = datasetPaths(record).map((path) => parseQuestions(readUnpackedText(path), path));
  return { train: train ?? [], test: test ?? [] };
}

/** Questions of a file of JSON lines (also .gz), or those of a known set that one learns from. */
export function loadQuestions(source: string): readonly Question[] {
  if (datasetOf(source, 'questions')) return loadQuestionSet(source).train;
  return parseQuestions(readUnpackedText(source), source);
}
