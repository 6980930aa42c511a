// How fast kernels of grouped zeros are on one thread: on the pointwise layers of MobileNetV1, and
// in the whole network at 224². Weights are random: time does not depend on them.

import { chosenWeights, groupLayers, magnitudeMask, type Pattern, pruneOnce } from '../../compress/index.js';
import { secondsInTurns } from '../../engine/index.js';
import { MobileNetV1 } from '../../models/index.js';
import { inference } from '../../nn/index.js';
import { conv2d, matmul, multiply, Random, type Tensor, tensor } from '../../tensor/index.js';
import { type CompileOptions, compile, type KernelChoice, type Plan } from '../../trace/index.js';
import type { StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';
import { type LayerShape, layerShapes } from './sparse-speed.js';

/** Shares of zeros. */
const shares = [0.3, 0.5] as const;
const TURNS = { repeats: 15, warmUp: 3 };

/** Sparse kernels that are timed: what is zero together, and how the layer is compiled. */
const kernels = {
  single: { title: 'single weights, 16×1', pattern: 'unstructured', options: {} },
  wide: { title: 'single weights, 32×1', pattern: 'unstructured', options: { tile: 32 } },
  block2: { title: 'groups of 2, 16×2', pattern: 'block2', options: {} },
  block4: { title: 'groups of 4, 8×4', pattern: 'block4', options: {} },
  block8: { title: 'groups of 8, 8×4', pattern: 'block8', options: {} },
} as const satisfies Readonly<Record<string, { title: string; pattern: Pattern; options: object }>>;
type Kernel = keyof typeof kernels;
const names = Object.keys(kernels) as Kernel[];

function fed(fn: (x: Tensor) => Tensor, x: Tensor, sparse: CompileOptions['sparse'] = false): Plan {
  const plan = compile(fn, [x], { sparse });
  plan.feed([x]);
  return plan;
}

/** The plans of a layer that are timed: two dense ones, sparse ones by kernel and share. */
export function groupPlans([side, inputs, outputs]: LayerShape): Record<string, Plan> {
  const random = new Random(11);
  const weight = random.normal([outputs, inputs, 1, 1]);
  const x = random.normal([1, inputs, side, side]);
  const sparse = names.flatMap((name) =>
    shares.map((share): [string, Plan] => {
      const { pattern, options } = kernels[name];
      const pruned = multiply(weight, tensor(magnitudeMask(weight, share, pattern), weight.shape));
      const plan = fed((input) => conv2d(input, pruned), x, { choose: 'rule', threshold: 0, ...options });
      pruned.dispose();
      return [`${name} ${share}`, plan];
    }),
  );
  const [flat, matrix] = [x.reshape([inputs, side * side]), weight.reshape([outputs, inputs])];
  return {
    convolution: fed((input) => conv2d(input, weight), x),
    product: fed((input) => matmul(matrix, input), flat),
    ...Object.fromEntries(sparse),
  };
}

/** Seconds of a layer by plan. */
export interface GroupTimes {
  readonly shape: LayerShape;
  readonly seconds: Readonly<Record<string, number>>;
}

/** Times faster than the faster dense kernel. */
function speedUp({ seconds }: GroupTimes, name: Kernel, share: number): number {
  return Math.min(seconds.convolution as number, seconds.product as number) / (seconds[`${name} ${share}`] as number);
}

/**
 * Scores over the shapes: `<kernel> <share>`, of the slowest shape, and `single 0.3 best`, of the
 * fastest.
 */
export function groupScores(times: readonly GroupTimes[]): Record<string, number> {
  const over = (name: Kernel, share: number) => times.map((own) => speedUp(own, name, share));
  const slowest = names.flatMap((name) =>
    shares.map((share) => [`${name} ${share}`, Math.min(...over(name, share))] as const),
  );
  return { ...Object.fromEntries(slowest), 'single 0.3 best': Math.max(...over('single', 0.3)) };
}

/** Every kernel on every shape. */
export async function groupKernelStudy(): Promise<StudyResults> {
  const times: GroupTimes[] = [];
  for (const shape of layerShapes) {
    const plans = groupPlans(shape);
    const arms = Object.fromEntries(Object.entries(plans).map(([name, plan]) => [name, () => plan.execute()]));
    times.push({ shape, seconds: await secondsInTurns(arms, TURNS) });
    for (const plan of Object.values(plans)) plan.dispose();
  }
  return studyOf(
    {
      title: 'Kernels at few zeros: times faster than the fastest dense one',
      note: 'Pointwise layers of MobileNetV1 in WebAssembly, one thread; all kernels in turns, the fastest of 15 runs. Dense: the faster of the convolution that plans run and of a matrix product, weights packed beforehand.',
      columns: [
        'kernel',
        ...times.flatMap(({ shape: [side, inputs, outputs] }) =>
          shares.map((share) => `${side}², ${inputs} → ${outputs}, ${100 * share} %`),
        ),
      ],
      rows: names.map((name) => [
        kernels[name].title,
        ...times.flatMap((own) => shares.map((share) => speedUp(own, name, share).toFixed(2))),
      ]),
    },
    groupScores(times),
  );
}

/** Milliseconds of MobileNetV1 at 224² by plan. */
export interface GroupNetworkTimes {
  readonly times: Readonly<Record<string, number>>;
  readonly layers: readonly KernelChoice[];
}

/**
 * Scores: `network 0.3` and `network 0.5`, times faster than the dense plan; `engine`, than the
 * plan of single zero weights with the kernel that XNNPACK runs; `single`, than the faster of both
 * plans of single weights; `int8`, dense int8 over int8 in groups.
 */
export function groupNetworkScores({ times }: GroupNetworkTimes): Record<string, number> {
  const of = (name: string) => times[name] as number;
  return {
    'network 0.3': of('dense') / of('groups 0.3'),
    'network 0.5': of('dense') / of('groups 0.5'),
    engine: of('wide 0.3') / of('groups 0.3'),
    single: Math.min(of('wide 0.3'), of('single 0.3')) / of('groups 0.3'),
    int8: of('dense int8') / of('groups int8'),
  };
}

function pruned(pattern: Pattern, sparsity: number): MobileNetV1 {
  const model = new MobileNetV1(new Random(1));
  const weights =
    pattern === 'unstructured' ? chosenWeights(model, 'convolutions') : groupLayers(model, { pattern }).weights;
  pruneOnce(weights, { sparsity, pattern });
  return model;
}

/** MobileNetV1 1.0 at 224², one image: dense, with groups of 4, and with single zero weights. */
export async function groupNetworkStudy(repeats = 15): Promise<StudyResults> {
  const x = new Random(3).normal([1, 3, 224, 224]);
  const layers: KernelChoice[] = [];
  const planOf = (model: MobileNetV1, options: CompileOptions) => {
    const plan = compile((input: Tensor) => model.forward(input, inference), [x], options);
    plan.feed([x]);
    return plan;
  };
  const measured = { choose: 'measured' } as const;
  const int8 = { calibration: [[x]] };
  const single = pruned('unstructured', 0.3);
  const groups = pruned('block4', 0.3);
  const plans: Record<string, Plan> = {
    dense: planOf(new MobileNetV1(new Random(1)), { sparse: false }),
    'groups 0.3': planOf(groups, { sparse: { ...measured, onChoice: (choice) => layers.push(choice) } }),
    'groups 0.5': planOf(pruned('block4', 0.5), { sparse: measured }),
    'single 0.3': planOf(single, { sparse: { choose: 'rule', threshold: 0.25 } }),
    'wide 0.3': planOf(single, { sparse: { choose: 'rule', threshold: 0.25, tile: 32 } }),
    'dense int8': planOf(groups, { sparse: false, int8 }),
    'groups int8': planOf(groups, { sparse: { choose: 'rule', threshold: 0.25 }, int8 }),
  };
  const seconds: Readonly<Record<string, number>> = await secondsInTurns(
    Object.fromEntries(Object.entries(plans).map(([name, plan]) => [name, () => plan.execute()])),
    { repeats },
  );
  for (const plan of Object.values(plans)) plan.dispose();
  const times = Object.fromEntries(Object.entries(seconds).map(([name, value]) => [name, 1000 * value]));
  const own = { times, layers };
  return joinStudies(
    studyOf(
      {
        title: 'MobileNetV1 at 224², zeros in the pointwise convolutions',
        note: `Random weights, one thread, in turns, the fastest of ${repeats} runs; milliseconds. Groups: the faster kernel in each layer. Single and wide: a sparse kernel in each layer, with tiles of 16 and of 32 pixels; the latter stands for another engine.`,
        columns: ['plan', 'ms'],
        rows: Object.entries(times).map(([name, time]) => [name, time.toFixed(2)]),
      },
      groupNetworkScores(own),
    ),
    studyOf({
      title: 'Layers of MobileNetV1 with 30 % zeros in groups of 4: which kernel, and why',
      note: 'Times in milliseconds.',
      columns: ['layer', 'operator', 'zeros', 'kernel', 'dense', 'sparse', 'why'],
      rows: layers.map(({ layer, operator, zeros, kernel, blockHeight, milliseconds, reason }) => [
        ...[layer, operator, zeros.toFixed(2), blockHeight ? `${kernel} ${blockHeight}×1` : kernel],
        ...[milliseconds?.dense.toFixed(3) ?? '', milliseconds?.sparse.toFixed(3) ?? '', reason],
      ]),
    }),
  );
}
