import { describe, expect, test } from 'vitest';
import {
  aggregationNames,
  type ColourTest,
  classify,
  classSchemes,
  colourGraphs,
  colourTests,
  encodes,
  equalPairs,
  type GraphProperty,
  isFiner,
  isStronger,
  poolings,
  properties,
  subgraphClasses,
  tellsApart,
} from '../../src/graph/index.js';
import {
  changGraphs,
  cutsOf,
  cycles,
  erdosRenyi,
  furerBases,
  furerPair,
  Graph,
  GraphCollection,
  graphOfText,
  hopDistances,
  resistanceCodes,
  rookGraph,
  shrikhandeGraph,
} from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';

const furer = Object.fromEntries(
  Object.entries(furerBases).map(([name, base]) => [name, furerPair(graphOfText(base))]),
);
const pairs: Readonly<Record<string, readonly [Graph, Graph]>> = {
  C6: [cycles(6), cycles(3, 3)],
  ...furer,
  rook: [rookGraph(4), shrikhandeGraph()],
};

/** Two fused hexagons, and two pentagons joined by an edge. */
const decalin = graphOfText('0-1 1-2 2-3 3-4 4-5 5-0 4-6 6-7 7-8 8-9 9-5');
const bicyclopentyl = graphOfText('0-1 1-2 2-3 3-4 4-0 5-6 6-7 7-8 8-9 9-5 0-5');

const hierarchy = [...subgraphClasses, 'LFWL(2)', 'SLFWL(2)', 'FWL(2)'] as const;
// Verdicts of two independent programs, told apart (Y) or not.
const table: Readonly<Record<string, { readonly n: number; readonly verdicts: string }>> = {
  C6: { n: 6, verdicts: 'YYYYYYYYY' },
  F1: { n: 16, verdicts: '-YYYYYYYY' },
  F2: { n: 26, verdicts: '--YYYYYYY' },
  F3: { n: 28, verdicts: '-Y-YYYYYY' },
  F4: { n: 44, verdicts: '----YYYYY' },
  F5: { n: 20, verdicts: '-----YYYY' },
  F6: { n: 26, verdicts: '-----Y-YY' },
  F7: { n: 30, verdicts: '------YYY' },
  rook: { n: 16, verdicts: '---------' },
};

const verdict = (own: ColourTest, name: string) => tellsApart(own, ...(pairs[name] as [Graph, Graph]));

describe('the hierarchy', () => {
  test.each(Object.entries(table))('%s is told apart by the classes that it should be', (name, { n, verdicts }) => {
    const [first, second] = pairs[name] as [Graph, Graph];
    expect([first.nodeCount, second.nodeCount]).toEqual([n, n]);
    expect(hierarchy.map((own) => (verdict(own, name) ? 'Y' : '-')).join('')).toBe(verdicts);
    expect(verdict('1-WL', name)).toBe(false);
  });

  test('an order that the table does not contradict, with a witness for each step', () => {
    for (const stronger of subgraphClasses)
      for (const weaker of subgraphClasses) {
        const only = Object.keys(table).filter((name) => verdict(stronger, name) && !verdict(weaker, name));
        if (isStronger(stronger, weaker)) expect(only.length).toBeGreaterThan(0);
        if (isStronger(weaker, stronger) || stronger === weaker) expect(only).toEqual([]);
      }
    expect(isStronger('SWL(SV)', 'PSWL(VS)') || isStronger('PSWL(VS)', 'SWL(SV)')).toBe(false);
  });

  test('every list of aggregations is as strong as its class says, and none without edges above 1-WL', () => {
    const names = ['F1', 'F2', 'F3', 'F4', 'F5'];
    const expected = new Map<string, string>();
    const verdicts = (own: ColourTest) => names.map((name) => (verdict(own, name) ? 'Y' : '-')).join('');
    for (const own of subgraphClasses) expected.set(own, verdicts(own));
    expect(new Set(expected.values()).size).toBe(6);
    expected.set('1-WL', '-----');
    for (let mask = 1; mask < 128; mask++)
      for (const pooling of poolings) {
        const list = aggregationNames.filter((_, bit) => (mask >> bit) & 1);
        const found = classify(list, pooling);
        expect([list, pooling, verdicts({ aggregations: list, pooling })]).toEqual([
          list,
          pooling,
          expected.get(found),
        ]);
      }
  }, 120_000);

  test('classify names the classes of their own schemes, and mirrored ones alike', () => {
    for (const own of subgraphClasses) {
      const { aggregations, pooling } = classSchemes[own];
      expect(classify(aggregations, pooling)).toBe(own);
    }
    expect(classify(['uL', 'vu'], 'VS')).toBe('SSWL');
    expect(classify(['vL', 'uu'], 'SV')).toBe('PSWL(VS)');
    expect(classify(['vL', 'uG'], 'SV')).toBe('GSWL');
    expect(classify(['uL', 'uG', 'uu'], 'SV')).toBe('SWL(SV)');
    expect(classify(['uG', 'vG', 'vv'], 'VS')).toBe('1-WL');
    expect(() => classify(['uX'], 'VS')).toThrow('"uX" is none of vu, uu, vv, uG, vG, uL, vL');
  });

  test('the four SR(28, 12, 6, 4) are the same to all', () => {
    const chang = GraphCollection.of(changGraphs());
    for (const graph of changGraphs()) expect([graph.nodeCount, graph.edgeCount]).toEqual([28, 168]);
    for (const own of hierarchy) expect(equalPairs(colourGraphs(own, chang).graphs)).toBe(6);
  });
});

