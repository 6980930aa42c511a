import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { training } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import {
  cyclicBlocks,
  Graph,
  magneticOperator,
  randomDigraph,
  reversed,
  strongComponents,
} from '../../src/structure/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const n = 10;
const graph = randomDigraph(new Random(8), n, 2.5);
const x = uniformTensor(2, [n, 4]);
const arcs = (own: Graph) => {
  const found: string[] = [];
  own.forEachEntry((u, v, weight) => found.push(`${u}→${v}:${weight}`));
  return found;
};

describe('multigraphs', () => {
  const parallel = {
    nodeCount: 3,
    sources: [0, 0, 0, 1, 2],
    targets: [1, 1, 1, 2, 0],
    types: ['cites', 'cites', 'knows', 'knows', 'cites'],
  };

  test('parallel arcs are counted, or told apart by type', () => {
    expect(arcs(g.countedArcs(parallel))).toEqual(['0→1:3', '1→2:1', '2→0:1']);
    const byType = g.arcsByType(parallel);
    expect([...byType.keys()]).toEqual(['cites', 'knows']);
    expect(arcs(byType.get('cites') as Graph)).toEqual(['0→1:2', '2→0:1']);
    expect(arcs(byType.get('knows') as Graph)).toEqual(['0→1:1', '1→2:1']);
    expect(() => g.arcsByType({ ...parallel, types: ['cites'] })).toThrow('1 types for 5 arcs');
  });

  test('one operator of means for each type and side', () => {
    const features = tensor([[1], [10], [100]]);
    const found = g.typedMeans(features, g.arcsByType(parallel)).view();
    // x, out and in by `cites`, out and in by `knows`.
    expectClose(found, [1, 10, 100, 10, 0, 10, 0, 1, 100, 1, 100, 1, 0, 0, 10]);
    expectClose(g.typedMeans(SparseMatrix.fromDense(features), g.arcsByType(parallel)).view(), found);
  });
});

