import { describe, expect, test } from 'vitest';
import { type DirectedData, knownLabels, loadDirected } from '../../src/experiments/protocols/directed-sets.js';
import { guidanceOf } from '../../src/experiments/protocols/directed-understanding.js';
import * as g from '../../src/graph/index.js';
import { type ArcPattern, arcPatterns, cyclicBlocks, Graph, randomDigraph } from '../../src/structure/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const n = 12;
const graph = randomDigraph(new Random(3), n, 2.5);
const labels = Int32Array.from({ length: n }, (_, v) => (v % 5 === 0 ? -1 : v % 3));

/** Products of the dense adjacency: paths of a pattern. */
function paths(own: Graph, pattern: ArcPattern | 'A_uA_u'): number[][] {
  const size = own.nodeCount;
  const dense = (of: Graph) => {
    const a = Array.from({ length: size }, () => new Array<number>(size).fill(0));
    of.forEachEntry((u, v, weight) => {
      (a[u] as number[])[v] = weight;
    });
    return a;
  };
  const a = dense(own);
  const t = a.map((_, i) => a.map((row) => row[i] as number));
  const both = dense(own.undirected());
  const product = (p: number[][], q: number[][]) =>
    p.map((row) => row.map((_, j) => row.reduce((sum, x, k) => sum + x * ((q[k] as number[])[j] as number), 0)));
  if (pattern === 'A_uA_u') return product(both, both);
  const [first, second] = pattern.match(/Aᵀ?/g) as [string, string?];
  const part = (name: string) => (name === 'A' ? a : t);
  return second === undefined ? part(first) : product(part(first), part(second));
}

describe('homophily', () => {
  test('of edges, and the classes that arcs join', () => {
    let [same, all] = [0, 0];
    const mass = Array.from({ length: 3 }, () => [0, 0, 0]);
    graph.forEachEntry((u, v) => {
      const [a, b] = [labels[u] as number, labels[v] as number];
      if (a < 0 || b < 0) return;
      all += 1;
      same += Number(a === b);
      (mass[a] as number[])[b] = ((mass[a] as number[])[b] as number) + 1;
    });
    expect(g.edgeHomophily(graph, labels)).toBeCloseTo(same / all);
    const rows = mass.flatMap((row) =>
      row.map(
        (x) =>
          x /
          Math.max(
            1,
            row.reduce((p, q) => p + q),
          ),
      ),
    );
    expectClose(g.compatibilityMatrix(graph, labels, 3), rows);
    expect(g.edgeHomophily(graph, new Int32Array(n).fill(-1))).toBeNaN();
  });

  test.each(arcPatterns)('of nodes by the pattern %s, weighted by paths, without the node itself', (pattern) => {
    const weighted = Graph.fromEdges(n, graph.edges().sources, graph.edges().targets, {
      directed: true,
      weights: Array.from({ length: graph.edgeCount }, (_, e) => 1 + (e % 3)),
    });
    for (const own of [graph, weighted]) {
      const shares = paths(own, pattern).flatMap((row, u) => {
        if ((labels[u] as number) < 0) return [];
        const known = row.map((x, v) => (v !== u && (labels[v] as number) >= 0 ? x : 0));
        const all = known.reduce((p, q) => p + q, 0);
        return all === 0 ? [] : [known.reduce((sum, x, v) => sum + (labels[v] === labels[u] ? x : 0), 0) / all];
      });
      expect(g.nodeHomophily(own, labels, pattern)).toBeCloseTo(shares.reduce((p, q) => p + q, 0) / shares.length);
    }
  });

  test('the effective one is the largest over patterns', () => {
    const { patterns, effective } = g.effectiveHomophily(graph, labels);
    expect(effective).toBe(Math.max(...Object.values(patterns)));
    // Of two layers with arcs between them, nodes share a class with those of their common targets.
    const layered = Graph.fromEdges(6, [0, 0, 1, 1, 2, 2], [3, 4, 4, 5, 3, 5], { directed: true });
    const classes = Int32Array.of(0, 0, 0, 1, 1, 1);
    const found = g.effectiveHomophily(layered, classes);
    expect([found.patterns.A, found.patterns.AAᵀ, found.effective]).toEqual([0, 1, 1]);
  });
});

