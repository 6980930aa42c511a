// Transfer learning: the hypernetwork of many tasks learns another one by its embedding alone.

import { Hypernet, mlpTrunk, TaskCondition, VectorCondition } from '../../../hypernet/index.js';
import { scope } from '../../../tensor/index.js';
import { binaryAccuracy, classifier, forward, type GuideRow, lossOf, train, waveTask } from './row.js';

const SOURCES = 12;
const EXAMPLES = 20;

export const transfer: GuideRow = {
  problem: 'transfer learning',
  design: 'TaskCondition; the embedding alone of a new task is trained',
  plain: 'a network of all tasks, fine-tuned',
  measure: `accuracy on a new task of ${EXAMPLES} examples (%)`,
  better: 'larger',
  async run(run) {
    const { random } = run;
    const angle = (t: number) => (2 * Math.PI * t) / SOURCES;
    const sources = Array.from({ length: SOURCES }, (_, t) => waveTask(angle(t), 200, random.split(t)));
    const tasks = new TaskCondition(SOURCES, 4, random.split('tasks'));
    const options = { trunk: mlpTrunk([32]) };
    const hypernet = new Hypernet(classifier(random), new VectorCondition(4), random.split('hypernet'), options);
    const plain = classifier(random.split('plain'));
    const sourceAt = (step: number) => sources[step % SOURCES] as (typeof sources)[number];
    const pretraining = { ...run, steps: 8 * run.steps };
    await train(
      { tasks, hypernet },
      (live, { step }) => {
        const embedding = live.tasks.forward([step % SOURCES]);
        return lossOf(live.hypernet.run(embedding, sourceAt(step).x, forward), sourceAt(step));
      },
      pretraining,
    );
    await train(plain, (live, { step }) => lossOf(forward(live, sourceAt(step).x), sourceAt(step)), pretraining);
    /** The embedding of the source that fits the examples best. */
    const nearest = () => {
      const losses = sources.map((_, t) => lossOf(hypernet.run(tasks.forward([t]), few.x, forward), few).item());
      return tasks.forward([losses.indexOf(Math.min(...losses))]);
    };
    // An angle that no source has. Φ is not trained here: only the new embedding is.
    const target = angle(SOURCES / 3 + 0.5);
    const few = waveTask(target, EXAMPLES, random.split('few'));
    const test = waveTask(target, 1000, random.split('test'));
    const added = new TaskCondition(1, 4, random.split('new'));
    added.embedding.weight.assign(scope(() => nearest().dataSync()));
    await train(added, (live) => lossOf(hypernet.run(live.forward([0]), few.x, forward), few), run, 2e-2);
    await train(plain, (live) => lossOf(forward(live, few.x), few), run);
    return {
      hypernet: binaryAccuracy(() => hypernet.run(added.forward([0]), test.x, forward), test),
      plain: binaryAccuracy(() => forward(plain, test.x), test),
    };
  },
};
