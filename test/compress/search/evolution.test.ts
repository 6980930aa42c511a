import { expect, test } from 'vitest';
import {
  crossover,
  DYNAS_MUTATION,
  type Evolution,
  hypervolume,
  mutate,
  nsga2,
  referenceDirections,
  SearchSpace,
  unsga3,
} from '../../../src/compress/index.js';
import { Random } from '../../../src/tensor/index.js';

/** A value that is there. */
const known = <Value>(value: Value | undefined): Value => value as Value;

const spaceOf = (count: number, choices: number) =>
  new SearchSpace(
    Array.from({ length: count }, (_, i) => ({ name: `g${i}`, choices })),
    (genome) => Array.from(genome),
  );

/** A problem like ZDT1 on integers: the front has zeros in all genes but the first. */
const zdt = (genome: ArrayLike<number>): number[] => {
  const x = Array.from(genome, (choice) => choice / 15);
  const g = 1 + (9 * x.slice(1).reduce((sum, value) => sum + value, 0)) / (x.length - 1);
  return [known(x[0]), g * (1 - Math.sqrt(known(x[0]) / g))];
};

function evolved(evolution: Evolution, generations: number, values: (genome: Int32Array) => number[]) {
  const seen: string[] = [];
  for (let generation = 0; generation < generations; generation++) {
    const asked = evolution.ask();
    seen.push(...asked.map((genome) => genome.join()));
    evolution.tell(asked.map((genome) => ({ genome, values: values(genome) })));
  }
  return seen;
}

test('NSGA-II reaches the front of an integer ZDT1', () => {
  const evolution = nsga2(spaceOf(8, 16), new Random(3), { population: 40 });
  evolved(evolution, 40, zdt);
  const volume = hypervolume(
    evolution.population.map(({ values }) => values),
    [1.1, 1.1],
  );
  const best = Array.from({ length: 16 }, (_, i) => zdt([i, 0, 0, 0, 0, 0, 0, 0]));
  expect(volume).toBeGreaterThan(0.97 * hypervolume(best, [1.1, 1.1]));
});

test('one objective: the optimum of a sum', () => {
  const evolution = nsga2(spaceOf(10, 3), new Random(4), { population: 30 });
  evolved(evolution, 30, (genome) => [Array.from(genome).reduce((sum, choice) => sum + choice, 0)]);
  expect(known(evolution.population[0]).values[0]).toBe(0);
});

test('no genome is asked for while it is in the population, and a small space runs dry', () => {
  const space = spaceOf(2, 3);
  const evolution = nsga2(space, new Random(5), { population: 6 });
  const first = evolution.ask();
  expect(new Set(first.map((genome) => genome.join())).size).toBe(6);
  evolution.tell(first.map((genome) => ({ genome, values: zdt(genome) })));
  const second = evolution.ask().map((genome) => genome.join());
  expect(second.filter((key) => first.some((genome) => genome.join() === key))).toEqual([]);
  expect(second.length).toBe(3);
});

test('the same seed gives the same trace, another seed another', () => {
  const trace = (seed: number) => evolved(nsga2(spaceOf(6, 4), new Random(seed), { population: 10 }), 5, zdt).join(' ');
  expect(trace(1)).toBe(trace(1));
  expect(trace(1)).not.toBe(trace(2));
});

test('a first population is asked for before random genomes', () => {
  const initial = [Int32Array.of(0, 1, 2), Int32Array.of(3, 3, 3)];
  const asked = nsga2(spaceOf(3, 4), new Random(6), { population: 5, initial }).ask();
  expect(asked.slice(0, 2).map((genome) => genome.join())).toEqual(['0,1,2', '3,3,3']);
  expect(asked.length).toBe(5);
});

test('mutation happens as often as it should', () => {
  const random = new Random(7);
  const { genes } = spaceOf(20, 3);
  const genome = new Int32Array(20).fill(1);
  const draws = 4000;
  const rates = (options: Parameters<typeof mutate>[3]) => {
    let [changed, genesChanged] = [0, 0];
    for (let i = 0; i < draws; i++) {
      const own = mutate(genome, genes, random, options).reduce((sum, choice) => sum + Number(choice !== 1), 0);
      changed += Number(own > 0);
      genesChanged += own;
    }
    return { offspring: changed / draws, genes: genesChanged / draws };
  };
  const working = rates({});
  expect(working.genes).toBeCloseTo(0.9, 1);
  expect(working.offspring).toBeCloseTo(0.9 * (1 - 0.95 ** 20), 1);
  expect(rates(DYNAS_MUTATION).offspring).toBeLessThan(0.01);
  expect(genome.every((choice) => choice === 1)).toBe(true);
});

test('crossover keeps to the choices, mixes parents and leaves equal genes alone', () => {
  const random = new Random(8);
  const { genes } = spaceOf(12, 5);
  const [first, second] = [new Int32Array(12).fill(0), new Int32Array(12).fill(4)];
  first[0] = second[0] = 2;
  let mixed = 0;
  for (let i = 0; i < 200; i++)
    for (const child of crossover([first, second], genes, random)) {
      expect(child.every((choice) => Number.isInteger(choice) && choice >= 0 && choice < 5)).toBe(true);
      expect(child[0]).toBe(2);
      mixed += Number(new Set(child.slice(1)).size > 1);
    }
  expect(mixed / 400).toBeGreaterThan(0.8);
  expect(crossover([first, second], genes, random, { mating: 0 })[0]).toEqual(first);
});

test('reference directions lie on the simplex, with its corners, far apart', () => {
  const directions = referenceDirections(3, 10);
  for (const direction of directions) {
    expect(direction.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1);
    expect(Math.min(...direction)).toBeGreaterThanOrEqual(0);
  }
  expect(directions.slice(0, 3)).toEqual([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  const gaps = directions.flatMap((a, i) =>
    directions.slice(i + 1).map((b) => Math.hypot(...a.map((value, m) => value - known(b[m])))),
  );
  expect(Math.min(...gaps)).toBeGreaterThan(0.3);
});

test('U-NSGA-III spreads over three objectives and beats random draws', () => {
  // The distance from each corner of a cube, and a gene that only costs.
  const values = (genome: ArrayLike<number>) => {
    const [x = 0, y = 0, z = 0, ...rest] = Array.from(genome, (choice) => choice / 15);
    const cost = rest.reduce((sum, value) => sum + value, 0);
    return [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ].map(([a, b, c]) => Math.hypot(x - known(a), y - known(b), z - known(c)) + cost);
  };
  const evolution = unsga3(spaceOf(6, 16), 3, new Random(9), { population: 40 });
  const seen = evolved(evolution, 25, values);
  const reference = [2, 2, 2];
  const volume = hypervolume(
    evolution.population.map((own) => own.values),
    reference,
  );
  const random = new Random(10);
  const space = spaceOf(6, 16);
  const drawn = seen.map(() => values(space.sample(random)));
  expect(volume).toBeGreaterThan(1.3 * hypervolume(drawn, reference));
  // Each corner has someone close to it.
  for (const m of [0, 1, 2])
    expect(Math.min(...evolution.population.map((own) => known(own.values[m])))).toBeLessThan(0.3);
});
