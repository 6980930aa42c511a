import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { networkScores } from '../../src/experiments/protocols/equation-methods.js';
import {
  type Answer,
  between,
  equationScores,
  loadEquations,
  medianError,
  type ReferredProblem,
} from '../../src/experiments/protocols/equations.js';
import { HyPINO, solveByDifferences, solveByNetwork } from '../../src/hypernet/hypino/index.js';
import { Random } from '../../src/tensor/index.js';

const data = loadEquations('gentle', 4, 17);
const zero: Answer = () => (points) => new Float64Array(points.length / 2);

test('problems that choose a learning rate are not those that score', () => {
  const known = ({ reference }: ReferredProblem) => [...reference.values].join();
  const held = new Set(data.held.map(known));
  expect(held.size).toBe(12);
  expect(data.validation).toHaveLength(6);
  expect(data.validation.filter((own) => held.has(known(own)))).toEqual([]);
});

test('u = 0 misses all of every part; the references miss nothing', () => {
  const parts = ['error', 'elliptic', 'parabolic', 'hyperbolic', 'holes', 'noHoles', 'neumann', 'noNeumann'];
  const scores = equationScores(data, zero);
  for (const part of parts.filter((name) => name in scores)) expect(scores[part], part).toBeCloseTo(1, 12);
  const references = new Map(data.held.map(({ problem, reference }) => [problem, reference.values]));
  const exact: Answer = (problem) => () => references.get(problem) as Float64Array;
  expect(medianError(data.held, exact)).toBe(0);
});

test('problems with Neumann data and without are scored apart', () => {
  const isFree = ({ problem: { edges, holes } }: ReferredProblem) =>
    ![...Object.values(edges), ...holes].some(({ neumann }) => neumann !== undefined);
  const own = { ...data, benchmarks: {}, held: data.held.filter(isFree) };
  expect(own.held.length).toBeGreaterThan(0);
  const scores = equationScores(own, zero);
  expect(scores.noNeumann).toBeCloseTo(1, 12);
  expect(scores).not.toHaveProperty('neumann');
});

test('what refinement leaves is that of the sum it keeps, not of the round it drops', () => {
  const sizes = {
    encoder: { grid: 16, stem: 8, depths: [1, 1], heads: [2, 2], window: 2 },
    decoder: { input: 16, latent: 16, small: 8, code: 16 },
    target: { width: 8, latents: 1 },
  } as const;
  const model = new HyPINO(sizes, new Random(3));
  const own = { ...data, held: data.held.slice(0, 1), benchmarks: {} };
  const { problem } = own.held[0] as ReferredProblem;
  const { discrepancies, solution } = solveByNetwork(model, problem, {});
  expect(discrepancies.length).toBe(solution.members.length + 1);
  expect(networkScores(own, model, {}).discrepancy).toBe(discrepancies.at(-2));
  expect(networkScores(own, model, { rounds: 0 }).discrepancy).toBe(discrepancies[0]);
});

const file = join(process.env.GOSSAMER_DATA ?? '', 'pde', 'poisson2d_cg.npz');
test.skipIf(!existsSync(file))('another solver’s values of poisson_C score finite differences', () => {
  const only = { ...data, held: [] };
  expect(only.independent?.values).toHaveLength(1246);
  const { independent } = equationScores(only, (problem) => between(solveByDifferences(problem, 65)));
  expect(independent).toBeLessThan(0.005);
  expect(equationScores(only, zero).independent).toBe(1);
});
