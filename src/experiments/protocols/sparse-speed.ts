// How fast sparse kernels are on one thread: pointwise layers of MobileNetV1 against the dense
// kernel, and the whole network at 224². Weights are random: time does not depend on them.

import { chosenWeights, magnitudeMask, type Pattern, pruneOnce, sparsePlan } from '../../compress/index.js';
import { medianSeconds } from '../../engine/index.js';
import { MobileNetV1 } from '../../models/index.js';
import { inference } from '../../nn/index.js';
import { conv2d, multiply, Random, scope, tensor } from '../../tensor/index.js';
import { compile, type KernelChoice, type Plan } from '../../trace/index.js';
import type { StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';
import { onOneThread } from '../parts/threads.js';

/** Side of the image, input and output channels of MobileNetV1's layers. */
const shapes = [
  [112, 32, 64],
  [56, 128, 128],
  [28, 256, 256],
  [14, 512, 512],
  [7, 1024, 1024],
] as const;

type LayerShape = (typeof shapes)[number];

/** Sparsities. */
const shares = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95] as const;

const measuredPatterns = ['unstructured', 'block4'] as const satisfies readonly Pattern[];

/** Dense time over sparse time of a pointwise layer. */
function speedUp([side, inputs, outputs]: LayerShape, share: number, pattern: Pattern): number {
  return scope(() => {
    const random = new Random(11);
    const weight = random.normal([outputs, inputs, 1, 1]);
    const pruned = multiply(weight, tensor(magnitudeMask(weight, share, pattern), weight.shape));
    const x = random.normal([1, inputs, side, side]);
    let choice: KernelChoice | undefined;
    const onChoice = (made: KernelChoice) => {
      choice = made;
    };
    compile((input) => conv2d(input, pruned), [x], { sparse: { choose: 'measured', onChoice } }).dispose();
    const { dense = Number.NaN, sparse = Number.NaN } = choice?.milliseconds ?? {};
    return dense / sparse;
  });
}

/**
 * The least share of zeros, between those measured, from which sparse is faster; 1 where it never
 * is.
 */
function breakEven(speeds: readonly number[]): number {
  const at = speeds.findIndex((speed) => speed >= 1);
  if (at < 0) return 1;
  const [high, fast] = [shares[at] as number, speeds[at] as number];
  const [low, slow] = [shares[at - 1], speeds[at - 1]];
  return low === undefined || slow === undefined ? high : low + ((1 - slow) / (fast - slow)) * (high - low);
}

/**
 * Scores: `<pattern> 0.8` and `<pattern> 0.9` (the slowest shape), `<pattern> even` (the mean over
 * the shapes).
 */
function kernelStudy(): StudyResults {
  const rows = measuredPatterns.flatMap((pattern) =>
    shapes.map((shape) => ({ pattern, shape, speeds: shares.map((share) => speedUp(shape, share, pattern)) })),
  );
  const scores = measuredPatterns.flatMap((pattern): [string, number][] => {
    const own = rows.filter((row) => row.pattern === pattern);
    const slowest = (share: 0.8 | 0.9) => Math.min(...own.map(({ speeds }) => speeds[shares.indexOf(share)] as number));
    const even = own.reduce((sum, { speeds }) => sum + breakEven(speeds), 0) / own.length;
    return [
      [`${pattern} 0.8`, slowest(0.8)],
      [`${pattern} 0.9`, slowest(0.9)],
      [`${pattern} even`, even],
    ];
  });
  return studyOf(
    {
      title: 'Kernels: times faster than the dense one, by share of zeros',
      note: 'Pointwise layers of MobileNetV1, one thread; both kernels in turns, the fastest of their runs.',
      columns: ['pattern', 'pixels', 'channels', ...shares.map((share) => `${100 * share} %`)],
      rows: rows.map(({ pattern, shape: [side, inputs, outputs], speeds }) => [
        pattern,
        side * side,
        `${inputs} → ${outputs}`,
        ...speeds.map((speed) => speed.toFixed(2)),
      ]),
    },
    Object.fromEntries(scores),
  );
}

/**
 * MobileNetV1 at 224²: dense plan against sparse plan, and its layers. Score: `network`, times
 * faster.
 */
function networkStudy(sparsity: number): StudyResults {
  const x = new Random(3).normal([1, 3, 224, 224]);
  const [dense, pruned] = [new MobileNetV1(new Random(1)), new MobileNetV1(new Random(1))];
  pruneOnce(chosenWeights(pruned, 'pointwise'), { sparsity });
  const densePlan = compile((input) => dense.forward(input, inference), [x]);
  const { plan, layers } = sparsePlan(pruned, x);
  const milliseconds = (timed: Plan) => 1000 * medianSeconds(() => scope(() => timed.run(x)), 15);
  const times = { dense: milliseconds(densePlan), sparse: milliseconds(plan) };
  for (const each of [densePlan, plan]) each.dispose();
  return joinStudies(
    studyOf(
      {
        title: `A whole network at 224², ${(100 * sparsity).toFixed(0)} % zeros in the pointwise convolutions`,
        note: 'MobileNetV1 with random weights, median of 15 runs on one thread.',
        columns: ['plan', 'ms'],
        rows: Object.entries(times).map(([name, time]) => [name, time.toFixed(2)]),
      },
      { network: times.dense / times.sparse },
    ),
    studyOf({
      title: 'Its layers: which kernel, and why',
      note: 'Times in milliseconds.',
      columns: ['layer', 'zeros', 'kernel', 'dense', 'sparse', 'why'],
      rows: layers.map(({ layer, zeros, kernel, milliseconds: measured, reason }) => [
        layer,
        zeros.toFixed(2),
        kernel,
        measured?.dense.toFixed(3) ?? '',
        measured?.sparse.toFixed(3) ?? '',
        reason,
      ]),
    }),
  );
}

/** @param sparsity share of zeros in the network's pointwise convolutions */
export function sparseSpeedStudies(sparsity: number): StudyResults {
  return onOneThread(() => joinStudies(kernelStudy(), networkStudy(sparsity)));
}
