// The guide of the review, from problems to settings of the library: each with a number beside a
// plain network's, on seeds that no choice of a setting has seen.

import { Random } from '../../../tensor/index.js';
import type { RunContext, StudyResults } from '../../parts/contract.js';
import { studyOf } from '../../parts/studies.js';
import { causal } from './causal.js';
import { continual } from './continual.js';
import { filters } from './filters.js';
import { language } from './language.js';
import { negatives } from './negatives.js';
import { pruning } from './pruning.js';
import { reinforcement } from './reinforcement.js';
import type { Beside, GuideRow } from './row.js';
import { sharing, speed } from './sharing.js';
import { FRESH_SEEDS, type RowSummary, rowScores, summarizeRow } from './summary.js';
import { transfer } from './transfer.js';
import { zeroShot } from './zero-shot.js';

/** The problems of the abstract but uncertainty, whose study is `uncertaintyStudy`. */
export const problemRows: readonly GuideRow[] = [
  continual,
  causal,
  transfer,
  pruning,
  zeroShot,
  language,
  reinforcement,
];

/** What the abstract says of hypernetworks in general. */
export const abilityRows: readonly GuideRow[] = [filters, negatives, sharing, speed];

/** Runs rows of the guide on several seeds. */
export async function guideStudy(
  { title, rows, steps, seeds }: { title: string; rows: readonly GuideRow[]; steps: number; seeds: number },
  { seed, signal, progress }: Pick<RunContext, 'seed' | 'signal' | 'progress'>,
): Promise<StudyResults> {
  const measured: { readonly row: GuideRow; readonly summary: RowSummary }[] = [];
  for (const [at, row] of rows.entries()) {
    const runs: Beside[] = [];
    for (let own = 0; own < seeds; own++) {
      signal?.throwIfAborted();
      runs.push(await row.run({ steps, random: new Random(FRESH_SEEDS + seed + own).split(row.problem), signal }));
      progress(title, (at + (own + 1) / seeds) / rows.length);
    }
    measured.push({ row, summary: summarizeRow(row, runs) });
  }
  return studyOf(
    {
      title,
      note:
        `Means over ${seeds} seeds of data and networks, from ${FRESH_SEEDS + seed} up: seeds on which no setting was chosen. Both networks ` +
        'take the same steps with Adam at the same learning rate, unless the row chooses it. The gain is that of a seed, with its standard error; ' +
        'a gain within one is a tie.',
      columns: ['problem', 'hypernetwork', 'beside', 'measure', 'hypernetwork', 'plain', 'gain'],
      rows: measured.map(({ row, summary: { hypernet, plain, gain, error } }) => [
        row.problem,
        row.design,
        row.plain,
        row.measure,
        hypernet.toFixed(2),
        plain.toFixed(2),
        `${gain.toFixed(2)} ± ${error.toFixed(2)}`,
      ]),
    },
    Object.assign({}, ...measured.map(({ row, summary }) => rowScores(row.problem, summary))),
  );
}
