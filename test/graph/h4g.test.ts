import { describe, expect, test } from 'vitest';
import {
  type ClassText,
  classTexts,
  hierTag,
  LatentTextEncoder,
  textGraphFromTables,
  writeCsv,
} from '../../src/data/index.js';
import * as g from '../../src/graph/index.js';
import { BlockScaling, inference, PoincareBall, parameterCount, spearman, training } from '../../src/nn/index.js';
import { Graph } from '../../src/structure/index.js';
import { normalizeRows, Random, scope, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const graph = Graph.fromEdges(6, [0, 1, 2, 3], [1, 2, 3, 0]);
const d = 8;
const texts = normalizeRows(uniformTensor(1, [6, d]));
const classes = normalizeRows(uniformTensor(2, [3, d]));
const all = Int32Array.of(0, 1, 2, 3, 4, 5);
const rowsOf = (x: Tensor): number[][] => {
  const [n, width] = x.shape as [number, number];
  return Array.from({ length: n }, (_, i) => Array.from(x.view().subarray(i * width, (i + 1) * width)));
};

describe('encoders', () => {
  test('gated hops are Σ g_k·(Âᵏx)_v; a node without edges has its text', () => {
    const gates = new g.HopGates({ hops: 2 });
    gates.gates.assign(tensor([[0.5, -1, 2]]));
    const z = rowsOf(gates.forward(gates.prepare(graph, texts), all));
    const loops = [0, 1, 2, 3, 4, 5].map((u) => [u, ...graph.neighbours(u)]);
    const step = (x: number[][]) =>
      loops.map((own, u) =>
        (x[u] as number[]).map((_, j) =>
          own.reduce((sum, v) => {
            const degree = Math.sqrt(own.length * (loops[v] as number[]).length);
            return sum + (x[v]?.[j] as number) / degree;
          }, 0),
        ),
      );
    const x0 = rowsOf(texts);
    const x1 = step(x0);
    const x2 = step(x1);
    const expected = x0.map((row, v) => row.map((value, j) => 0.5 * value - (x1[v]?.[j] ?? 0) + 2 * (x2[v]?.[j] ?? 0)));
    expectClose(z.flat(), expected.flat(), 1e-5);
    expectClose(
      z[5] as number[],
      (x0[5] as number[]).map((value) => 1.5 * value),
      1e-5,
    );
    expect(parameterCount(new g.HopGates({ learned: false }))).toBe(0);
    expect(() => new g.HopGates({ hops: -1 })).toThrow('-1 hops');
  });

  test('subgraphs: nearest nodes, their normalised adjacency, probabilities of return', () => {
    const path = Graph.fromEdges(5, [0, 1, 2, 3], [1, 2, 3, 4]);
    expect(g.nearestNodes(path, 2, 4)).toEqual([2, 1, 3, 0]);
    const { nodes, counts, adjacency, places } = g.subgraphsOf(path, Int32Array.of(0, 2), 3, 4);
    expect([...nodes]).toEqual([0, 1, 2, 2, 1, 3]);
    expect([...counts]).toEqual([3, 3]);
    // Within {2, 1, 3} the centre has two neighbours; degrees with loops 3, 2, 2.
    const [a, b] = [1 / Math.sqrt(6), 1 / 2];
    expectClose(adjacency.subarray(9), [1 / 3, a, a, a, b, 0, a, 0, b], 1e-6);
    expectClose(places.subarray(12), [0, 1, 0, 1, 0, 0.5, 0, 0.5, 0, 0.5, 0, 0.5], 1e-6);
    expect([...g.subgraphsOf(graph, Int32Array.of(5), 3, 1).counts]).toEqual([1]);
  });

  test('the graph transformer reads a node’s own subgraph alone, whatever stands in the batch', () => {
    const gps = new g.GPSEncoder(d, new Random(3), { heads: 2, nodes: 4 });
    const prepared = gps.prepare(graph, texts);
    const together = rowsOf(gps.forward(prepared, all, inference));
    for (const v of all)
      expectClose(gps.forward(prepared, Int32Array.of(v), inference).view(), together[v] as number[], 1e-5);
    const changed = texts.view().slice();
    changed.fill(0.9, 5 * d);
    const other = rowsOf(gps.forward(gps.prepare(graph, tensor(changed, [6, d])), all, inference));
    expectClose(other.slice(0, 5).flat(), together.slice(0, 5).flat(), 1e-6);
    expect(other[5]).not.toEqual(together[5]);
    // Of a lone node mean and centre are one: hidden places do not count.
    const lone = Graph.fromEdges(1, [], []);
    const small = new g.GPSEncoder(d, new Random(3), { heads: 2, nodes: 1 });
    const one = texts
      .reshape([6, d])
      .view()
      .slice(5 * d);
    const alone = small.forward(small.prepare(lone, tensor(one, [1, d])), Int32Array.of(0), inference);
    expectClose(alone.view(), together[5] as number[], 1e-5);
    expect(() => new g.GPSEncoder(6, new Random(0), { heads: 4 })).toThrow('6 features do not divide among 4 heads');
  });
});

describe('H4G', () => {
  const networkOf = (options: g.H4GOptions = {}) => new g.H4G(d, new Random(0), { block: 4, ...options });
  const prepared = networkOf().prepare(graph, texts);
  const logits = (network: g.H4G) =>
    network.similarities(network.nodePoints(prepared, all), network.textPoints(classes));

  test('similarities are −d/τ of points that are lifted and scaled in one step', () => {
    const network = networkOf({ temperature: 0.5, length: 2 });
    const z = rowsOf(network.encoder.forward(prepared, all, inference));
    const unit = (row: number[]) => row.map((value) => value / Math.hypot(...row));
    const scale = 0.5 / 1.0007;
    const point = (row: number[]) => {
      const length = Math.tanh(2 * scale);
      return unit(row).map((value) => value * length);
    };
    const distance = (x: number[], y: number[]) => {
      const apart = x.reduce((sum, value, i) => sum + (value - (y[i] as number)) ** 2, 0);
      const gap = (v: number[]) => 1 - v.reduce((sum, value) => sum + value * value, 0);
      return Math.acosh(1 + (2 * apart) / (gap(x) * gap(y)));
    };
    const expected = z.flatMap((row) => rowsOf(classes).map((own) => -distance(point(row), point(own)) / 0.5));
    expectClose(logits(network).view(), expected, 1e-2);
    const exact = network.exactDistances(network.nodeVectors(prepared, all), network.textVectors(classes));
    expectClose(
      logits(network).view(),
      exact.view().map((value) => -value / 0.5),
      1e-4,
    );
  });

  test('are no cosines: they differ from the Euclidean method of the same blocks', () => {
    const blocks = uniformTensor(4, [2, 4, 4], -1, 1);
    const [ball, cosine] = (['ball', 'cosine'] as const).map((geometry) => {
      const network = networkOf({ geometry, length: 2, temperature: 1 });
      network.scaling?.blocks?.assign(blocks);
      return logits(network).view();
    }) as [Float32Array, Float32Array];
    const affine = (values: Float32Array) => {
      const mean = values.reduce((a, b) => a + b) / values.length;
      const centred = values.map((value) => value - mean);
      const length = Math.hypot(...centred);
      return centred.map((value) => value / length);
    };
    const [a, b] = [affine(ball), affine(cosine)];
    expect(Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))))).toBeGreaterThan(1e-3);
  });

  test('the texts that are compared have one radius, their mean, unless each is to keep its own', () => {
    const radii = (equalRadii: boolean) => {
      const network = networkOf({ length: 2, equalRadii });
      network.scaling?.blocks?.assign(uniformTensor(4, [2, 4, 4], -1, 1));
      const norms = rowsOf(network.textVectors(classes)).map((row) => Math.hypot(...row));
      expectClose(
        network.ball.radius(network.textPoints(classes)).view(),
        norms.map((value) => 2 * value),
        1e-4,
      );
      return norms;
    };
    const own = radii(false);
    expect(Math.max(...own) - Math.min(...own)).toBeGreaterThan(0.05);
    const mean = own.reduce((a, b) => a + b) / own.length;
    expectClose(radii(true), [mean, mean, mean], 1e-5);
    const directions = (equalRadii: boolean) => {
      const network = networkOf({ equalRadii });
      network.scaling?.blocks?.assign(uniformTensor(4, [2, 4, 4], -1, 1));
      return normalizeRows(network.textVectors(classes)).view();
    };
    expectClose(directions(true), directions(false), 1e-5);
    const withEmpty = tensor(Float32Array.from([...classes.view(), ...new Float32Array(d)]), [4, d]);
    expect(rowsOf(networkOf().textVectors(withEmpty))[3]).toEqual(Array(d).fill(0));
  });

  test('an empty text without neighbours lies at the origin', () => {
    const empty = texts.view().slice();
    empty.fill(0, 5 * d);
    const network = networkOf();
    const own = network.prepare(graph, tensor(empty, [6, d]));
    expect(network.ball.radius(network.nodePoints(own, Int32Array.of(5))).item()).toBe(0);
    expect([...logits(networkOf({ geometry: 'cosine' })).view()].every(Number.isFinite)).toBe(true);
  });

  test('midpoints lie between a node and its neighbours', () => {
    const [plain, mixed] = [networkOf({ length: 1 }), networkOf({ length: 1, midpoints: true })];
    const points = rowsOf(mixed.nodePoints(prepared, all));
    const alone = rowsOf(plain.nodePoints(prepared, all));
    expectClose(points[5] as number[], alone[5] as number[], 1e-5);
    // Node 0 has the neighbours 1 and 3 on a cycle of four.
    const three = [0, 1, 3].map((v) => alone[v] as number[]);
    const lambda = three.map((x) => 2 / (1 - x.reduce((sum, value) => sum + value * value, 0)));
    const total = lambda.reduce((sum, value) => sum + value - 1, 0);
    const mean = three[0]?.map((_, j) => three.reduce((sum, x, i) => sum + (lambda[i] ?? 0) * (x[j] ?? 0), 0) / total);
    const length = Math.hypot(...(mean as number[]));
    const half = Math.tanh(Math.atanh(length) / 2) / length;
    expectClose(
      points[0] as number[],
      (mean as number[]).map((value) => half * value),
      1e-4,
    );
  });

  test('the loss is symmetric InfoNCE with penalties of radius and of blocks; gradients are right', () => {
    const nodes = Int32Array.of(0, 1, 2, 4);
    const about = normalizeRows(uniformTensor(6, [4, d]));
    const task = { prepared, nodes, about };
    const batch = Int32Array.of(0, 1, 3);
    const mode = training(new Random(0));
    const network = networkOf({ length: 1 });
    network.scaling?.blocks?.assign(uniformTensor(4, [2, 4, 4], -1, 1));
    const lossOf = (options: g.AlignmentOptions) => g.alignmentLoss(network, task, batch, mode, options).item();
    const rows = batch.map((at) => nodes[at] as number);
    const own = network.nodePoints(prepared, rows);
    const read = [0, 1, 3].flatMap((at) => [...about.view().subarray(at * d, (at + 1) * d)]);
    const partners = network.textPoints(tensor(Float32Array.from(read), [3, d]));
    const s = rowsOf(network.similarities(own, partners));
    const entropy = (m: number[][]) =>
      m.reduce((sum, row, i) => sum + Math.log(row.reduce((t, v) => t + Math.exp(v), 0)) - (row[i] as number), 0) / 3;
    const flipped = s.map((_, i) => s.map((row) => row[i] as number));
    const plain = lossOf({ identityPenalty: 0 });
    expect(plain).toBeCloseTo((entropy(s) + entropy(flipped)) / 2, 4);
    const radii = [...network.ball.radius(own).view(), ...network.ball.radius(partners).view()];
    const mean = radii.reduce((a, b) => a + b) / radii.length;
    expect(lossOf({ identityPenalty: 0, radiusPenalty: 0.5 }) - plain).toBeCloseTo(0.5 * mean, 4);
    expect(lossOf({ identityPenalty: 2 }) - plain).toBeCloseTo(
      2 * (network.scaling?.offIdentity().item() as number),
      4,
    );
    checkGradient(
      (gates, blocks, temperature) => {
        const live = networkOf({ length: 1 });
        Object.assign(live.encoder, { gates });
        Object.assign(live.scaling as BlockScaling, { blocks });
        Object.assign(live, { logTemperature: temperature });
        return g.alignmentLoss(live, task, batch, mode);
      },
      [tensor([[0.4, 0.9, 0.5]]), uniformTensor(4, [2, 4, 4], -1, 1), tensor([[0.2]])],
      { second: false, tolerance: 2e-2, step: 1e-3 },
    );
  });

  test('trains: S, gates and temperature; an adapter S and temperature alone; fewer than two pairs are refused', async () => {
    const nodes = all;
    const about = normalizeRows(uniformTensor(7, [6, d]));
    const trained = async (options: g.H4GOptions) => {
      const network = networkOf(options);
      const start = network.scaling?.blocks?.view().slice() as Float32Array;
      await g.trainH4G(network, { prepared, nodes, about }, new Random(1), { epochs: 30, learningRate: 0.05 });
      const gates = (network.encoder as g.HopGates).gates.view();
      return { network, moved: start.some((value, i) => value !== network.scaling?.blocks?.view()[i]), gates };
    };
    const joint = await trained({});
    const adapter = await trained({ training: 'adapter' });
    expect([joint.moved, adapter.moved]).toEqual([true, true]);
    expect([...adapter.gates]).toEqual([1, 1, 1]);
    expect([...joint.gates]).not.toEqual([1, 1, 1]);
    expect(adapter.network.logTemperature.item()).not.toBeCloseTo(Math.log(0.3), 3);
    const task = { prepared, nodes, about };
    const loss = (network: g.H4G) => g.alignmentLoss(network, task, all, training(new Random(0))).item();
    expect(loss(joint.network)).toBeLessThan(loss(networkOf()) - 0.3);
    expect(() => g.trainH4G(networkOf(), { prepared, nodes: all.subarray(0, 1), about }, new Random(0))).toThrow(
      '1 nodes have',
    );
    expect(() => networkOf({ block: 3 })).toThrow('blocks of 3 rows do not divide 8 features');
    expect(() => networkOf({ temperature: 0 })).toThrow('temperature must be positive');
    expect(() => networkOf({ encoder: 'gps', training: 'adapter' })).toThrow('train it jointly');
  });

  test('the lift and S are one step: at ρ = 8 an untrained S gives radius 8, not half of 12.2', () => {
    const radii = (options: g.H4GOptions) => {
      const network = networkOf(options);
      return [...network.ball.radius(network.nodePoints(prepared, all)).view()];
    };
    expectClose(radii({ length: 8 }), Array(6).fill(8), 2e-3);
    expectClose(radii({ length: 8, scaling: 'none' }), Array(6).fill(12.206), 5e-3);
  });

  test('S adds d·b + d/b parameters; its own for texts twice as many', () => {
    expect(g.scalingParameters(networkOf())).toBe(8 * 4 + 2);
    expect(g.scalingParameters(networkOf({ shareScaling: false }))).toBe(2 * (8 * 4 + 2));
    expect(g.scalingParameters(networkOf({ scaling: 'scalar' }))).toBe(1);
    expect(g.scalingParameters(networkOf({ scaling: 'none' }))).toBe(0);
  });
});

