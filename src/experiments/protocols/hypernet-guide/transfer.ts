// Transfer learning: the hypernetwork of many tasks learns another one by its embedding alone,
// beside the network of the task that is most like it, fine-tuned.

import { Hypernet, mlpTrunk, TaskCondition, VectorCondition } from '../../../hypernet/index.js';
import { loadState, type MLP, stateOf } from '../../../nn/index.js';
import { scope, type Tensor } from '../../../tensor/index.js';
import { binaryAccuracy, classifier, forward, type GuideRow, lossOf, tested, train, waveTask } from './row.js';

const SOURCES = 12;
const EXAMPLES = 20;
/** Learning rates that both choose from. */
const RATES = [5e-4, 2e-3, 5e-3, 2e-2];

export const transfer: GuideRow = {
  problem: 'transfer learning',
  design: 'TaskCondition; the embedding alone of a new task is trained',
  plain: 'the network of the nearest task, fine-tuned',
  measure: `accuracy on a new task of ${EXAMPLES} examples (%)`,
  better: 'larger',
  async run(run) {
    const { random } = run;
    const angle = (t: number) => (2 * Math.PI * t) / SOURCES;
    const sources = Array.from({ length: SOURCES }, (_, t) => waveTask(angle(t), 200, random.split(t)));
    const tasks = new TaskCondition(SOURCES, 4, random.split('tasks'));
    const options = { trunk: mlpTrunk([32]) };
    const hypernet = new Hypernet(classifier(random), new VectorCondition(4), random.split('hypernet'), options);
    const sourceAt = (step: number) => sources[step % SOURCES] as (typeof sources)[number];
    // 267 steps of a source at the default number of steps; the plain networks take 400 of each.
    await train(
      { tasks, hypernet },
      (live, { step }) => {
        const embedding = live.tasks.forward([step % SOURCES]);
        return lossOf(live.hypernet.run(embedding, sourceAt(step).x, forward), sourceAt(step));
      },
      { ...run, steps: 8 * run.steps },
    );
    const plain = sources.map((_, t) => classifier(random.split('plain').split(t)));
    for (const [t, source] of sources.entries())
      await train(plain[t] as MLP, (live) => lossOf(forward(live, source.x), source), run);

    /** A new task at an angle that no source has: few examples to learn it from, many to test. */
    const newTask = (at: number, own: string) => {
      const few = waveTask(angle(at), EXAMPLES, random.split(own).split('few'));
      return { few, test: waveTask(angle(at), 1000, random.split(own).split('test')) };
    };
    type NewTask = ReturnType<typeof newTask>;
    /** The source whose network fits the examples best. */
    const nearest = ({ few }: NewTask, logits: (t: number, x: Tensor) => Tensor) => {
      const losses = sources.map((_, t) => scope(() => lossOf(logits(t, few.x), few).item()));
      return losses.indexOf(Math.min(...losses));
    };
    // Φ is not trained here: only the new embedding is, from the nearest task's.
    const byEmbedding = async (task: NewTask, rate: number) => {
      const source = nearest(task, (t, x) => hypernet.run(tasks.forward([t]), x, forward));
      const added = new TaskCondition(1, 4, random.split('new'));
      added.embedding.weight.assign(scope(() => tasks.forward([source]).dataSync()));
      const logits = (live: TaskCondition, x: Tensor) => hypernet.run(live.forward([0]), x, forward);
      await train(added, (live) => lossOf(logits(live, task.few.x), task.few), run, rate);
      return binaryAccuracy(() => logits(added, task.test.x), task.test);
    };
    const byFineTuning = async (task: NewTask, rate: number) => {
      const source = nearest(task, (t, x) => forward(plain[t] as MLP, x));
      const own = classifier(random);
      loadState(own, stateOf(plain[source] as MLP));
      await train(own, (live) => lossOf(forward(live, task.few.x), task.few), run, rate);
      return binaryAccuracy(() => forward(own, task.test.x), task.test);
    };
    // Both choose the rate on another new task.
    const [other, target] = [newTask(1.5, 'validation'), newTask(SOURCES / 3 + 0.5, 'target')];
    const scored = (learn: typeof byEmbedding) =>
      tested(RATES, async (rate) => ({ validation: await learn(other, rate), test: await learn(target, rate) }));
    return { hypernet: await scored(byEmbedding), plain: await scored(byFineTuning) };
  },
};