describe('arcs dropped and added', () => {
  test('acyclic: arcs that do not climb go, or cycles become nodes', () => {
    const own = Graph.fromEdges(5, [0, 1, 2, 2, 3], [1, 2, 0, 3, 4], { directed: true });
    const { graph: climbing, ranks } = g.withoutDescent(own);
    climbing.forEachEntry((u, v) => {
      expect(own.hasEdge(u, v)).toBe(true);
      expect(ranks[u] as number).toBeLessThan(ranks[v] as number);
    });
    expect(strongComponents(climbing).count).toBe(5);
    expect(climbing.hasEdge(3, 4)).toBe(true);
    const small = g.condensed(own);
    expect([small.graph.nodeCount, small.graph.edgeCount, ...small.ranks]).toEqual([3, 2, 0, 1, 2]);
    expect(new Set([0, 1, 2].map((v) => small.componentOf[v])).size).toBe(1);
  });

  test('random views keep arcs with their probability, another view in each pass, all in inference', () => {
    const large = randomDigraph(new Random(1), 300, 20);
    const share = g.randomView(large, 0.3, new Random(2)).edgeCount / large.edgeCount;
    expect(Math.abs(share - 0.3)).toBeLessThan(0.03);
    expect(arcs(g.randomView(large, 0.3, new Random(2)))).toEqual(arcs(g.randomView(large, 0.3, new Random(2))));
    const both = g.randomView(large.undirected(), 0.5, new Random(1));
    expect(both.directed).toBe(false);
    const seen: number[] = [];
    const watcher: g.GraphModule = {
      forward: (features, own) => {
        seen.push(own.edgeCount);
        return features as ReturnType<g.GraphModule['forward']>;
      },
    };
    const network = new g.RandomViews(watcher, 0.5);
    network.forward(x, large, training(new Random(1)));
    network.forward(x, large, training(new Random(2)));
    network.forward(x, large, { training: false });
    expect(seen[0]).not.toBe(seen[1]);
    expect(seen[2]).toBe(large.edgeCount);
    expect(() => g.randomView(large, 2, new Random(0))).toThrow('with a probability');
  });

  test('reverse arcs, and arcs to nodes with most neighbours in common', () => {
    const both = g.withReverseArcs(graph);
    expect(both.directed).toBe(true);
    graph.forEachEntry((u, v) => expect([both.hasEdge(u, v), both.hasEdge(v, u)]).toEqual([true, true]));
    for (const kind of ['coCitation', 'coupling'] as const) {
      const found = g.withCommonNeighbours(graph, { kind, top: 2 });
      for (let u = 0; u < n; u++) {
        const shared = Array.from({ length: n }, (_, v) => {
          const [p, q] = kind === 'coupling' ? [graph, graph] : [reversed(graph), reversed(graph)];
          return v === u ? 0 : [...p.neighbours(u)].filter((w) => q.neighbours(v).includes(w)).length;
        });
        const best = Array.from(shared.keys())
          .filter((v) => (shared[v] as number) > 0)
          .sort((a, b) => (shared[b] as number) - (shared[a] as number) || a - b)
          .slice(0, 2);
        const expected = new Set([...graph.neighbours(u), ...best]);
        expect(new Set(found.neighbours(u))).toEqual(expected);
      }
    }
  });

  test('diffusion equals powers of the walk, the strongest of each row alone', () => {
    const dense = Array.from({ length: n }, (_, u) =>
      Array.from({ length: n }, (__, v) => (graph.hasEdge(u, v) ? 1 / (graph.outDegrees[u] as number) : 0)),
    );
    const theta = {
      pageRank: (k: number) => 0.2 * 0.8 ** k,
      heat: (k: number) =>
        (Math.exp(-2) * 2 ** k) / Array.from({ length: k }, (_, i) => i + 1).reduce((a, b) => a * b, 1),
    };
    for (const kernel of ['pageRank', 'heat'] as const) {
      let power = dense.map((_, i) => dense.map((__, j) => Number(i === j)));
      const sum = power.map((row) => row.map(() => 0));
      for (let k = 0; k < 150; k++) {
        power.forEach((row, i) => {
          row.forEach((value, j) => {
            (sum[i] as number[])[j] = ((sum[i] as number[])[j] as number) + theta[kernel](k) * value;
          });
        });
        power = power.map((row) =>
          dense.map((_, j) => row.reduce((s, value, m) => s + value * ((dense[m] as number[])[j] as number), 0)),
        );
      }
      const found = g.diffused(graph, { kernel, alpha: 0.2, time: 2, top: 3, tolerance: 1e-9 });
      for (let u = 0; u < n; u++) {
        const row = sum[u] as number[];
        const best = Array.from(row.keys())
          .filter((v) => v !== u && (row[v] as number) > 0)
          .sort((a, b) => (row[b] as number) - (row[a] as number))
          .slice(0, 3)
          .sort((a, b) => a - b);
        expect([...found.neighbours(u)]).toEqual(best);
        const weights = (found.weights as Float32Array).subarray(
          found.successors.indptr[u],
          found.successors.indptr[u + 1],
        );
        expectClose(
          weights,
          best.map((v) => row[v] as number),
          1e-6,
        );
      }
    }
    expect(() => g.diffused(graph, { alpha: 1 })).toThrow('α must lie in (0, 1)');
  });

  test('pruning removes the arcs of least agreement, never the best of a node', () => {
    const rows = Array.from({ length: n }, (_, v) => [...x.view().subarray(4 * v, 4 * v + 4)]);
    const cosine = (u: number, v: number) => {
      const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
      const [a, b] = [rows[u] as number[], rows[v] as number[]];
      return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    };
    const expected: number[] = [];
    graph.forEachEntry((u, v) => expected.push(cosine(u, v)));
    expectClose(g.arcAgreement(graph, x), expected, 1e-5);
    expectClose(g.arcAgreement(graph, SparseMatrix.fromDense(x)), expected, 1e-5);
    const pruned = g.pruneByAgreement(graph, x, 0.5);
    const kept = new Set(arcs(pruned));
    const all = arcs(graph).map((name, e) => ({ name, value: expected[e] as number }));
    const ends = (name: string) => name.split(':')[0]?.split('→').map(Number) as [number, number];
    for (let v = 0; v < n; v++) {
      const own = all.filter(({ name }) => ends(name).includes(v)).sort((a, b) => b.value - a.value);
      if (own.length > 0) expect(kept.has((own[0] as (typeof own)[number]).name)).toBe(true);
    }
    const lowest = [...all].sort((a, b) => a.value - b.value).slice(0, Math.round(all.length / 2));
    for (const { name } of all) if (!kept.has(name)) expect(lowest.map((own) => own.name)).toContain(name);
    expect(pruned.edgeCount).toBeLessThan(graph.edgeCount);
    expect(arcs(g.pruneByAgreement(graph, x, 0))).toEqual(arcs(graph));
    expect(() => g.pruneByAgreement(graph, x, 1.1)).toThrow('a share of arcs');
  });

  test('arcs are turned where the reverse is more probable, reciprocal ones stay', () => {
    const own = Graph.fromEdges(3, [0, 1, 1], [1, 0, 2], { directed: true });
    expect(arcs(g.reoriented(own, [0.1, 0.1, 0.2]))).toEqual(['0→1:1', '1→0:1', '2→1:1']);
    expect(arcs(g.reoriented(own, [0.1, 0.1, 0.2], 0.9))).toEqual(arcs(own));
    expect(() => g.reoriented(own, [1])).toThrow('1 probabilities for 3 arcs');
  });
});

