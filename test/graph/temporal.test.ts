import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { inference, stateOf } from '../../src/nn/index.js';
import { TemporalGraph, triadicStream } from '../../src/structure/index.js';
import { keep, Random, scope } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const graph = triadicStream(new Random(2), { nodes: 60, events: 900 });
const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);
const touched = (events: Int32Array) =>
  new Set([...events].flatMap((e) => [graph.sources[e] as number, graph.targets[e] as number]));

/** A scorer that keeps what it is asked and told. */
function recorder(score: (u: number, v: number) => number = () => 0) {
  const calls: { left: number[]; right: number[]; times: number[] }[] = [];
  const observed: number[] = [];
  const scorer: g.TemporalScorer = {
    score: (left, right, times) => {
      calls.push({ left: [...left], right: [...right], times: [...times] });
      return Float64Array.from(left, (u, i) => score(u, right[i] as number));
    },
    observe: (events) => void observed.push(...events),
  };
  return { scorer, calls, observed };
}

describe('splits', () => {
  test('inductive: no hidden node in training and validation, one in every test event, all events replayed', () => {
    const whole = g.chronologicalSplit(graph);
    const split = g.inductiveSplit(graph, new Random(1));
    const hidden = Array.from(split.hidden?.keys() ?? []).filter((v) => split.hidden?.[v] === 1);
    expect(hidden.length).toBe(6); // 10 % of all nodes
    for (const v of hidden) {
      expect(touched(whole.validation).has(v) || touched(whole.test).has(v)).toBe(true);
      expect(touched(split.train).has(v) || touched(split.validation).has(v)).toBe(false);
    }
    for (const part of ['train', 'validation'] as const)
      expect(whole[part].filter((e) => !hidden.some((v) => touched(Int32Array.of(e)).has(v)))).toEqual(split[part]);
    expect(split.test.length).toBeGreaterThan(0);
    expect(whole.test.filter((e) => hidden.some((v) => touched(Int32Array.of(e)).has(v)))).toEqual(split.test);
    expect([...(split.replay ?? [])]).toEqual([...whole.train, ...whole.validation]);
  });

  test('inductive: hidden nodes are of those that appear after the training time', () => {
    const ring = Array.from({ length: 100 }, (_, i) => (i < 70 ? i % 20 : 20 + (i % 10)));
    const early = new TemporalGraph(30, {
      sources: ring,
      targets: [...ring.slice(1), 20],
      times: ring.map((_, i) => i),
    });
    for (let seed = 0; seed < 5; seed++) {
      const { hidden = new Uint8Array() } = g.inductiveSplit(early, new Random(seed));
      expect([...hidden.slice(0, 20)]).toEqual(new Array(20).fill(0));
      expect([...hidden].filter((own) => own === 1).length).toBe(3);
    }
  });

  test('negatives are destinations: of this part and those before, or of events so far', () => {
    const sources = Array.from({ length: 100 }, (_, i) => i % 5);
    const targets = Array.from({ length: 100 }, (_, i) => 5 + Math.floor(i / 10));
    const bipartite = new TemporalGraph(15, { sources, targets, times: sources.map((_, i) => i) });
    const split = g.chronologicalSplit(bipartite);
    const pool = (part: 'train' | 'validation' | 'test', kind: g.Negatives) =>
      g.negativePool(bipartite, split, part, kind).list;
    expect(pool('train', 'phase')).toEqual([5, 6, 7, 8, 9, 10, 11]);
    expect(pool('validation', 'phase')).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(pool('test', 'phase')).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    expect(pool('train', 'seen')).toEqual([]);
    expect(pool('test', 'seen')).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13]);
    const drawn = new Set<number>();
    for (const kind of ['phase', 'seen'] as const) {
      const pools = [g.negativePool(bipartite, split, 'train', kind)];
      let last = 0;
      for (const { events, right } of g.streamBatches(bipartite, split.train, 8, pools, new Random(1))) {
        last = Math.max(last, ...events.map((e) => targets[e] as number));
        for (const v of right.subarray(events.length)) {
          if (kind === 'seen') expect(v).toBeLessThanOrEqual(last);
          drawn.add(v);
        }
      }
    }
    expect([...drawn].sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10, 11]);
  });
});

