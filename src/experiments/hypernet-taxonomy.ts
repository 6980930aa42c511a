// The five choices of a hypernetwork, all combinations: each is built and trained for some steps, or left out for a reason.

import {
  attentionTrunk,
  type Condition,
  chunks,
  components,
  convolutionTrunk,
  DataCondition,
  described,
  Hypernet,
  heads,
  mlpTrunk,
  NoiseCondition,
  once,
  recurrentTrunk,
  type Strategy,
  TaskCondition,
  type TrunkFactory,
  VectorCondition,
  weightsOf,
} from '../hypernet/index.js';
import { Adam, crossEntropy, inference, Linear, MLP, parameters, withWeights } from '../nn/index.js';
import { Random, type Shape, scope, type Tensor, tensor, valueAndGrad } from '../tensor/index.js';

export const choices = {
  condition: ['task', 'data', 'noise'],
  generation: ['once', 'heads', 'components', 'chunks'],
  inputs: ['static', 'dynamic'],
  weights: ['static', 'dynamic'],
  trunk: ['mlp', 'cnn', 'rnn', 'attention'],
} as const;

export type Cell = { readonly [Name in keyof typeof choices]: (typeof choices)[Name][number] };

export interface CellResult {
  readonly cell: Cell;
  /** Why the combination is left out. */
  readonly reason?: string;
  readonly before: number;
  readonly after: number;
}

export function allCells(): Cell[] {
  return choices.condition.flatMap((condition) =>
    choices.generation.flatMap((generation) =>
      choices.inputs.flatMap((inputs) =>
        choices.weights.flatMap((weights) =>
          choices.trunk.map((trunk) => ({ condition, generation, inputs, weights, trunk })),
        ),
      ),
    ),
  );
}

const SIZE = 4;
const trunks: Readonly<Record<Cell['trunk'], TrunkFactory>> = {
  mlp: mlpTrunk([24]),
  cnn: convolutionTrunk([6]),
  rnn: recurrentTrunk(24),
  attention: attentionTrunk(24),
};

/** @returns a strategy, or why there is none */
function strategyOf({ generation, weights }: Cell): Strategy | string {
  if (weights === 'static')
    return { once: once(), heads: heads('layer'), components: components('tensor'), chunks: chunks(8) }[generation];
  if (generation === 'once' || generation === 'heads')
    return 'an output layer for each weight has one target by construction; weights that vary are made part by part';
  // A part as large as the largest tensor of either target makes each tensor a component.
  return generation === 'components' ? described(24) : described(8);
}

/** Sixteen points with the sign of x₁·x₂ as class. */
function points(random: Random): { x: Tensor; labels: Tensor } {
  const x = random.uniform([16, 2], -1, 1);
  const values = x.view();
  const labels = Int32Array.from({ length: 16 }, (_, i) =>
    Number((values[2 * i] as number) * (values[2 * i + 1] as number) > 0),
  );
  return { x, labels: tensor(labels) };
}

/** Trains one combination on a fixed batch. @param steps for each target */
export function trainCell(cell: Cell, steps: number, seed = 0): CellResult {
  const random = new Random(seed);
  const generator = strategyOf(cell);
  if (typeof generator === 'string') return { cell, reason: generator, before: Number.NaN, after: Number.NaN };
  return scope(() => {
    const { x, labels } = points(random.split('points'));
    const targets = [new MLP([2, 8, 2], random.split('target')), new MLP([2, 12, 2], random.split('wider'))] as const;
    const { condition, inputAt } = conditionOf(cell, x, random);
    const hypernet = new Hypernet(targets[0], condition, random.split('hypernet'), {
      trunk: trunks[cell.trunk],
      generator,
    });
    const optimizer = new Adam({ learningRate: 1e-2 });
    const shapes = targets.map(
      (target): Record<string, Shape> =>
        Object.fromEntries(Object.entries(parameters(target)).map(([name, { shape }]) => [name, shape])),
    );
    const lossAt = (live: typeof hypernet, step: number) => {
      // Where weights vary, the targets take turns.
      const at = cell.weights === 'dynamic' ? step % 2 : 0;
      const made = live.generate(
        inputAt(step),
        cell.weights === 'dynamic' ? { shapes: shapes[at] as Record<string, Shape> } : {},
      );
      return withWeights(targets[at] as MLP, weightsOf(made, 0), (own) =>
        crossEntropy(own.forward(x, inference), labels),
      );
    };
    const mean = () => scope(() => (lossAt(hypernet, 0).item() + lossAt(hypernet, 1).item()) / 2);
    const before = mean();
    // Each target gets so many.
    for (let step = 0; step < (cell.weights === 'dynamic' ? 2 : 1) * steps; step++)
      scope(() => {
        const weights = parameters(hypernet);
        const { gradient } = valueAndGrad((w: Record<string, Tensor>) =>
          withWeights(hypernet, w, (live) => lossAt(live, step)),
        )(weights);
        optimizer.update(weights, gradient);
      });
    return { cell, before, after: mean() };
  });
}

/** A condition of one row and its input at each step. */
function conditionOf(
  { condition, inputs }: Cell,
  x: Tensor,
  random: Random,
): { condition: Condition<unknown>; inputAt: (step: number) => unknown } {
  const draw = (step: number, shape: Shape) => random.split('draws').split(step).normal(shape);
  if (condition === 'task') {
    if (inputs === 'static')
      return { condition: new TaskCondition(3, SIZE, random.split('tasks')), inputAt: () => [1] };
    // A task described by numbers that change a little from step to step.
    return { condition: new VectorCondition(SIZE), inputAt: (step) => draw(step, [1, SIZE]).multiply(0.1).add(1) };
  }
  if (condition === 'noise') {
    const noise = new NoiseCondition(SIZE);
    return {
      condition: noise,
      inputAt: (step) => noise.sample(1, random.split('noise').split(inputs === 'static' ? 0 : step % 4)),
    };
  }
  const encoder = new Linear(2, SIZE, random.split('encoder'));
  const statistics = { encoder, forward: (set: Tensor) => encoder.forward(set).relu().mean(0, { keepAxes: true }) };
  return {
    condition: new DataCondition(statistics, SIZE),
    // A fixed support set, or part of the points that are seen at the step.
    inputAt: (step) => (inputs === 'static' ? x : x.slice([step % 8, (step % 8) + 8])),
  };
}
