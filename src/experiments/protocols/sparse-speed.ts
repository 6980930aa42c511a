// How fast sparse kernels are on one thread, on the pointwise layers of MobileNetV1, against the
// fastest dense kernel of the library. Weights are random: time does not depend on them.

import { magnitudeMask, type Pattern } from '../../compress/index.js';
import { secondsInTurns } from '../../engine/index.js';
import { conv2d, matmul, multiply, Random, type Tensor, tensor } from '../../tensor/index.js';
import { type CompileOptions, compile, type Plan } from '../../trace/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { breakEven } from './fronts.js';

/** Side of the image, input and output channels. */
export type LayerShape = readonly [side: number, inputs: number, outputs: number];

/** Pointwise layers of MobileNetV1 at 224². */
export const layerShapes: readonly LayerShape[] = [
  [112, 32, 64],
  [56, 128, 128],
  [28, 256, 256],
  [14, 512, 512],
  [7, 1024, 1024],
];

/** Shares of zeros. */
const shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95] as const;

const measured = ['unstructured', 'block2', 'block4'] as const satisfies readonly Pattern[];
type Measured = (typeof measured)[number];
const titles: Readonly<Record<Measured, string>> = {
  unstructured: 'unstructured',
  block2: '2×1 blocks',
  block4: '4×1 blocks',
};

/** Sizes of the square product whose rate is printed beside those of the layers. */
const [PRODUCT, INNER] = [240, 256];

const TURNS = { repeats: 15, warmUp: 3 };
/** Pixels from which a layer is large enough for the rate of a square product. */
const MANY_PIXELS = 196;

/** Seconds of a layer by kernel. */
export interface LayerTimes {
  readonly shape: LayerShape;
  /** The convolution that dense plans run. */
  readonly convolution: number;
  /** The same as a matrix product. */
  readonly product: number;
  /** A product of [240, 256] and [256, 240]. */
  readonly square: number;
  /** By pattern, then by `shares`. */
  readonly sparse: Readonly<Record<Measured, readonly number[]>>;
}

/** A plan with its example in place. */
function fed(fn: (x: Tensor) => Tensor, x: Tensor, sparse: CompileOptions['sparse'] = false): Plan {
  const plan = compile(fn, [x], { sparse });
  plan.feed([x]);
  return plan;
}

/** The plans of a layer that are timed: dense ones by name, sparse ones by pattern and share. */
export function layerPlans(
  [side, inputs, outputs]: LayerShape,
  sparseShares: readonly number[] = shares,
): Record<string, Plan> {
  const random = new Random(11);
  const weight = random.normal([outputs, inputs, 1, 1]);
  const x = random.normal([1, inputs, side, side]);
  const [flat, matrix] = [x.reshape([inputs, side * side]), weight.reshape([outputs, inputs])];
  const sparse = measured.flatMap((pattern) =>
    sparseShares.map((share): [string, Plan] => {
      const pruned = multiply(weight, tensor(magnitudeMask(weight, share, pattern), weight.shape));
      const plan = fed((input) => conv2d(input, pruned), x, { choose: 'rule', threshold: 0 });
      pruned.dispose();
      return [`${pattern} ${share}`, plan];
    }),
  );
  const square = random.normal([INNER, PRODUCT]);
  return {
    convolution: fed((input) => conv2d(input, weight), x),
    product: fed((input) => matmul(matrix, input), flat),
    square: fed((input) => matmul(input, square), random.normal([PRODUCT, INNER])),
    ...Object.fromEntries(sparse),
  };
}

async function layerTimes(shape: LayerShape): Promise<LayerTimes> {
  const plans = layerPlans(shape);
  const arms = Object.fromEntries(Object.entries(plans).map(([name, plan]) => [name, () => plan.execute()]));
  const seconds: Readonly<Record<string, number>> = await secondsInTurns(arms, TURNS);
  for (const plan of Object.values(plans)) plan.dispose();
  const of = (name: string) => seconds[name] as number;
  return {
    shape,
    ...{ convolution: of('convolution'), product: of('product'), square: of('square') },
    sparse: Object.fromEntries(
      measured.map((pattern) => [pattern, shares.map((share) => of(`${pattern} ${share}`))]),
    ) as Record<Measured, number[]>,
  };
}

/** How many times faster than the fastest dense kernel, by share of zeros. */
function speedUps({ convolution, product, sparse }: LayerTimes, pattern: Measured): number[] {
  return sparse[pattern].map((seconds) => Math.min(convolution, product) / seconds);
}

/**
 * Scores, over the shapes: `<pattern> 0.8` and `<pattern> 0.9`, the slowest; `<pattern> even`, the
 * latest; `dense share`, the least rate of the convolution over that of the faster dense kernel,
 * and `dense rate`, over that of the square product on layers of many pixels.
 */
export function kernelScores(times: readonly LayerTimes[]): Record<string, number> {
  const slowest = (pattern: Measured, share: 0.8 | 0.9) =>
    Math.min(...times.map((own) => speedUps(own, pattern)[shares.indexOf(share)] as number));
  const scores = measured.flatMap((pattern): [string, number][] => [
    [`${pattern} 0.8`, slowest(pattern, 0.8)],
    [`${pattern} 0.9`, slowest(pattern, 0.9)],
    [`${pattern} even`, Math.max(...times.map((own) => breakEven(shares, speedUps(own, pattern))))],
  ]);
  const share = ({ convolution, product }: LayerTimes) => Math.min(convolution, product) / convolution;
  const rate = ({ shape: [side, inputs, outputs], convolution, square }: LayerTimes) =>
    (side * side * inputs * outputs * square) / (PRODUCT * PRODUCT * INNER * convolution);
  return {
    ...Object.fromEntries(scores),
    'dense share': Math.min(...times.map(share)),
    'dense rate': Math.min(...times.filter(({ shape: [side] }) => side * side >= MANY_PIXELS).map(rate)),
  };
}

/** Speed-ups of every kernel and shape, and the rates of the dense ones. */
export async function kernelStudy(): Promise<StudyResults> {
  const times: LayerTimes[] = [];
  for (const shape of layerShapes) times.push(await layerTimes(shape));
  const rate = ([side, inputs, outputs]: LayerShape, seconds: number) =>
    ((2e-9 * side * side * inputs * outputs) / seconds).toFixed(1);
  const square = (2e-9 * PRODUCT * PRODUCT * INNER) / Math.min(...times.map((own) => own.square));
  const rows = times.flatMap((own) =>
    measured.map((pattern) => {
      const [side, inputs, outputs] = own.shape;
      const [convolution, product] = [rate(own.shape, own.convolution), rate(own.shape, own.product)];
      const factors = speedUps(own, pattern).map((factor) => factor.toFixed(2));
      return [titles[pattern], side * side, `${inputs} → ${outputs}`, convolution, product, ...factors];
    }),
  );
  return studyOf(
    {
      title: 'Kernels: times faster than the fastest dense one, by share of zeros',
      note:
        'Pointwise layers of MobileNetV1 in WebAssembly, one thread; all kernels in turns, the fastest of 15 runs. ' +
        'Dense rates in GFLOP/s, of the convolution that dense plans run and of the same as a matrix product; a product ' +
        `of ${PRODUCT}×${INNER}×${PRODUCT} runs at ${square.toFixed(1)}.`,
      columns: [
        'pattern',
        'pixels',
        'channels',
        'dense',
        'product',
        ...shares.map((share) => `${(100 * share).toFixed(0)} %`),
      ],
      rows,
    },
    kernelScores(times),
  );
}
