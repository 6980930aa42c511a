import { describe, expect, test } from 'vitest';
import {
  analyseBinary,
  binaryWeightsIn,
  type ChannelTree,
  channelStar,
  compress,
  majorityRatio,
  nearestChain,
  networkOperations,
  operationRatios,
  orderChannels,
  parseRecipe,
  rowsOfLayer,
  type SignRows,
  signDistances,
  spanningTree,
  spanningTreeFrom,
  TreePull,
  trainWithTrees,
  treeDistance,
  treeMeasures,
} from '../../src/compress/index.js';
import { glyphImages } from '../../src/data/index.js';
import { BinaryNet } from '../../src/models/index.js';
import {
  BinaryConv2d,
  binaryLayers,
  inference,
  type Layer,
  parameters,
  training,
  withWeights,
} from '../../src/nn/index.js';
import { depthsOf } from '../../src/quantized/index.js';
import { Random, type Tensor, tensor, valueAndGrad, zeros } from '../../src/tensor/index.js';
import { exportOnnx, importOnnx, loadPlan, savePlan } from '../../src/trace/index.js';
import { deployedForm, ImageClassifier, imageModel } from '../../src/vision/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

const randomRows = (seed: number, channels: number, length: number): SignRows => ({
  values: uniform(seed, channels * length).map((value) => (value < 0 ? -1 : 1)),
  channels,
  length,
});

/** Differing signs of two rows. */
function distance({ values, length }: SignRows, a: number, b: number): number {
  let count = 0;
  for (let at = 0; at < length; at++) count += Number(values[a * length + at] !== values[b * length + at]);
  return count;
}

type Edge = readonly [number, number];

/** Every labelled tree on n vertices, by its Prüfer code. */
function* labelledTrees(n: number): Generator<Edge[]> {
  if (n === 1) return yield [];
  if (n === 2) return yield [[0, 1]];
  for (let code = 0; code < n ** (n - 2); code++) {
    const sequence = Array.from({ length: n - 2 }, (_, at) => Math.floor(code / n ** at) % n);
    const degree = Array.from({ length: n }, (_, v) => 1 + sequence.filter((s) => s === v).length);
    const edges: Edge[] = [];
    for (const s of sequence) {
      const leaf = degree.indexOf(1);
      edges.push([leaf, s]);
      degree[leaf] = 0;
      degree[s] = (degree[s] as number) - 1;
    }
    const [a, b] = degree.flatMap((d, v) => (d === 1 ? [v] : [])) as [number, number];
    edges.push([a, b]);
    yield edges;
  }
}

/** Least depth of a tree over its roots: half of its longest path, rounded up. */
function leastDepth(edges: readonly Edge[], n: number): number {
  const depthFrom = (root: number) => {
    const depth = new Map([[root, 0]]);
    for (let changed = true; changed; ) {
      changed = false;
      for (const [a, b] of edges)
        for (const [from, to] of [
          [a, b],
          [b, a],
        ] as const)
          if (depth.has(from) && !depth.has(to)) {
            depth.set(to, (depth.get(from) as number) + 1);
            changed = true;
          }
    }
    return Math.max(...depth.values());
  };
  return Math.min(...Array.from({ length: n }, (_, root) => depthFrom(root)));
}

/** Total of a minimum spanning tree by Kruskal's algorithm. */
function kruskal(rows: SignRows): number {
  const { channels } = rows;
  const edges = Array.from({ length: channels }, (_, a) =>
    Array.from({ length: a }, (__, b) => [distance(rows, a, b), a, b] as const),
  ).flat();
  edges.sort((x, y) => x[0] - y[0]);
  const part = Array.from({ length: channels }, (_, v) => v);
  let total = 0;
  for (const [d, a, b] of edges) {
    const [from, to] = [part[a], part[b]];
    if (from === to) continue;
    total += d;
    for (let v = 0; v < channels; v++) if (part[v] === from) part[v] = to as number;
  }
  return total;
}

