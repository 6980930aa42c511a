import { describe, expect, test } from 'vitest';
import { randomSearch, SearchSpace } from '../../src/compress/index.js';
import { Random } from '../../src/tensor/index.js';

describe('a discrete space', () => {
  const space = new SearchSpace(
    [
      { name: 'width', choices: 3 },
      { name: 'depth', choices: 2 },
    ],
    ([width, depth]) => `${width}/${depth}`,
  );

  test('lists every genome once, decodes it, and keeps keys apart', () => {
    const all = [...space.all()];
    expect(all.map(space.decode)).toEqual(['0/0', '0/1', '1/0', '1/1', '2/0', '2/1']);
    expect(space.size).toBe(6);
    expect(new Set(all.map((genome) => space.key(genome))).size).toBe(6);
  });

  test('samples every choice alike', () => {
    const counts = new Map<string, number>();
    const random = new Random(1);
    for (let i = 0; i < 3000; i++) {
      const key = space.decode(space.sample(random));
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(90);
  });

  test('refuses genomes and genes that do not exist', () => {
    expect(() => space.require([0, 2])).toThrow('"depth" has the choices 0 to 1, got 2');
    expect(() => space.require([0])).toThrow('a genome has 2 choices, got 1');
    expect(() => new SearchSpace([{ name: 'kernel', choices: 0 }], String)).toThrow('"kernel" needs at least one');
    expect(() => new SearchSpace([], String)).toThrow('at least one gene');
  });
});

describe('random search', () => {
  const space = new SearchSpace([{ name: 'x', choices: 1000 }], ([x]) => x as number);
  const fitness = (x: number) => Math.abs(x - 700);

  test('returns all draws and the best of them, and never gets worse with the budget', async () => {
    const { trials, best } = await randomSearch({ space, fitness, budget: 50, seed: 3 });
    expect(trials).toHaveLength(50);
    expect(best?.fitness).toBe(Math.min(...trials.map((own) => own.fitness)));
    expect(best?.configuration).toBe(best?.genome[0]);
    const smaller = await randomSearch({ space, fitness, budget: 20, seed: 3 });
    expect(smaller.trials).toEqual(trials.slice(0, 20));
    expect((smaller.best?.fitness as number) >= (best?.fitness as number)).toBe(true);
  });

  test('seeks the largest where that is better, and never takes NaN', async () => {
    const larger = await randomSearch({ space, fitness: (x) => x, better: 'larger', budget: 30, seed: 0 });
    expect(larger.best?.fitness).toBe(Math.max(...larger.trials.map((own) => own.fitness)));
    const some = await randomSearch({ space, fitness: (_, t) => (t === 2 ? 5 : Number.NaN), budget: 4, seed: 0 });
    expect(some.best?.trial).toBe(2);
    const none = await randomSearch({ space, fitness: () => Number.NaN, budget: 4, seed: 0 });
    expect(none.best).toBeUndefined();
  });

  test('has the best at rank 1/(N + 1) of all configurations, on average', async () => {
    const budget = 9;
    let sum = 0;
    for (let seed = 0; seed < 200; seed++)
      sum += (await randomSearch({ space, fitness: (x) => x, budget, seed })).best?.fitness as number;
    // Mean 1/10 of the space with deviation √(9/(100·11)) = 0.09, over 200 repeats 0.0064.
    expect(Math.abs(sum / 200 / 1000 - 1 / (budget + 1))).toBeLessThan(0.02);
  });

  test('draws what a constraint allows, and checks it', async () => {
    const even = await randomSearch({
      space,
      fitness,
      sample: (random) => Int32Array.of(2 * random.integer(500)),
      budget: 40,
      seed: 1,
    });
    expect(even.trials.every(({ genome }) => (genome[0] as number) % 2 === 0)).toBe(true);
    const outside = randomSearch({ space, fitness, sample: () => Int32Array.of(1000), budget: 1, seed: 1 });
    await expect(outside).rejects.toThrow('"x" has the choices 0 to 999, got 1000');
    await expect(randomSearch({ space, fitness, budget: 0, seed: 1 })).rejects.toThrow('positive integer, got 0');
  });

  test('goes on from known draws, and stops when it is asked to', async () => {
    const whole = await randomSearch({ space, fitness, budget: 30, seed: 5 });
    const controller = new AbortController();
    const part = await randomSearch({
      space,
      fitness,
      budget: 30,
      seed: 5,
      signal: controller.signal,
      onTrial: ({ trial }) => trial === 9 && controller.abort(),
    });
    expect(part).toMatchObject({ stopped: 'aborted' });
    expect(part.trials).toEqual(whole.trials.slice(0, 10));
    let asked = 0;
    const rest = await randomSearch({
      space,
      fitness: (x) => {
        asked += 1;
        return fitness(x);
      },
      budget: 30,
      seed: 5,
      known: part.trials.map((own) => own.fitness),
    });
    expect(asked).toBe(20);
    expect(rest).toEqual(whole);
  });
});
