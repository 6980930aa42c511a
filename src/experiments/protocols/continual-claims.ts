// What claims of continual learners are computed on, and the pictures of forgetting.

import type { Evidence } from '../parts/claims.js';
import type { SeedResult, StudyPlot, StudyPoint } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { cell } from './continual.js';
import { bounds } from './continual-methods.js';

/** Two standard errors of the difference of two methods, seed by seed. */
function twoErrors<Options>(e: Evidence<Options>, method: string, other: string, metric: string): number {
  const [own, others] = [e.scores(method, metric), e.scores(other, metric)];
  const { sd } = summarize(own.map((value, seed) => value - (others[seed] as number)));
  return (2 * sd) / Math.sqrt(own.length);
}

/** Gain of a method over another less two standard errors. */
export function surely<Options>(e: Evidence<Options>, method: string, other: string, metric = 'accuracy'): number {
  return e.gain(method, other, metric) - twoErrors(e, method, other, metric);
}

/** The best rival of some methods: neither one of them nor a bound. */
export function bestRival<Options>(
  e: Evidence<Options>,
  own: readonly string[],
  allowed: (method: string) => boolean = () => true,
): string {
  const rivals = e.methods.filter((method) => !own.includes(method) && !bounds.includes(method) && allowed(method));
  return rivals.reduce(
    (best, method) => (e.mean(method, 'accuracy') > e.mean(best, 'accuracy') ? method : best),
    rivals[0] ?? '',
  );
}

/** Accuracy of a method above its best rival of those allowed. */
export function leadOver<Options>(
  e: Evidence<Options>,
  method: string,
  own: readonly string[],
  allowed?: (rival: string) => boolean,
): number {
  return e.gain(method, bestRival(e, own, allowed), 'accuracy');
}

/** Accuracies of all methods after each task, and their matrices; means over the seeds. */
export function forgettingPlots(results: readonly SeedResult[]): readonly StudyPlot[] {
  const methods = results[0]?.methods.map(({ method }) => method) ?? [];
  const mean = (method: string, key: string) => {
    const found = results.map(({ methods: own }) => own.find((each) => each.method === method)?.scores[key]);
    return summarize(found.map((value) => value ?? Number.NaN)).mean;
  };
  const learned: StudyPoint[] = [];
  const cells: StudyPoint[] = [];
  for (const method of methods)
    for (let after = 1; Number.isFinite(mean(method, cell(after, 1))); after++) {
      const row = Array.from({ length: after }, (_, j) => mean(method, cell(after, j + 1)));
      learned.push({ method, x: after, y: row.reduce((a, b) => a + b, 0) / after });
      cells.push(...row.map((value, j) => ({ method, x: j + 1, y: after, value })));
    }
  return [
    {
      kind: 'line',
      title: 'Accuracy on the tasks learned so far, mean over them and the seeds',
      x: 'tasks learned',
      y: 'accuracy (%)',
      points: learned,
    },
    {
      kind: 'matrix',
      title: 'Forgetting: accuracy (%) on each task after each task, mean over the seeds',
      x: 'accuracy on task',
      y: 'after task',
      points: cells,
    },
  ];
}
