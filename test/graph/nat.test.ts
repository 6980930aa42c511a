import { describe, expect, test } from 'vitest';
import { setThreads, threads } from '../../src/engine/index.js';
import * as g from '../../src/graph/index.js';
import { inference, stateOf } from '../../src/nn/index.js';
import { TemporalGraph, triadicStream } from '../../src/structure/index.js';
import { keep, Random, scope } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';
import { PlainNAT } from './plain-nat.js';

const ends = (stream: TemporalGraph, events: Int32Array) => ({
  left: events.map((e) => stream.sources[e] as number),
  right: events.map((e) => stream.targets[e] as number),
});

const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);

/** Scores events in batches, each taken in afterwards. */
function stream(model: g.NAT, graph: TemporalGraph, from: number, to: number, size = 32): number[] {
  const all: number[] = [];
  for (let at = from; at < to; at += size) {
    const events = range(at, Math.min(to, at + size));
    const { left, right } = ends(graph, events);
    all.push(...scope(() => [...model.score(left, right, inference).view()]));
    model.observe(events);
  }
  return all;
}

describe('slots', () => {
  test('are exact for large keys and spread evenly', () => {
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

describe('against dictionaries and scalar loops', () => {
  const random = new Random(4);
  const nodes = 40;
  const count = 640;
  const draw = () => Int32Array.from({ length: count }, () => random.integer(nodes));
  const events = {
    sources: draw(),
    targets: draw(),
    times: Float64Array.from({ length: count }, (_, i) => 1000 + Math.floor(i / 3)),
  };
  const features = keep(new Random(5).normal([count, 2]));
  const nodeFeatures = keep(new Random(6).normal([nodes, 3]));
  const cases = {
    'two hops, α = 0.7': { slots: [8, 4], replace: 0.7 },
    'two hops, α = 0': { slots: [8, 4], replace: 0 },
    'two hops, α = 1': { slots: [8, 4], replace: 1 },
    'one hop': { slots: [16] },
    'no caches': { slots: [] },
    attention: { slots: [8, 4], aggregate: 'attention' },
    'features of events': { slots: [8, 4], withEvents: true },
    'features of nodes': { slots: [8, 4], nodeFeatures },
  } as const satisfies Record<string, g.NATOptions & { withEvents?: boolean }>;

  test.each(Object.entries(cases))('%s: scores, caches, r and last events are the same', (_, given) => {
    const { withEvents = false, ...chosen }: g.NATOptions & { withEvents?: boolean } = given;
    const sizes = {
      selfWidth: 6,
      width: 3,
      outWidth: 5,
      timeUnit: 50,
      timeWidth: 2,
      positionWidth: 4,
      seed: 42,
      heads: 2,
      replace: 0.7,
    };
    const settings = { ...sizes, ...chosen };
    const graph = new TemporalGraph(nodes, { ...events, ...(withEvents && { features }) });
    const model = new g.NAT(graph, new Random(7), settings);
    const { nodeFeatures: table, slots = [] } = settings;
    const rows =
      table &&
      Array.from({ length: nodes }, (_, v) => Array.from(table.dataSync() as Float32Array).slice(3 * v, 3 * v + 3));
    const plain = new PlainNAT(model, graph, {
      ...settings,
      slots,
      ...(rows ? { nodeFeatures: rows } : { nodeFeatures: [] }),
    });
    for (let at = 0; at < count; at += 16) {
      const batch = range(at, at + 16);
      const { left, right } = ends(graph, batch);
      // Negatives are read, not written.
      const [from, to] = [
        Int32Array.of(...left, ...left),
        Int32Array.of(...right, ...right.map((v) => (v + 7) % nodes)),
      ];
      const logits = scope(() => [...model.score(from, to, inference).view()]);
      expectClose(logits, plain.score([...from], [...to]), 2e-5);
      model.observe(batch);
      plain.observe([...batch]);
    }
    const { state } = model;
    for (const [hop, cache] of state.hops.entries())
      for (const [place, key] of cache.keys.entries()) {
        const held = plain.caches[hop]?.get(`${Math.floor(place / cache.slots)}:${place % cache.slots}`);
        expect([key, cache.events[place], cache.times[place]]).toEqual(
          held ? [held.key, held.event, held.time] : [g.EMPTY, -1, 0],
        );
        expectClose(cache.vectors.subarray(3 * place, 3 * place + 3), held?.z ?? [0, 0, 0], 2e-5);
      }
    for (let v = 0; v < nodes; v++) {
      expectClose(state.selves.view().subarray(6 * v, 6 * v + 6), plain.selves.get(v) ?? new Array(6).fill(0), 2e-5);
      const last = plain.previous.get(v);
      expect([state.partners[v], state.lastEvents[v], state.lastTimes[v]]).toEqual(
        last ? [last.partner, last.event, last.time] : [g.EMPTY, -1, 0],
      );
    }
  });
});

describe('joint rows', () => {
  const make = (nodes: number, events: readonly (readonly [number, number])[], slots: readonly number[]) => {
    const graph = new TemporalGraph(nodes, {
      sources: events.map(([u]) => u),
      targets: events.map(([, v]) => v),
      times: events.map((_, i) => i + 1),
    });
    const model = new g.NAT(graph, new Random(1), { selfWidth: 4, slots, replace: 1, seed: 42 });
    stream(model, graph, 0, events.length, 1);
    return model.state;
  };
  const bitsOf = (state: g.TemporalState, u: number, v: number) => {
    const joint = g.joinPairs(g.fetchPlaces(state, Int32Array.of(u, v)), [0], [1]);
    return new Map(Array.from(joint.keys, (key, row) => [key, joint.bits[row] as number]));
  };

  test('a common neighbour of u and v has bits 2 + 16; u itself has 1, and 16 where v knows it', () => {
    const [u, v, a, other] = [0, 1, 2, 3];
    const bits = bitsOf(
      make(
        5,
        [
          [u, a],
          [v, a],
          [u, v],
        ],
        [16],
      ),
      u,
      v,
    );
    expect(bits.get(a)).toBe(2 + 16);
    expect(bits.get(u)).toBe(1 + 16);
    expect(bits.get(v)).toBe(8 + 2);
    // A node without events is in its own 0-hop cache.
    expect(bitsOf(make(5, [[u, a]], [16]), u, other)).toEqual(
      new Map([
        [u, 1],
        [a, 2],
        [other, 8],
      ]),
    );
  });

  test('the 2-hop cache holds the partners that the partner had before', () => {
    const bits = bitsOf(
      make(
        5,
        [
          [1, 2],
          [0, 1],
          [0, 1],
        ],
        [16, 16],
      ),
      0,
      4,
    );
    // At the second event 0 is a partner of 1, and 1 of 0.
    expect(bits).toEqual(
      new Map([
        [0, 1 + 4],
        [1, 2],
        [2, 4],
        [4, 8],
      ]),
    );
  });

  test('with room for every key, rows with bits 2 and 16 are the common neighbours', () => {
    const n = 31;
    const random = new Random(3);
    const met = Array.from({ length: n }, () => new Set<number>());
    const events: [number, number][] = [];
    while (events.length < 120) {
      const [u, v] = [random.integer(n), random.integer(n)];
      if (u === v) continue;
      events.push([u, v]);
      met[u]?.add(v);
      met[v]?.add(u);
    }
    const state = make(n, events, [1024]);
    const slots = new Set(Array.from({ length: n }, (_, a) => g.slotOf(a, 1024, g.oddMultiplier(42))));
    expect(slots.size).toBe(n); // one to one for these keys
    for (let u = 0; u < n; u++)
      for (let v = u + 1; v < n; v++) {
        const common = [...bitsOf(state, u, v)].flatMap(([key, bits]) => ((bits & 18) === 18 ? [key] : []));
        expect(new Set(common)).toEqual(new Set([...(met[u] as Set<number>)].filter((w) => met[v]?.has(w))));
      }
  });
});

describe('a stream', () => {
  const graph = triadicStream(new Random(2), { nodes: 60, events: 900 });
  const make = (own: TemporalGraph) => new g.NAT(own, new Random(7), { selfWidth: 8, slots: [8, 4], outWidth: 16 });

  test('a score depends on nothing of its own batch or later', () => {
    const changed = new TemporalGraph(60, {
      sources: graph.sources.map((u, i) => (i < 512 ? u : (u + 1) % 60)),
      targets: graph.targets,
      times: graph.times.map((t, i) => (i < 480 ? t : t + 5)),
    });
    const [before, after] = [graph, changed].map((own) => stream(make(own), own, 0, 900));
    expectClose(after?.slice(0, 512) as number[], before?.slice(0, 512) as number[], 1e-6);
    expect(after?.[560]).not.toBeCloseTo(before?.[560] as number, 5);
  });

  test('of events in one batch the last stays in the cache', () => {
    const twice = new TemporalGraph(3, { sources: [0, 0], targets: [1, 1], times: [1, 2] });
    const model = make(twice);
    stream(model, twice, 0, 2);
    const cache = model.state.hops[1] as g.NCache;
    expect(cache.times[cache.place(0, 1)]).toBe(2);
    expect(() => make(twice).observe(Int32Array.of(0, 1))).toThrow('score the events first');
    expect(() => {
      stream(model, twice, 0, 1);
      scope(() => model.score(Int32Array.of(2), Int32Array.of(2), inference));
      model.observe(Int32Array.of(1));
    }).toThrow('event 1 was not scored');
  });

  test('a state put back gives the same scores, draws included', () => {
    const model = make(graph);
    stream(model, graph, 0, 96);
    const kept = model.snapshot();
    const first = stream(model, graph, 96, 400);
    model.restore(kept);
    expect(stream(model, graph, 96, 400)).toEqual(first);
  });

  test('one thread and two give the same scores and state', () => {
    const initial = threads();
    const results = [1, 2].map((count) => {
      setThreads(count);
      const model = new g.NAT(graph, new Random(7));
      return { scores: stream(model, graph, 0, 900, 100), state: model.snapshot() };
    });
    setThreads(initial);
    expect(results[1]).toEqual(results[0]);
  });
});

describe('training', () => {
  const graph = triadicStream(new Random(5), { nodes: 150, events: 3000 });
  const split = g.chronologicalSplit(graph);

  test('reaches every parameter', async () => {
    const features = keep(new Random(1).normal([graph.eventCount, 2]));
    const own = new TemporalGraph(150, { ...events(graph), features });
    const model = new g.NAT(own, new Random(1), { selfWidth: 8, slots: [8, 4], aggregate: 'attention' });
    const before = Object.entries(stateOf(model)).map(([name, value]) => [name, [...value.dataSync()]] as const);
    await g.trainTemporal(model, own, { ...split, train: range(0, 500), validation: range(500, 600) }, new Random(2), {
      epochs: 1,
      learningRate: 1e-2,
    });
    const after = stateOf(model);
    for (const [name, values] of before)
      expect([name, [...(after[name]?.dataSync() ?? [])]]).not.toEqual([name, values]);
  });

  test('ends with weights and state of the same, best epoch', async () => {
    const short = { ...split, train: range(0, 400), validation: range(400, 600) };
    const model = new g.NAT(graph, new Random(1), { selfWidth: 8, slots: [8] });
    // No epoch is ten times as good as the first.
    const options = { epochs: 6, learningRate: 1e-2, patience: 3, tolerance: 10 };
    const { bestEpoch, history } = await g.trainTemporal(model, graph, short, new Random(2), options);
    expect([bestEpoch, history.length]).toEqual([1, 4]);
    const again = new g.NAT(graph, new Random(1), { selfWidth: 8, slots: [8] });
    await g.trainTemporal(again, graph, short, new Random(2), { ...options, epochs: 1 });
    expect(again.snapshot()).toEqual(model.snapshot());
    const weights = (own: g.NAT) => Object.values(stateOf(own)).map((value) => value.dataSync());
    expect(weights(again)).toEqual(weights(model));
    expect(model.state.observed).toBe(600);
  });
});

/** The events of a stream, without features. */
function events({ sources, targets, times }: TemporalGraph) {
  return { sources, targets, times };
}
