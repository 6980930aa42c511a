import fc from 'fast-check';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { rollOut, type SketchModel, surrogateLoss } from '../../src/hypergraph/hyperagent/training.js';
import {
  advantages,
  chain,
  everyone,
  GroupSketches,
  gaussianDivergence,
  groupAgents,
  groupMatrix,
  HGNNConv,
  inputHypergraph,
  pairAgents,
  pairMatrix,
  pairsOf,
  policyObjective,
  type RefineOptions,
  refine,
  TeamInputs,
  TopologyPolicy,
  topologyOf,
  utilityOf,
} from '../../src/hypergraph/index.js';
import { gradientsOf, parameter } from '../../src/nn/index.js';
import { Hypergraph } from '../../src/structure/index.js';
import { grad, Random, type Tensor, tensor } from '../../src/tensor/index.js';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** A symmetric matrix of 0 and 1 without diagonal, from a seed. */
function randomSketch(agents: number, seed: number): Float64Array {
  const random = new Random(seed);
  return pairMatrix(
    pairsOf(agents).map(() => Number(random.float() < 0.5)),
    agents,
  );
}

const square = (values: Float64Array, n: number) => Matrix.from1DArray(n, values.length / n, Array.from(values));

/** The matrix with its singular values lowered by `threshold`, by an SVD. */
function shrunk(matrix: Matrix, threshold: number): Matrix {
  const svd = new SingularValueDecomposition(matrix);
  const values = svd.diagonal.map((value) => Math.max(0, value - threshold));
  return svd.leftSingularVectors.mmul(Matrix.diag(values)).mmul(svd.rightSingularVectors.transpose());
}

describe('refinement', () => {
  const cases = fc.record({
    agents: fc.integer({ min: 2, max: 7 }),
    seed: fc.nat(1000),
    rank: fc.integer({ min: 1, max: 8 }),
    anchorWeight: fc.constantFrom(0, 0.5, 1),
    sparsity: fc.constantFrom(0, 0.1, 0.5),
  });

  test('is the minimiser that 500 steps of proximal gradient find', () => {
    fc.assert(
      fc.property(cases, ({ agents, seed, ...options }) => {
        const [S, A] = [randomSketch(agents, seed), groupMatrix(chain(agents), agents)];
        const { basis, weights, rank } = refine(S, A, agents, options);
        const Z = square(basis, agents);
        const goal = Matrix.add(square(S, agents), square(A, agents).mul(options.anchorWeight));
        const projected = Z.transpose().mmul(goal).mmul(Z);
        const step = 0.5 / (1 + options.anchorWeight);
        let W = Matrix.zeros(rank, rank);
        for (let k = 0; k < 500; k++) {
          const gradient = Matrix.sub(Matrix.mul(W, 1 + options.anchorWeight), projected);
          W = shrunk(Matrix.sub(W, gradient.mul(step)), step * options.sparsity);
        }
        expect(Matrix.sub(W, square(weights, rank)).norm('frobenius')).toBeLessThan(1e-6);
      }),
      { numRuns: 40 },
    );
  });

  test('its basis is orthonormal and spans the leading singular vectors of the sketch', () => {
    const agents = 6;
    for (const seed of [1, 2, 3]) {
      const S = randomSketch(agents, seed);
      const Z = square(refine(S, S, agents, { rank: 3 }).basis, agents);
      expect(Matrix.sub(Z.transpose().mmul(Z), Matrix.eye(3)).norm('max')).toBeLessThan(1e-9);
      const captured = Z.transpose().mmul(square(S, agents)).norm('frobenius');
      const leading = new SingularValueDecomposition(square(S, agents)).diagonal.slice(0, 3);
      expect(captured).toBeCloseTo(Math.hypot(...leading), 9);
    }
  });

  test('without regularisation at full rank it changes nothing', () => {
    for (const seed of [1, 2, 3, 4]) {
      const S = randomSketch(6, seed);
      const { affinity } = refine(S, groupMatrix(chain(6), 6), 6, { anchorWeight: 0, sparsity: 0 });
      affinity.forEach((value, at) => {
        expect(value).toBeCloseTo(S[at] as number, 9);
      });
    }
  });

  test('more sparsity never raises the rank', () => {
    const rankOf = (values: Float64Array) =>
      new SingularValueDecomposition(square(values, 6)).diagonal.filter((value) => value > 1e-9).length;
    for (let seed = 0; seed < 20; seed++) {
      const S = randomSketch(6, seed);
      const ranks = [0, 0.1, 0.5, 1, 3].map((sparsity) => rankOf(refine(S, S, 6, { sparsity }).affinity));
      expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
      expect(ranks.at(-1)).toBeLessThan(ranks[0] as number);
    }
  });

  test('of an empty sketch is the part of the anchors, or nothing', () => {
    const [none, A] = [new Float64Array(36), groupMatrix(chain(6), 6)];
    const { affinity } = refine(none, A, 6, { sparsity: 0 });
    affinity.forEach((value, at) => {
      expect(value).toBeCloseTo((A[at] as number) / 3, 9);
    });
    expect(refine(none, A, 6, { anchorWeight: 0 }).affinity.every((value) => value === 0)).toBe(true);
  });

  test('refuses a negative weight and a rank of 0', () => {
    const S = randomSketch(3, 1);
    const trying = (options: RefineOptions) => () => refine(S, S, 3, options);
    expect(trying({ sparsity: -1 })).toThrow('must not be negative');
    expect(trying({ anchorWeight: -1 })).toThrow('must not be negative');
    expect(trying({ rank: 0 })).toThrow('rank must be at least 1, got 0');
  });
});

