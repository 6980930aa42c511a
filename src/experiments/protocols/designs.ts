// Every hypernetwork design by the review's five criteria, trained for a few steps on one small
// batch.

import { allDesigns, criteria, designHypernet, type HypernetDesign, weightsOf, whyNot } from '../../hypernet/index.js';
import { Adam, crossEntropy, inference, MLP, minimize, parameters, withWeights } from '../../nn/index.js';
import { Random, type Shape, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';

/** Width of the condition. */
const SIZE = 4;

/** Sixteen points with the sign of x₁·x₂ as class. */
function points(random: Random): { x: Tensor; labels: Tensor } {
  const x = random.uniform([16, 2], -1, 1);
  const values = x.view();
  const labels = Int32Array.from({ length: 16 }, (_, i) =>
    Number((values[2 * i] as number) * (values[2 * i + 1] as number) > 0),
  );
  return { x, labels: tensor(labels) };
}

function shapesOf(target: MLP): Record<string, Shape> {
  return Object.fromEntries(Object.entries(parameters(target)).map(([name, { shape }]) => [name, shape]));
}

/** The input at each step: the same, or one that varies. */
function inputsOf({ condition, inputs }: HypernetDesign, x: Tensor, random: Random): (step: number) => unknown {
  const fixed = inputs === 'static';
  const draw = (label: string, step: number) => random.split(label).split(step).normal([1, SIZE]);
  // A task, or its description by numbers that change a little from step to step.
  if (condition === 'task') return fixed ? () => [1] : (step) => draw('draws', step).multiply(0.1).add(1);
  if (condition === 'noise') return (step) => draw('noise', fixed ? 0 : step % 4);
  // A fixed support set, or part of the points that are seen at the step.
  return (step) => (fixed ? x : x.slice([step % 8, (step % 8) + 8]));
}

/**
 * Trains one design that exists.
 *
 * @param steps for each target
 * @returns the loss after training over the loss before
 */
async function trainDesign(
  design: HypernetDesign,
  steps: number,
  { seed, signal }: Pick<RunContext, 'seed' | 'signal'>,
): Promise<number> {
  const random = new Random(seed);
  const { x, labels } = points(random.split('points'));
  const first = new MLP([2, 8, 2], random.split('target'));
  // Dynamic weights alternate between two targets.
  const targets = design.weights === 'dynamic' ? [first, new MLP([2, 12, 2], random.split('wider'))] : [first];
  const inputAt = inputsOf(design, x, random);
  const hypernet = designHypernet(first, design, random, { size: SIZE, tasks: 3, features: 2 });
  const lossAt = (live: typeof hypernet, step: number) => {
    const target = targets[step % targets.length] as MLP;
    const made = live.generate(inputAt(step), design.weights === 'dynamic' ? { shapes: shapesOf(target) } : {});
    return withWeights(target, weightsOf(made, 0), (own) => crossEntropy(own.forward(x, inference), labels));
  };
  const mean = () => scope(() => (lossAt(hypernet, 0).item() + lossAt(hypernet, 1).item()) / 2);
  const before = mean();
  await minimize(hypernet, (live, { step }) => lossAt(live, step), {
    steps: targets.length * steps,
    random: random.split('training'),
    optimizer: new Adam({ learningRate: 1e-2 }),
    nonFinite: 'skip',
    signal,
  });
  return mean() / before;
}

/** All designs: the remaining share of the loss, and why some combinations do not exist. */
export async function designStudy(steps: number, { seed, signal, progress }: RunContext): Promise<StudyResults> {
  const all = allDesigns();
  const built: { readonly design: HypernetDesign; readonly left: number }[] = [];
  for (const [at, design] of all.entries()) {
    if (whyNot(design) === undefined) built.push({ design, left: await trainDesign(design, steps, { seed, signal }) });
    progress('designs', (at + 1) / all.length);
  }
  const fell = built.filter(({ left }) => left <= 0.8);
  const reasons = new Set(all.flatMap((design) => whyNot(design) ?? []));
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
      note: `${all.length} designs: ${built.length} exist, of which ${fell.length} lost at least a fifth of their loss in ${steps} steps. Left out: ${[...reasons].join('; ')}.`,
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
      fell: fell.length / built.length,
      notFinite: built.filter(({ left }) => !Number.isFinite(left)).length,
    },
  );
}
