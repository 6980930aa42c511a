// What spatial operations cost: single layers, and ResNet-50 with each, as plans and as steps of
// training, on one thread and on all.

import { availableThreads, median, secondsInTurns } from '../../engine/index.js';
import { ResNet } from '../../models/index.js';
import {
  crossEntropy,
  disposeWeights,
  gradientsOf,
  inference,
  type Layer,
  parameters,
  type SpatialOperator,
  spatialOperator,
  stateOf,
  training,
  withWeights,
} from '../../nn/index.js';
import { Random, scope, sum, type Tensor, tensor, valueAndGrad, zeros } from '../../tensor/index.js';
import { compile } from '../../trace/index.js';
import { pfResNets } from '../../vision/index.js';
import type { StudyResults } from '../parts/contract.js';
import { joinStudies, noStudies, studyOf } from '../parts/studies.js';
import { withThreads } from '../parts/threads.js';
import { countsOf } from './pf-networks.js';

const layers: readonly SpatialOperator[] = ['convolution', 'depthwise', 'max-pool', 'average-pool'];
/** Channels and side of the maps of ResNet-50's stages at 224 pixels. */
const MAPS = [
  [64, 56],
  [128, 28],
  [256, 14],
  [512, 7],
] as const;
const BATCHES = [1, 16];

/** ResNet-50 by the operation of its blocks. */
export const resNets = {
  convolution: 'convolution',
  depthwise: pfResNets['resnet50-depthwise'],
  max: pfResNets['resnet50-max'],
  hybrid: pfResNets['resnet50-hybrid'],
} as const;

type Arm = keyof typeof resNets;

/** Scores of the study, of ResNet-50 on one thread. */
export const resNetScore = (arm: Arm, what: 'parameters' | 'multiplyAdds' | 'plan' | 'step'): string =>
  `ResNet-50, ${arm}: ${what}`;

/** The gradient of a sum of what a layer gives, with respect to its input and weights. */
const stepOf = (layer: Layer, x: Tensor) =>
  valueAndGrad(({ input, ...weights }: Record<string, Tensor>) =>
    withWeights(layer, weights, (live) => sum(live.forward(input as Tensor, inference))),
  )({ input: x, ...parameters(layer) });

/** Single layers, forward alone and with gradients, on so many threads. */
async function layerRows(threads: number): Promise<(string | number)[][]> {
  const rows: (string | number)[][] = [];
  for (const [channels, side] of MAPS)
    for (const batch of BATCHES) {
      const x = new Random(1).normal([batch, channels, side, side]);
      const made = layers.map((name) => [name, spatialOperator(name, channels, new Random(2))] as const);
      const passes = {
        forward: (layer: Layer) => void layer.forward(x, inference),
        'and back': (layer: Layer) => void stepOf(layer, x),
      };
      for (const [pass, run] of Object.entries(passes)) {
        const arms = Object.fromEntries(made.map(([name, layer]) => [name, () => scope(() => run(layer))]));
        const seconds = await withThreads(threads, () => secondsInTurns(arms, { repeats: 5, statistic: median }));
        rows.push([
          `${channels}×${side}²`,
          batch,
          pass,
          threads,
          ...layers.map((name) => (1000 * (seconds[name] ?? Number.NaN)).toFixed(2)),
        ]);
      }
      for (const [, layer] of made) disposeWeights(stateOf(layer));
      x.dispose();
    }
  return rows;
}

/** ResNet-50 with each operation: counts, plans of one image, steps of one image. */
export async function networkStudy(counts: readonly number[], side: number, width = 1): Promise<StudyResults> {
  const x = zeros([1, 3, side, side]);
  const label = tensor([0], [1], 'i32');
  const arms = Object.keys(resNets) as Arm[];
  const models = arms.map((arm): readonly [Arm, ResNet] => [
    arm,
    new ResNet(50, new Random(0), { width, operator: resNets[arm] }),
  ]);
  const counted = models.map(([arm, model]) => ({ arm, ...countsOf(model, x) }));
  const plans = models.map(([arm, model]) => [arm, compile((y) => model.forward(y, inference), [x])] as const);
  const planArms = Object.fromEntries(plans.map(([arm, plan]) => [arm, () => void scope(() => plan.run(x))]));
  const stepArms = Object.fromEntries(
    models.map(([arm, model]) => [
      arm,
      () =>
        scope(() => void gradientsOf(model, (live) => crossEntropy(live.forward(x, training(new Random(1))), label))),
    ]),
  );
  const options = { repeats: 3, warmUp: 1, statistic: median };
  const times: { threads: number; plan: Record<string, number>; step: Record<string, number> }[] = [];
  for (const threads of counts)
    times.push(
      await withThreads(threads, async () => ({
        threads,
        plan: await secondsInTurns(planArms, options),
        step: await secondsInTurns(stepArms, options),
      })),
    );
  for (const [, plan] of plans) plan.dispose();
  for (const [, model] of models) disposeWeights(stateOf(model));
  for (const one of [x, label]) one.dispose();
  const ms = (seconds: number | undefined) => (1000 * (seconds ?? Number.NaN)).toFixed(1);
  const [alone] = times;
  return studyOf(
    {
      title: 'ResNet-50 with each spatial operation',
      columns: [
        'operation',
        'parameters',
        'multiply-adds',
        ...times.flatMap(({ threads }) => [`plan, ${threads} threads (ms)`, `step, ${threads} threads (ms)`]),
      ],
      rows: counted.map(({ arm, parameters, multiplyAdds }) => [
        arm,
        parameters,
        multiplyAdds,
        ...times.flatMap(({ plan, step }) => [ms(plan[arm]), ms(step[arm])]),
      ]),
      note: `One image of ${side}², random weights; a step is the gradient of the loss without the optimiser. Medians of three, operations in turns, after one that does not count.`,
    },
    Object.fromEntries(
      counted.flatMap(({ arm, parameters, multiplyAdds }) => [
        [resNetScore(arm, 'parameters'), parameters],
        [resNetScore(arm, 'multiplyAdds'), multiplyAdds],
        [resNetScore(arm, 'plan'), alone?.plan[arm] ?? Number.NaN],
        [resNetScore(arm, 'step'), alone?.step[arm] ?? Number.NaN],
      ]),
    ),
  );
}

/**
 * Both studies; none with a side of 0.
 *
 * @param side of the images of ResNet-50
 */
export async function speedStudies(side: number): Promise<StudyResults> {
  if (side === 0) return noStudies;
  const counts = [...new Set([1, availableThreads()])];
  const rows: (string | number)[][] = [];
  for (const threads of counts) rows.push(...(await layerRows(threads)));
  const layerTimes = studyOf({
    title: 'Single layers (ms)',
    columns: ['map', 'batch', 'pass', 'threads', ...layers],
    rows,
    note: 'Medians of five rounds, operations in turns, after two that do not count. 3×3, stride 1; "and back" is with the gradients of input and weights.',
  });
  return joinStudies(layerTimes, await networkStudy(counts, side));
}
