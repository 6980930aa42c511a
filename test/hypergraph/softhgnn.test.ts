import { describe, expect, test } from 'vitest';
import type { CountedPicture, Picture } from '../../src/data/index.js';
import {
  AttentionContext,
  CELL,
  COUNT_MODEL,
  CountModel,
  cellCounts,
  countErrors,
  countLoss,
  countOf,
  DensityCounter,
  densitiesOf,
  HGNNConv,
  joinedDensity,
  NearestContext,
  nearestTokens,
  PerceptronContext,
  type Tile,
  tilesOf,
  tileTensor,
  trainCounter,
} from '../../src/hypergraph/index.js';
import { inference, parameterCount, parameters, SoftHGNN, stateOf, training, withWeights } from '../../src/nn/index.js';
import { Hypergraph } from '../../src/structure/index.js';
import { permute, Random, reshape, slice, sum, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const random = () => new Random(4);
const x = uniformTensor(1, [2, 12, 8], -1, 1);
const asMap = (tokens: Tensor) => reshape(permute(tokens, [0, 2, 1]), [2, 8, 3, 4]);

describe('what soft hypergraphs are compared with', () => {
  const layers = {
    attention: new AttentionContext(8, random(), { heads: 2 }),
    perceptron: new PerceptronContext(8, 20, random()),
    nearest: new NearestContext(8, random(), { k: 3 }),
  };

  test.each(Object.entries(layers))('%s reads tokens, and maps as tokens', (_, layer) => {
    const y = layer.forward(x, inference);
    expect(y.shape).toEqual([2, 12, 8]);
    const map = layer.forward(asMap(x), inference);
    expect(map.shape).toEqual([2, 8, 3, 4]);
    expectClose(map.view(), asMap(y).view(), 1e-6);
    // Each image by itself.
    expectClose(slice(y, [1, 2]).view(), layer.forward(slice(x, [1, 2]), inference).view(), 1e-5);
    expect(Math.max(...y.subtract(x).abs().view())).toBeGreaterThan(0.01);
  });

  test('the nearest tokens are those of least distance, the token itself first', () => {
    const values = x.dataSync();
    const distance = (b: number, n: number, m: number) => {
      let sum = 0;
      for (let d = 0; d < 8; d++)
        sum += ((values[(b * 12 + n) * 8 + d] as number) - (values[(b * 12 + m) * 8 + d] as number)) ** 2;
      return sum;
    };
    const expected = [0, 1].flatMap((b) =>
      Array.from({ length: 12 }, (_, n) =>
        Array.from({ length: 12 }, (_, m) => m)
          .sort((p, q) => distance(b, n, p) - distance(b, n, q))
          .slice(0, 4)
          .map((m) => b * 12 + m),
      ).flat(),
    );
    expect([...nearestTokens(x, 4).view()]).toEqual(expected);
  });

  test('HGNN on nearest tokens is x + GELU of HGNN on that hypergraph', () => {
    const layer = layers.nearest;
    const members = nearestTokens(x, 3).view();
    const own = new HGNNConv(8, 8, random());
    own.theta.weight.assign(layer.theta.weight);
    own.theta.bias?.assign(layer.theta.bias as Tensor);
    for (const b of [0, 1]) {
      const edges = Array.from({ length: 12 }, (_, e) =>
        Array.from(members.subarray((b * 12 + e) * 3, (b * 12 + e + 1) * 3), (row) => row - b * 12),
      );
      const tokens = reshape(slice(x, [b, b + 1]), [12, 8]);
      const expected = tokens.add(own.forward(tokens, new Hypergraph(12, edges)).gelu());
      expectClose(slice(layer.forward(x), [b, b + 1]).view(), expected.view(), 1e-5);
    }
    checkGradient((value) => layer.forward(value), [slice(x, [0, 1])], { step: 1e-3, tolerance: 2e-2, second: false });
  });

  test('the perceptron has as many parameters as the soft hypergraph', () => {
    const options = { hyperedges: 8, heads: 4 };
    const wanted = parameterCount(new SoftHGNN(32, random(), options));
    const found = parameterCount(PerceptronContext.like(32, random(), options));
    expect(Math.abs(found - wanted)).toBeLessThanOrEqual(33);
  });

  test('hyperedges have a token at least, and no more than there are', () => {
    expect(() => new NearestContext(8, random(), { k: 0 })).toThrow('a hyperedge has at least 1 token, got 0');
    const all = new NearestContext(8, random(), { k: 99 });
    expect(all.forward(x).shape).toEqual([2, 12, 8]);
  });
});

/** A grey picture, dark but for bright squares of 4×4 pixels around points. */
function pictureOf(height: number, width: number, points: readonly (readonly [number, number])[]): CountedPicture {
  const planes = new Uint8Array(height * width).fill(20);
  for (const [px, py] of points)
    for (let y = Math.max(0, py - 2); y < Math.min(height, py + 2); y++)
      for (let i = Math.max(0, px - 2); i < Math.min(width, px + 2); i++) planes[y * width + i] = 240;
  return { name: `${height}×${width}`, height, width, planes, points: Float32Array.from(points.flat()) };
}

const statistics = { mean: [0.1], deviation: [0.2] };

describe('tiles', () => {
  test.each([
    [16, 16],
    [40, 40],
    [17, 53],
    [5, 100],
    [64, 31],
  ])('cover a picture of %i×%i, and joined densities hold each cell once', (height, width) => {
    const picture = pictureOf(height, width, []);
    const tiles = tilesOf(picture, 32);
    for (const { top, left } of tiles) expect([top % CELL, left % CELL]).toEqual([0, 0]);
    // A density that tells its tile and its own place.
    const densities = tiles.map(({ top, left }, tile) =>
      Float32Array.from(
        { length: 16 },
        (_, i) => 10000 * tile + 100 * (top / CELL + Math.floor(i / 4)) + left / CELL + (i % 4),
      ),
    );
    const { rows, columns, values } = joinedDensity(picture, tiles, densities, 32);
    expect([rows, columns]).toEqual([Math.ceil(height / 8), Math.ceil(width / 8)]);
    const expected = Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const holds = (start: number, at: number) => start <= 8 * at && 8 * at < start + 32;
      const first = tiles.findIndex(({ top, left }) => holds(top, row) && holds(left, column));
      return 10000 * first + 100 * row + column;
    });
    expect([...values]).toEqual(expected);
  });

  test('hold the pixels at their places, the mean colour outside, and mirror', () => {
    const picture = { ...pictureOf(20, 20, []), planes: Uint8Array.from({ length: 400 }, (_, i) => i % 256) };
    const at = (values: Float32Array, y: number, i: number) => values[y * 16 + i] as number;
    const wanted = (value: number) => (value / 255 - 0.1) / 0.2;
    const read = (flipped: boolean) =>
      tileTensor([{ picture, top: 8, left: 8, flipped }], 16, statistics).dataSync<Float32Array>();
    const [plain, mirrored] = [read(false), read(true)];
    expect(at(plain, 0, 0)).toBeCloseTo(wanted(168 % 256), 5);
    expect(at(plain, 3, 11)).toBeCloseTo(wanted((11 * 20 + 19) % 256), 5);
    expect([at(plain, 12, 0), at(plain, 0, 12)]).toEqual([0, 0]);
    for (let i = 0; i < 16; i++) expect(at(mirrored, 5, i)).toBe(at(plain, 5, 15 - i));
  });

  test('count the points in their cells, also those on the edge, mirrored as the pixels are', () => {
    const picture = pictureOf(32, 32, [
      [0, 0],
      [9, 0],
      [31, 31],
      [32, 32],
      [20, 12],
    ]);
    const whole: Tile & { picture: CountedPicture } = { picture, top: 0, left: 0 };
    const cells = (counts: Float32Array) => [...counts].flatMap((count, i) => new Array<number>(count).fill(i));
    expect(cells(cellCounts([whole], 32))).toEqual([0, 1, 6, 15, 15]);
    expect(cells(cellCounts([{ ...whole, flipped: true }], 32))).toEqual([2, 3, 5, 12, 12]);
    expect(cells(cellCounts([{ ...whole, top: 16, left: 16 }], 16))).toEqual([3, 3]);
    // The mirrored count is where the mirrored pixels are.
    const bright = pictureOf(32, 32, [[20, 12]]);
    const [tile] = [{ picture: bright, top: 0, left: 0, flipped: true }];
    const pixels = tileTensor([tile], 32, statistics).dataSync();
    const [cell] = cells(cellCounts([tile], 32)) as [number];
    const lit = pixels.findIndex((value) => value > 3);
    expect(Math.abs((lit % 32) - 8 * (cell % 4) - 4)).toBeLessThanOrEqual(6);
  });
});

