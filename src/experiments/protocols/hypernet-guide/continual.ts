// Continual learning: tasks arrive one after another; what the hypernetwork made for earlier ones
// is held by a penalty (von Oswald et al., "Continual learning with hypernetworks", ICLR 2020),
// beside a network whose weights are held.

import { Hypernet, mlpTrunk, TaskCondition } from '../../../hypernet/index.js';
import { MLP } from '../../../nn/index.js';
import { concatenate, scope, type Tensor, tensor } from '../../../tensor/index.js';
import { type Anchor, anchorAt, consolidation } from './consolidation.js';
import { binaryAccuracy, classifier, forward, type GuideRow, lossOf, tested, train, waveTask } from './row.js';

const ANGLES = [0, 1, 2];
/** Weights of the penalties: each method chooses one on held-out points of all tasks. */
const STRENGTHS = { hypernet: [0.1, 1, 10], plain: [100, 1000, 10_000, 100_000] };

/** x [n, 2] with the task as three more features. */
function withTask(x: Tensor, t: number): Tensor {
  const rows = x.shape[0] as number;
  const code = Float32Array.from({ length: rows * ANGLES.length }, (_, i) => Number(i % ANGLES.length === t));
  return concatenate([x, tensor(code, [rows, ANGLES.length])], 1);
}

/** Logits of a task. */
type Logits = (t: number, x: Tensor) => Tensor;

export const continual: GuideRow = {
  problem: 'continual learning',
  design: 'TaskCondition; the weights made for earlier tasks are held',
  plain: 'a network with the task as input, as large, with elastic weight consolidation',
  measure: 'accuracy over three tasks after the last (%)',
  better: 'larger',
  async run(run) {
    const { random } = run;
    const taskAt = (stage: string) => ANGLES.map((angle, t) => waveTask(angle, 400, random.split(stage).split(t)));
    const [tasks, validation, tests] = [taskAt('train'), taskAt('validation'), taskAt('test')];
    const trainingOf = (t: number) => ({ ...run, random: random.split('training').split(t) });

    const byOutputs = async (strength: number): Promise<Logits> => {
      const condition = new TaskCondition(ANGLES.length, 4, random.split('tasks'));
      const options = { trunk: mlpTrunk([32]) };
      const hypernet = new Hypernet(classifier(random), condition, random.split('hypernet'), options);
      for (const [t, task] of tasks.entries()) {
        const before = [...tasks.keys()].slice(0, t);
        const held = scope(() => Object.entries(hypernet.generate(before.length > 0 ? before : [0])));
        await train(
          hypernet,
          (live) => {
            const loss = lossOf(live.run([t], task.x, forward), task);
            if (before.length === 0) return loss;
            const made = live.generate(before);
            const changes = held.map(([name, weight]) => (made[name] as Tensor).subtract(weight).square().sum());
            return changes.reduce((sum, change) => sum.add(change.multiply(strength / before.length)), loss);
          },
          trainingOf(t),
        );
      }
      return (t, x) => hypernet.run([t], x, forward);
    };

    const byWeights = async (strength: number): Promise<Logits> => {
      const plain = new MLP([2 + ANGLES.length, 44, 44, 1], random.split('plain'));
      const anchors: Anchor[] = [];
      for (const [t, task] of tasks.entries()) {
        const x = withTask(task.x, t);
        await train(
          plain,
          (live) => {
            const loss = lossOf(forward(live, x), task);
            return anchors.length > 0 ? loss.add(consolidation(live, anchors).multiply(strength)) : loss;
          },
          trainingOf(t),
        );
        anchors.push(anchorAt(plain, x, random.split('labels').split(t)));
      }
      return (t, x) => forward(plain, withTask(x, t));
    };

    const scored = (grid: readonly number[], learn: (strength: number) => Promise<Logits>) =>
      tested(grid, async (strength) => {
        const logits = await learn(strength);
        const mean = (points: typeof tests) =>
          points.reduce((sum, own, t) => sum + binaryAccuracy(() => logits(t, own.x), own) / points.length, 0);
        return { validation: mean(validation), test: mean(tests) };
      });
    return {
      hypernet: await scored(STRENGTHS.hypernet, byOutputs),
      plain: await scored(STRENGTHS.plain, byWeights),
    };
  },
};
