// What the review says a hypernetwork has and a plain network lacks, with the figures of the other
// studies.

import type { Scores, StudyResults } from '../../parts/contract.js';
import { studyOf } from '../../parts/studies.js';

/** The five properties, beside a network for each task. */
export function propertyTable(scores: Scores): StudyResults {
  const show = (name: string, digits = 1) => (scores[name] ?? Number.NaN).toFixed(digits);
  const pair = (problem: string, unit: string, digits?: number) => [
    `${show(`${problem}, plain`, digits)}${unit}`,
    `${show(`${problem}, hypernetwork`, digits)}${unit}`,
  ];
  return studyOf({
    title: 'Five properties of the review',
    note: 'Each with a figure of the studies below, and what they put beside the hypernetwork; for uncertainty an ensemble of plain networks.',
    columns: ['property', 'measured as', 'plain networks', 'hypernetwork'],
    rows: [
      ['soft weight sharing', 'accuracy of eight tasks of 40 examples', ...pair('information sharing', ' %')],
      ['dynamic architecture', 'accuracy with a quarter of the units', ...pair('weight pruning', ' %')],
      ['data-adaptive', 'error of a filter along an angle', ...pair('adaptability', '', 2)],
      ['uncertainty', 'negative log-likelihood outside the data', ...pair('uncertainty quantification', '')],
      ['parameter efficiency', 'parameters stored, as a share of the network’s', '1.00', show('compression', 2)],
    ],
  });
}