describe('counting', () => {
  test('the loss is |Σ density − n| + w·Σ|density − n of the cell|', () => {
    const density = tensor([1, 0, 0.5, 0, 2, 0, 0, 0], [2, 2, 2]);
    const counts = tensor([1, 1, 0, 0, 0, 1, 0, 0], [2, 2, 2]);
    // |1.5 − 2| + w·1.5 and |2 − 1| + w·3.
    expect(countLoss(density, counts, 0.01).item()).toBeCloseTo((0.515 + 1.03) / 2, 6);
    expect(countLoss(density, counts, 1).item()).toBeCloseTo((2 + 4) / 2, 6);
  });

  test('errors are of the sums of densities', () => {
    const map = (...values: number[]) => ({ rows: 1, columns: values.length, values: Float32Array.from(values) });
    const pictures = [
      pictureOf(8, 8, [[1, 1]]),
      pictureOf(8, 8, [
        [1, 1],
        [2, 2],
        [3, 3],
      ]),
    ];
    const { mae, rmse } = countErrors([map(0.5, 1.5), map(0, 0)], pictures);
    expect([mae, rmse]).toEqual([2, Math.sqrt((1 + 9) / 2)]);
    expect(countOf(map(0.25, 0.5))).toBe(0.75);
  });

  test('a density has a number for each cell, and every cell has a gradient at first', () => {
    const counter = new DensityCounter({ widths: [4, 8, 16] }, random(), {
      context: (features, own) => new SoftHGNN(features, own, { hyperedges: 4, heads: 4 }),
    });
    const density = counter.forward(uniformTensor(1, [2, 1, 32, 48]), inference);
    expect(density.shape).toEqual([2, 4, 6]);
    expect(Math.min(...density.view())).toBeGreaterThanOrEqual(0);
    expect(density.view().filter((value) => value > 0).length).toBeGreaterThan(density.size / 4);
    const same = new DensityCounter({ widths: [4, 8, 16] }, random());
    for (const [name, weight] of Object.entries(stateOf(same)))
      expect([...weight.view()]).toEqual([...(stateOf(counter)[name] as Tensor).view()]);
  });

  const places = (count: number, own: Random, size: number) =>
    Array.from({ length: count }, () => [4 + own.integer(size - 8), 4 + own.integer(size - 8)] as const);
  const drawn = (count: number, own: Random, size = 32) =>
    Array.from({ length: count }, () => pictureOf(size, size, places(own.integer(6), own, size)));
  const description = {
    reading: { channels: 1, scale: 1, background: 'black' },
    tile: 32,
    widths: [8, 8, 16],
    context: { hyperedges: 4, heads: 4 },
    ...statistics,
  } as const;

  test('a model whose cells have all fallen to 0 comes back in training, and is never below 0 in use', () => {
    const { network } = CountModel.create(description, random());
    network.head.bias?.assign(tensor([-9]));
    const pixels = uniformTensor(1, [2, 1, 32, 32]);
    expect([...network.forward(pixels, inference).view()].every((cell) => cell === 0)).toBe(true);
    const slope = (counter: DensityCounter) => {
      const loss = (live: DensityCounter) => sum(live.forward(pixels, training(random())));
      const run = (weights: Record<string, Tensor>) => withWeights(counter, weights, loss);
      return valueAndGrad(run)(parameters(counter)).gradient['head.bias']?.view()[0];
    };
    // Two pictures of sixteen cells.
    expect(slope(network)).toBeCloseTo(0.1 * 32, 5);
    const plain = new DensityCounter({ widths: [8, 8, 16] }, random());
    plain.head.bias?.assign(tensor([-9]));
    expect(slope(plain)).toBe(0);
  });

  test('learns how many, on pictures of any size, and keeps the best epoch', async () => {
    const own = new Random(7);
    const data = { train: drawn(60, own), validation: drawn(20, own), ...statistics };
    const model = CountModel.create(description, random());
    const options = { tile: 32, epochs: 25, batch: 10, learningRate: 5e-3, flip: true };
    const { bestMetric, history } = await trainCounter(model.network, data, random(), options);
    const [first] = history;
    expect(bestMetric as number).toBeLessThan(0.5 * (first?.metric as number));
    const test = drawn(20, own, 60);
    const { mae } = countErrors(densitiesOf(model.network, test, 32, statistics), test);
    const mean = test.reduce((sum, { points }) => sum + points.length / 2, 0) / test.length;
    const guess = test.reduce((sum, { points }) => sum + Math.abs(points.length / 2 - mean), 0) / test.length;
    expect(mae).toBeLessThan(0.7 * guess);
    const held = countErrors(densitiesOf(model.network, data.validation, 32, statistics), data.validation);
    expect(held.mae).toBeCloseTo(bestMetric as number, 6);

    const picture = test[0] as CountedPicture;
    const seen: Picture = {
      height: picture.height,
      width: picture.width,
      pixels: Uint8Array.from(
        { length: 3 * picture.planes.length },
        (_, i) => picture.planes[Math.floor(i / 3)] as number,
      ),
    };
    const { count, density } = model.count(seen);
    expect(count).toBeCloseTo(countOf(densitiesOf(model.network, [picture], 32, statistics)[0] as typeof density), 5);
    const read = CountModel.load(model.save());
    expect(read.description).toEqual(description);
    expect(read.count(seen).count).toBe(count);
    expect(() => CountModel.load(new Uint8Array(20), 'odd')).toThrow('odd');
    expect(COUNT_MODEL.system).toBe('softhgnn');
  }, 60_000);

  test('refuses tiles of no whole cells', () => {
    const counter = new DensityCounter({}, random());
    const data = { train: drawn(2, random()), validation: drawn(1, random()), ...statistics };
    expect(() => trainCounter(counter, data, random(), { tile: 20 })).toThrow('must be a multiple of 8, got 20');
  });
});