describe('colours', () => {
  /** Refinement with texts in place of hashes. */
  function naive(own: (typeof hierarchy)[number], graphs: readonly Graph[]): string[] {
    const n = graphs.map(({ nodeCount }) => nodeCount);
    const sorted = (all: readonly string[]) => `{${[...all].sort().join(';')}}`;
    const range = (count: number) => Array.from({ length: count }, (_, i) => i);
    const isFolklore = own.endsWith('FWL(2)');
    let colours = graphs.map((graph, g) =>
      range(n[g] as number).map((u) =>
        range(n[g] as number).map((v) => `${Number(u === v)}${isFolklore ? Number(graph.hasEdge(u, v)) : ''}`),
      ),
    );
    const step = () =>
      graphs.map((graph, g) =>
        range(n[g] as number).map((u) =>
          range(n[g] as number).map((v) => {
            const at = (a: number, b: number) => colours[g]?.[a]?.[b] as string;
            const all = range(n[g] as number);
            const [ofU, ofV] = [u, v].map((node) => Array.from(graph.neighbours(node))) as [number[], number[]];
            if (isFolklore) {
              const over = own === 'FWL(2)' ? all : own === 'LFWL(2)' ? ofV : [...new Set([...ofU, ...ofV])];
              return `${at(u, v)}${sorted(over.map((w) => `(${at(u, w)},${at(w, v)})`))}`;
            }
            const parts = {
              uL: () => sorted(ofV.map((w) => at(u, w))),
              vL: () => sorted(ofU.map((w) => at(w, v))),
              vG: () => sorted(all.map((w) => at(w, v))),
              vv: () => at(v, v),
            } as Readonly<Record<string, () => string>>;
            const { aggregations } = classSchemes[own as keyof typeof classSchemes];
            return `${at(u, v)}${aggregations.map((name) => `|${parts[name]?.()}`).join('')}`;
          }),
        ),
      );
    for (let round = 0; round < 12; round++) {
      const next = step();
      const numbers = new Map<string, number>();
      for (const text of next.flat(2)) if (!numbers.has(text)) numbers.set(text, numbers.size);
      colours = next.map((rows) => rows.map((row) => row.map((text) => `c${numbers.get(text)}`)));
    }
    const { pooling } = isFolklore ? { pooling: 'VS' } : classSchemes[own as keyof typeof classSchemes];
    return graphs.map((_, g) =>
      sorted(
        range(n[g] as number).map((i) =>
          sorted(
            range(n[g] as number).map((j) => (pooling === 'VS' ? colours[g]?.[i]?.[j] : colours[g]?.[j]?.[i]) ?? ''),
          ),
        ),
      ),
    );
  }

  const small = [
    ...Array.from({ length: 12 }, (_, seed) => erdosRenyi(new Random(seed), 6, 2.5)),
    cycles(6),
    cycles(3, 3),
    decalin,
    bicyclopentyl,
  ];

  test.each(hierarchy)('of %s are those of a refinement by texts', (own) => {
    const texts = naive(own, small);
    const { of, count } = colourGraphs(own, GraphCollection.of(small)).graphs;
    expect(count).toBe(new Set(texts).size);
    for (let a = 0; a < small.length; a++)
      for (let b = 0; b < a; b++) expect([a, b, of[a] === of[b]]).toEqual([a, b, texts[a] === texts[b]]);
  });

  test('do not depend on the order of nodes', () => {
    const graph = erdosRenyi(new Random(3), 9, 3.2);
    const { sources, targets } = graph.edges();
    const order = new Random(4).permutation(9);
    const moved = (side: Int32Array) => side.map((node) => order[node] as number);
    const again = Graph.fromEdges(9, moved(sources), moved(targets));
    for (const own of colourTests) expect([own, tellsApart(own, graph, again)]).toEqual([own, false]);
  });

  test('follow labels of nodes and edges', () => {
    const path = GraphCollection.of([graphOfText('01 12'), graphOfText('01 12')]);
    for (const own of colourTests) {
      const of = (labels: object) => colourGraphs(own, path, labels).graphs.count;
      expect(of({})).toBe(1);
      expect(of({ nodes: [0, 1, 0, 1, 0, 0] })).toBe(2);
      expect(of({ nodes: [0, 1, 0, 0, 1, 0] })).toBe(1);
      if (own !== 'SPD-WL' && own !== 'RD-WL') expect([own, of({ edges: [0, 1, 1, 1] })]).toEqual([own, 2]);
    }
  });

  test('of an unknown test are refused', () => {
    expect(() => colourGraphs('2-WL' as never, GraphCollection.of([decalin]))).toThrow('there is no test "2-WL"');
  });
});

