// The guide of the review, from problems to settings of the library: each with a number beside a
// plain network's.

import { Random } from '../../../tensor/index.js';
import type { RunContext, StudyResults } from '../../parts/contract.js';
import { studyOf } from '../../parts/studies.js';
import { causal } from './causal.js';
import { continual } from './continual.js';
import { filters } from './filters.js';
import { language } from './language.js';
import { pruning } from './pruning.js';
import { reinforcement } from './reinforcement.js';
import type { Beside, GuideRow } from './row.js';
import { sharing, speed } from './sharing.js';
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
export const abilityRows: readonly GuideRow[] = [filters, sharing, speed];

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Runs rows of the guide on several seeds. */
export async function guideStudy(
  { title, rows, steps, seeds }: { title: string; rows: readonly GuideRow[]; steps: number; seeds: number },
  { seed, signal, progress }: Pick<RunContext, 'seed' | 'signal' | 'progress'>,
): Promise<StudyResults> {
  const measured: { readonly row: GuideRow; readonly runs: readonly Beside[] }[] = [];
  for (const [at, row] of rows.entries()) {
    const runs: Beside[] = [];
    for (let own = 0; own < seeds; own++) {
      signal?.throwIfAborted();
      runs.push(await row.run({ steps, random: new Random(seed + own).split(row.problem), signal }));
      progress(title, (at + (own + 1) / seeds) / rows.length);
    }
    measured.push({ row, runs });
  }
  const means = measured.map(({ row, runs }) => ({
    row,
    hypernet: mean(runs.map(({ hypernet }) => hypernet)),
    plain: mean(runs.map(({ plain }) => plain)),
  }));
  return studyOf(
    {
      title,
      note: `Means over ${seeds} seeds of data and networks; both networks take the same steps with Adam at the same learning rate.`,
      columns: ['problem', 'hypernetwork', 'beside', 'measure', 'hypernetwork', 'plain'],
      rows: means.map(({ row, hypernet, plain }) => [
        row.problem,
        row.design,
        row.plain,
        row.measure,
        hypernet.toFixed(2),
        plain.toFixed(2),
      ]),
    },
    Object.fromEntries(
      means.flatMap(({ row: { problem }, hypernet, plain }) => [
        [`${problem}, hypernetwork`, hypernet],
        [`${problem}, plain`, plain],
      ]),
    ),
  );
}
