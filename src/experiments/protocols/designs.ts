// Every hypernetwork design by the review's five criteria: built, checked to be what its criteria
// say, and trained for a few steps on one small batch.

import { allDesigns, criteria, designHypernet, type HypernetDesign, weightsOf, whyNot } from '../../hypernet/index.js';
import { Adam, cosine, crossEntropy, inference, MLP, minimize, parameters, withWeights } from '../../nn/index.js';
import { Random, type Shape, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';

/** Width of the condition. */
const SIZE = 4;
/** Points of the batch, and those that a varying support set has. */
const [POINTS, SUPPORT] = [16, 8];
/** Inputs that a step draws where they vary, and evaluations of the loss before and after. */
const [DRAWS, EVALUATIONS] = [8, 8];

/** Sixteen points with the sign of x₁·x₂ as class. */
function points(random: Random): { x: Tensor; labels: Tensor } {
  const x = random.uniform([POINTS, 2], -1, 1);
  const values = x.view();
  const labels = Int32Array.from({ length: POINTS }, (_, i) =>
    Number((values[2 * i] as number) * (values[2 * i + 1] as number) > 0),
  );
  return { x, labels: tensor(labels) };
}

function shapesOf(target: MLP): Record<string, Shape> {
  return Object.fromEntries(Object.entries(parameters(target)).map(([name, { shape }]) => [name, shape]));
}

/**
 * The inputs of a design: static ones are drawn once, dynamic ones from each stream that is given,
 * so that no noise is seen twice.
 */
export function inputsOf({ condition, inputs }: HypernetDesign, x: Tensor, fixed: Random): (random: Random) => unknown {
  const draw = (random: Random) => {
    // A task, or its description by numbers that vary a little.
    if (condition === 'task') return inputs === 'static' ? [1] : random.normal([1, SIZE], 1, 0.1);
    if (condition === 'noise') return random.normal([1, SIZE]);
    if (inputs === 'static') return x;
    return x.gatherRows(tensor(Int32Array.from(random.permutation(POINTS).subarray(0, SUPPORT))));
  };
  return (random) => draw(inputs === 'static' ? new Random(fixed.key) : random);
}

/** A second input of a design, whose weights must be others. */
function otherInput({ condition, inputs }: HypernetDesign, x: Tensor, random: Random): unknown {
  if (condition === 'task' && inputs === 'static') return [2];
  return condition === 'data' ? x.multiply(-1.5) : random.normal([1, SIZE]);
}

interface Built {
  readonly design: HypernetDesign;
  /** Whether weights have the targets' shapes, are finite, and differ between two conditions. */
  readonly isAsNamed: boolean;
  /** The loss after training over the loss before. */
  readonly left: number;
}

/**
 * Builds one design that exists, checks what it generates, and trains it.
 *
 * @param steps for each target
 */
export async function buildDesign(
  design: HypernetDesign,
  steps: number,
  { seed, signal }: Pick<RunContext, 'seed' | 'signal'>,
): Promise<Built> {
  const random = new Random(seed);
  const { x, labels } = points(random.split('points'));
  const first = new MLP([2, 8, 2], random.split('target'));
  const isDynamic = design.weights === 'dynamic';
  // Dynamic weights alternate between two targets.
  const targets = isDynamic ? [first, new MLP([2, 12, 2], random.split('wider'))] : [first];
  const inputFrom = inputsOf(design, x, random.split('input'));
  const hypernet = designHypernet(first, design, random, { size: SIZE, tasks: 3, features: 2 });
  const weightsFor = (live: typeof hypernet, target: MLP, input: unknown) =>
    weightsOf(live.generate(input, isDynamic ? { shapes: shapesOf(target) } : {}), 0);
  const draws = design.inputs === 'dynamic' ? DRAWS : 1;
  const lossAt = (live: typeof hypernet, at: number, own: Random) => {
    const target = targets[at % targets.length] as MLP;
    const losses = Array.from({ length: draws }, (_, i) =>
      withWeights(target, weightsFor(live, target, inputFrom(own.split(i))), (made) =>
        crossEntropy(made.forward(x, inference), labels),
      ),
    );
    return losses.reduce((sum, loss) => sum.add(loss)).multiply(1 / draws);
  };
  const isAsNamed = scope(() =>
    targets.every((target) => {
      const one = weightsFor(hypernet, target, inputFrom(random.split('first input')));
      const other = weightsFor(hypernet, target, otherInput(design, x, random.split('second input')));
      const isFinite = Object.values(one).every((weight) => weight.view().every(Number.isFinite));
      return isFinite && sameShapes(one, shapesOf(target)) && differ(one, other);
    }),
  );
  const evaluation = random.split('evaluation');
  const mean = () =>
    Array.from({ length: EVALUATIONS }, (_, at) =>
      scope(() => lossAt(hypernet, at, evaluation.split(at)).item()),
    ).reduce((sum, loss) => sum + loss / EVALUATIONS, 0);
  const before = mean();
  await minimize(hypernet, (live, { step, random: own }) => lossAt(live, step, own), {
    steps: targets.length * steps,
    random: random.split('training'),
    optimizer: new Adam({ learningRate: 1e-2 }),
    schedule: cosine(targets.length * steps, 0.3),
    nonFinite: 'skip',
    signal,
  });
  return { design, isAsNamed, left: mean() / before };
}

function sameShapes(weights: Readonly<Record<string, Tensor>>, shapes: Readonly<Record<string, Shape>>): boolean {
  const names = Object.keys(shapes);
  return (
    names.length === Object.keys(weights).length &&
    names.every((name) => weights[name]?.shape.join() === shapes[name]?.join())
  );
}

/** Whether every tensor of two networks differs somewhere by more than rounding. */
function differ(one: Readonly<Record<string, Tensor>>, other: Readonly<Record<string, Tensor>>): boolean {
  return Object.entries(one).every(([name, weight]) => {
    const values = (other[name] as Tensor).view();
    return weight.view().some((value, i) => Math.abs(value - (values[i] as number)) > 1e-6);
  });
}

/**
 * All designs: what exists as named, the remaining share of the loss, and why others do not
 * exist.
 */
export async function designStudy(
  steps: number,
  { seed, signal, progress }: Pick<RunContext, 'seed' | 'signal' | 'progress'>,
): Promise<StudyResults> {
  const all = allDesigns();
  const built: Built[] = [];
  for (const [at, design] of all.entries()) {
    if (whyNot(design) === undefined) built.push(await buildDesign(design, steps, { seed, signal }));
    progress('designs', (at + 1) / all.length);
  }
  const fell = built.filter(({ left }) => left <= 0.8);
  const asNamed = built.filter(({ isAsNamed }) => isAsNamed);
  const reasons = new Set(all.flatMap((design) => whyNot(design) ?? []));
  const refused = all.length - built.length;
  const leftOf = (own: Pick<HypernetDesign, 'condition' | 'generation' | 'trunk'>) =>
    built
      .filter(
        ({ design }) =>
          design.condition === own.condition && design.generation === own.generation && design.trunk === own.trunk,
      )
      .map(({ left }) => left.toFixed(2))
      .join(' ');
  return studyOf(
    {
      title: 'All designs by the five criteria',
      note:
        `${all.length} designs: ${asNamed.length} of ${built.length} that exist generate weights as their criteria say, ${fell.length} lost at least a fifth of their loss in ${steps} steps for each target. ` +
        `In a field: static inputs with static, then dynamic weights, and dynamic inputs with them. ${refused} refused: ${[...reasons].join('; ')}.`,
      columns: ['condition', 'generation', ...criteria.trunk.map((trunk) => `${trunk}: loss after / before`)],
      rows: criteria.condition.flatMap((condition) =>
        criteria.generation.map((generation) => [
          condition,
          generation,
          ...criteria.trunk.map((trunk) => leftOf({ condition, generation, trunk })),
        ]),
      ),
    },
    {
      covered: (asNamed.length + refused) / all.length,
      fell: fell.length / built.length,
      notFinite: built.filter(({ left }) => !Number.isFinite(left)).length,
    },
  );
}
