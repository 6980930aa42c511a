// How fast sparse kernels are: layer by layer against the dense kernel, and a whole network.

import { chosenWeights, magnitudeMask, type Pattern, pruneOnce, sparsePlan } from '../compress/index.js';
import { medianSeconds, setThreads, threads } from '../engine/index.js';
import { inference, type Layer } from '../nn/index.js';
import { conv2d, multiply, Random, scope, tensor } from '../tensor/index.js';
import { compile, type KernelChoice } from '../trace/index.js';
import type { Study } from './contract.js';

/** Pixels, input and output channels of MobileNetV1's layers. */
const shapes = [
  [112, 32, 64],
  [56, 128, 128],
  [28, 256, 256],
  [14, 512, 512],
  [7, 1024, 1024],
] as const;

const shares = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95] as const;

function onOneThread<T>(body: () => T): T {
  const before = threads();
  setThreads(1);
  try {
    return body();
  } finally {
    setThreads(before);
  }
}

/** Dense time over sparse time of a pointwise layer. */
function speedUp([side, columns, rows]: readonly [number, number, number], share: number, pattern: Pattern): number {
  return scope(() => {
    const random = new Random(11);
    const weight = random.normal([rows, columns, 1, 1]);
    const pruned = multiply(weight, tensor(magnitudeMask(weight, share, pattern), weight.shape));
    const x = random.normal([1, columns, side, side]);
    let choice: KernelChoice | undefined;
    const onChoice = (made: KernelChoice) => {
      choice = made;
    };
    compile((input) => conv2d(input, pruned), [x], { sparse: { choose: 'measured', onChoice } }).dispose();
    const { dense = Number.NaN, sparse = Number.NaN } = choice?.milliseconds ?? {};
    return dense / sparse;
  });
}

/** The least share, between those measured, from which sparse is faster. */
function breakEven(speeds: readonly number[]): number {
  const first = speeds.findIndex((speed) => speed >= 1);
  if (first <= 0) return first < 0 ? 1 : (shares[0] as number);
  const [a, b] = [speeds[first - 1] as number, speeds[first] as number];
  return (
    (shares[first - 1] as number) + ((1 - a) / (b - a)) * ((shares[first] as number) - (shares[first - 1] as number))
  );
}

export function kernelStudy(): { study: Study; scores: Record<string, number> } {
  return onOneThread(() => {
    const measured = (['unstructured', 'block4'] as const).flatMap((pattern) =>
      shapes.map((shape) => ({ pattern, shape, speeds: shares.map((share) => speedUp(shape, share, pattern)) })),
    );
    const of = (pattern: Pattern) => measured.filter((row) => row.pattern === pattern);
    const slowest = (pattern: Pattern, share: (typeof shares)[number]) =>
      Math.min(...of(pattern).map(({ speeds }) => speeds[shares.indexOf(share)] as number));
    const even = (pattern: Pattern) =>
      of(pattern).reduce((sum, { speeds }) => sum + breakEven(speeds), 0) / shapes.length;
    return {
      study: {
        title: 'Kernels: times faster than the dense one, by share of zeros',
        note: 'Pointwise layers of MobileNetV1, one thread; both kernels in turns, the fastest of their runs.',
        columns: ['pattern', 'pixels', 'channels', ...shares.map((share) => `${100 * share} %`)],
        rows: measured.map(({ pattern, shape: [side, columns, rows], speeds }) => [
          pattern,
          side * side,
          `${columns} → ${rows}`,
          ...speeds.map((speed) => speed.toFixed(2)),
        ]),
      },
      scores: {
        unstructured80: slowest('unstructured', 0.8),
        unstructured90: slowest('unstructured', 0.9),
        blocks80: slowest('block4', 0.8),
        blocks90: slowest('block4', 0.9),
        evenUnstructured: even('unstructured'),
        evenBlocks: even('block4'),
      },
    };
  });
}

/** A network at 224² with random weights: dense plan against sparse plan, and its layers. */
export function networkStudy(
  make: (random: Random) => Layer,
  sparsity: number,
): { studies: Study[]; scores: Record<string, number> } {
  return onOneThread(() => {
    const x = new Random(3).normal([1, 3, 224, 224]);
    const [dense, sparse] = [make(new Random(1)), make(new Random(1))];
    pruneOnce(chosenWeights(sparse, 'pointwise'), { sparsity });
    const densePlan = compile((input) => dense.forward(input, inference), [x]);
    const { plan, layers } = sparsePlan(sparse, x);
    const seconds = (plan: typeof densePlan) => medianSeconds(() => scope(() => plan.run(x)), 15);
    const times = { dense: 1000 * seconds(densePlan), sparse: 1000 * seconds(plan) };
    for (const each of [densePlan, plan]) each.dispose();
    return {
      studies: [
        {
          title: `A whole network at 224², ${(100 * sparsity).toFixed(0)} % zeros in the pointwise convolutions`,
          note: 'MobileNetV1 with random weights, median of 15 runs on one thread.',
          columns: ['plan', 'ms'],
          rows: [
            ['dense', times.dense.toFixed(2)],
            ['sparse', times.sparse.toFixed(2)],
          ],
        },
        {
          title: 'Its layers: which kernel, and why',
          note: 'Times in milliseconds.',
          columns: ['layer', 'zeros', 'kernel', 'dense', 'sparse', 'why'],
          rows: layers.map(({ layer, zeros, kernel, milliseconds, reason }) => [
            layer,
            zeros.toFixed(2),
            kernel,
            milliseconds?.dense.toFixed(3) ?? '',
            milliseconds?.sparse.toFixed(3) ?? '',
            reason,
          ]),
        },
      ],
      scores: { network: times.dense / times.sparse },
    };
  });
}