describe('directions estimated again', () => {
  /** A tree of six nodes, for which propagation is exact; two classes of arcs that lead onwards. */
  const tree = Graph.fromEdges(7, [0, 2, 1, 4, 3, 6, 6, 0], [1, 1, 3, 1, 5, 0, 6, 6], { directed: true });
  const own = [0.8, 0.1, 0.1, 0.2, 0.5, 0.3, 0.6, 0.3, 0.1, 0.2, 0.2, 0.6, 0.1, 0.7, 0.2, 0.4, 0.4, 0.2, 0.3, 0.3, 0.4];
  const oneWay = [
    [0, 1],
    [2, 1],
    [1, 3],
    [4, 1],
    [3, 5],
  ] as const;
  const precise = { rounds: 3000, tolerance: 1e-13 };

  /** Sums over all assignments of classes, of their probability by C without one arc. */
  function expectation(c: ArrayLike<number>, without: number, of: (classes: readonly number[]) => number): number {
    let [sum, total] = [0, 0];
    for (let code = 0; code < 3 ** 6; code++) {
      const classes = Array.from({ length: 6 }, (_, v) => Math.floor(code / 3 ** v) % 3);
      let p = classes.reduce((product, a, v) => product * (own[3 * v + a] as number), 1);
      oneWay.forEach(([u, v], e) => {
        if (e !== without) p *= c[3 * (classes[u] as number) + (classes[v] as number)] as number;
      });
      total += p;
      sum += p * of(classes);
    }
    return sum / total;
  }

  test('beliefs and directions of a tree are those of all assignments of classes', () => {
    const noise = 0.2;
    const { forward, compatibility: c, beliefs } = g.estimatedDirections(tree, own, noise, precise);
    for (let v = 0; v < 6; v++)
      for (let a = 0; a < 3; a++)
        expect(beliefs[3 * v + a]).toBeCloseTo(
          expectation(c, -1, (classes) => Number(classes[v] === a)),
          8,
        );
    // Nodes joined by arcs of both ways alone have their own probabilities.
    expectClose(beliefs.subarray(18), own.slice(18), 1e-9);
    const truth = (share: number) => Math.min(1, Math.max(0, (share - noise) / (1 - 2 * noise)));
    const expected = new Map(
      oneWay.map(([u, v], e) => {
        const t = expectation(c, e, (classes) =>
          truth(c[3 * (classes[u] as number) + (classes[v] as number)] as number),
        );
        return [`${u} ${v}`, (t * (1 - noise)) / (t * (1 - noise) + (1 - t) * noise)];
      }),
    );
    tree.forEachEntry((u, v, _, entry) => expect(forward[entry]).toBeCloseTo(expected.get(`${u} ${v}`) ?? 1, 6));
  });

  test('compatibilities are the shares that the beliefs count, ½ within a class', () => {
    const { compatibility: c } = g.estimatedDirections(tree, own, 0.2, precise);
    const count = (a: number, b: number) =>
      oneWay.reduce(
        (sum, [u, v]) => sum + expectation(c, -1, (classes) => Number(classes[u] === a && classes[v] === b)),
        0,
      );
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++)
        expect(c[3 * a + b]).toBeCloseTo((count(a, b) + 1) / (count(a, b) + count(b, a) + 2), 6);
    expect([c[0], c[4], c[8]]).toEqual([0.5, 0.5, 0.5]);
  });

  test('turned arcs between known classes are turned back, those within a class and random ones stay', () => {
    const { graph, labels } = cyclicBlocks(new Random(5), { size: 30, density: 0.4, forward: 1 });
    const random = new Random(6);
    const turned = g.reoriented(
      graph,
      Float32Array.from({ length: graph.successors.nnz }, () => Number(random.float() > 0.2)),
    );
    const certain = g.withKnownClasses(new Float32Array(270).fill(1 / 3), labels, Int32Array.from(labels.keys()));
    const better = g.reoriented(turned, g.estimatedDirections(turned, certain, 0.2).forward);
    better.forEachEntry((u, v) => {
      if (labels[u] !== labels[v]) expect(labels[v]).toBe(((labels[u] as number) + 1) % 3);
      else expect(turned.hasEdge(u, v)).toBe(true);
    });
    const aimless = randomDigraph(new Random(7), 200, 8);
    const beliefs = Float32Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 0.3 : 0.7));
    expect(arcs(g.reoriented(aimless, g.estimatedDirections(aimless, beliefs, 0.3).forward))).toEqual(arcs(aimless));
  });

  test('known classes are certain, the others as they are given; what cannot be is refused', () => {
    const known = g.withKnownClasses([0.5, 0.5, 0.25, 0.75, 0.5, 0.5], Int32Array.of(1, -1, 0), Int32Array.of(0, 2));
    expect([...known]).toEqual([0, 1, 0.25, 0.75, 1, 0]);
    expect(() => g.estimatedDirections(tree, own, 0.5)).toThrow('less than half');
    expect(() => g.estimatedDirections(tree, own, -0.1)).toThrow('less than half');
    expect(() => g.estimatedDirections(tree, own.slice(1), 0.1)).toThrow('20 probabilities are no rows of 7 nodes');
    expect(() => g.estimatedDirections(tree, own.slice(0, 7), 0.1)).toThrow('no rows');
    // Without noise nothing is in doubt.
    expect(Array.from(g.estimatedDirections(tree, own, 0).forward, (p) => Math.round(1e6 * p))).toEqual(
      Array.from({ length: 8 }, () => 1e6),
    );
  });
});

