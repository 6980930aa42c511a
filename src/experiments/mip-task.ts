// The task of MIP's experiment: digits blended with their negative by γ, and a classifier all of whose weights are made from γ.

import { DIGIT_CLASSES, DIGIT_PIXELS, type DigitImages, drawDigits } from '../data/index.js';
import { eventTurn } from '../engine/index.js';
import {
  Hypernet,
  type HypernetOptions,
  MIP_OPTIONS,
  mlpTrunk,
  type TrunkActivation,
  VectorCondition,
} from '../hypernet/index.js';
import {
  Adam,
  BatchNorm1d,
  crossEntropy,
  globalNorm,
  LayerNorm,
  Linear,
  type Mode,
  type Optimizer,
  parameters,
  training,
  withWeights,
} from '../nn/index.js';
import { concatenate, keep, Random, scope, type Tensor, tensor, valueAndGrad } from '../tensor/index.js';
import { summarize } from './statistics.js';

export interface Data {
  readonly name: string;
  readonly train: DigitImages;
  readonly test: DigitImages;
}

/** 64 → 64 → 64 → 10, maybe with norms between. */
export class Target {
  readonly layers: readonly Linear[];
  readonly norms: readonly (LayerNorm | BatchNorm1d)[];

  constructor(random: Random, { norm = 'none' }: { readonly norm?: 'none' | 'layer' | 'batch' } = {}) {
    const sizes = [DIGIT_PIXELS, 64, 64, DIGIT_CLASSES];
    this.layers = sizes.slice(1).map((size, i) => new Linear(sizes[i] as number, size, random.split(i)));
    this.norms =
      norm === 'none' ? [] : [64, 64].map((size) => (norm === 'layer' ? new LayerNorm(size) : new BatchNorm1d(size)));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.layers.reduce((value, layer, i) => {
      const y = layer.forward(value);
      return i === this.layers.length - 1 ? y : (this.norms[i]?.forward(y, mode) ?? y).relu();
    }, x);
  }
}

/** x with each of d bands of pixels blended with its negative: (1 − γ)x + γ(1 − x). */
export function blend(x: Tensor, gamma: readonly number[]): Tensor {
  const band = DIGIT_PIXELS / gamma.length;
  const own = tensor(Float32Array.from({ length: DIGIT_PIXELS }, (_, at) => gamma[Math.floor(at / band)] as number));
  return x.multiply(own.multiply(-2).add(1)).add(own);
}

export interface Arm {
  readonly title: string;
  readonly options: HypernetOptions;
  readonly optimizer: () => Optimizer;
}

export const plain = { encoding: 'none', residual: 'none', init: 'fan-out', trunk: MIP_OPTIONS.trunk } as const;
export const adam = () => new Adam({ learningRate: 1e-3 });

export interface Trained {
  readonly hypernet: Hypernet<Target>;
  readonly losses: readonly number[];
  /** Norms of the gradient. */
  readonly norms: readonly number[];
}

/** One γ a step. Losses are finite or the run ends there. */
export async function train(
  { train: images }: Data,
  arm: Pick<Arm, 'options' | 'optimizer'>,
  random: Random,
  {
    steps,
    batch,
    dims = 1,
    norm = 'none',
    signal,
    onStep,
  }: {
    steps: number;
    batch: number;
    dims?: number;
    norm?: 'none' | 'layer' | 'batch';
    signal?: AbortSignal | undefined;
    onStep?: (step: number, loss: number) => void;
  },
): Promise<Trained> {
  const target = new Target(random.split('target'), { norm });
  const hypernet = new Hypernet(target, new VectorCondition(dims), random.split('hypernet'), arm.options);
  const optimizer = arm.optimizer();
  const draws = random.split('draws');
  const [losses, norms]: [number[], number[]] = [[], []];
  for (let step = 0; step < steps; step++) {
    if (step % 20 === 0) await eventTurn(signal);
    scope(() => {
      const { x, labels } = drawDigits(images, batch, draws);
      const gamma = Array.from({ length: dims }, () => draws.float());
      const weights = parameters(hypernet);
      const { value, gradient } = valueAndGrad((w: Record<string, Tensor>) =>
        withWeights(hypernet, w, (live) =>
          crossEntropy(
            live.run(tensor([gamma]), blend(x, gamma), (own, seen) => own.forward(seen, training(draws))),
            labels,
          ),
        ),
      )(weights);
      const loss = value.item();
      losses.push(Number.isFinite(loss) ? loss : Number.POSITIVE_INFINITY);
      norms.push(globalNorm(gradient));
      if (Number.isFinite(loss)) optimizer.update(weights, gradient);
      onStep?.(step + 1, loss);
    });
  }
  return { hypernet, losses, norms };
}