describe('evaluation', () => {
  test('scores each test event once against a negative of each pool, in batches of 32, then takes it in', () => {
    const split = g.chronologicalSplit(graph);
    const { scorer, calls, observed } = recorder((u, v) => u * 60 + v);
    const pools = (['phase', 'seen'] as const).map((kind) => g.negativePool(graph, split, 'test', kind));
    const [phase] = g.evaluateStream(scorer, graph, split.test, pools, new Random(1));
    expect(observed).toEqual([...split.test]);
    expect(calls.map(({ left }) => left.length / 3)).toEqual([32, 32, 32, 32, 7]);
    calls.forEach(({ left, right, times }, i) => {
      const events = split.test.subarray(32 * i, 32 * i + 32);
      const of = (values: ArrayLike<number>) => Array.from(events, (e) => values[e] as number);
      expect(left).toEqual([...of(graph.sources), ...of(graph.sources), ...of(graph.sources)]);
      expect(right.slice(0, events.length)).toEqual(of(graph.targets));
      expect(times).toEqual([...of(graph.times), ...of(graph.times), ...of(graph.times)]);
    });
    // AUC by counting pairs, batch by batch.
    const areas = calls.map((_, i) => {
      const positives = [...(phase?.positives.subarray(32 * i, 32 * i + 32) ?? [])];
      const negatives = [...(phase?.negatives.subarray(32 * i, 32 * i + 32) ?? [])];
      const wins = positives.flatMap((p) => negatives.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
      return wins.reduce<number>((a, b) => a + b, 0) / wins.length;
    });
    expect(phase?.auc).toBeCloseTo(areas.reduce((a, b) => a + b, 0) / areas.length, 6);
  });
});

/** A network whose logit is w, which keeps what it takes in. */
class Recorded implements g.TemporalNetwork<number[]> {
  readonly w = new g.TimeEncoding(1);
  /** Events of the state, and all in the order in which they came. */
  #state: number[] = [];
  readonly scored: number[] = [];
  resets = 0;

  get taken(): readonly number[] {
    return this.#state;
  }

  score(left: Int32Array, _: Int32Array, __: unknown, times: Float64Array) {
    this.scored.push(left.length);
    return this.w.forward(Float32Array.from(times, () => 0)).reshape([left.length]);
  }

  observe(events: Int32Array): void {
    this.#state = [...this.#state, ...events];
  }

  reset(): void {
    this.#state = [];
    this.resets += 1;
  }

  snapshot(): number[] {
    return this.#state;
  }

  restore(state: number[]): void {
    this.#state = state;
  }
}

describe('training', () => {
  test('starts each epoch empty, keeps the state through validation, and leaves it for the test', async () => {
    const split = g.chronologicalSplit(graph);
    const network = new Recorded();
    await g.trainTemporal(network, graph, split, new Random(1), { epochs: 2, batchSize: 50, tolerance: 0 });
    expect(network.resets).toBe(2);
    expect(network.taken).toEqual([...split.train, ...split.validation]);
    expect(network.scored.slice(0, 13)).toEqual([...Array(12).fill(100), 60]);
    expect(network.scored.slice(13, 18)).toEqual([64, 64, 64, 64, 14]);
  });

  test('inductive: replays all events before the test, hidden nodes included, on an empty state', async () => {
    const split = g.inductiveSplit(graph, new Random(1));
    const network = new Recorded();
    await g.trainTemporal(network, graph, split, new Random(1), { epochs: 1, batchSize: 50 });
    expect(network.taken).toEqual([...(split.replay ?? [])]);
  });

  test('inductive: the caches are those of a model that streamed all events up to the test', async () => {
    const split = g.inductiveSplit(graph, new Random(1));
    const model = new g.NAT(graph, new Random(1), { selfWidth: 8, slots: [8, 4] });
    await g.trainTemporal(model, graph, split, new Random(1), { epochs: 1, learningRate: 1e-2 });
    const after = model.snapshot();
    model.reset();
    for (let at = 0; at < 765; at += 32) {
      const events = range(at, Math.min(765, at + 32));
      scope(() =>
        model.score(
          events.map((e) => graph.sources[e] as number),
          events.map((e) => graph.targets[e] as number),
          inference,
        ),
      );
      model.observe(events);
    }
    expect(model.snapshot()).toEqual(after);
  });

  test('stops when no epoch is better by the tolerance', async () => {
    const split = g.chronologicalSplit(graph);
    const network = new Recorded();
    const { history, bestEpoch } = await g.trainTemporal(network, graph, split, new Random(1), {
      epochs: 9,
      patience: 2,
    });
    // Its scores are all equal, and so is every average precision.
    expect([history.length, bestEpoch]).toEqual([3, 1]);
  });
});

test('heuristics: EdgeBank both ways and in a window, ties by degree, degree, recency, common neighbours', () => {
  const stream = new TemporalGraph(5, { sources: [0, 1, 1], targets: [1, 2, 2], times: [0, 1, 2] });
  const ask = (scorer: g.TemporalScorer) => {
    scorer.observe(Int32Array.of(0, 1, 2));
    return Array.from(scorer.score(Int32Array.of(1, 0, 0, 2), Int32Array.of(0, 2, 3, 1), Float64Array.of(3, 3, 3, 3)));
  };
  expect(ask(g.edgeBank(stream))).toEqual([1, 0, 0, 1]);
  expect(ask(g.edgeBank(stream, 2))).toEqual([0, 0, 0, 1]);
  expectClose(ask(g.edgeBankByDegree(stream)), [1 + 1 / 7, 2 / 7, 0, 1 + 3 / 7], 1e-12);
  expect(ask(g.destinationDegree(stream))).toEqual([1, 2, 0, 3]);
  expect(ask(g.destinationRecency(stream))).toEqual([0, 2, -1, 2]);
  expect(ask(g.commonNeighbours(stream))).toEqual([1, 1, 0, 1]);
});

describe('walks', () => {
  const stream = new TemporalGraph(6, {
    sources: [0, 1, 1, 3, 0],
    targets: [1, 2, 3, 4, 5],
    times: [0, 1, 2, 3, 4],
  });

  test('go back in time, and count the nodes that they pass at each step', () => {
    const sampler = new g.WalkSampler(stream, { walks: 64, length: 2, seed: 1 });
    sampler.observe(range(0, 5));
    const { rows, counts, events } = sampler.sample(Int32Array.of(3), Int32Array.of(0));
    for (let walk = 0; walk < 128; walk++) {
      const [start, first, second] = [...events.subarray(3 * walk, 3 * walk + 3)] as [number, number, number];
      expect(start).toBe(-1);
      expect(walk < 64 ? [2, 3] : [0, 4]).toContain(first);
      if (first === 2) expect([0, 1]).toContain(second);
      // 4 and 5 had no earlier event, nor had 1 before event 0.
      else expect([second, rows[3 * walk + 2]]).toEqual([-1, -1]);
    }
    // Row by row: 3, its partners 1 and 4, …; from 3, then from 0.
    const counted = new Map<string, number>();
    for (let walk = 0; walk < 128; walk++)
      for (let step = 0; step < 3; step++) {
        const row = rows[3 * walk + step] as number;
        const key = `${walk < 64 ? 0 : 1}:${row}:${step}`;
        if (row >= 0) counted.set(key, (counted.get(key) ?? 0) + 1 / 64);
      }
    for (const [side, table] of counts.entries())
      for (const [at, share] of table.entries())
        expect(share).toBeCloseTo(counted.get(`${side}:${Math.floor(at / 3)}:${at % 3}`) ?? 0, 6);
    // 0 is met from both sides.
    expect([...counts[0]].reduce((a, b) => a + b, 0)).toBeGreaterThan(2);
  });

  test('prefer recent partners, in proportion to their rank', () => {
    const star = new TemporalGraph(5, { sources: [0, 0, 0, 0], targets: [1, 2, 3, 4], times: [0, 1, 2, 3] });
    const sampler = new g.WalkSampler(star, { walks: 20_000, length: 1, seed: 3 });
    sampler.observe(range(0, 4));
    const { events } = sampler.sample(Int32Array.of(0), Int32Array.of(0));
    const shares = [0, 1, 2, 3].map((event) => events.filter((e) => e === event).length / 40_000);
    // The larger of two uniform ranks: (2k + 1)/n².
    expectClose(shares, [1 / 16, 3 / 16, 5 / 16, 7 / 16], 0.01);
  });
});

describe('networks without caches', () => {
  const features = keep(new Random(1).normal([graph.eventCount, 2]));
  const { sources, targets, times } = graph;
  const featured = new TemporalGraph(60, { sources, targets, times, features });
  const makers = {
    TGN: (own: TemporalGraph) => new g.TGN(own, new Random(1), { memory: 8, width: 8 }),
    CAWN: (own: TemporalGraph) => new g.WalkNetwork(own, new Random(1), { walks: 4, width: 8 }),
  };

  test.each(Object.entries(makers))('%s: training reaches every parameter', async (_, make) => {
    const model: g.TemporalNetwork & object = make(featured);
    const before = Object.entries(stateOf(model)).map(([name, value]) => [name, [...value.dataSync()]] as const);
    const split = { train: range(0, 400), validation: range(400, 500), test: range(500, 600) };
    await g.trainTemporal(model, featured, split, new Random(2), { epochs: 1, learningRate: 1e-2 });
    const after = stateOf(model);
    for (const [name, values] of before)
      expect([name, [...(after[name]?.dataSync() ?? [])]]).not.toEqual([name, values]);
  });

  test.each(Object.entries(makers))('%s: the state is known before a batch alone, and can be put back', (_, make) => {
    const model: g.TemporalNetwork = make(graph);
    const ask = (from: number) => {
      const events = range(from, from + 50);
      const of = (values: Int32Array) => events.map((e) => values[e] as number);
      const at = Float64Array.from(events, (e) => times[e] as number);
      const result = scope(() => [...model.score(of(sources), of(targets), inference, at).view()]);
      model.observe(events);
      return result;
    };
    const first = ask(0);
    const kept = model.snapshot();
    const second = ask(50);
    model.restore(kept);
    expect(ask(50)).toEqual(second);
    model.reset();
    expect(ask(0)).toEqual(first);
  });

  test('TGN: memories change at events alone, and what one node learns its partner reads', () => {
    const stream = new TemporalGraph(5, { sources: [0, 1], targets: [1, 2], times: [0, 1] });
    const network = new g.TGN(stream, new Random(1), { memory: 4, width: 4, recent: 2, dropout: 0 });
    const ask = () =>
      scope(() =>
        Array.from(
          network
            .score(Int32Array.of(0, 2, 3, 1), Int32Array.of(1, 3, 3, 2), inference, new Float64Array(4).fill(2))
            .view(),
        ),
      );
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

  test('TGN: what the partner knew reaches the memory, also once others came after it', () => {
    const scoreAfter = (partner: number) => {
      const stream = new TemporalGraph(7, { sources: [2, 0, 0], targets: [3, partner, 5], times: [0, 1, 2] });
      const network = new g.TGN(stream, new Random(1), { memory: 4, width: 4, recent: 1 });
      for (const e of [0, 1, 2]) g.replay(g.temporalScorer(network), stream, Int32Array.of(e));
      return g.temporalScorer(network).score(Int32Array.of(0), Int32Array.of(6), Float64Array.of(3))[0] as number;
    };
    // 2 had an event before, 1 had none.
    expect(Math.abs(scoreAfter(2) - scoreAfter(1))).toBeGreaterThan(1e-5);
  });

  test('CAWN: how often the walks from v pass a node names it, too', () => {
    const stream = new TemporalGraph(8, { sources: [0, 3, 5, 5], targets: [1, 4, 6, 7], times: [0, 0, 0, 0] });
    const network = new g.WalkNetwork(stream, new Random(1), { walks: 16, length: 1, width: 8 });
    network.observe(range(0, 4));
    const pairs = [Int32Array.of(0, 0), Int32Array.of(3, 5)] as const;
    const [one, two] = Array.from(g.temporalScorer(network).score(...pairs, Float64Array.of(1, 1)));
    // 3 has one partner, 5 has two, none of them near 0.
    expect(Math.abs((one as number) - (two as number))).toBeGreaterThan(1e-5);
  });
});