describe('distances', () => {
  const graphs = Array.from({ length: 6 }, (_, seed) => erdosRenyi(new Random(seed), 8, 2.4));

  test('of hops equal powers of the adjacency', () => {
    for (const graph of graphs) {
      const n = graph.nodeCount;
      const found = hopDistances(graph);
      const reach = Array.from({ length: n }, (_, u) => new Set([u]));
      for (let hops = 0; hops < n; hops++) {
        for (let u = 0; u < n; u++)
          for (const v of reach[u] as Set<number>) expect(found[u * n + v]).toBeLessThanOrEqual(hops);
        for (let u = 0; u < n; u++)
          for (let v = 0; v < n; v++) if (found[u * n + v] === hops) expect(reach[u]?.has(v)).toBe(true);
        for (const own of reach) for (const v of [...own]) for (const w of graph.neighbours(v)) own.add(w);
      }
      const components = graph.components;
      found.forEach((hops, at) => {
        const apart = components[Math.floor(at / n)] !== components[at % n];
        expect(hops === 255).toBe(apart);
      });
    }
  });

  test('of resistance are equal exactly where those of a pseudo-inverse are', () => {
    const values: number[] = [];
    const codes: number[] = [];
    for (const graph of graphs) {
      const n = graph.nodeCount;
      const found = resistanceCodes(graph);
      for (let u = 0; u < n; u++)
        for (let v = 0; v < n; v++) {
          codes.push(found[u * n + v] as number);
          values.push(graph.components[u] === graph.components[v] ? resistance(graph, u, v) : -1);
        }
    }
    for (let a = 0; a < values.length; a++)
      for (let b = 0; b < a; b++)
        if ((codes[a] === codes[b]) !== Math.abs((values[a] as number) - (values[b] as number)) < 1e-9)
          throw new Error(`${values[a]} and ${values[b]} have codes ${codes[a]} and ${codes[b]}`);
  });

  /** The potential difference of a unit current, by relaxation. */
  function resistance(graph: Graph, u: number, v: number): number {
    if (u === v) return 0;
    const potential = new Float64Array(graph.nodeCount);
    for (let sweep = 0; sweep < 6000; sweep++)
      for (let node = 0; node < graph.nodeCount; node++) {
        const own = graph.neighbours(node);
        if (node === v || own.length === 0) continue;
        potential[node] = (own.reduce((sum, w) => sum + (potential[w] as number), 0) + Number(node === u)) / own.length;
      }
    return potential[u] as number;
  }

  test('cuts are what disconnects', () => {
    for (const graph of [...graphs, decalin, bicyclopentyl]) {
      const { sources, targets } = graph.edges();
      const parts = (own: Graph) => new Set(own.components).size;
      const cuts = cutsOf(graph);
      cuts.edges.forEach((is, e) => {
        const kept = (side: Int32Array) => side.filter((_, at) => at !== e);
        const without = Graph.fromEdges(graph.nodeCount, kept(sources), kept(targets));
        expect(parts(without) > parts(graph)).toBe(is === 1);
      });
      cuts.nodes.forEach((is, node) => {
        const others = Array.from({ length: graph.nodeCount }, (_, v) => v).filter((v) => v !== node);
        const alone = graph.neighbours(node).length === 0;
        expect(parts(graph.induced(others)) > parts(graph) - Number(alone)).toBe(is === 1);
      });
    }
    expect(cutsOf(bicyclopentyl).nodes.reduce((a, b) => a + b)).toBe(2);
    expect(cutsOf(decalin).edges.reduce((a, b) => a + b)).toBe(0);
  });
});