export const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
/** Mean of the last tenth. */
export const finalLoss = (losses: readonly number[]) =>
  meanOf(losses.slice(-Math.max(1, Math.floor(losses.length / 10))));

/** Sizes of generated weights and variances of the target's first activations, by γ, before any training. */
export function proportionality(data: Data, seed: number) {
  const gammas = [0.1, 0.2, 0.4, 0.8];
  const x = keep(tensor(data.test.x.slice(0, 200 * DIGIT_PIXELS), [200, DIGIT_PIXELS]));
  const fine = Array.from({ length: 50 }, (_, i) => (i + 1) / 50);
  const rows = (['default', 'MIP'] as const).map((name) => {
    const target = new Target(new Random(seed));
    const own = name === 'MIP' ? { ...MIP_OPTIONS, residual: 'none' as const } : plain;
    const hypernet = new Hypernet(target, new VectorCondition(1), new Random(seed), own);
    const at = (gamma: number) =>
      scope(() => {
        const weights = hypernet.generate(tensor([[gamma]]));
        const flat = concatenate(Object.values(weights).map((w) => w.reshape([-1])));
        const variance = hypernet.apply(weights, x, (live, seen) =>
          (live.layers[0] as Linear).forward(seen).variance().reshape([1, 1]),
        );
        return { norm: Math.sqrt(flat.square().sum().item()), variance: variance.item() };
      });
    return {
      name,
      norms: gammas.map((gamma) => at(gamma).norm),
      spread: summarize(fine.map((gamma) => Math.log(at(gamma).norm))).sd,
      correlation: correlation(
        fine.map((gamma) => gamma ** 2),
        fine.map((gamma) => at(gamma).variance),
      ),
    };
  });
  return { gammas, rows };
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [meanOf(a), meanOf(b)];
  const product = (p: readonly number[], mp: number, q: readonly number[], mq: number) =>
    p.reduce((sum, value, i) => sum + (value - mp) * ((q[i] as number) - mq), 0);
  return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb));
}

/** Final losses of both parametrisations over activations, sizes of conditions, widths and norms of the target. */
export async function ablation(data: Data, steps: number, seed: number) {
  const cells: { name: string[]; ordinary: number; invariant: number }[] = [];
  for (const activation of ['relu', 'leakyRelu', 'gelu', 'tanh'] as const satisfies readonly TrunkActivation[])
    for (const dims of [1, 4, 8])
      for (const width of [16, 128])
        for (const norm of ['none', 'batch', 'layer'] as const) {
          const trunk = mlpTrunk([16, 64, width], { activation, init: 'fan-out' });
          const loss = async (own: HypernetOptions) =>
            finalLoss(
              (
                await train(data, { options: { ...own, trunk }, optimizer: adam }, new Random(seed), {
                  steps,
                  batch: 64,
                  dims,
                  norm,
                })
              ).losses,
            );
          cells.push({
            name: [activation, String(dims), String(width), norm],
            ordinary: await loss(plain),
            invariant: await loss(MIP_OPTIONS),
          });
        }
  return cells;
}
