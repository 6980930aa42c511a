// Weight pruning: weights from the mask of the units that are kept (as in Liu et al.,
// "MetaPruning", ICCV 2019), beside a trained network whose least units are cut off.

import { Hypernet, mlpTrunk, VectorCondition } from '../../../hypernet/index.js';
import { inference, type Linear, MLP } from '../../../nn/index.js';
import { type Tensor, tensor } from '../../../tensor/index.js';
import { binaryAccuracy, type GuideRow, type Labelled, lossOf, train, waveTask } from './row.js';

const UNITS = 32;
/** Units kept in the end. */
const KEPT = 8;

/** The first `kept` of all units, or those of the given indices: [1, UNITS]. */
function maskOf(units: Iterable<number>): Tensor {
  const mask = new Float32Array(UNITS);
  for (const unit of units) mask[unit] = 1;
  return tensor(mask, [1, UNITS]);
}
const firstUnits = (count: number) => maskOf(Array.from({ length: count }).keys());

/** A network's output where only the units of the mask are left. */
function masked({ blocks: [block], head }: MLP, x: Tensor, mask: Tensor): Tensor {
  const hidden = (block as (typeof MLP.prototype.blocks)[number]).forward(x, inference);
  return head.forward(hidden.multiply(mask));
}

/** The units of the largest ‖incoming‖·|outgoing|. */
function largestUnits(incoming: Linear, outgoing: Linear): number[] {
  const [rows, columns] = [incoming.weight.view(), outgoing.weight.view()];
  const inputs = incoming.inFeatures;
  const size = (unit: number) =>
    Math.hypot(...rows.subarray(unit * inputs, (unit + 1) * inputs)) * Math.abs(columns[unit] as number);
  return Array.from({ length: UNITS }, (_, unit) => unit)
    .sort((a, b) => size(b) - size(a))
    .slice(0, KEPT);
}

export const pruning: GuideRow = {
  problem: 'weight pruning',
  design: 'VectorCondition, the mask of the units that are kept',
  plain: 'the largest units of a trained network',
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
    // A number of units from 4 up, drawn anew at each step.
    await train(
      hypernet,
      (live, { random: draws }) => lossOf(through(live, task.x, firstUnits(4 + draws.integer(UNITS - 3))), task),
      run,
    );
    await train(plain, (live) => lossOf(live.forward(task.x, inference), task), run);
    const kept = maskOf(largestUnits((plain.blocks[0] as (typeof plain.blocks)[number]).linear, plain.head));
    return {
      hypernet: binaryAccuracy(() => through(hypernet, test.x, firstUnits(KEPT)), test),
      plain: binaryAccuracy(() => masked(plain, test.x, kept), test),
    };
  },
};