describe('grouping', () => {
  const affinity = (entries: Readonly<Record<string, number>>, agents: number) => {
    const matrix = new Float64Array(agents * agents);
    for (const [pair, value] of Object.entries(entries)) {
      const [i, j] = pair.split('-').map(Number) as [number, number];
      matrix[i * agents + j] = matrix[j * agents + i] = value;
    }
    return matrix;
  };

  test('an agent joins its two most affine others of at least δ; duplicates merge; the rest work alone', () => {
    const S = affinity({ '0-1': 0.9, '0-2': 0.8, '0-3': 0.7, '1-2': 0.6, '3-4': 0.49 }, 6);
    const { groups, neighbours } = groupAgents(S, 6);
    expect(groups).toEqual([
      [0, 1, 2],
      [0, 3],
    ]);
    expect(neighbours).toEqual([[1, 2, 3], [0, 2], [0, 1], [0], [], []]);
    expect(groupAgents(S, 6, { threshold: 0.45 }).groups).toContainEqual([0, 3, 4]);
    expect(groupAgents(S, 6, { partners: 1 }).groups).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
  });

  test('ties go to the lower index, also ties that rounding breaks', () => {
    const S = affinity({ '0-1': 0.6, '0-2': 0.6 + 1e-13, '0-3': 0.6 + 2e-13 }, 4);
    expect(groupAgents(S, 4).groups).toContainEqual([0, 1, 2]);
    expect(groupAgents(affinity({ '0-1': 0.5 - 1e-13 }, 3), 3).groups).toEqual([[0, 1]]);
  });

  test('without a threshold every agent has k partners: the rule of the paper', () => {
    const { groups, neighbours } = groupAgents(new Float64Array(36), 6, { threshold: Number.NEGATIVE_INFINITY });
    expect(groups.every((group) => group.length === 3)).toBe(true);
    expect(neighbours.every((own) => own.length >= 2)).toBe(true);
  });

  test('refuses as many partners as there are agents', () => {
    for (const partners of [0, 3, 1.5])
      expect(() => groupAgents(new Float64Array(9), 3, { partners })).toThrow(
        `an agent of a team of 3 has 1 … 2 partners, not ${partners}`,
      );
  });

  test('pairs talk from δ on', () => {
    const S = affinity({ '0-1': 0.5, '1-2': 0.9, '0-2': 0.4 }, 3);
    expect(pairAgents(S, 3).groups).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });
});