describe('features', () => {
  test('structural ones are what they are called', () => {
    const own = Graph.fromEdges(4, [0, 0, 1, 2], [1, 2, 2, 3], { directed: true });
    const degrees = g.structuralFeatures(own, { kinds: ['degrees'] }).view();
    expectClose(
      degrees,
      [2, 0, 1, 1, 1, 2, 0, 1].map((d) => Math.log1p(d)),
    );
    const all = g.structuralFeatures(own, { eigenvectors: 2, steps: 3 });
    expect(all.shape).toEqual([4, 2 + 6 + 2 + 2 + 4]);
    const landing = g.structuralFeatures(own, { kinds: ['landing'], steps: 1 }).view();
    // Along arcs one step lands at 1 from 0 with ½, at 2 from 0 with ½ and from 1, at 3 from 2.
    expectClose(
      Array.from({ length: 4 }, (_, v) => landing[2 * v] as number),
      [0, 0.5, 1.5, 1].map((p) => Math.log1p(p)),
    );
    const dense = uniformTensor(1, [4, 3]);
    const joined = g.augmentedFeatures(dense, own, { kinds: ['degrees'] });
    expect(joined.shape).toEqual([4, 5]);
    expectClose(
      Array.from({ length: 4 }, (_, v) => joined.view()[5 * v + 3] as number),
      Array.from({ length: 4 }, (_, v) => degrees[2 * v] as number),
    );
    // Sparse features stay sparse, with values and without, rows without elements among them.
    const half = dense.view().map((value, i) => (i < 5 || i > 8 ? value : 0));
    for (const x of [half, half.map((value) => Number(value !== 0))]) {
      const beside = g.augmentedFeatures(SparseMatrix.fromDense(tensor(x, [4, 3])), own, { kinds: ['degrees'] });
      expectClose(
        (beside as SparseMatrix).toDense().view(),
        g.augmentedFeatures(tensor(x, [4, 3]), own, { kinds: ['degrees'] }).view(),
      );
    }
  });

  test('denoised ones solve (I + λL)·z = x in complex numbers', () => {
    const [lambda, q] = [0.7, 0.15];
    const found = g.denoisedFeatures(x, graph, { lambda, q, tolerance: 1e-10 });
    expectClose(
      g.denoisedFeatures(SparseMatrix.fromDense(x), graph, { lambda, q, tolerance: 1e-10 }).view(),
      found.view(),
      1e-5,
    );
    // Gauss–Jordan on the complex system, column by column.
    const hermitian = magneticOperator(graph, q);
    const dense = (own: Float64Array) => {
      const rows = Array.from({ length: n }, () => new Array<number>(n).fill(0));
      for (let u = 0; u < n; u++)
        for (let e = hermitian.pattern.indptr[u] as number; e < (hermitian.pattern.indptr[u + 1] as number); e++)
          (rows[u] as number[])[hermitian.pattern.indices[e] as number] = own[e] as number;
      return rows;
    };
    const [re, im] = [dense(hermitian.real), dense(hermitian.imaginary)];
    const whole = Array.from({ length: 2 * n }, (_, i) =>
      Array.from({ length: 2 * n }, (__, j) => {
        const own =
          i < n === j < n
            ? (re[i % n] as number[])[j % n]
            : i < n
              ? -((im[i] as number[])[j - n] as number)
              : (im[i - n] as number[])[j];
        return (1 + lambda) * Number(i === j) - lambda * (own as number);
      }),
    );
    for (let column = 0; column < 4; column++) {
      const rows = whole.map((row, i) => [...row, i < n ? (x.view()[4 * i + column] as number) : 0]);
      for (let p = 0; p < 2 * n; p++) {
        const pivot = rows[p] as number[];
        const scale = pivot[p] as number;
        for (let j = 0; j <= 2 * n; j++) pivot[j] = (pivot[j] as number) / scale;
        rows.forEach((row, i) => {
          if (i === p) return;
          const factor = row[p] as number;
          for (let j = 0; j <= 2 * n; j++) row[j] = (row[j] as number) - factor * (pivot[j] as number);
        });
      }
      for (let v = 0; v < n; v++)
        expect(found.view()[4 * v + column]).toBeCloseTo((rows[v] as number[])[2 * n] as number, 5);
    }
    expectClose(g.denoisedFeatures(x, graph, { lambda: 0 }).view(), x.view());
    expect(() => g.denoisedFeatures(x, graph, { lambda: -1 })).toThrow('λ must not be negative');
  });
});

describe('cyclic blocks', () => {
  test('are joined alike within and between blocks, and wind one way', () => {
    const { graph: own, labels } = cyclicBlocks(new Random(6), { size: 100, density: 0.1, forward: 0.9 });
    const counts = { within: 0, next: 0, back: 0 };
    own.forEachEntry((u, v) => {
      const step = ((labels[v] as number) - (labels[u] as number) + 3) % 3;
      counts[step === 0 ? 'within' : step === 1 ? 'next' : 'back'] += 1;
    });
    const share = (count: number, pairs: number) => count / pairs;
    expect(share(counts.within, 3 * ((100 * 99) / 2))).toBeCloseTo(0.1, 1);
    expect(share(counts.next + counts.back, 3 * 100 * 100)).toBeCloseTo(0.1, 1);
    expect(counts.next / (counts.next + counts.back)).toBeCloseTo(0.9, 1);
    expect(g.topologicalView(own).reciprocity).toBe(0);
  });
});
