import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { TemporalGraph, triadicStream } from '../../src/structure/index.js';
import { keep, Random, tensor } from '../../src/tensor/index.js';

const whole = triadicStream(new Random(2), { nodes: 60, events: 900 });
const nodeNames = Array.from({ length: 60 }, (_, v) => `node ${v}`);
const features = Array.from({ length: 900 }, (_, e) => [Math.sin(e), e % 3]);

/** Events from … to − 1 as a stream of their own, whose nodes are numbered as in the whole. */
function part(from: number, to: number, featured: boolean): g.NamedEvents {
  const { sources, targets, times } = whole;
  const table = Float32Array.from(features.slice(from, to).flat());
  return {
    nodeNames,
    graph: new TemporalGraph(60, {
      sources: sources.subarray(from, to),
      targets: targets.subarray(from, to),
      times: times.subarray(from, to),
      ...(featured && { features: keep(tensor(table, [to - from, 2])) }),
    }),
  };
}

function trained(featured: boolean, to = 384): g.NATModel {
  const data = part(0, to, featured);
  const network = new g.NAT(data.graph, new Random(1), { selfWidth: 8, slots: [8, 4], timeUnit: 3 });
  g.replay(
    g.temporalScorer(network),
    data.graph,
    Int32Array.from({ length: to }, (_, e) => e),
  );
  return new g.NATModel(network, data);
}

describe.each([false, true])('a saved NAT (features of events: %s)', (featured) => {
  const model = trained(featured);
  const left = nodeNames.slice(0, 30);
  const right = nodeNames.slice(30);

  test('answers as before, and does not change by answering', () => {
    const before = model.network.snapshot();
    const again = g.NATModel.load(model.save());
    expect(again.predictProba(left, right)).toEqual(model.predictProba(left, right));
    expect(model.network.snapshot()).toEqual(before);
    expect(new Set(model.predictProba(left, right)).size).toBeGreaterThan(10);
  });

  test('takes in further events like the stream that was never interrupted, caches included', () => {
    const again = g.NATModel.load(model.save());
    again.observe(part(384, 600, featured));
    const twice = g.NATModel.load(again.save());
    twice.observe(part(600, 900, featured));
    // 600 is no multiple of the batch: the other model is interrupted there too.
    const other = trained(featured, 384);
    other.observe(part(384, 600, featured));
    other.observe(part(600, 900, featured));
    expect(twice.predictProba(left, right)).toEqual(other.predictProba(left, right));
    const [a, b] = [twice.network.snapshot(), other.network.snapshot()];
    expect(a.hops.map(({ keys, times, vectors }) => [keys, times, vectors])).toEqual(
      b.hops.map(({ keys, times, vectors }) => [keys, times, vectors]),
    );
    expect([a.selves, a.partners, a.observed]).toEqual([b.selves, b.partners, 900]);
    const straight = trained(featured, 896);
    const inParts = trained(featured);
    inParts.observe(part(384, 896, featured));
    expect(inParts.network.snapshot().selves).toEqual(straight.network.snapshot().selves);
    expect(inParts.predictProba(left, right)).toEqual(straight.predictProba(left, right));
  });

  test('knows no events of a new name, until it takes some in', () => {
    const again = g.NATModel.load(model.save());
    const [first] = again.predictProba(['node 1'], ['somebody']);
    expect(first).toBe(again.predictProba(['node 1'], ['somebody else'])[0]);
    const graph = new TemporalGraph(2, {
      sources: [0],
      targets: [1],
      times: [1e6],
      ...(featured && { features: keep(tensor([1, 2], [1, 2])) }),
    });
    again.observe({ graph, nodeNames: ['node 1', 'somebody'] });
    expect(again.nodeNames.at(-1)).toBe('somebody');
    expect(again.predictProba(['node 1'], ['somebody'])[0]).not.toBe(first);
    expect(() => again.observe(part(0, 10, featured))).toThrow('comes after one at 1000000');
    const odd = new TemporalGraph(2, {
      sources: [0],
      targets: [1],
      times: [2e6],
      features: keep(tensor([1, 2, 3], [1, 3])),
    });
    expect(() => again.observe({ graph: odd, nodeNames: ['a', 'b'] })).toThrow('events have 3 features');
  });
});
