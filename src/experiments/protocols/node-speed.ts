// The cost of training on large random graphs: real epochs over all training nodes, timed in turns,
// and what a whole training costs in time and memory.

import { memoryUse, secondsInTurns, withOwnPeak } from '../../engine/index.js';
import { APPNP, DGMLP, GCN, type GraphModule, trainOnRows } from '../../graph/index.js';
import { Adam, fit, labelledLoss } from '../../nn/index.js';
import { erdosRenyi } from '../../structure/index.js';
import { gatherKnownRows, keep, type Random, scope, tensor } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';

const MEAN_DEGREE = 10;
const FEATURES = 100;
const CLASSES = 10;
const STEPS = 20;
const HIDDEN = 64;
/** Epochs of the training whose total is shown, the same for all. */
const EPOCHS = 200;
const MIB = 2 ** 20;

const arms = ['DGMLP', 'GCN', 'APPNP'] as const;
type Arm = (typeof arms)[number];

/** An Erdős–Rényi graph with random features and labels, half of whose nodes are for training. */
function task(nodes: number, random: Random) {
  const graph = erdosRenyi(random.split('graph'), nodes, MEAN_DEGREE);
  const features = keep(random.split('features').normal([nodes, FEATURES]));
  const labels = Int32Array.from({ length: nodes }, () => random.integer(CLASSES));
  const train = random
    .split('train')
    .permutation(nodes)
    .subarray(0, nodes / 2);
  return { graph, features, labels, train };
}

/** One epoch of full-batch training: forward, backward, update. */
function fullBatchEpoch(network: GraphModule, { graph, features, labels, train }: ReturnType<typeof task>) {
  const loss = labelledLoss(labels, train);
  const optimizer = new Adam({ learningRate: 0.01 });
  return async (random: Random) => {
    await fit({
      model: network,
      loss: (live: GraphModule, _: undefined, mode) => loss(live.forward(features, graph, mode)),
      optimizer,
      epochs: 1,
      random,
    });
  };
}

/**
 * Scores `epochRatio <nodes>` and `totalRatio <nodes>`: how many times faster than GCN DGMLP is.
 */
async function speedStudy(nodes: number, random: Random): Promise<StudyResults> {
  const data = task(nodes, random);
  const { graph, features, labels, train } = data;
  const before = memoryUse().bytes;
  const dgmlp = new DGMLP(FEATURES, CLASSES, random.split('dgmlp'), { steps: STEPS });
  const started = performance.now();
  const precomputed = await withOwnPeak(() =>
    keep(scope(() => gatherKnownRows(dgmlp.combine(features, graph), tensor(train)))),
  );
  const precomputation = (performance.now() - started) / 1000;
  const rows = { x: precomputed.result, classes: train.map((row) => labels[row] as number) };
  const gcn = fullBatchEpoch(new GCN(FEATURES, CLASSES, random.split('gcn'), { hidden: HIDDEN }), data);
  const appnp = fullBatchEpoch(new APPNP(FEATURES, CLASSES, random.split('appnp'), { hidden: HIDDEN }), data);
  const epoch: Record<Arm, () => Promise<unknown>> = {
    DGMLP: () => trainOnRows(dgmlp, rows, undefined, random.split('order'), { epochs: 1 }),
    GCN: () => gcn(random.split('gcn dropout')),
    APPNP: () => appnp(random.split('appnp dropout')),
  };
  const peaks = {} as Record<Arm, number>;
  for (const arm of arms) peaks[arm] = (await withOwnPeak(epoch[arm])).peakBytes - before;
  peaks.DGMLP = Math.max(peaks.DGMLP, precomputed.peakBytes - before);
  const timed = arms.map((arm) => [arm, async () => void (await epoch[arm]())] as const);
  const seconds = await secondsInTurns(Object.fromEntries(timed) as Record<Arm, () => Promise<void>>, {
    repeats: 5,
    warmUp: 1,
  });
  precomputed.result.dispose();
  features.dispose();
  const once = { DGMLP: precomputation, GCN: 0, APPNP: 0 };
  const total = (arm: Arm) => once[arm] + EPOCHS * seconds[arm];
  return studyOf(
    {
      title: `Cost of training on ${nodes.toLocaleString('en')} nodes and ${graph.edgeCount.toLocaleString('en')} edges`,
      note:
        `Erdős–Rényi, ${FEATURES} features, ${CLASSES} classes, half of the nodes for training. An epoch is one pass ` +
        `over all training nodes, forward, backward and update (the fastest of 5, in turns): DGMLP in mini-batches of 4,096 rows, ` +
        `GCN (2 layers) and APPNP with hidden ${HIDDEN} full-batch. The total is the precomputation of ${STEPS} hops ` +
        `and ${EPOCHS} epochs. Memory is the peak of tensors above the features.`,
      columns: ['network', 'precomputation (s)', 'epoch (ms)', `total of ${EPOCHS} epochs (s)`, 'peak memory (MiB)'],
      rows: arms.map((arm) => [
        arm,
        once[arm].toFixed(2),
        (1000 * seconds[arm]).toFixed(1),
        total(arm).toFixed(1),
        Math.round(peaks[arm] / MIB),
      ]),
    },
    {
      [`epochRatio ${nodes}`]: seconds.GCN / seconds.DGMLP,
      [`totalRatio ${nodes}`]: total('GCN') / total('DGMLP'),
    },
  );
}

/** One study for each number of nodes. */
export async function speedStudies(sizes: readonly number[], random: Random): Promise<StudyResults> {
  const studies: StudyResults[] = [];
  for (const nodes of sizes) studies.push(await speedStudy(nodes, random.split(nodes)));
  return joinStudies(...studies);
}