describe('the encoder', () => {
  test('one layer carries a change to the whole hyperedge; on a chain of pairs to the neighbours alone', () => {
    const layer = new HGNNConv(4, 3, new Random(1));
    const x = new Random(2).normal([5, 4]);
    const moved = tensor(
      x.dataSync<Float32Array>().map((value, at) => (at < 4 ? value + 1 : value)),
      [5, 4],
    );
    const changed = (hypergraph: Hypergraph) => {
      const [before, after] = [x, moved].map((own) => layer.forward(own, hypergraph).dataSync<Float32Array>());
      return [0, 1, 2, 3, 4].filter((v) => [0, 1, 2].some((k) => before?.[3 * v + k] !== after?.[3 * v + k]));
    };
    expect(changed(new Hypergraph(5, everyone(5)))).toEqual([0, 1, 2, 3, 4]);
    expect(changed(new Hypergraph(5, chain(5)))).toEqual([0, 1]);
  });

  test('reads anchors, all with the task, and each alone', () => {
    expect(
      inputHypergraph(3, chain(3))
        .hyperedges()
        .map((edge) => [...edge]),
    ).toEqual([[0, 1], [1, 2], [0, 1, 2, 3], [0], [1], [2], [3]]);
  });

  const random = new Random(5);
  const [agents, width] = [3, 8];
  const policy = new TopologyPolicy(width, random.split('weights'), { hidden: 5, decoderHidden: 7 });
  const inputs = new TeamInputs(random.split('team').normal([agents, width]), chain(agents));
  const queries = random.split('queries').normal([4, width]);

  /** P·X·Θᵀ + b row by row in double precision, with P of a dense incidence matrix. */
  function denseLayer(x: number[][], weight: Tensor, bias: Tensor): number[][] {
    const edges = inputHypergraph(agents, chain(agents))
      .hyperedges()
      .map((edge) => [...edge]);
    const degree = (v: number) => edges.filter((edge) => edge.includes(v)).length;
    const [W, b] = [weight.dataSync<Float32Array>(), bias.dataSync<Float32Array>()];
    const projected = x.map((row) =>
      Array.from(b, (shift, k) =>
        row.reduce((sum, value, c) => sum + value * (W[k * row.length + c] as number), shift),
      ),
    );
    return x.map((_, v) =>
      Array.from(
        b,
        (_shift, k) =>
          edges
            .filter((edge) => edge.includes(v))
            .reduce(
              (sum, edge) =>
                sum +
                edge.reduce((own, u) => own + (projected[u]?.[k] as number) / Math.sqrt(degree(u)), 0) / edge.length,
              0,
            ) / Math.sqrt(degree(v)),
      ),
    );
  }

  test('is two convolutions in double precision, the second twice', () => {
    const batch = inputs.batch(queries, [2, 0]);
    const rows = (x: Tensor, at: number, d: number) =>
      Array.from({ length: agents + 1 }, (_, v) =>
        Array.from(x.dataSync<Float32Array>().slice((at * (agents + 1) + v) * d, (at * (agents + 1) + v + 1) * d)),
      );
    const { mean, logDeviation } = policy.encode(batch);
    for (const at of [0, 1]) {
      const theta = (layer: HGNNConv) => [layer.theta.weight, layer.theta.bias as Tensor] as const;
      const x = rows(batch.features.gatherRows(batch.vertices), at, width);
      expect(x[agents]).toEqual([
        ...queries
          .dataSync<Float32Array>()
          .slice((at ? 0 : 2) * width)
          .slice(0, width),
      ]);
      const hidden = denseLayer(x, ...theta(policy.shared)).map((row) => row.map((value) => Math.max(value, 0)));
      const wanted = [denseLayer(hidden, ...theta(policy.mean)), denseLayer(hidden, ...theta(policy.logDeviation))];
      [mean, logDeviation].forEach((own, which) => {
        rows(own, at, 5).forEach((row, v) => {
          row.forEach((value, k) => {
            expect(value).toBeCloseTo(wanted[which]?.[v]?.[k] as number, 4);
          });
        });
      });
    }
  });

  test('the divergence is that of hand values, and 0 of N(0, I)', () => {
    const value = gaussianDivergence(tensor([[1, 0]]), tensor([[0, Math.log(2)]])).item();
    expect(value).toBeCloseTo(0.5 + 0.5 * (4 - 1 - 2 * Math.log(2)), 6);
    expect(gaussianDivergence(tensor([[0, 0]]), tensor([[0, 0]])).item()).toBe(0);
    const twice = gaussianDivergence(
      tensor([
        [1, 0],
        [1, 0],
      ]),
      tensor([
        [0, Math.log(2)],
        [0, Math.log(2)],
      ]),
    );
    expect(twice.item()).toBeCloseTo(value, 6);
  });

  test('noise starts small', () => {
    const { logDeviation } = policy.encode(inputs.batch(queries, [0]));
    expect(Math.max(...logDeviation.dataSync())).toBeLessThan(-1);
  });
});

