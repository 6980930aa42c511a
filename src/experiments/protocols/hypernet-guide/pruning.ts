// Weight pruning: weights from the mask of the units that are kept (as in Liu et al.,
// "MetaPruning", ICCV 2019), beside a network that is trained with the same masks (as in Yu et al.,
// "Slimmable neural networks", ICLR 2019).

import { Hypernet, mlpTrunk, VectorCondition } from '../../../hypernet/index.js';
import { inference, MLP } from '../../../nn/index.js';
import { type Tensor, tensor } from '../../../tensor/index.js';
import { binaryAccuracy, type GuideRow, type Labelled, lossOf, train, waveTask } from './row.js';

const UNITS = 32;
/** Units kept in the end. */
const KEPT = 8;

/** The mask of the first units: [1, UNITS]. */
const firstUnits = (count: number) => tensor(new Float32Array(UNITS).fill(1, 0, count), [1, UNITS]);

/** A network's output where only the units of the mask are left. */
function masked({ blocks: [block], head }: MLP, x: Tensor, mask: Tensor): Tensor {
  const hidden = (block as (typeof MLP.prototype.blocks)[number]).forward(x, inference);
  return head.forward(hidden.multiply(mask));
}

export const pruning: GuideRow = {
  problem: 'weight pruning',
  design: 'VectorCondition, the mask of the units that are kept',
  plain: 'a network trained with the same masks',
  measure: `accuracy with ${KEPT} of ${UNITS} units, no training after the cut (%)`,
  better: 'larger',
  async run(run) {
    const { random } = run;
    const task = waveTask(0, 1000, random.split('train'));
    const test: Labelled = waveTask(0, 1000, random.split('test'));
    const network = () => new MLP([2, UNITS, 1], random.split('network'));
    const options = { trunk: mlpTrunk([32]) };
    const hypernet = new Hypernet(network(), new VectorCondition(UNITS), random.split('hypernet'), options);
    const plain = network();
    const through = (live: typeof hypernet, x: Tensor, mask: Tensor) =>
      live.run(mask, x, (own, seen) => masked(own, seen, mask));
    // Both train with a number of units from 4 up that is drawn anew at each step.
    const fit = <Model extends object>(model: Model, logits: (live: Model, mask: Tensor) => Tensor) =>
      train(
        model,
        (live, { random: draws }) => lossOf(logits(live, firstUnits(4 + draws.integer(UNITS - 3))), task),
        run,
      );
    await fit(hypernet, (live, mask) => through(live, task.x, mask));
    await fit(plain, (live, mask) => masked(live, task.x, mask));
    const kept = firstUnits(KEPT);
    return {
      hypernet: binaryAccuracy(() => through(hypernet, test.x, kept), test),
      plain: binaryAccuracy(() => masked(plain, test.x, kept), test),
    };
  },
};