describe('the report of radii', () => {
  const random = new Random(0);
  const count = 10_000;
  const u = scope(() => {
    const directions = normalizeRows(random.split('d').normal([count, 16]));
    const norms = Float32Array.from({ length: count }, () => 8 * Math.exp(0.1 * random.gaussian()));
    return directions.multiply(tensor(norms, [count, 1]));
  });
  const ball = new PoincareBall();
  const scaling = new BlockScaling(16);
  const of = (points: Tensor) => g.radiusReport({ ball }, u, points);

  test('at a large radius single precision clips nearly all, and norms are lost', () => {
    const report = of(ball.exp(u));
    expect(report.clipped).toBeGreaterThan(0.98);
    expect(report.deviation).toBeLessThan(0.05);
    expect(report.norms).toBeLessThan(0.2);
  });

  test('a contractive S in one step restores them, after the lift it does not', () => {
    const report = of(ball.exp(scaling.forward(u)));
    expect(report.clipped).toBe(0);
    expect(report.norms).toBeGreaterThan(0.999);
    expect(Math.abs(report.mean - 8)).toBeLessThan(0.2);
    expect(of(ball.matrix((x) => scaling.forward(x), ball.exp(u))).norms).toBeLessThan(0.2);
    expect(report.distances).toBeGreaterThan(0.5);
  });

  test('agreement and the nearest text, on hand-made distances', () => {
    const apart = tensor([
      [0, 1, 5],
      [1, 0, 2],
      [5, 2, 0],
    ]);
    expect(g.nearestAgreement(apart, [0, 0, 1])).toBeCloseTo(2 / 3, 6);
    expect([
      ...g.smallestOf(
        tensor([
          [3, 1, 2],
          [0, 4, 4],
        ]),
      ),
    ]).toEqual([1, 0]);
    expect(spearman([1, 2, 3], [10, 30, 20])).toBeCloseTo(0.5, 6);
  });

  test('a sweep with s = 1 gives the predictions of the network, and keeps them where radii are equal', () => {
    const network = new g.H4G(d, new Random(0), { block: 4, length: 2 });
    const prepared = network.prepare(graph, texts);
    const points = network.nodePoints(prepared, all);
    const own = [...g.smallestOf(network.ball.distances(points, network.textPoints(classes)))];
    const swept = g.sweepPredictions(network, prepared, all, classes);
    expect(swept.length).toBe(7);
    expect([...(swept[0] as Int32Array)]).toEqual(own);
    expect([...(swept[6] as Int32Array)]).toEqual(own);
  });
});

