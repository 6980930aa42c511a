import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { inference } from '../../src/nn/index.js';
import { TemporalGraph, triadicStream } from '../../src/structure/index.js';
import { Random, scope } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const options = { selfWidth: 6, width: 2, slots: [8, 4], replace: 1, seed: 42 };

/** The caches as dictionaries: slot → (key, event), by the rules alone. */
class Dictionaries {
  readonly hops: Map<string, { key: number; event: number }>[] = [new Map(), new Map(), new Map()];

  constructor(readonly replace: number) {}

  #write(hop: number, node: number, key: number, event: number, draw: number): void {
    const slots = [1, ...options.slots][hop] as number;
    const q = g.oddMultiplier(options.seed);
    const slot = Number((BigInt(key) * BigInt(q) + BigInt(key) ** 2n * BigInt(q + 1)) % BigInt(slots));
    const at = `${node}:${slot}`;
    const held = this.hops[hop]?.get(at);
    if (held && held.key !== key && !(draw < this.replace)) return;
    this.hops[hop]?.set(at, { key, event });
  }

  observe(u: number, v: number, event: number): void {
    const sides = [
      [u, v],
      [v, u],
    ] as const;
    sides.forEach(([node, partner], side) => {
      this.#write(0, node, node, event, 0);
      this.#write(1, node, partner, event, g.hashUnit(options.seed, event, 2 * side, 0));
    });
    sides.forEach(([node, partner], side) => {
      for (let slot = 0; slot < (options.slots[0] as number); slot++) {
        const held = this.hops[1]?.get(`${partner}:${slot}`);
        if (held && held.key !== node)
          this.#write(2, node, held.key, held.event, g.hashUnit(options.seed, event, 2 * side + 1, slot));
      }
    });
  }
}

describe('caches', () => {
  test.each([0, 0.7, 1])('equal dictionaries written by the rules, replacing with probability %f', (replace) => {
    const random = new Random(1);
    const state = new g.TemporalState(40, { ...options, replace });
    const expected = new Dictionaries(replace);
    for (let event = 0; event < 5000; event++) {
      const [u, v] = [random.integer(40), random.integer(40)];
      state.observe(u, v, event, event, () => undefined);
      expected.observe(u, v, event);
    }
    state.hops.forEach((cache, hop) => {
      cache.keys.forEach((key, place) => {
        const held = expected.hops[hop]?.get(`${Math.floor(place / cache.slots)}:${place % cache.slots}`);
        expect([key, cache.events[place]]).toEqual(held ? [held.key, held.event] : [g.EMPTY, -1]);
      });
    });
  });

  test('slots are exact for large keys and spread evenly', () => {
    const counts = new Float64Array(32);
    for (let i = 0; i < 32_000; i++) {
      const key = 1_000_000 + 7 * i;
      const slot = g.slotOf(key, 32, 85);
      expect(slot).toBe(Number((BigInt(key) * 85n + BigInt(key) ** 2n * 86n) % 32n));
      counts[slot] = (counts[slot] as number) + 1;
    }
    for (const count of counts) expect(count).toBe(1000);
  });

  test('draws are uniform', () => {
    const bins = new Float64Array(10);
    for (let i = 0; i < 50_000; i++) {
      const bin = Math.floor(10 * g.hashUnit(1, i, i % 3, i % 7));
      bins[bin] = (bins[bin] as number) + 1;
    }
    for (const count of bins) expect(Math.abs(count - 5000)).toBeLessThan(350);
  });
});

