// Zero-shot learning: a task that was never trained on is known by its description alone.

import { Hypernet, mlpTrunk, VectorCondition } from '../../../hypernet/index.js';
import { MLP } from '../../../nn/index.js';
import { concatenate, type Tensor, tensor } from '../../../tensor/index.js';
import { binaryAccuracy, classifier, forward, type GuideRow, lossOf, train, waveTask } from './row.js';

const SEEN = 8;

/** The description of a task: [1, 2]. */
const describe = (angle: number) => tensor([[Math.cos(angle), Math.sin(angle)]]);

/** x [n, 2] with the description as two more features. */
function withDescription(x: Tensor, angle: number): Tensor {
  return concatenate([x, describe(angle).broadcastTo([x.shape[0] as number, 2])], 1);
}

export const zeroShot: GuideRow = {
  problem: 'zero-shot learning',
  design: 'VectorCondition, the description of a task',
  plain: 'a network with the description as input, as large',
  measure: 'accuracy on tasks never seen (%)',
  better: 'larger',
  async run(run) {
    const { random } = run;
    const angleOf = (t: number) => (2 * Math.PI * t) / SEEN;
    const tasks = Array.from({ length: SEEN }, (_, t) => waveTask(angleOf(t), 200, random.split(t)));
    const options = { trunk: mlpTrunk([32]) };
    const hypernet = new Hypernet(classifier(random), new VectorCondition(2), random.split('hypernet'), options);
    const plain = new MLP([4, 44, 44, 1], random.split('plain'));
    const taskAt = (step: number) => tasks[step % SEEN] as (typeof tasks)[number];
    const longer = { ...run, steps: 4 * run.steps };
    await train(
      hypernet,
      (live, { step }) => lossOf(live.run(describe(angleOf(step % SEEN)), taskAt(step).x, forward), taskAt(step)),
      longer,
    );
    await train(
      plain,
      (live, { step }) => lossOf(forward(live, withDescription(taskAt(step).x, angleOf(step % SEEN))), taskAt(step)),
      longer,
    );
    const unseen = Array.from({ length: SEEN }, (_, t) => angleOf(t + 0.5));
    const mean = (logits: (x: Tensor, angle: number) => Tensor) =>
      unseen.reduce((sum, angle, t) => {
        const test = waveTask(angle, 500, random.split('test').split(t));
        return sum + binaryAccuracy(() => logits(test.x, angle), test) / unseen.length;
      }, 0);
    return {
      hypernet: mean((x, angle) => hypernet.run(describe(angle), x, forward)),
      plain: mean((x, angle) => forward(plain, withDescription(x, angle))),
    };
  },
};