describe('models of graphs of texts', () => {
  const data = hierTag(new Random(2), { fields: 5, topics: 3, nodesOf: () => 24 });
  const folderOf = (name: string, wanted: (topic: number) => boolean, columns: readonly string[]) => {
    const nodes = Array.from(data.topics.keys()).filter((v) => wanted(data.topics[v] as number));
    const rows = nodes.map((v) =>
      [`n${v}`, data.texts[v] as string, data.summaries[v] as string].slice(0, columns.length),
    );
    const { sources, targets } = data.homophilic.induced(nodes).edges();
    const edges = Array.from(sources, (u, e) => [`n${nodes[u]}`, `n${nodes[targets[e] as number]}`]);
    const text = { nodes: writeCsv(columns, rows), edges: writeCsv(['source', 'target'], edges) };
    return { nodes, graph: textGraphFromTables(text, name) };
  };
  const summary = ['id', 'text', 'summary'];
  const one = folderOf('one', (topic) => topic < 4, summary);
  const two = folderOf('two', (topic) => topic >= 4 && topic < 9, summary);
  const target = folderOf('target', (topic) => topic >= 9, ['id', 'text']);
  const named: ClassText[] = [9, 10, 11, 12, 13, 14].map((topic) => ({
    name: `t${topic}`,
    text: data.classTexts[topic] as string,
  }));
  const corpus = [...data.texts, ...data.summaries, ...data.classTexts];
  const encoder = { encoder: new LatentTextEncoder({ dimension: 32 }).fit(corpus), digest: 'abc' };
  const fitted = g.fitTextGraphs([one.graph, two.graph], new Random(0), { encoder, epochs: 40, batch: 64 });
  const labels = target.nodes.map((v) => (data.topics[v] as number) - 9);

  test('find classes that training had not, and call nodes of none unknown', async () => {
    const { model, heldOut, retrieval } = await fitted;
    expect(heldOut).toBe(Math.round(0.1 * 9 * 24));
    expect(retrieval).toBeGreaterThan(2 / heldOut);
    const { classes: found, probabilities, radii, report } = model.predict(target.graph, named, 0);
    const right = found.filter((own, v) => own === labels[v]).length / labels.length;
    expect(right).toBeGreaterThan(0.6);
    expect(report.clipped).toBe(0);
    for (const radius of radii) expect(radius).toBeLessThan(12.2);
    // Classes of one of two fields: the nodes of the other one are unknown.
    const unknown = (threshold: number | undefined, wanted: (label: number) => boolean) => {
      const half = model.predict(target.graph, named.slice(0, 3), threshold);
      const own = [...half.classes].filter((_, v) => wanted(labels[v] as number));
      return own.filter((label) => label < 0).length / own.length;
    };
    const lost = unknown(undefined, (label) => label < 3);
    expect(lost).toBeLessThan(0.2);
    expect(unknown(undefined, (label) => label >= 3)).toBeGreaterThan(2 * lost);
    expect(unknown(0.7, (label) => label >= 3)).toBeGreaterThan(0.9);
    expect(unknown(0.7, (label) => label < 3)).toBeLessThan(0.5);
    const strict = model.predict(target.graph, named, 0.9);
    strict.classes.forEach((own, v) => {
      expect(own).toBe((probabilities[v] as number) < 0.9 ? -1 : found[v]);
    });
    expect(() => model.predict(target.graph, named, 2)).toThrow('a probability from 0 to 1, got 2');
  });

  test('know the probability that nine of ten held-out nodes reach', async () => {
    const { model } = await fitted;
    const { known } = model.description;
    expect(known.map(({ classes }) => classes)).toEqual([2, 3, 5, 10, 20]);
    for (const [i, { probability }] of known.entries())
      if (i > 0) expect(probability).toBeLessThanOrEqual((known[i - 1]?.probability as number) + 0.05);
    expect(model.threshold(2)).toBe(known[0]?.probability);
    expect(model.threshold(1000)).toBe(known.at(-1)?.probability);
    const [three, five] = [known[1]?.probability, known[2]?.probability] as [number, number];
    expect(model.threshold(4)).toBeCloseTo(three + (Math.log(4 / 3) / Math.log(5 / 3)) * (five - three), 9);
  });

  test('are saved and loaded, with the encoder or by its digest', async () => {
    const { model } = await fitted;
    const bytes = model.save();
    const again = g.H4GModel.load(bytes, 'file', encoder);
    expect(again.predict(target.graph, named).distances).toEqual(model.predict(target.graph, named).distances);
    expect(() => g.H4GModel.load(bytes, 'file')).toThrow('trained with a sentence model: give it by --encoder');
    expect(() => g.H4GModel.load(bytes, 'file', { ...encoder, digest: 'xyz' })).toThrow('another sentence model');
    const own = await g.fitTextGraphs([one.graph, two.graph], new Random(0), {
      epochs: 2,
      textFeatures: 16,
      validation: 0,
    });
    expect(own.retrieval).toBeNaN();
    const file = own.model.save();
    const loaded = g.H4GModel.load(file, 'file');
    expect(loaded.predict(target.graph, named).probabilities).toEqual(
      own.model.predict(target.graph, named).probabilities,
    );
    expect(loaded.threshold(3)).toBe(0);
    expect(() => g.H4GModel.load(file, 'file', encoder)).toThrow('has its own encoder of texts');
  });

  test('with words by themselves know any class; with directions of texts only words of these', async () => {
    const options = { epochs: 1, textFeatures: 64 };
    const named = [
      { name: 'zebra', text: 'zebra stripes' },
      { name: 'whale', text: 'whale ocean' },
    ];
    const tables = { nodes: 'id,text\na,stripes of a zebra\nb,a whale\nc,\n', edges: 'source,target\n' };
    const unseen = textGraphFromTables(tables, 'unseen');
    const latent = await g.fitTextGraphs([one.graph], new Random(0), options);
    const [text] = latent.model.predict(unseen, named).notes;
    expect(text).toContain('no word of zebra, whale is in the training texts');
    const strange = [...named, { name: 'x', text: 'ξψ' }];
    expect(() => latent.model.predict(unseen, strange)).toThrow('class "x": the encoder of the model knows no word');
    const hashed = await g.fitTextGraphs([one.graph], new Random(0), { ...options, texts: 'hashed' });
    const again = g.H4GModel.load(hashed.model.save());
    const { classes: found, radii, notes } = again.predict(unseen, named, 0);
    expect(notes).toEqual([]);
    expect([...found].slice(0, 2)).toEqual([0, 1]);
    expect(radii[2]).toBe(0);
  });

  test('without summaries pair the halves of a text, which share no word', () => {
    const tables = { nodes: 'id,text\na,one two three\nb,four\nc,\n', edges: 'source,target\na,b\n' };
    const small = textGraphFromTables(tables, 'small');
    const { texts: own, abouts, nodes } = g.pairsOf([small, small]);
    expect([own[0], abouts[0]]).toEqual(['one two', 'three']);
    expect([...nodes]).toEqual([0, 3]);
    expect(small.notes).toEqual(['1 of 3 nodes of "small" have no word in their text']);
    expect(() => g.pairsOf([])).toThrow('no graph is given');
  });

  test('refuse tables that are none', () => {
    const edges = 'source,target\na,b\n';
    const read = (nodes: string, own = edges) => textGraphFromTables({ nodes, edges: own }, 'g');
    expect(() => read('id,words\na,x\n')).toThrow('nodes need the columns id and text, got id, words');
    expect(() => read('id,text\na,x\na,y\n')).toThrow('nodes, line 3: node "a" is named twice');
    expect(() => read('id,text\na,x\n')).toThrow('edges, line 2: "b" is no node');
    expect(() => read('id,text\na,\nb,?\n')).toThrow('no node has a word in its text');
    expect(read('id,text,label\na,x,1\nb,y,2\n').notes).toEqual(['columns of "g" that are not read: label']);
    expect(classTexts('name,description\na,of b\nc,\n', 'c.csv').map(({ text }) => text)).toEqual(['a. of b', 'c']);
    expect(() => classTexts('class\na\n', 'c.csv')).toThrow('classes need a column name');
    expect(() => classTexts('name\na\na\n', 'c.csv')).toThrow('line 3: class "a" is given twice');
    expect(() => classTexts('name\na\n', 'c.csv')).toThrow('holds 1 classes; at least two');
    expect(() => classTexts('name\na\n?\n', 'c.csv')).toThrow('line 3: class "?" has no word');
  });
});
