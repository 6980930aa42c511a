import { describe, expect, test } from 'vitest';
import {
  type BoundaryBatch,
  lossTerms,
  lossWeights,
  type ProblemBatch,
  weightedLoss,
} from '../../../src/hypernet/hypino/index.js';
import { Random, type Tensor, tensor } from '../../../src/tensor/index.js';

const random = new Random(9);
const [B, P, Q] = [2, 3, 2];
const draw = (columns: number) => Float32Array.from({ length: B * columns }, () => 2 * random.gaussian());
const shaped = (values: Float32Array, columns: number): Tensor => tensor(values).reshape([B, columns]);

const raw = {
  operators: draw(5),
  source: draw(P),
  inside: Float32Array.from([1, 0, 1, 1, 1, 0]),
  solution: Array.from({ length: 5 }, () => draw(P)),
  interior: Array.from({ length: 5 }, () => draw(P)),
  edge: Array.from({ length: 3 }, () => draw(Q)),
  normals: [draw(Q), draw(Q)] as const,
  dirichlet: draw(Q),
  dirichletMask: Float32Array.from([1, 0, 1, 1]),
  neumann: draw(Q),
  neumannMask: Float32Array.from([0, 1, 0, 1]),
  // The first problem has a known solution, the second has none.
  supervised: Float32Array.from([1, 0]),
};

const boundary: BoundaryBatch = {
  points: new Float32Array(2 * B * Q),
  normals: [shaped(raw.normals[0], Q), shaped(raw.normals[1], Q)],
  dirichlet: shaped(raw.dirichlet, Q),
  dirichletMask: shaped(raw.dirichletMask, Q),
  neumann: shaped(raw.neumann, Q),
  neumannMask: shaped(raw.neumannMask, Q),
};
const scales = Array.from({ length: 5 }, (_, i) => Float32Array.from([1 + i, 2 + i]));
const batch: ProblemBatch = {
  grids: tensor([0]),
  operators: shaped(raw.operators, 5),
  points: new Float32Array(2 * P),
  inside: shaped(raw.inside, P),
  source: shaped(raw.source, P),
  solution: raw.solution.map((part) => shaped(part, P)),
  supervised: shaped(raw.supervised, 1),
  scales: scales.map((part) => shaped(part, 1)),
  boundary,
};

const huber = (error: number) => (Math.abs(error) <= 1 ? error ** 2 / 2 : Math.abs(error) - 0.5);
const at = (values: ArrayLike<number>, i: number) => values[i] as number;

/** The terms in plain loops and double precision. */
function plain() {
  const terms = { residual: 0, derivatives: 0, solution: 0, dirichlet: 0, neumann: 0 };
  for (let b = 0; b < B; b++) {
    for (let p = 0; p < P; p++) {
      const i = b * P + p;
      if (!raw.inside[i]) continue;
      const image = raw.interior.reduce((sum, part, k) => sum + at(raw.operators, 5 * b + k) * at(part, i), 0);
      terms.residual += huber((image - at(raw.source, i)) / at(scales[0] as Float32Array, b)) / (B * P);
      if (!raw.supervised[b]) continue;
      const error = (k: number) => at(raw.interior[k] as Float32Array, i) - at(raw.solution[k] as Float32Array, i);
      terms.solution += huber(error(0)) / P;
      for (const k of [1, 2, 3, 4]) terms.derivatives += huber(error(k) / at(scales[k] as Float32Array, b)) / (4 * P);
    }
    for (let q = 0; q < Q; q++) {
      const i = b * Q + q;
      const [u, ux, uy] = raw.edge.map((part) => at(part, i)) as [number, number, number];
      if (raw.dirichletMask[i]) terms.dirichlet += huber(u - at(raw.dirichlet, i)) / (B * Q);
      const slope = at(raw.normals[0], i) * ux + at(raw.normals[1], i) * uy;
      if (raw.neumannMask[i]) terms.neumann += huber(slope - at(raw.neumann, i)) / (B * Q);
    }
  }
  return terms;
}

describe('the loss', () => {
  const terms = lossTerms(
    batch,
    raw.interior.map((part) => shaped(part, P)),
    raw.edge.map((part) => shaped(part, Q)),
  );

  test('each term of a supervised and an unsupervised problem equals plain loops', () => {
    for (const [name, value] of Object.entries(plain()))
      expect(terms[name as keyof typeof terms].view()[0], name).toBeCloseTo(value, 5);
  });

  test('terms are weighted as published', () => {
    const { residual, derivatives, solution, dirichlet, neumann } = plain();
    const wanted = 0.25 * residual + 0.25 * derivatives + solution + 10 * dirichlet + neumann;
    expect(weightedLoss(terms).view()[0]).toBeCloseTo(wanted, 4);
    expect(lossWeights.dirichlet).toBe(10);
  });
});