describe('joint rows', () => {
  test('a common neighbour of u and v has bits 2 + 16; u itself has 1, and 16 where v knows it', () => {
    const state = new g.TemporalState(5, { ...options, slots: [16] });
    const [u, v, a] = [0, 1, 2];
    state.observe(u, a, 0, 1, () => undefined);
    state.observe(v, a, 1, 2, () => undefined);
    state.observe(u, v, 2, 3, () => undefined);
    const fetched = g.fetchPlaces(state, Int32Array.of(u, v));
    const joint = g.joinPairs(fetched, [0], [1]);
    const bits = new Map(Array.from(joint.keys, (key, row) => [key, joint.bits[row]]));
    expect(bits.get(a)).toBe(2 + 16);
    expect(bits.get(u)).toBe(1 + 16);
    expect(bits.get(v)).toBe(8 + 2);
  });

  test('with room for every key, rows with bits 2 and 16 are the common neighbours', () => {
    const n = 31;
    const state = new g.TemporalState(n, { ...options, slots: [1024], seed: 42 });
    const random = new Random(3);
    const met = Array.from({ length: n }, () => new Set<number>());
    for (let e = 0; e < 120; e++) {
      const [u, v] = [random.integer(n), random.integer(n)];
      if (u === v) continue;
      state.observe(u, v, e, e, () => undefined);
      met[u]?.add(v);
      met[v]?.add(u);
    }
    const slots = new Set(Array.from({ length: n }, (_, a) => g.slotOf(a, 1024, g.oddMultiplier(42))));
    expect(slots.size).toBe(n); // one to one for these keys
    for (let u = 0; u < n; u++)
      for (let v = u + 1; v < n; v++) {
        const joint = g.joinPairs(g.fetchPlaces(state, Int32Array.of(u, v)), [0], [1]);
        const common = Array.from(joint.keys).filter((_, row) => ((joint.bits[row] as number) & 18) === 18);
        expect(new Set(common)).toEqual(new Set([...(met[u] as Set<number>)].filter((w) => met[v]?.has(w))));
      }
  });
});

describe('NAT', () => {
  const graph = triadicStream(new Random(2), { nodes: 60, events: 900 });
  const make = (stream: TemporalGraph, extra: g.NATOptions = {}) =>
    new g.NAT(stream, new Random(7), { selfWidth: 8, slots: [8, 4], outWidth: 16, ...extra });

  /** Scores of every event when the stream passes in batches of 50. */
  const scores = (stream: TemporalGraph) => {
    const model = make(stream);
    const all: number[] = [];
    for (let at = 0; at < stream.eventCount; at += 50) {
      const events = Int32Array.from({ length: Math.min(50, stream.eventCount - at) }, (_, i) => at + i);
      all.push(
        ...scope(() => [
          ...model
            .score(
              events.map((e) => stream.sources[e] as number),
              events.map((e) => stream.targets[e] as number),
              inference,
            )
            .view(),
        ]),
      );
      model.observe(events);
    }
    return all;
  };

  test('a score depends on nothing of its own batch or later', () => {
    const changed = new TemporalGraph(60, {
      sources: graph.sources.map((u, i) => (i < 500 ? u : (u + 1) % 60)),
      targets: graph.targets,
      times: graph.times.map((t, i) => (i < 500 ? t : t + 5)),
    });
    expectClose(scores(changed).slice(0, 500), scores(graph).slice(0, 500), 1e-6);
    expect(scores(changed)[560]).not.toBeCloseTo(scores(graph)[560] as number, 5);
  });

  test('of events in one batch the last stays in the cache', () => {
    const stream = new TemporalGraph(3, { sources: [0, 0], targets: [1, 1], times: [1, 2] });
    const model = make(stream);
    const events = Int32Array.of(0, 1);
    scope(() => model.score(Int32Array.of(0, 0), Int32Array.of(1, 1), inference));
    model.observe(events);
    const cache = model.state.hops[1] as g.NCache;
    expect(cache.times[cache.place(0, 1)]).toBe(2);
    expect(() => make(stream).observe(events)).toThrow('score the events first');
  });

  test('a state put back gives the same scores', () => {
    const model = make(graph);
    const ask = (from: number) => {
      const events = Int32Array.from({ length: 50 }, (_, i) => from + i);
      const result = scope(() => [
        ...model
          .score(
            events.map((e) => graph.sources[e] as number),
            events.map((e) => graph.targets[e] as number),
            inference,
          )
          .view(),
      ]);
      model.observe(events);
      return result;
    };
    ask(0);
    const kept = model.snapshot();
    const first = ask(50);
    model.restore(kept);
    expectClose(ask(50), first, 1e-7);
  });

  test('caches find closed triangles: far better than self representations alone', async () => {
    const stream = triadicStream(new Random(5), { nodes: 150, events: 3000 });
    const split = g.chronologicalSplit(stream);
    const precision = async (slots: readonly number[], aggregate: 'sum' | 'attention' = 'sum') => {
      const model = new g.NAT(stream, new Random(1), { selfWidth: 32, slots, aggregate });
      const { seen } = await g.trainTemporal(model, stream, split, new Random(2), { epochs: 4, learningRate: 2e-3 });
      return g.evaluateStream(g.natScorer(model), stream, split.test, seen, new Random(3)).averagePrecision;
    };
    const [off, one, attention] = [await precision([]), await precision([16]), await precision([16], 'attention')];
    expect(one).toBeGreaterThan(off + 0.08);
    expect(attention).toBeGreaterThan(off + 0.05);
  }, 60_000);

  test('splits: inductive training never sees a hidden node, every test event has one', () => {
    const split = g.inductiveSplit(graph, new Random(1));
    const nodes = (events: Int32Array) =>
      new Set([...events].flatMap((e) => [graph.sources[e] as number, graph.targets[e] as number]));
    const known = nodes(split.train);
    expect(split.test.length).toBeGreaterThan(0);
    for (const e of split.test)
      expect(known.has(graph.sources[e] as number) && known.has(graph.targets[e] as number)).toBe(false);
  });
});

