// The models that `gossamer fit --model` names beside the estimators of tables. What trains is
// imported when it is asked for.

import { graphLearners } from './graph-learners.js';
import type { DataKind, Learner } from './learner.js';

export const learners: Readonly<Record<string, Learner>> = {
  ...graphLearners,
};

/** The model of a kind of data where --model is left out; of tables, their estimators. */
export const usualLearner: Readonly<Partial<Record<DataKind, string>>> = { graph: 'dgmlp' };