describe('the guidance score', () => {
  test('equals its definition by dense products', () => {
    const own = randomDigraph(new Random(5), 40, 4);
    const classes = Int32Array.from({ length: 40 }, (_, v) => (v % 7 === 0 ? -1 : Math.floor(v / 14)));
    const known = Array.from(classes.keys()).filter((v) => (classes[v] as number) >= 0);
    const pairs = known.flatMap((u) => known.filter((v) => v !== u).map((v) => [u, v] as const));
    const chance = pairs.filter(([u, v]) => classes[u] === classes[v]).length / pairs.length;
    expect(g.chanceAgreement(classes)).toBeCloseTo(chance);
    const excess = (pattern: ArcPattern | 'A_uA_u') => {
      const whole = paths(own, pattern);
      const joined = pairs.filter(([u, v]) => ((whole[u] as number[])[v] as number) > 0);
      const agree = joined.filter(([u, v]) => classes[u] === classes[v]).length / joined.length;
      return { pairs: joined.length, h: (agree - chance) / (1 - chance) };
    };
    const found = g.guidance(own, classes);
    for (const pattern of g.guidancePatterns) {
      expect(found.patterns[pattern].pairs).toBe(excess(pattern).pairs);
      expect(found.patterns[pattern].excess).toBeCloseTo(excess(pattern).h);
      expect(found.patterns[pattern].complete).toBe(true);
    }
    const most = Math.max(...(['AA', 'AAᵀ', 'AᵀA'] as const).map((pattern) => Math.abs(excess(pattern).h)));
    expect(found.score).toBeCloseTo(Math.min(1, Math.max(0, 1 - Math.abs(excess('A_uA_u').h) / most)));
  });

  test('is high where directions alone tell the classes, and undecided with few pairs', () => {
    const { graph: own, labels: classes } = cyclicBlocks(new Random(1));
    const some = classes.map((label, v) => (v % 3 === 0 ? label : -1));
    const found = g.guidance(own, some);
    expect(found.score).toBeGreaterThan(0.8);
    expect(found.advice).toBe('directed');
    const both = g.guidance(own.undirected(), some);
    expect(both.advice).not.toBe('directed');
    const few = classes.map((label, v) => (v % 80 === 0 ? label : -1));
    expect(g.guidance(own, few)).toMatchObject({ advice: 'undecided', score: Number.NaN, labelled: 8 });
    expect(g.guidance(own, few, { minimumPairs: 1 }).advice).not.toBe('undecided');
  });

  test('goes on with some nodes where the work would be too much, and says so', () => {
    const { graph: own, labels: classes } = cyclicBlocks(new Random(1));
    const found = g.guidance(own, classes, { work: 50_000 });
    expect(found.patterns.AA.complete).toBe(false);
    expect(found.patterns.AA.pairs).toBeLessThan(g.guidance(own, classes).patterns.AA.pairs);
    expect(found.advice).toBe('directed');
  });

  test('does not read the labels of test nodes: shuffling them changes nothing', async () => {
    const data = await loadDirected('cyclic');
    const task = data.task(0);
    const shuffled = task.labels.slice();
    const order = new Random(9).permutation(task.test.length);
    task.test.forEach((v, i) => {
      shuffled[v] = task.labels[task.test[order[i] as number] as number] as number;
    });
    expect(shuffled).not.toEqual(task.labels);
    const other: DirectedData = { ...data, task: () => ({ ...task, labels: shuffled }) };
    expect(guidanceOf(other, 0)).toEqual(guidanceOf(data, 0));
    const known = knownLabels(task);
    expect(known.filter((label) => label >= 0).length).toBe(task.train.length + task.validation.length);
    for (const v of task.test) expect(known[v]).toBe(-1);
  });
});