test('EdgeBank remembers pairs both ways; degree and common neighbours count', () => {
  const stream = new TemporalGraph(4, { sources: [0, 1], targets: [1, 2], times: [0, 1] });
  const all = [g.edgeBank(stream), g.commonNeighbours(stream), g.destinationDegree(stream)];
  for (const scorer of all) scorer.observe(Int32Array.of(0, 1));
  const ask = (scorer: g.TemporalScorer) =>
    Array.from(scorer.score(Int32Array.of(1, 0, 0), Int32Array.of(0, 2, 3), new Float64Array(3)));
  expect(ask(all[0] as g.TemporalScorer)).toEqual([1, 0, 0]);
  expect(ask(all[1] as g.TemporalScorer)).toEqual([1, 1, 0]);
  expect(ask(all[2] as g.TemporalScorer)).toEqual([1, 1, 0]);
});

describe('rivals', () => {
  test('a joint row counts the walks from u and from v that meet the node at each step', () => {
    const stream = new TemporalGraph(3, { sources: [0], targets: [1], times: [0] });
    const history = new g.WalkHistory(stream, { walks: 5, length: 2 });
    history.observe(Int32Array.of(0));
    const rows: number[] = [];
    // Every walk on a single edge goes to its other end and back.
    expect(history.joint(0, 2, new Random(1), rows)).toBe(3);
    expect(rows).toEqual([...[5, 0, 5, 0, 0, 0], ...[0, 5, 0, 0, 0, 0], ...[0, 0, 0, 5, 0, 0]]);
  });

  test('memories change at events alone, and what one node learns its partner reads', () => {
    const stream = new TemporalGraph(4, { sources: [0, 1], targets: [1, 2], times: [0, 1] });
    const network = new g.MemoryNetwork(stream, new Random(1), { memory: 4, width: 4, recent: 2 });
    const ask = () => Array.from(network.score(Int32Array.of(0, 2, 3), Int32Array.of(1, 3, 3)));
    const before = ask();
    expect(ask()).toEqual(before);
    network.observe(Int32Array.of(0));
    const after = ask();
    expect(after[0]).not.toBeCloseTo(before[0] as number, 5);
    expect(after[2]).toBeCloseTo(before[2] as number, 6);
    network.observe(Int32Array.of(1));
    // Node 0 had no event, but its partner 1 had.
    expect(ask()[0]).not.toBeCloseTo(after[0] as number, 5);
  });
});
