// Information sharing and speed of training: tasks that are alike, by one hypernetwork or by a
// network for each.

import { Hypernet, mlpTrunk, TaskCondition } from '../../../hypernet/index.js';
import type { MLP } from '../../../nn/index.js';
import type { Random, Tensor } from '../../../tensor/index.js';
import { binaryAccuracy, classifier, forward, type GuideRow, type GuideRun, lossOf, train, waveTask } from './row.js';

const TASKS = 8;
const LOSS = 0.2;

const angleOf = (t: number) => (2 * Math.PI * t) / TASKS;
const tasksOf = (count: number, random: Random) =>
  Array.from({ length: TASKS }, (_, t) => waveTask(angleOf(t), count, random.split(t)));

interface Trained {
  readonly losses: readonly number[];
  /** Logits of a task. */
  readonly logits: (t: number, x: Tensor) => Tensor;
}

/** Both on the same tasks: each step sees one batch of every task. */
async function trainBoth(
  count: number,
  run: GuideRun,
  learningRate?: number,
): Promise<Record<'hypernet' | 'plain', Trained>> {
  const { random } = run;
  const tasks = tasksOf(count, random.split('train'));
  const condition = new TaskCondition(TASKS, 4, random.split('tasks'));
  const hypernet = new Hypernet(classifier(random), condition, random.split('hypernet'), { trunk: mlpTrunk([32]) });
  const plain = tasks.map((_, t) => classifier(random.split('plain').split(t)));
  const over = (logits: (t: number, x: Tensor) => Tensor) =>
    tasks.map((task, t) => lossOf(logits(t, task.x), task)).reduce((sum, loss) => sum.add(loss));
  const made = await train(hypernet, (live) => over((t, x) => live.run([t], x, forward)), run, learningRate);
  const own = await train(plain, (live) => over((t, x) => forward(live[t] as MLP, x)), run, learningRate);
  const mean = (losses: readonly number[]) => losses.map((loss) => loss / TASKS);
  return {
    hypernet: { losses: mean(made), logits: (t, x) => hypernet.run([t], x, forward) },
    plain: { losses: mean(own), logits: (t, x) => forward(plain[t] as MLP, x) },
  };
}

export const sharing: GuideRow = {
  problem: 'information sharing',
  design: 'TaskCondition, eight tasks that are alike',
  plain: 'a network for each task',
  measure: 'accuracy with 40 examples of each task (%)',
  better: 'larger',
  async run(run) {
    const trained = await trainBoth(40, run);
    const tests = tasksOf(500, run.random.split('test'));
    const mean = ({ logits }: Trained) =>
      tests.reduce((sum, test, t) => sum + binaryAccuracy(() => logits(t, test.x), test) / TASKS, 0);
    return { hypernet: mean(trained.hypernet), plain: mean(trained.plain) };
  },
};

export const speed: GuideRow = {
  problem: 'faster training',
  design: 'TaskCondition, eight tasks that are alike',
  plain: 'a network for each task',
  measure: `steps to a mean loss of ${LOSS}, the best of three learning rates`,
  better: 'smaller',
  async run(run) {
    const steps = { hypernet: 2 * run.steps, plain: 2 * run.steps };
    for (const learningRate of [5e-3, 1e-2, 2e-2]) {
      const trained = await trainBoth(200, { ...run, steps: 2 * run.steps }, learningRate);
      for (const arm of ['hypernet', 'plain'] as const) {
        const at = trained[arm].losses.findIndex((loss) => loss <= LOSS);
        if (at >= 0) steps[arm] = Math.min(steps[arm], at + 1);
      }
    }
    return steps;
  },
};