describe('views', () => {
  test('topology: reciprocity, ends, components, degrees by hand', () => {
    const own = Graph.fromEdges(6, [0, 1, 1, 2, 3, 3], [1, 0, 2, 3, 3, 4], { directed: true });
    expect(g.topologicalView(own)).toMatchObject({
      nodes: 6,
      arcs: 6,
      selfLoops: 1,
      reciprocity: 2 / 5,
      sources: 0,
      sinks: 1,
      isolated: 1,
      components: 2,
      strongComponents: 5,
      largestStrongComponent: 2,
      acyclic: false,
      bowTie: { core: 2, out: 3, in: 0, tube: 0, tendril: 0, disconnected: 1 },
      outDegrees: { mean: 1, largest: 2, median: 1 },
    });
  });

  test('a power law is found again by its tail', () => {
    const random = new Random(1);
    // P(D ≥ d) = ((d − ½)/1.5)^−1.5 from 2 on.
    const degrees = Int32Array.from({ length: 20_000 }, () =>
      Math.floor(1.5 * (1 - random.float()) ** (-1 / 1.5) + 0.5),
    );
    const tail = g.powerLaw(degrees.slice().sort().reverse());
    expect(Math.abs((tail?.exponent ?? 0) - 2.5)).toBeLessThan(0.15);
    expect(g.powerLaw(Int32Array.of(3, 2, 1))).toBeUndefined();
    const law = g.degreeLaw(Int32Array.of(0, 1, 1, 2, 6));
    expect([law.mean, law.median, law.largest, law.topShare]).toEqual([2, 1, 6, 0.6]);
    expect(law.distribution).toEqual([
      { degree: 1, share: 0.8 },
      { degree: 2, share: 0.4 },
      { degree: 6, share: 0.2 },
    ]);
  });

  test('spectrum: the magnetic eigenvectors of a winding graph explain its blocks, without directions not', () => {
    const { graph: own, labels: classes } = cyclicBlocks(new Random(2), { size: 40, density: 0.2, forward: 0.95 });
    const view = g.spectralView(own, classes, { charges: [0, 0.25], eigenpairs: 4 });
    const [without, withDirections] = (view?.charges ?? []).map(({ explained }) => explained);
    expect(without).toBeLessThan(0.2);
    expect(withDirections).toBeGreaterThan(0.7);
    expect(view?.nodes).toBe(120);
    expect(g.spectralView(own, classes, { limit: 50 })).toBeUndefined();
    // A tree is never frustrated.
    const tree = Graph.fromEdges(4, [0, 0, 3], [1, 2, 0], { directed: true });
    expect(g.spectralView(tree, undefined)?.frustration).toBeLessThan(1e-9);
  });

  test('sequence: walks along a cycle return and never end; agreement is told by step', () => {
    const cycle = Graph.fromEdges(4, [0, 1, 2, 3], [1, 2, 3, 0], { directed: true });
    const { forward, backward } = g.sequenceView(cycle, Int32Array.of(0, 1, 0, 1), { length: 4, walks: 40 });
    expect(forward).toEqual({ meanLength: 4, ended: 0, returned: 1, agreement: [0, 1, 0, 1] });
    expect(backward).toEqual(forward);
    const path = Graph.fromEdges(3, [0, 1], [1, 2], { directed: true });
    const walks = g.sequenceView(path, undefined, { length: 2, walks: 3 });
    expect(walks.forward).toMatchObject({ meanLength: 1, returned: 0 });
    expect(walks.forward.ended).toBeCloseTo(2 / 3);
    expect(walks.forward.agreement.every(Number.isNaN)).toBe(true);
  });
});

describe('the report', () => {
  test('counsels directions where they decide, and says from which pattern', () => {
    const { graph: own, labels: classes } = cyclicBlocks(new Random(4));
    const features = tensor(
      Float32Array.from({ length: 1800 }, (_, i) => Math.sin(i)),
      [600, 3],
    );
    const report = g.directednessReport({ graph: own, labels: classes, classNames: ['a', 'b', 'c'], features });
    expect(report.advice[0]).toContain('Keep the directions (S = ');
    expect(report.homophily?.compatibility[0]?.[1]).toBeGreaterThan(0.5);
    expect(report.smoothing?.length).toBe(11);
    const undirected = g.directednessReport({ graph: own.undirected(), labels: classes });
    expect(undirected.advice).toEqual([expect.stringContaining('Every arc goes both ways')]);
    const bare = g.directednessReport({ graph: own });
    expect([bare.homophily, bare.guidance, bare.smoothing]).toEqual([undefined, undefined, undefined]);
    expect(bare.advice[0]).toContain('There are no labels');
  });

  test('tells layers, walks that end, and graphs without arcs', () => {
    const layered = Graph.fromEdges(4, [0, 1, 2], [1, 2, 3], { directed: true });
    const { advice, topology } = g.directednessReport({ graph: layered });
    expect(topology.acyclic).toBe(true);
    expect(advice.join(' ')).toContain('There are no cycles');
    expect(advice.join(' ')).toMatch(/\d+ % of walks along arcs end early/);
    const empty = g.directednessReport({
      graph: Graph.fromEdges(3, [], [], { directed: true }),
      labels: Int32Array.of(0, 1, 1),
    });
    expect(empty.guidance?.advice).toBe('undecided');
    expect(empty.topology.trophicIncoherence).toBeNaN();
  });
});
