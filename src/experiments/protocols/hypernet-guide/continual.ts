// Continual learning: tasks arrive one after another; what the hypernetwork made for earlier ones
// is held by a penalty (von Oswald et al., "Continual learning with hypernetworks", ICLR 2020).

import { Hypernet, mlpTrunk, TaskCondition } from '../../../hypernet/index.js';
import { MLP } from '../../../nn/index.js';
import { concatenate, scope, type Tensor, tensor } from '../../../tensor/index.js';
import { binaryAccuracy, classifier, forward, type GuideRow, lossOf, train, waveTask } from './row.js';

const ANGLES = [0, 1, 2];
/** Weight of the penalty. */
const BETA = 1;

/** x [n, 2] with the task as three more features. */
function withTask(x: Tensor, t: number): Tensor {
  const rows = x.shape[0] as number;
  const code = Float32Array.from({ length: rows * ANGLES.length }, (_, i) => Number(i % ANGLES.length === t));
  return concatenate([x, tensor(code, [rows, ANGLES.length])], 1);
}

export const continual: GuideRow = {
  problem: 'continual learning',
  design: 'TaskCondition; the weights made for earlier tasks are held',
  plain: 'one network with the task as input',
  measure: 'accuracy over three tasks after the last (%)',
  better: 'larger',
  async run(run) {
    const { random } = run;
    const taskAt = (stage: string) => ANGLES.map((angle, t) => waveTask(angle, 400, random.split(stage).split(t)));
    const [tasks, tests] = [taskAt('train'), taskAt('test')];
    const condition = new TaskCondition(ANGLES.length, 4, random.split('tasks'));
    const hypernet = new Hypernet(classifier(random), condition, random.split('hypernet'), { trunk: mlpTrunk([32]) });
    const plain = new MLP([2 + ANGLES.length, 32, 1], random.split('plain'));
    for (const [t, task] of tasks.entries()) {
      const before = [...tasks.keys()].slice(0, t);
      const own = { ...run, random: random.split('training').split(t) };
      const held = scope(() => Object.entries(hypernet.generate(before.length > 0 ? before : [0])));
      await train(
        hypernet,
        (live) => {
          const loss = lossOf(live.run([t], task.x, forward), task);
          if (before.length === 0) return loss;
          const made = live.generate(before);
          const changes = held.map(([name, weight]) => (made[name] as Tensor).subtract(weight).square().sum());
          return changes.reduce((sum, change) => sum.add(change.multiply(BETA / before.length)), loss);
        },
        own,
      );
      await train(plain, (live) => lossOf(forward(live, withTask(task.x, t)), task), own);
    }
    const mean = (logits: (t: number, x: Tensor) => Tensor) =>
      tests.reduce((sum, test, t) => sum + binaryAccuracy(() => logits(t, test.x), test) / tests.length, 0);
    return {
      hypernet: mean((t, x) => hypernet.run([t], x, forward)),
      plain: mean((t, x) => forward(plain, withTask(x, t))),
    };
  },
};
