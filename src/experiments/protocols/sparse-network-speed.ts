// How fast whole sparse networks are at 224² on one thread, as dense, int8 and sparse plans.
// Weights
// are random: time does not depend on them.

import { chosenWeights, pruneOnce, sparsePlan, sparsityRule } from '../../compress/index.js';
import { secondsInTurns } from '../../engine/index.js';
import { EfficientNet, MobileNetV1, MobileNetV2 } from '../../models/index.js';
import { inference, type Layer } from '../../nn/index.js';
import { Random, type Tensor } from '../../tensor/index.js';
import { type CompileOptions, compile, type KernelChoice } from '../../trace/index.js';
import { imageModel } from '../../vision/index.js';
import type { StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';

const shape = { channels: 3, classes: 1000, size: 224 };

/** The networks that are timed, with the paper's shares of zeros. */
const networks: Readonly<Record<string, () => Layer>> = {
  MobileNetV1: () => new MobileNetV1(new Random(1)),
  MobileNetV2: () => new MobileNetV2(new Random(1)),
  'EfficientNet-B0': () => new EfficientNet('b0', new Random(1)),
  'MobileNetV2, cache-aware': () => imageModel('mobilenet-v2-cache-aware', shape, new Random(1)),
};

/** Share of zeros from which a layer is sparse where every pruned one is. */
const ANY = 0.2;

/** Times of a network by plan. */
export interface NetworkTimes {
  /** Name of the network. */
  readonly name: string;
  /** Share of zeros in the layers that are pruned. */
  readonly sparsity: number;
  /** Milliseconds of each plan. */
  readonly times: Readonly<Record<'dense' | 'int8' | 'sparse' | 'everywhere', number>>;
  /** The kernels of `sparse`. */
  readonly layers: readonly KernelChoice[];
}

async function networkTimes(name: string, make: () => Layer, repeats: number): Promise<NetworkTimes> {
  const x = new Random(3).normal([1, shape.channels, shape.size, shape.size]);
  const [whole, pruned] = [make(), make()];
  const { layers: choice, ...rule } = sparsityRule(pruned);
  pruneOnce(chosenWeights(pruned, choice), rule);
  const planOf = (model: Layer, options: CompileOptions) =>
    compile((input: Tensor) => model.forward(input, inference), [x], options);
  const { plan, layers } = sparsePlan(pruned, x);
  const plans = {
    dense: planOf(whole, { sparse: false }),
    int8: planOf(whole, { sparse: false, int8: { calibration: [[x]] } }),
    sparse: plan,
    everywhere: planOf(pruned, { sparse: { choose: 'rule', threshold: ANY } }),
  };
  for (const own of Object.values(plans)) own.feed([x]);
  const bodies = {
    dense: () => plans.dense.execute(),
    int8: () => plans.int8.execute(),
    sparse: () => plans.sparse.execute(),
    everywhere: () => plans.everywhere.execute(),
  };
  const seconds = await secondsInTurns(bodies, { repeats });
  for (const own of Object.values(plans)) own.dispose();
  const times = Object.fromEntries(Object.entries(seconds).map(([kind, value]) => [kind, 1000 * value]));
  return { name, sparsity: rule.sparsity, times: times as NetworkTimes['times'], layers };
}

const speedUp = ({ times: { dense, sparse } }: NetworkTimes) => dense / sparse;

/**
 * Scores: `network <name>`, times faster than the dense plan; `chosen`, the most that a plan with
 * chosen kernels takes over the faster of the dense one and the one with sparse kernels everywhere.
 */
export function networkScores(measured: readonly NetworkTimes[]): Record<string, number> {
  const overBest = ({ times: { dense, sparse, everywhere } }: NetworkTimes) => sparse / Math.min(dense, everywhere);
  const factors = measured.map((own) => [`network ${own.name}`, speedUp(own)] as const);
  return { ...Object.fromEntries(factors), chosen: Math.max(...measured.map(overBest)) };
}

/**
 * Every network as dense, int8 and sparse plans.
 *
 * @param repeats runs of each plan, of which the fastest counts, as noise only adds time
 */
export async function networkStudy(repeats = 15): Promise<StudyResults> {
  const measured: NetworkTimes[] = [];
  for (const [name, make] of Object.entries(networks)) measured.push(await networkTimes(name, make, repeats));
  return joinStudies(
    studyOf(
      {
        title: 'Whole networks at 224², zeros in the pointwise convolutions as in the paper',
        note: `Random weights, one thread, in turns, the fastest of ${repeats} runs; milliseconds. "sparse": the faster kernel in each layer; "everywhere": the sparse one in each pruned layer; int8 is dense.`,
        columns: ['network', 'zeros', 'dense', 'int8', 'sparse', 'everywhere', 'times faster than dense', 'than int8'],
        rows: measured.map((own) => [
          own.name,
          `${(100 * own.sparsity).toFixed(0)} %`,
          ...[own.times.dense, own.times.int8, own.times.sparse, own.times.everywhere].map((time) => time.toFixed(2)),
          speedUp(own).toFixed(2),
          (own.times.int8 / own.times.sparse).toFixed(2),
        ]),
      },
      networkScores(measured),
    ),
    layerStudy(measured[0] as NetworkTimes),
  );
}

function layerStudy({ name, layers }: NetworkTimes): StudyResults {
  return studyOf({
    title: `Layers of ${name}: which kernel, and why`,
    note: 'Times in milliseconds.',
    columns: ['layer', 'zeros', 'kernel', 'dense', 'sparse', 'why'],
    rows: layers.map(({ layer, zeros, kernel, blockHeight, milliseconds, reason }) => [
      layer,
      zeros.toFixed(2),
      blockHeight ? `${kernel} ${blockHeight}×1` : kernel,
      milliseconds?.dense.toFixed(3) ?? '',
      milliseconds?.sparse.toFixed(3) ?? '',
      reason,
    ]),
  });
}
