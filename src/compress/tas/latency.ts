// A table of milliseconds, measured on this machine: every layer by itself at a few numbers of
// outputs and inputs, on the kernels that plans run.

import { medianSeconds } from '../../engine/index.js';
import { Linear } from '../../nn/index.js';
import { conv2d, linear, pair, Random, scope, type Tensor } from '../../tensor/index.js';
import { compile } from '../../trace/index.js';
import { type CostGrid, type CostTables, projectionCosts } from './costs.js';
import type { AxisLength, ProductLayer, ShapeChoices } from './space.js';

/** Shares of the channels at which layers are timed; between them time is interpolated. */
const SHARES = [0.3, 0.65, 1] as const;

/** Times what has not been timed under a key before. */
type Timed = (key: string, time: () => number) => number;

/**
 * Times the layers of a space, one input each; some tens of milliseconds a layer.
 *
 * Norms, activations and additions do not count: plans fold them into the layers.
 */
export function latencyTables({ products, crossings, groups }: ShapeChoices): CostTables {
  const known = new Map<string, number>();
  const timed: Timed = (key, time) => {
    const own = known.get(key) ?? time();
    known.set(key, own);
    return own;
  };
  return {
    unit: 'latency',
    constant: 0,
    products: products.map((product) => gridOf(product, timed)),
    crossings: crossings.map((crossing) =>
      projectionCosts(groups, crossing, (inputs, outputs) => {
        const [height, width] = crossing.side;
        return timed(`1×1 ${inputs} ${outputs} ${height}×${width}`, () =>
          timeOf([1, inputs, height, width], [outputs, inputs, 1, 1], (x, weight) => conv2d(x, weight)),
        );
      }),
    ),
  };
}

/** Numbers at which an axis is timed. */
function pointsOf({ fixed, terms }: AxisLength, full: number): number[] {
  if (terms.length === 0) return [full];
  return [...new Set(SHARES.map((share) => fixed + Math.max(1, Math.floor(share * (full - fixed)))))];
}

function gridOf({ layer, outputs, inputs, full, shape }: ProductLayer, timed: Timed): CostGrid {
  const points = [pointsOf(outputs, full[0]), pointsOf(inputs, full[1])] as const;
  const time = (made: number, read: number) => {
    if (layer instanceof Linear)
      return timed(`linear ${made} ${read}`, () => timeOf([1, read], [made, read], (x, weight) => linear(x, weight)));
    const { options, kernelSize } = layer;
    const { groups = 1, stride = 1 } = options;
    const isDepthwise = groups > 1 && groups === full[0];
    const own = { ...options, groups: isDepthwise ? made : groups };
    const [height = 1, width = 1] = shape.slice(2);
    const [down, right] = pair(stride);
    const input = [1, own.groups * read, height * down, width * right];
    const weight = [made, read, ...pair(kernelSize)];
    return timed(`${JSON.stringify(own)} ${input} ${weight}`, () =>
      timeOf(input, weight, (x, filters) => conv2d(x, filters, undefined, own)),
    );
  };
  return {
    outputs: points[0],
    inputs: points[1],
    values: points[0].map((made) => points[1].map((read) => time(made, read))),
  };
}

/** Median milliseconds of a layer as a plan. */
function timeOf(
  input: readonly number[],
  weight: readonly number[],
  run: (x: Tensor, weight: Tensor) => Tensor,
): number {
  return scope(() => {
    const random = new Random(3);
    const [x, filters] = [random.normal(input), random.normal(weight)];
    const plan = compile((own) => run(own, filters), [x]);
    const time = 1000 * medianSeconds(() => scope(() => plan.run(x)), 5, 2, 0.002);
    plan.dispose();
    return time;
  });
}
