// What boxes of weights promise, and whether it holds.

import type { HyperInterval } from '../../hypernet/index.js';
import type { Scores } from '../parts/contract.js';
import type { LearnedStream } from './continual.js';

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Shares in %: test images certified after the last task, mean over tasks; and, of one network for
 * all tasks, of those certified now (`kept`) or just after their own task (`later`) the ones that
 * it has right, and what the best network of one task has right over all tasks (`single`).
 */
export function guaranteeScores({ learner, stream, certified }: LearnedStream): Scores {
  const own = learner as HyperInterval;
  const now = stream.test.map((rows, at) => own.certified(rows, at));
  const shares = { certified: mean(now.map((task) => 100 * mean(task.map(Number)))) };
  if (!own.nested || own.scenario === 'task') return shares;
  const right = stream.test.map(({ x, labels }, at) => {
    const found = own.predict(x);
    return found.labels.map((label, i) =>
      Number(label === labels[i] && (own.scenario !== 'class' || found.tasks[i] === at)),
    );
  });
  const among = (rows: readonly (readonly boolean[])[]) =>
    100 * mean(rows.flatMap((task, at) => task.flatMap((sure, i) => (sure ? [right[at]?.[i] as number] : []))));
  const universal = { ...shares, kept: among(now), later: among(certified) };
  return own.scenario === 'domain' ? { ...universal, single: bestSingle(own, stream) } : universal;
}

/** The most that the network of a single task has right of all tasks, in %. */
function bestSingle(own: HyperInterval, { test }: LearnedStream['stream']): number {
  const shares = own.tasks.map((_task, at) =>
    mean(
      test.map(({ x, labels }) => 100 * mean(Array.from(own.predict(x, at).labels, (l, i) => Number(l === labels[i])))),
    ),
  );
  return Math.max(...shares);
}