describe('the decoder', () => {
  const random = new Random(7);
  const [agents, width] = [4, 8];
  const layout = { hidden: 5, decoderHidden: 7 };
  const features = random.split('team').normal([agents, width]);
  const queries = random.split('queries').normal([3, width]);
  const logitsOf = (policy: TopologyPolicy, inputs: TeamInputs, rows: number[]) =>
    Array.from(policy.forward(inputs.batch(queries, rows)).logits.dataSync<Float32Array>());

  for (const products of ['without', 'with'] as const)
    test(`is a perceptron on [h_i, h_j, h_task], ${products} products, the mean of both orders, within ±3`, () => {
      const policy = new TopologyPolicy(width, random.split('weights'), { ...layout, products });
      const inputs = new TeamInputs(features, chain(agents));
      const h = Array.from(policy.encode(inputs.batch(queries, [1])).mean.dataSync<Float32Array>());
      const row = (v: number) => h.slice(5 * v, 5 * v + 5);
      const { first, second, task, firstProduct, secondProduct, head } = policy.decoder;
      const times = (layer: { weight: Tensor } | undefined, x: number[]) =>
        Array.from({ length: 7 }, (_, k) =>
          layer ? x.reduce((sum, v, c) => sum + v * (layer.weight.dataSync()[k * 5 + c] as number), 0) : 0,
        );
      const score = (i: number, j: number) => {
        const t = row(agents);
        const [ti, tj] = [i, j].map((v) => row(v).map((value, k) => value * (t[k] as number))) as [number[], number[]];
        const parts = [times(first, row(i)), times(second, row(j)), times(task, t)];
        const more = [times(firstProduct, ti), times(secondProduct, tj)];
        const bias = (task.bias as Tensor).dataSync();
        return bias.reduce(
          (sum, shift, k) => {
            const input = [...parts, ...more].reduce((own, part) => own + (part[k] as number), shift);
            return sum + Math.max(0, input) * (head.weight.dataSync()[k] as number);
          },
          (head.bias as Tensor).dataSync()[0] as number,
        );
      };
      const wanted = pairsOf(agents).map(([i, j]) => 3 * Math.tanh((score(i, j) + score(j, i)) / 6));
      logitsOf(policy, inputs, [1]).forEach((logit, at) => {
        expect(logit).toBeCloseTo(wanted[at] as number, 4);
      });
    });

  test('the task decides, by the vertex that all share and by its own place in the decoder', () => {
    const policy = new TopologyPolicy(width, random.split('weights'), layout);
    const inputs = new TeamInputs(features, chain(agents));
    const [a, b] = [logitsOf(policy, inputs, [0]), logitsOf(policy, inputs, [1])];
    expect(a.every((logit, at) => logit !== b[at])).toBe(true);
    const latent = [0, 1].map((at) => policy.encode(inputs.batch(queries, [at])).mean.dataSync<Float32Array>());
    expect(latent[0]?.slice(0, 5)).not.toEqual(latent[1]?.slice(0, 5));
  });

  test('a batch scores each query as alone', () => {
    const policy = new TopologyPolicy(width, random.split('weights'), layout);
    const inputs = new TeamInputs(features, chain(agents));
    const together = logitsOf(policy, inputs, [2, 0]);
    const alone = [2, 0].flatMap((at) => logitsOf(policy, inputs, [at]));
    together.forEach((logit, at) => {
      expect(logit).toBeCloseTo(alone[at] as number, 5);
    });
  });

  test('permuting agents with their anchors permutes the groups', () => {
    const policy = new TopologyPolicy(width, random.split('weights'), { ...layout, clip: 1 });
    const usual = logitsOf(
      policy,
      new TeamInputs(features, [
        [0, 1, 2],
        [2, 3],
      ]),
      [0],
    ).sort((a, b) => a - b);
    const bias = policy.decoder.head.bias as Tensor;
    bias.assign(bias.subtract(usual[3] as number)); // about half of the pairs talk
    const order = [2, 0, 3, 1];
    const anchors = [
      [0, 1, 2],
      [2, 3],
    ];
    const permuted = tensor(
      Float32Array.from(order.flatMap((v) => Array.from(features.dataSync().slice(width * v, width * (v + 1))))),
      [agents, width],
    );
    const moved = anchors.map((group) => group.map((v) => order.indexOf(v)));
    // With all others as partners no tie is ever cut.
    const decision = { partners: agents - 1, threshold: 0.4 };
    const [one, other] = [new TeamInputs(features, anchors), new TeamInputs(permuted, moved)].map((inputs) =>
      new GroupSketches(policy, inputs, queries, decision).topologies(),
    );
    const named = other?.map(({ groups }) =>
      topologyOf(
        agents,
        groups.map((group) => group.map((v) => order[v] as number)),
      )
        .groups.map(String)
        .sort(),
    );
    expect(named).toEqual(one?.map(({ groups }) => groups.map(String).sort()));
    expect(one?.some(({ groups }) => groups.length > 0)).toBe(true);
  });

  test('after training the likely pairs talk; while training pairs are drawn by their probability', () => {
    const inputs = new TeamInputs(features, []);
    const policy = new TopologyPolicy(width, random.split('weights'), layout);
    const decision = { form: 'pairs', refinement: 'without' } as const;
    const sketches = new GroupSketches(policy, inputs, queries, decision);
    const [topology] = sketches.topologies();
    const likely = pairsOf(agents).filter((_, at) => (logitsOf(policy, inputs, [0])[at] as number) > 0);
    expect(topology?.groups).toEqual(likely);
    const logits = Float32Array.of(-2, -0.5, 0, 0.5, 1, 2);
    const uniform = new Random(3).uniform([20_000, 6]).dataSync<Float32Array>();
    const counts = new Float64Array(6);
    for (let at = 0; at < 20_000; at++)
      sketches.draw(logits, uniform.subarray(6 * at, 6 * at + 6)).chosen.forEach((own, k) => {
        counts[k] = (counts[k] as number) + own / 20_000;
      });
    counts.forEach((share, k) => {
      expect(Math.abs(share - sigmoid(logits[k] as number))).toBeLessThan(0.012);
    });
  });
});