/** Checks that codes form one tree, and gives the sum of its distances, negated parents as such. */
function totalOf(rows: SignRows, { codes, root }: ChannelTree): number {
  expect(codes.filter((code) => code === -1)).toHaveLength(1);
  expect(codes[root]).toBe(-1);
  depthsOf(codes);
  return Array.from(codes).reduce((sum, code, channel) => {
    if (code === -1) return sum;
    const d = distance(rows, channel, code >= 0 ? code : -2 - code);
    return sum + (code >= 0 ? d : rows.length - d);
  }, 0);
}

describe('spanning trees of channels', () => {
  test('have the least total and depth of all labelled trees', () => {
    let [cases, shallow] = [0, 0];
    for (let n = 1; n <= 6; n++)
      for (let seed = 0; seed < (n === 6 ? 30 : 6); seed++) {
        // Short rows, so that many distances are equal.
        const rows = randomRows(100 * n + seed, n, 5);
        const weigh = (edges: readonly Edge[]) => edges.reduce((sum, [a, b]) => sum + distance(rows, a, b), 0);
        const all = [...labelledTrees(n)].map((edges) => ({ edges, total: weigh(edges) }));
        const least = Math.min(...all.map(({ total }) => total));
        const tree = spanningTree(rows);
        expect(tree.total).toBe(least);
        expect(totalOf(rows, tree)).toBe(least);
        expect(tree.depth).toBe(Math.max(...depthsOf(tree.codes)));
        const depth = Math.min(...all.filter(({ total }) => total === least).map(({ edges }) => leastDepth(edges, n)));
        expect(tree.depth).toBeGreaterThanOrEqual(depth);
        expect(tree.depth).toBeLessThanOrEqual(depth + 1);
        expect(tree.depth).toBeLessThanOrEqual(spanningTreeFrom(rows, 0).depth);
        if (n === 6) {
          cases += 1;
          shallow += Number(tree.depth === depth);
        }
      }
    expect(shallow / cases).toBeGreaterThanOrEqual(0.95);
  });

  test('have the total that Kruskal finds, from every root', () => {
    const rows = randomRows(1, 128, 100);
    const least = kruskal(rows);
    const tree = spanningTree(rows);
    expect(totalOf(rows, tree)).toBe(least);
    for (let root = 0; root < 128; root += 9) {
      const own = spanningTreeFrom(rows, root);
      expect(own.total).toBe(least);
      expect(totalOf(rows, own)).toBe(least);
      expect(tree.depth).toBeLessThanOrEqual(own.depth);
    }
  });

  test('ties of distance are broken by depth', () => {
    // 0–1, 1–2 and 0–2 differ in two places each, so do 3 and the others: a star is as short as a
    // chain.
    const rows = { values: [-1, 1, 1, 1, 1, -1, 1, 1, 1, 1, -1, 1, 1, 1, 1, -1], channels: 4, length: 4 };
    const tree = spanningTree(rows);
    expect([tree.total, tree.depth]).toEqual([6, 1]);
    expect(spanningTreeFrom(rows, 0).depth).toBe(1);
  });

  test('what random signs give', () => {
    const table = [
      [64, 288, [2.25, 2.22, 2.13, 1.99], [7, 12]],
      [64, 576, [2.16, 2.14, 2.13, 1.99], [9, 11]],
      [128, 576, [2.2, 2.18, 2.11, 2.01], [11, 14]],
    ] as const;
    for (const [channels, length, ratios, depths] of table) {
      const samples = [1, 2, 3, 4, 5, 6].map((seed) => {
        const rows = randomRows(seed, channels, length);
        const tree = spanningTree(rows);
        const ratio = (own: ChannelTree) => treeMeasures(rows, own).ratio;
        const found = [ratio(tree), ratio(nearestChain(rows)), majorityRatio(rows), ratio(channelStar(rows))];
        return { found, depths: [tree.depth, spanningTreeFrom(rows, 0).depth] };
      });
      const mean = (pick: (sample: (typeof samples)[number]) => number) =>
        samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
      ratios.forEach((ratio, at) => {
        expect(Math.abs(mean(({ found }) => found[at] as number) / ratio - 1), `${channels} ${at}`).toBeLessThan(0.015);
      });
      // Depths vary by the sample: those of the table are of one.
      expect(Math.abs(mean((sample) => sample.depths[0] as number) - depths[0])).toBeLessThanOrEqual(2);
      expect(mean((sample) => sample.depths[1] as number)).toBeGreaterThan(depths[0] + 2);
    }
  });

  test('a planted tree is found, its root counted', () => {
    const [channels, length, flips] = [9, 200, 7];
    const values = Float32Array.from({ length: channels * length }, () => 1);
    const parents = [-1, 0, 0, 1, 1, 4, 2, 6, 6];
    for (let channel = 1; channel < channels; channel++) {
      values.copyWithin(
        channel * length,
        (parents[channel] as number) * length,
        ((parents[channel] as number) + 1) * length,
      );
      for (let at = 0; at < flips; at++) values[channel * length + channel * flips + at] = -1;
    }
    const rows = { values, channels, length };
    const tree = spanningTree(rows);
    expect(tree.total).toBe(8 * flips);
    const { ratio, share, operations, bitsRatio } = treeMeasures(rows, tree);
    expect(operations).toBe(200 + 56);
    expect(ratio).toBeCloseTo(1800 / 256, 12);
    expect(share).toBeCloseTo(56 / 1800, 12);
    // Seven places of 200 take an entropy-coded bitmap of 43.8 bits, less than 7·8.
    const p = 7 / 200;
    const entropy = -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);
    expect(bitsRatio).toBeCloseTo(1800 / (200 + 8 * 200 * entropy + 9 * 4), 10);
  });

  test('a limit of depth holds, and negatives shorten a tree', () => {
    const rows = randomRows(3, 40, 60);
    const free = spanningTree(rows);
    for (const depth of [1, 2, 3]) {
      const tree = spanningTree(rows, { depth });
      expect(tree.depth).toBeLessThanOrEqual(depth);
      expect(Math.max(...depthsOf(tree.codes))).toBe(tree.depth);
      expect(tree.total).toBeGreaterThanOrEqual(free.total);
      expect(totalOf(rows, tree)).toBe(tree.total);
    }
    expect(spanningTree(rows, { depth: 1 }).total).toBe(channelStar(rows).total);
    const signed = spanningTree(rows, { signs: true });
    expect(totalOf(rows, signed)).toBe(signed.total);
    expect(signed.total).toBeLessThan(free.total);
    expect(Math.min(...signed.codes)).toBeLessThan(-1);
    expect(() => spanningTree(rows, { depth: 0 })).toThrow('at least 1');
  });

  test('one channel, and identical ones, are trees too', () => {
    expect(spanningTree(randomRows(1, 1, 9))).toMatchObject({ root: 0, total: 0, depth: 0 });
    expect(spanningTree({ values: new Float32Array(12), channels: 4, length: 3 })).toMatchObject({
      total: 0,
      depth: 1,
    });
  });

  test('512 channels of 4608 signs take seconds, from all roots', () => {
    const rows = randomRows(1, 512, 4608);
    expect(signDistances(rows)[5 * 512 + 3]).toBe(distance(rows, 5, 3));
    const start = performance.now();
    expect(spanningTree(rows).total).toBe(spanningTreeFrom(rows, 17).total);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

describe('the loss of trees', () => {
  /**
   * Σ over edges of (L − tanh-free product)/2 of relaxed signs r: bilinear, so that differences are
   * exact.
   */
  function relaxed(r: Float32Array, length: number, tree: ChannelTree, centring: number): number {
    const d = (a: number, b: number) => {
      let dot = 0;
      for (let at = 0; at < length; at++) dot += (r[a * length + at] as number) * (r[b * length + at] as number);
      return (length - dot) / 2;
    };
    const total = Array.from(tree.codes).reduce(
      (sum, parent, channel) => (parent < 0 ? sum : sum + d(channel, parent) + centring * d(channel, tree.root)),
      0,
    );
    return total / r.length;
  }

  test('has the true distance as its value, and the gradient of relaxed signs to child and parent', () => {
    const [channels, length, centring] = [5, 12, 0.25];
    const weight = uniformTensor(1, [channels, 3, 2, 2], -1.4, 1.4);
    const values = weight.dataSync();
    const rows = { values, channels, length };
    const tree = spanningTree(rows);
    const { value: loss, gradient: slopes } = valueAndGrad((w: Tensor) =>
      treeDistance(w, { tree, centring, least: 0 }),
    )(weight);
    const gradient = slopes.dataSync();
    const signsOf = values.map((v) => (v < 0 ? -1 : 1));
    expect(loss.item()).toBeCloseTo(relaxed(signsOf, length, tree, centring), 6);
    const expected = signsOf.map((_, at) => {
      const moved = (by: number) => signsOf.map((v, i) => (i === at ? v + by : v));
      const slope = (relaxed(moved(0.5), length, tree, centring) - relaxed(moved(-0.5), length, tree, centring)) / 1;
      return Math.abs(values[at] as number) <= 1 ? slope : 0;
    });
    expectClose(gradient, expected, 1e-5);
  });

  test('edges shorter than the least are held', () => {
    const weight = tensor([0.5, 0.5, 0.5, -0.5, 0.5, 0.5, 0.5, 0.5], [2, 4]);
    const tree = spanningTree({ values: weight.dataSync(), channels: 2, length: 4 });
    const slope = (least: number) => {
      const { value, gradient } = valueAndGrad((w: Tensor) => treeDistance(w, { tree, centring: 0, least }))(weight);
      expect(value.item()).toBeCloseTo(1 / 8, 7);
      return Math.max(...gradient.dataSync().map(Math.abs));
    };
    expect(slope(0.25)).toBeCloseTo(1 / 16, 7);
    expect(slope(0.3)).toBe(0);
  });

  test('a star pulls to fixed signs', () => {
    const weight = uniformTensor(2, [3, 6]);
    const tree = spanningTree({ values: weight.dataSync(), channels: 3, length: 6 });
    const centre = Float32Array.of(1, -1, 1, 1, -1, -1);
    const value = treeDistance(weight, { tree, centre, centring: 0.25, least: 0 }).item();
    const expected = weight
      .dataSync()
      .reduce((sum, v, at) => sum + Number(v < 0 !== (centre[at % 6] as number) < 0), 0);
    expect(value).toBeCloseTo(expected / 18, 6);
  });

  test('follows its schedule: nothing, a ramp, and trees kept at the end', () => {
    const model = new BinaryNet(new Random(1), { stem: 8, layers: [[8, 1]] });
    const [layer] = Object.values(binaryLayers(model)) as [BinaryConv2d];
    const pull = new TreePull(model, 2, { strength: 2, start: 0.5, end: 0.8 });
    const strengths = Array.from({ length: 10 }, (_, step) => pull.strengthAt(step, 10));
    expectClose(strengths, [0, 0, 0, 0, 0, 2 / 3, 4 / 3, 2, 2, 2]);
    const values: (number | undefined)[] = [];
    const noise = new Random(2);
    for (let step = 0; step < 10; step++) {
      pull.followStep(step, 10);
      values.push(layer.term?.(layer.weight)?.item());
      const own = rowsOfLayer(layer);
      const tree = spanningTree(own);
      const expected =
        treeDistance(layer.weight, { tree, centring: 0.25, least: 0.02 }).item() * (strengths[step] as number);
      // New trees every second step from the start on, none from step 8 on.
      if (step >= 5 && (step - 5) % 2 === 0 && step < 8) expect(values.at(-1)).toBeCloseTo(expected, 5);
      if (step >= 8) expect(values.at(-1)).toBeGreaterThan(expected * 1.02);
      layer.weight.assign(noise.uniform(layer.weight.shape, -1.5, 1.5));
    }
    expect(values.slice(0, 5)).toEqual(new Array(5).fill(undefined));
    pull.release();
    expect(layer.term).toBeUndefined();
    expect(Math.max(...layer.weight.dataSync().map(Math.abs))).toBeLessThanOrEqual(1);
  });
});

const data = glyphImages(120, 60, new Random(0));
const shape = { channels: 1, classes: data.classes.length, size: data.train.height };
const tiny = (seed = 1) =>
  new BinaryNet(new Random(seed), {
    ...shape,
    stem: 8,
    layers: [
      [12, 1],
      [12, 2],
      [16, 1],
    ],
  });

describe('training', () => {
  test('learns, and shortens trees by λ', async () => {
    const train = async (strength: number, towards: 'tree' | 'star' = 'tree') => {
      const model = tiny();
      const { training: result, trees } = await trainWithTrees(model, data, new Random(2), {
        ...{ strength, towards, epochs: 8, batchSize: 16, learningRate: 2e-2, start: 0.25 },
      });
      return { loss: result.history.at(-1)?.loss as number, first: result.history[0]?.loss as number, trees, model };
    };
    const [plain, short, star] = [await train(0), await train(6), await train(6, 'star')];
    expect(plain.loss).toBeLessThan(0.87 * plain.first);
    const total = ({ trees }: typeof plain) => trees.reduce((sum, { tree }) => sum + tree.total, 0);
    expect(total(short)).toBeLessThan(0.8 * total(plain));
    expect(total(star)).toBeLessThan(total(plain));
    for (const { model } of [plain, short])
      for (const layer of Object.values(binaryLayers(model))) {
        expect(layer.term).toBeUndefined();
        expect(Math.max(...layer.weight.dataSync().map(Math.abs))).toBeLessThanOrEqual(1);
        // Channels are never made the same.
        const rows = rowsOfLayer(layer);
        const distances = signDistances(rows);
        for (let a = 0; a < rows.channels; a++)
          for (let b = 0; b < a; b++) expect(distances[a * rows.channels + b]).toBeGreaterThan(0);
      }
  });

  test('the planes of a trained network answer as the network does, in every order', async () => {
    const model = tiny();
    await trainWithTrees(model, data, new Random(3), { strength: 1, epochs: 2, batchSize: 16, start: 0 });
    // Norms of negative and zero scale turn or fix the sign.
    for (const norm of model.norms)
      norm.weight.assign(norm.weight.dataSync().map((v, at) => (at === 3 ? 0 : at % 2 ? -v : v)));
    const images = uniformTensor(5, [3, 1, data.train.height, data.train.width], -2, 2);
    const expected = model.forward(images, inference).dataSync();
    for (const signs of [false, true]) {
      orderChannels(model, { signs });
      for (const { parents } of model.layers) expect(parents.dataSync().filter((code) => code === -1)).toHaveLength(1);
      const planes = deployedForm(model);
      expect(Array.from(planes.forward(images, inference).dataSync())).toEqual(Array.from(expected));
    }
    // Trees that are older than the weights still hold: differences are those of the weights.
    for (const layer of model.layers) layer.weight.assign(uniform(9, layer.weight.size));
    expect(Array.from(deployedForm(model).forward(images, inference).dataSync())).toEqual(
      Array.from(model.forward(images, inference).dataSync()),
    );
  });

  test('a step of training moves real weights by straight-through signs', () => {
    const layer = new BinaryConv2d(2, 3, 3, new Random(1));
    layer.weight.assign(uniform(3, 54, -1.5, 1.5).fill(0, 0, 2));
    const x = tensor(uniform(1, 32, -2, 2).fill(0, 4, 8), [1, 2, 4, 4]);
    const y = layer.forward(x, training(new Random(1)));
    const g = uniformTensor(2, y.shape);
    const {
      gradient: [dx, dw],
    } = valueAndGrad(([input, weight]: [Tensor, Tensor]) =>
      withWeights(layer, { weight }, () => layer.forward(input, inference).multiply(g).sum()),
    )([x, layer.weight]);
    const [xs, ws, gs] = [x, layer.weight, g].map((t) => t.dataSync()) as [Float32Array, Float32Array, Float32Array];
    const [slopeX, slopeW] = [new Float32Array(xs.length), new Float32Array(ws.length)];
    const sign = (value: number) => (value < 0 ? -1 : 1);
    for (let o = 0; o < 3; o++)
      for (let i = 0; i < 4; i++)
        for (let j = 0; j < 4; j++)
          for (let c = 0; c < 2; c++)
            for (let dy = 0; dy < 3; dy++)
              for (let dx2 = 0; dx2 < 3; dx2++) {
                const [a, b] = [i + dy - 1, j + dx2 - 1];
                const inside = a >= 0 && a < 4 && b >= 0 && b < 4;
                const at = (c * 4 + a) * 4 + b;
                const wAt = ((o * 2 + c) * 3 + dy) * 3 + dx2;
                const slope = gs[(o * 4 + i) * 4 + j] as number;
                if (Math.abs(ws[wAt] as number) <= 1)
                  slopeW[wAt] = (slopeW[wAt] as number) + slope * (inside ? sign(xs[at] as number) : -1);
                if (inside && Math.abs(xs[at] as number) <= 1)
                  slopeX[at] = (slopeX[at] as number) + slope * sign(ws[wAt] as number);
              }
    expectClose(dx.dataSync(), slopeX, 1e-4);
    expectClose(dw.dataSync(), slopeW, 1e-4);
    expect(() => new BinaryConv2d(2, 3, 2, new Random(1))).toThrow('odd');
  });
});

describe('a binary network', () => {
  test('has the published sizes', () => {
    const sizes = [
      ['binary-net', 1, 28, 131_178, 9_089_408, 9_031_680],
      ['binary-net-deep', 3, 32, 279_466, 21_456_128, 21_233_664],
    ] as const;
    for (const [name, channels, size, count, all, binary] of sizes) {
      const model = imageModel(name, { channels, classes: 10, size }, new Random(0));
      expect(Object.values(parameters(model)).reduce((sum, weight) => sum + weight.size, 0)).toBe(count);
      const example = zeros([1, channels, size, size]);
      const operations = networkOperations(model, example, []);
      expect(operations).toEqual({ binary, tree: binary, real: all - binary });
      const halved = Object.keys(binaryLayers(model)).map((layer) => ({ layer, ratio: 2 }) as never);
      expect(operationRatios(networkOperations(model, example, halved))).toEqual({
        layers: 2,
        network: all / (all - binary / 2),
      });
    }
  });

  test('is compressed by a recipe into a plan that answers like the direct one', async () => {
    const classifier = ImageClassifier.create('binary-net', data, new Random(1));
    await classifier.train(data, new Random(2), { epochs: 1, batchSize: 32 });
    const { model } = classifier;
    const before = classifier.plan();
    const recipe = parseRecipe({ steps: [{ do: 'tree' }] });
    const { plan, report } = await compress(model, data, recipe, { random: new Random(3), deployed: deployedForm });
    expect(report.done).toHaveLength(3);
    expect(report.done[0]).toMatch(/layers\.0: \d\.\d\d times fewer operations, .+ depth \d+/);
    expect(report.before.parameters).toBe(report.after.parameters);
    expect(report.before.multiplyAdds / report.after.multiplyAdds).toBeGreaterThan(1.9);
    const answers = (own: typeof plan) => {
      const image = uniformTensor(4, [1, 1, data.train.height, data.train.width]);
      return Array.from((own.run(image)[0] as Tensor).dataSync());
    };
    expect(answers(plan)).toEqual(answers(before));
    expect(answers(loadPlan(savePlan(plan)))).toEqual(answers(before));
    // The trees are part of the model file.
    const loaded = ImageClassifier.load(classifier.save());
    expect(Array.from(Object.values(binaryLayers(loaded.model))[0]?.parents.dataSync() ?? [])).toEqual(
      Array.from(Object.values(binaryLayers(model))[0]?.parents.dataSync() ?? [1]),
    );
    expect(answers(loaded.plan())).toEqual(answers(before));
    const onnx = importOnnx(exportOnnx((x) => model.forward(x, inference), [zeros([1, 1, 28, 28])]));
    const image = uniformTensor(4, [1, 1, 28, 28]);
    expectClose((onnx.forward(image)[0] as Tensor).dataSync(), model.forward(image, inference).dataSync(), 1e-3);
  });

  test('wrong recipes and networks are named', async () => {
    const run = (model: Layer, step: object) =>
      compress(model, data, parseRecipe({ steps: [step] }), { random: new Random(1), deployed: deployedForm });
    await expect(run(tiny(), { do: 'prune', sparsity: 0.5 })).rejects.toThrow('prune does not change binary networks');
    await expect(run(imageModel('lenet', shape, new Random(1)), { do: 'tree' })).rejects.toThrow(
      'the step tree is for binary networks',
    );
    const one = new BinaryNet(new Random(1), { ...shape, stem: 8, layers: [[1, 1]] });
    await expect(run(one, { do: 'tree' })).rejects.toThrow('layers.0 has one output channel');
    expect(() => parseRecipe({ steps: [{ do: 'tree', depth: 'deep' }] })).toThrow('"auto" or an integer');
    expect(() => parseRecipe({ steps: [{ do: 'tree', strength: -1 }] })).toThrow('a number of at least 0');
    await expect(trainWithTrees(imageModel('lenet', shape, new Random(1)), data, new Random(1))).rejects.toThrow(
      'no binary layers',
    );
    expect(() => new TreePull(tiny(), 1, { start: 0.9, end: 0.5 })).toThrow('ascend');
    expect(() => new BinaryNet(new Random(1), { layers: [] })).toThrow('at least one binary layer');
  });
});

describe('the analysis of a file', () => {
  const weights = (seed: number, ...own: number[]) => ({
    shape: own,
    values: uniform(
      seed,
      own.reduce((a, b) => a * b, 1),
    ),
  });

  test('finds binary layers by name, by magnitude, or all but the first and last', () => {
    const tensors = {
      'a.weight': weights(1, 4, 1, 3, 3),
      'b.weight': weights(2, 6, 4, 3, 3),
      'b.bias': weights(3, 6),
      'c.weight': weights(4, 5, 6),
    };
    expect(Object.keys(binaryWeightsIn(tensors).weights)).toEqual(['b']);
    const stored = { ...tensors, 'c.weight': { shape: [2, 3], values: [0.5, -0.5, 0.5, 2, 2, -2] } };
    expect(Object.keys(binaryWeightsIn(stored).weights)).toEqual(['c']);
    expect(Object.keys(binaryWeightsIn(tensors, ['a', 'b*']).weights)).toEqual(['a', 'b']);
    expect(() => binaryWeightsIn(tensors, ['d'])).toThrow(
      'no layer fits d; weights of two or four axes: a.weight [4, 1, 3, 3]',
    );
    expect(() => binaryWeightsIn({ 'a.weight': weights(1, 4, 4) })).toThrow('no binary layers');
    // A layer with NaN is not taken for a real one.
    const broken = { ...stored, 'a.weight': { shape: [1, 2], values: [1, Number.NaN] } };
    expect(() => binaryWeightsIn(broken)).toThrow('a.weight holds NaN');
    expect(Object.keys(binaryWeightsIn(broken, ['c']).weights)).toEqual(['c']);
  });

  test('gives operations, bits, depth and times of a layer', async () => {
    const [layer] = await analyseBinary({ b: weights(2, 16, 4, 3, 3) }, { times: { side: 8, repeats: 2 } });
    const rows = { ...weights(2, 16, 36), channels: 16, length: 36 };
    const signed = { ...rows, values: rows.values.map((v) => (v < 0 ? -1 : 1)) };
    expect(layer?.ratio).toBeCloseTo((16 * 36) / (36 + kruskal(signed)), 10);
    expect(layer?.ratio).toBeGreaterThanOrEqual(layer?.chain as number);
    expect(layer?.depth).toBeLessThanOrEqual(layer?.firstDepth as number);
    for (const time of Object.values(layer?.times ?? {})) expect(time).toBeGreaterThan(0);
    const [linear] = await analyseBinary({ c: weights(3, 8, 20) }, { times: { side: 4, repeats: 1 } });
    expect(linear).toMatchObject({ channels: 8, length: 20 });
    await expect(analyseBinary({ one: weights(1, 1, 9) })).rejects.toThrow('layer one has one output channel');
    await expect(analyseBinary({ bad: { shape: [2, 2], values: [1, 2, Number.NaN, 1] } })).rejects.toThrow(
      'bad holds NaN at position 2',
    );
  });
});