describe('what colours encode', () => {
  const all = GraphCollection.of([decalin, bicyclopentyl, ...Object.values(pairs).flat()]);

  test('a stronger class never fails where a weaker one succeeds', () => {
    const names = Object.keys(properties) as GraphProperty[];
    const found = Object.fromEntries(
      (['1-WL', ...subgraphClasses] as const).map((own) => [own, names.map((name) => encodes(own, name, all).holds)]),
    ) as Readonly<Record<string, boolean[]>>;
    for (const stronger of subgraphClasses)
      for (const weaker of subgraphClasses)
        if (isStronger(stronger, weaker))
          names.forEach((name, i) => {
            if (found[weaker]?.[i]) expect([stronger, name, found[stronger]?.[i]]).toEqual([stronger, name, true]);
          });
    expect(found['1-WL']?.every((holds) => !holds)).toBe(true);
    // The colour of a pair holds the round in which marks arrive.
    expect(found['SWL(VS)']?.[0]).toBe(true);
  });

  test('1-WL gives two molecules one colour, of which one alone has cuts; subgraph tests do not', () => {
    const both = GraphCollection.of([decalin, bicyclopentyl]);
    expect(tellsApart('1-WL', decalin, bicyclopentyl)).toBe(false);
    for (const own of subgraphClasses) expect(tellsApart(own, decalin, bicyclopentyl)).toBe(true);
    const { holds, witness } = encodes('1-WL', 'cut edge', both);
    expect(holds).toBe(false);
    expect(witness?.map(({ value }) => value).sort()).toEqual([0, 1]);
    for (const own of subgraphClasses) {
      expect(encodes(own, 'cut edge', both).holds).toBe(true);
      expect(encodes(own, 'cut node', both).holds).toBe(true);
    }
    expect(() => encodes('1-WL', 'girth' as never, both)).toThrow('there is no property "girth"');
  });

  test('distance tests are above SWL on F1 and F2, and below PSWL everywhere here', () => {
    for (const own of ['SPD-WL', 'RD-WL'] as const) {
      const told = Object.keys(table).filter((name) => verdict(own, name));
      expect(told).toEqual(['C6', 'F1', 'F2']);
      expect(tellsApart(own, decalin, bicyclopentyl)).toBe(true);
      expect(told.every((name) => verdict('PSWL(VS)', name))).toBe(true);
      expect(isFiner(colourGraphs('PSWL(VS)', all).graphs, colourGraphs(own, all).graphs)).toBe(true);
    }
  });
});