describe('the policy gradient', () => {
  test('∂ ln P/∂ϖ = S − σ(ϖ)', () => {
    const logits = tensor([[-1, 0.5, 2]]);
    const chosen = Float32Array.of(1, 0, 1);
    const gradient = grad((x: Tensor) => policyObjective(x, { chosen, open: Float32Array.of(1, 1, 1) }))(logits);
    gradient.dataSync().forEach((value, k) => {
      expect(value).toBeCloseTo((chosen[k] as number) - sigmoid(logits.dataSync()[k] as number), 5);
    });
    const value = policyObjective(logits, { chosen, open: Float32Array.of(1, 1, 1) }).item();
    const wanted = Math.log(sigmoid(-1)) + Math.log(sigmoid(-0.5)) + Math.log(sigmoid(2));
    expect(value).toBeCloseTo(wanted, 5);
  });

  test('the baseline of a sketch is the mean of the others of its query', () => {
    const raw = (utilities: number[]) => {
      const { values, deviation } = advantages(Float64Array.from(utilities), 3);
      return Array.from(values, (value) => value * deviation);
    };
    const [before, after] = [raw([1, 2, 6, 0, 0, 3]), raw([1, 2, 9, 0, 0, 3])];
    [1 - 4, 2 - 3.5, 6 - 1.5, -1.5, -1.5, 3].forEach((value, at) => {
      expect(before[at]).toBeCloseTo(value, 9);
    });
    const moved = after.map((value, at) => value - (before[at] as number));
    [-1.5, -1.5, 3, 0, 0, 0].forEach((value, at) => {
      expect(moved[at]).toBeCloseTo(value, 9);
    });
    const { values } = advantages(Float64Array.of(1, 2, 6, 0, 0, 3), 3);
    const center = values.reduce((sum, value) => sum + value, 0) / 6;
    expect(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / 6).toBeCloseTo(1, 9);
  });

  test('utility is the answer less what its tokens cost', () => {
    expect(utilityOf({ correct: 1, tokens: 2100 }, 0.5, 4200)).toBe(0.75);
  });

  /** Three free logits in place of a network: sketches of a team of three. */
  class Table implements SketchModel {
    readonly choices = 3;
    logits = parameter(tensor([[0.4, -0.6, 0.1]]));
    score() {
      return { logits: this.logits };
    }
    draw(logits: Float32Array, uniform: Float32Array) {
      const chosen = Uint8Array.from(logits, (logit, k) => Number((uniform[k] as number) < sigmoid(logit)));
      return { chosen, topology: this.topologyOf(chosen) };
    }
    topologyOf(chosen: Uint8Array) {
      return topologyOf(
        3,
        pairsOf(3).filter((_, k) => chosen[k] === 1),
      );
    }
  }

  test('the loss reads the logits under the noise that the sketches were drawn under', async () => {
    const keys: unknown[] = [];
    class Noisy extends Table {
      override score(_queries?: ArrayLike<number>, noise?: Random) {
        keys.push(noise?.key);
        return super.score();
      }
    }
    const model = new Noisy();
    const play = () => ({ correct: 1, tokens: 0 });
    const step = await rollOut(model, Int32Array.of(0), play, new Random(2), { beta: 0, fullTokens: 1 });
    surrogateLoss(model, step, 0);
    expect(keys.length).toBe(2);
    expect(keys[0]).toBeDefined();
    expect(keys[1]).toEqual(keys[0]);
  });

  test('a choice that was not open is credited with nothing', async () => {
    class Closed extends Table {
      override draw(logits: Float32Array, uniform: Float32Array) {
        return { ...super.draw(logits, uniform), open: Uint8Array.of(1, 0, 1) };
      }
    }
    const play = (_query: number, topology: { readonly groups: readonly unknown[] }) => ({
      correct: topology.groups.length,
      tokens: 0,
    });
    const step = await rollOut(new Closed(), Int32Array.of(0), play, new Random(2), { beta: 0, fullTokens: 1 });
    expect(Array.from(step.chosen, (value) => value !== 0)).toEqual([true, false, true]);
    expect(step.open[1]).toBe(0);
  });

  const pay = [0.1, 0.9, 0.3, 0.2, 0.8, 0.4, 0.35, 1.2];
  const bitsOf = (groups: readonly (readonly number[])[]) =>
    pairsOf(3).reduce((sum, pair, k) => sum + 2 ** k * Number(groups.some((own) => own.join() === pair.join())), 0);
  const options = { samples: 10_000, beta: 0, fullTokens: 1 };

  /** ∂E[u]/∂ϖ over all eight sketches, and the deviation of one sketch's contribution. */
  function exact(logits: number[]) {
    const sketches = Array.from({ length: 8 }, (_, bits) => {
      const S = [0, 1, 2].map((k) => (bits >> k) & 1);
      const p = S.reduce((product, s, k) => product * sigmoid((s ? 1 : -1) * (logits[k] as number)), 1);
      return { S, p, u: pay[bits] as number };
    });
    const center = sketches.reduce((sum, { p, u }) => sum + p * u, 0);
    const spread = Math.sqrt(sketches.reduce((sum, { p, u }) => sum + p * (u - center) ** 2, 0));
    return {
      spread,
      gradient: [0, 1, 2].map((k) =>
        sketches.reduce((sum, { S, p, u }) => sum + p * u * ((S[k] as number) - sigmoid(logits[k] as number)), 0),
      ),
      error: [0, 1, 2].map((k) => {
        const own = sketches.map(({ S, p, u }) => ({
          p,
          v: (u - center) * ((S[k] as number) - sigmoid(logits[k] as number)),
        }));
        const mean = own.reduce((sum, { p, v }) => sum + p * v, 0);
        return Math.sqrt(own.reduce((sum, { p, v }) => sum + p * (v - mean) ** 2, 0) / options.samples);
      }),
    };
  }

  for (const credit of ['sketch', 'counterfactual'] as const)
    test(`credit by ${credit}: the exact gradient over all eight sketches, within three standard errors`, async () => {
      const model = new Table();
      const play = (_query: number, { groups }: { groups: readonly (readonly number[])[] }) => ({
        correct: pay[bitsOf(groups)] as number,
        tokens: 0,
      });
      const step = await rollOut(model, Int32Array.of(0), play, new Random(11), { ...options, credit });
      const { gradients } = gradientsOf(model, (live) => surrogateLoss(live, step, 0));
      const { gradient, error, spread } = exact(Array.from(model.logits.dataSync<Float32Array>()));
      const found = Array.from((gradients.logits as Tensor).dataSync<Float32Array>(), (value) => -value * spread);
      found.forEach((value, k) => {
        expect(Math.abs(value - (gradient[k] as number))).toBeLessThan(3 * (error[k] as number));
      });
    });
});
