import { describe, expect, test } from 'vitest';
import {
  benchmark,
  boundaryPoints,
  canonical,
  compressed,
  drawBatch,
  families,
  fineTune,
  gridPoints,
  gridsOf,
  HyPINO,
  ModulatedMLP,
  ProblemEncoder,
  problemOf,
  reptile,
  Solution,
  solveByDifferences,
  trainHyPINO,
  weightedLoss,
} from '../../../src/hypernet/hypino/index.js';
import { AdamW, Clipped, gradientsOf, parameters, type Weights, warmUpCosine } from '../../../src/nn/index.js';
import { Random, scope, type Tensor, tensor } from '../../../src/tensor/index.js';
import { expectClose } from '../../oracle.js';

const sizes = {
  encoder: { grid: 16, stem: 8, depths: [1, 1], heads: [2, 2], window: 2 },
  decoder: { input: 16, latent: 16, small: 8, code: 16 },
  target: { width: 8, latents: 1 },
} as const;

describe('the encoder', () => {
  const encoder = new ProblemEncoder(new Random(1), sizes.encoder);
  const n = 16;
  const drawn = new Random(2);
  const values = Float32Array.from({ length: 5 * n * n }, () => drawn.gaussian());
  const tokens = (grids: Float32Array, operator = [0.1, 0.2, 0.3, 1, 0.5]) =>
    scope(() => encoder.forward(tensor(grids).reshape([1, 5, n, n]), tensor([operator])).map((t) => [...t.view()]));
  const differ = (a: number[][], b: number[][]) =>
    Math.max(...a.flatMap((part, i) => part.map((value, j) => Math.abs(value - (b[i]?.[j] as number)))));

  test('gives tokens of every stage', () => {
    const shapes = scope(() =>
      encoder.forward(tensor(values).reshape([1, 5, n, n]), tensor([[0, 0, 0, 1, 1]])).map((t) => t.shape),
    );
    expect(shapes).toEqual([
      [1, 4, 4, 16],
      [1, 2, 2, 32],
    ]);
  });

  test('every grid and every coefficient changes them', () => {
    const before = tokens(values);
    for (let channel = 0; channel < 5; channel++) {
      const changed = values.map((value, i) =>
        Math.floor(i / (n * n)) === channel ? value + 0.5 * Math.sin(i) : value,
      );
      expect(differ(before, tokens(changed)), `grid ${channel}`).toBeGreaterThan(1e-4);
    }
    for (let i = 0; i < 5; i++) {
      const operator = [0.1, 0.2, 0.3, 1, 0.5];
      operator[i] = (operator[i] as number) + 0.5;
      expect(differ(before, tokens(values, operator)), `coefficient ${i}`).toBeGreaterThan(1e-5);
    }
  });

  test('the source alone is compressed: a large one hides no boundary values, large ones of these hide the source', () => {
    const times = (channel: number, scale: number) => (grids: Float32Array) =>
      grids.map((value, i) => (Math.floor(i / (n * n)) === channel ? scale * value : value));
    const moved = (channel: number) => (grids: Float32Array) =>
      grids.map((value, i) => (Math.floor(i / (n * n)) === channel ? value + 0.5 * Math.sin(i) : value));
    const [SOURCE, DIRICHLET] = [4, 2];
    const large = times(SOURCE, 1e5)(values);
    expect(differ(tokens(large), tokens(moved(DIRICHLET)(large)))).toBeGreaterThan(0.07);
    const hiding = times(DIRICHLET, 1e5)(values);
    expect(differ(tokens(hiding), tokens(moved(SOURCE)(hiding)))).toBeLessThan(0.07);
    const log = compressed(tensor([-Math.E + 1, 0, 99])).view();
    [-1, 0, Math.log(100)].forEach((value, i) => {
      expect(log[i]).toBeCloseTo(value, 5);
    });
  });

  test('grids of another size are refused', () => {
    expect(() =>
      encoder.forward(tensor(new Float32Array(5 * 64)).reshape([1, 5, 8, 8]), tensor([[0, 0, 0, 1, 1]])),
    ).toThrow('ProblemEncoder: expected grids [b, 5, 16, 16]');
    expect(() => new ProblemEncoder(new Random(1), { ...sizes.encoder, grid: 20 })).toThrow(
      'does not halve through 2 stages',
    );
  });
});

