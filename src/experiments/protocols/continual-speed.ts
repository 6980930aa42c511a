// How long a continual learner takes to the accuracy of another.

import { Random } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { type ContinualMethod, type ContinualValues, continualMethod, settingFor } from './continual.js';
import { type StreamData, streamOf } from './continual-streams.js';

/** Steps of a task as shares of those of the run, from few to many. */
const SHARES = [1 / 8, 1 / 4, 1 / 2, 1];

/**
 * Seconds of learning after which a method first has the final accuracy of another on validation
 * images: it learns the stream with an eighth of the steps, a fourth and so on.
 */
export async function secondsTo(
  method: ContinualMethod,
  other: ContinualMethod,
  data: StreamData,
  values: ContinualValues,
  context: RunContext,
): Promise<StudyResults> {
  const { train } = streamOf(data, values, new Random(context.seed));
  // Validation images are scored in place of test images.
  const test = train.map(({ validation, ...task }) => ({ ...task, ...validation }));
  const run = async (own: ContinualMethod, steps: number) => {
    const setting = await settingFor(own, data, values, { signal: context.signal });
    const fixed = { ...own, settings: [setting], settingOf: undefined, title: `${own.title} ${steps}` };
    const method = continualMethod(fixed, data, { train, test }, { ...values, steps, trials: 1 });
    const random = new Random(context.seed).split('seconds');
    const { signal } = context;
    const hooks = { signal };
    const quiet = { title: own.title, seed: context.seed, random, hooks, progress: () => {}, chose: () => {} };
    const { matrix, seconds } = await method.train(quiet);
    return { accuracy: matrix.average, seconds };
  };
  const whole = await run(other, values.steps);
  const rows: (string | number)[][] = [row(other.title, values.steps, whole)];
  let found = Number.POSITIVE_INFINITY;
  for (const share of SHARES) {
    const steps = Math.max(4, Math.round(share * values.steps));
    const own = await run(method, steps);
    rows.push(row(method.title, steps, own));
    if (own.accuracy < whole.accuracy) continue;
    found = own.seconds;
    break;
  }
  return studyOf(
    {
      title: `Time to the accuracy of ${other.title}`,
      columns: ['method', 'steps of a task', 'accuracy on validation images (%)', 'learning (s)'],
      rows,
      note: `One seed; ${method.title} with ever more steps until its accuracy after the last task is that of ${other.title}.`,
    },
    { secondsTo: found / whole.seconds },
  );
}

const row = (title: string, steps: number, { accuracy, seconds }: { accuracy: number; seconds: number }) => [
  title,
  steps,
  accuracy.toFixed(1),
  seconds.toFixed(1),
];