describe('HyPINO', () => {
  test('training lowers the loss on problems that it has not seen', async () => {
    const random = new Random(3);
    const model = new HyPINO(sizes, random);
    const batch = { problems: 8, interior: 32, boundary: 32 };
    const fresh = () =>
      scope(
        () =>
          weightedLoss(
            model.losses(drawBatch(families.waves, 'mixed', { ...batch, problems: 16, grid: 16 }, new Random(99))),
          ).view()[0] as number,
      );
    const before = fresh();
    const losses = await trainHyPINO(model, random.split('train'), {
      steps: 40,
      family: 'waves',
      batch,
      learningRate: 3e-3,
    });
    expect(losses).toHaveLength(40);
    expect(fresh()).toBeLessThan(0.75 * before);
    expect(model.trained).toMatchObject({ family: 'waves', steps: 40 });
    const again = HyPINO.load(model.save());
    expect(again.trained).toEqual(model.trained);
    const grids = gridsOf(canonical(benchmark('heat')), 16).values;
    const [a, b] = [model, again].map((one) => one.generateFor(grids, [0, 0, -1, 0.2, 0]));
    expect(b).toEqual(a);
  });

  test('a step in parts is one by the mean of their gradients; kinds of problems alternate across parts', async () => {
    const model = new HyPINO(sizes, new Random(3));
    const expected = new HyPINO(sizes, new Random(3));
    const batch = { problems: 2, interior: 8, boundary: 8 };
    const training = { steps: 1, family: 'waves', batch, parts: 2, learningRate: 3e-3 } as const;
    const losses = await trainHyPINO(model, new Random(8), training);
    const draws = new Random(8).split('draws');
    const parts = [0, 1].map((part) =>
      gradientsOf(expected, (live) => {
        const own = { ...batch, problems: 1, grid: 16 };
        const drawn = drawBatch(families.waves, 'mixed', own, draws.split(part), part);
        expect(drawn.supervised.item()).toBe(1 - part);
        return weightedLoss(live.losses(drawn));
      }),
    );
    expect(losses).toHaveLength(1);
    expect(losses[0]).toBeCloseTo(
      parts.reduce((total, { loss }) => total + loss.item() / 2, 0),
      5,
    );
    const [first, second] = parts.map(({ gradients }) => gradients);
    const mean = Object.fromEntries(
      Object.entries(first as Weights).map(([name, g]) => [name, g.add(second?.[name] as Tensor).multiply(0.5)]),
    );
    new Clipped(new AdamW({ learningRate: 3e-3, weightDecay: 1e-4 }), 1).update(
      parameters(expected),
      mean,
      warmUpCosine(2)(1),
    );
    const after = parameters(expected);
    for (const [name, weight] of Object.entries(parameters(model)))
      expectClose(weight.view(), (after[name] as Tensor).view(), 1e-4);
    await expect(trainHyPINO(model, new Random(8), { ...training, parts: 3 })).rejects.toThrow(
      '3 parts do not divide 2 problems',
    );
  });

  test('a batch gives the networks that its problems give one by one', () => {
    const model = new HyPINO(sizes, new Random(4));
    scope(() => {
      const { grids, operators } = drawBatch(
        families.gentle,
        'mixed',
        { problems: 3, grid: 16, interior: 4, boundary: 4 },
        new Random(5),
      );
      const together = model.generate(grids, operators);
      const size = 5 * 16 * 16;
      const one = model.generateFor(
        grids.view().slice(size, 2 * size) as Float32Array,
        [...operators.view().slice(5, 10)] as never,
      );
      for (const [name, weight] of Object.entries(together)) {
        const own = (weight as Tensor).view().slice(weight.size / 3, (2 * weight.size) / 3);
        own.forEach((value, i) => {
          expect(value, name).toBeCloseTo(one[name]?.[i] as number, 4);
        });
      }
    });
  });

  test('other files are refused', () => {
    const solution = Solution.random(new ModulatedMLP(sizes.target), new Random(1));
    const file = solution.save({ x: [-1, 1], y: [-1, 1] });
    expect(() => HyPINO.load(file, 'mine')).toThrow('file "mine" is a model of "hypino-solution", not of "hypino"');
  });
});

describe('batches', () => {
  test('hold data at points of the domain, scaled, and points of the boundary with data', () => {
    scope(() => {
      const batch = drawBatch(
        families.gentle,
        'mixed',
        { problems: 6, grid: 16, interior: 20, boundary: 10 },
        new Random(8),
      );
      expect([...batch.supervised.view()]).toEqual([1, 0, 1, 0, 1, 0]);
      const residuals = batch.solution.map((part) => [...part.view()]);
      for (let b = 0; b < 6; b += 2)
        for (let p = 0; p < 20; p++) {
          const i = b * 20 + p;
          if (!batch.inside.view()[i]) continue;
          const image = residuals.reduce(
            (sum, part, k) => sum + (batch.operators.view()[5 * b + k] as number) * (part[i] as number),
            0,
          );
          expect(Math.abs(image - (batch.source.view()[i] as number))).toBeLessThan(
            1e-3 * Math.max(1, Math.abs(image)),
          );
        }
      const { dirichletMask, neumannMask } = batch.boundary;
      dirichletMask.view().forEach((mask, i) => {
        expect(mask + (neumannMask.view()[i] as number)).toBeGreaterThan(0);
      });
    });
  });
});

describe('fine-tuning', () => {
  const { problem } = problemOf({
    operator: { uxx: 1, uyy: 1 },
    source: -1,
    boundary: { all: { dirichlet: 0 }, right: { neumann: 0.2 } },
  });
  const target = new ModulatedMLP({ width: 10, latents: 1, frequencies: 3 });
  const grid = 17;
  const exact = solveByDifferences(problem, grid).values;
  const errorOf = (solution: Solution) => {
    const values = solution.valuesAt(gridPoints(grid));
    const norm = (all: Float64Array) => Math.sqrt(all.reduce((sum, v) => sum + v * v, 0));
    return norm(values.map((value, i) => value - (exact[i] as number))) / norm(exact);
  };

  test('Adam, then L-BFGS, approach the solution by finite differences, with Neumann data', async () => {
    const start = Solution.random(target, new Random(2));
    const adam = await fineTune(problem, start, new Random(3), { steps: 200, points: 128, learningRate: 1e-2 });
    const both = await fineTune(problem, start, new Random(3), {
      steps: 200,
      points: 256,
      learningRate: 1e-2,
      polish: 60,
    });
    expect(errorOf(adam.solution)).toBeLessThan(0.5 * errorOf(start));
    expect(errorOf(both.solution)).toBeLessThan(0.7 * errorOf(adam.solution));
    expect(errorOf(both.solution)).toBeLessThan(0.1);
    expect(adam.losses).toHaveLength(200);
  });

  test('a sum of networks is trained as one', async () => {
    const start = Solution.random(target, new Random(2)).plus({
      ...(Solution.random(target, new Random(5)).members[0] as never as { weights: Record<string, Float32Array> }),
      factor: 0.5,
    });
    const { solution } = await fineTune(problem, start, new Random(3), { steps: 60, points: 128, learningRate: 1e-2 });
    expect(solution.members.map(({ factor }) => factor)).toEqual([1, 0.5]);
    expect(errorOf(solution)).toBeLessThan(errorOf(start));
  });

  test('Reptile moves towards weights that few steps improve', async () => {
    const none = await reptile(target, families.waves, new Random(1), { rounds: 0 });
    const learnt = await reptile(target, families.waves, new Random(1), {
      rounds: 10,
      inner: 5,
      problems: 2,
      rate: 0.5,
    });
    const [a, b] = [none, learnt].map(({ members }) => members[0]?.weights['latent.0.weight'] as Float32Array) as [
      Float32Array,
      Float32Array,
    ];
    expect(b.some((value, i) => value !== a[i])).toBe(true);
    const tuned = async (start: Solution) =>
      (await fineTune(benchmark('heat'), start, new Random(4), { steps: 20, points: 64 })).losses.at(-1) as number;
    expect(await tuned(learnt)).toBeLessThan(await tuned(none));
  });

  test('points of the boundary follow its length', () => {
    const points = boundaryPoints(problem, 400, new Random(1));
    const right = points.filter(({ nx }) => nx === 1).length;
    expect(right).toBeGreaterThan(60);
    expect(right).toBeLessThan(140);
  });
});
