import { describe, expect, test } from 'vitest';
import {
  costDirection,
  costOfShape,
  depthCandidates,
  drawWithout,
  expectedCost,
  expectedCostOf,
  fitShape,
  interpolateChannels,
  latencyTables,
  macTables,
  narrowest,
  perturbed,
  randomShape,
  type ShapeChoices,
  sampleRow,
  shapeChoicesOf,
  temperatureAt,
  uniformShape,
  widthCandidates,
} from '../../src/compress/index.js';
import {
  applyShape,
  MobileNetV2,
  type NetworkShape,
  ResNet,
  SmallGoogLeNet,
  SmallResNet,
  SmallVGG,
} from '../../src/models/index.js';
import { inference, type Layer, parameters } from '../../src/nn/index.js';
import { grad, multiply, Random, scope, softmax, sum, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { cost } from '../../src/trace/index.js';

const image = zeros([1, 3, 16, 16]);
const resnet = (seed = 0, depth = 14) => new SmallResNet(depth, new Random(seed), { widths: [8, 10, 12], classes: 4 });
const macsOf = (model: Layer, x: Tensor = image) =>
  cost((own) => model.forward(own, inference), [x], parameters(model)).multiplyAdds;

/** Networks of all kinds, small. */
const networks: Readonly<Record<string, () => Layer>> = {
  'residual blocks': () => resnet(),
  'deep stages': () => new SmallResNet(32, new Random(0), { widths: [4, 5, 6], classes: 4 }),
  bottlenecks: () => new ResNet(50, new Random(0), { width: 0.06, classes: 4 }),
  VGG: () => new SmallVGG(13, new Random(0), { width: 0.1, classes: 4 }),
  MobileNetV2: () =>
    new MobileNetV2(new Random(0), {
      ...{ classes: 4, stem: [8, 1], final: 16 },
      groups: [
        [1, 8, 1, 1],
        [3, 10, 3, 2],
        [3, 12, 2, 2],
      ],
    }),
  'concatenated branches': () => new SmallGoogLeNet(new Random(0), { width: 0.06, classes: 4 }),
};

/** Candidates drawn at random for every group and stage. */
function anyShape({ groups, stages }: ShapeChoices, random: Random): NetworkShape {
  const pick = (choices: readonly number[]) => choices[random.integer(choices.length)] as number;
  return {
    widths: Object.fromEntries(groups.map(({ name, candidates }) => [name, pick(candidates)])),
    depths: Object.fromEntries(stages.map(({ name, candidates }) => [name, pick(candidates)])),
  };
}

/** Probabilities that are all at the widths and depths of a shape. */
function oneHot({ groups, stages }: ShapeChoices, { widths, depths }: NetworkShape) {
  const at = (candidates: readonly number[], own: number | undefined) =>
    candidates.map((candidate) => Number(candidate === own));
  return {
    widths: groups.map(({ name, candidates }) => at(candidates, widths[name])),
    depths: stages.map(({ name, candidates }) => at(candidates, depths[name])),
  };
}

test('candidates are eight shares of the channels, each count once, and depths from the end', () => {
  expect(widthCandidates(10)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  expect(widthCandidates(8)).toEqual([2, 3, 4, 5, 6, 7, 8]);
  expect(widthCandidates(64)).toEqual([19, 25, 32, 38, 44, 51, 57, 64]);
  expect(widthCandidates(2)).toEqual([1, 2]);
  expect([2, 3, 4, 5, 6, 9].map(depthCandidates)).toEqual([
    [1, 2],
    [1, 2, 3],
    [1, 3, 4],
    [1, 3, 5],
    [1, 3, 5, 6],
    [1, 3, 5, 7, 9],
  ]);
});

describe('channel-wise interpolation', () => {
  /** The definition, value by value. */
  const byHand = (x: readonly (readonly number[])[], to: number) =>
    x.map((row) =>
      Array.from({ length: to }, (_, t) => {
        const start = Math.floor((t * row.length) / to);
        const end = Math.ceil(((t + 1) * row.length) / to);
        return row.slice(start, end).reduce((a, b) => a + b, 0) / (end - start);
      }),
    );

  test.each([
    [3, 5],
    [5, 3],
    [4, 8],
    [8, 4],
    [7, 7],
    [1, 6],
  ])('%i channels as %i', (from, to) => {
    const x = new Random(from).normal([2, from]);
    const rows = [0, 1].map((n) => Array.from(x.dataSync<Float32Array>().subarray(n * from, (n + 1) * from)));
    const expected = byHand(rows, to).flat();
    const found = interpolateChannels(x, to).dataSync<Float32Array>();
    expected.forEach((own, at) => {
      expect(found[at]).toBeCloseTo(own, 6);
    });
    const maps = interpolateChannels(x.reshape([2, from, 1, 1]), to).dataSync<Float32Array>();
    expected.forEach((own, at) => {
      expect(maps[at]).toBeCloseTo(own, 6);
    });
  });

  test('keeps the mean where one count divides the other, and is the identity where they agree', () => {
    const x = new Random(1).normal([1, 12]);
    const mean = (values: Tensor) => sum(values).item() / values.size;
    for (const to of [3, 4, 6, 24]) expect(mean(interpolateChannels(x, to))).toBeCloseTo(mean(x), 5);
    expect(interpolateChannels(x, 12)).toBe(x);
  });

  test('channels beyond are zeros', () => {
    const found = interpolateChannels(tensor([[1, 3]]), 4, 6);
    expect([...found.dataSync()]).toEqual([1, 1, 3, 3, 0, 0]);
    expect([...interpolateChannels(tensor([[1, 3]]), 2, 3).dataSync()]).toEqual([1, 3, 0]);
    expect(() => interpolateChannels(tensor([[1, 3]]), 0)).toThrow(/1 or more/);
  });
});

describe('samples of a row', () => {
  const logits = tensor([0.4, -1, 0.9, 0]);

  test('the largest of logits and noise is distributed as softmax', () => {
    const draws = 4000;
    const counts = [0, 0, 0, 0];
    for (let draw = 0; draw < draws; draw++)
      scope(() => {
        const noisy = [...perturbed(logits, 2, new Random(draw)).dataSync<Float32Array>()];
        const at = noisy.indexOf(Math.max(...noisy));
        counts[at] = (counts[at] as number) + 1;
      });
    const shares = softmax(logits).dataSync<Float32Array>();
    const chi = counts.reduce((total, own, at) => {
      const expected = draws * (shares[at] as number);
      return total + (own - expected) ** 2 / expected;
    }, 0);
    // 99.9 % of χ² with three degrees of freedom.
    expect(chi).toBeLessThan(16.27);
  });

  test('are different, and weigh softmax of their noisy logits', () => {
    for (let seed = 0; seed < 200; seed++)
      scope(() => {
        const { chosen, weights } = sampleRow(logits, 0.5, 2, new Random(seed));
        expect(new Set(chosen).size).toBe(2);
        const noisy = perturbed(logits, 0.5, new Random(seed)).dataSync<Float32Array>();
        const [a, b] = chosen.map((at) => Math.exp(noisy[at] as number)) as [number, number];
        expect(weights.dataSync<Float32Array>()[0]).toBeCloseTo(a / (a + b), 5);
      });
    expect(sampleRow(logits, 1, 9, new Random(0)).chosen).toEqual([0, 1, 2, 3]);
    expect(sampleRow(logits, 1, 1, new Random(0)).weights.item()).toBe(1);
  });

  test('candidates are drawn by their probabilities, without replacement', () => {
    const first = [0, 0, 0];
    for (let seed = 0; seed < 3000; seed++) {
      const [a, b] = drawWithout([0.5, 0.3, 0.2], 2, new Random(seed)) as [number, number];
      expect(a).not.toBe(b);
      first[a] = (first[a] as number) + 1;
    }
    for (const [at, share] of [0.5, 0.3, 0.2].entries()) expect((first[at] as number) / 3000).toBeCloseTo(share, 1);
    expect(drawWithout([0, 1, 0], 1, new Random(0))).toEqual([1]);
  });

  test('weights pass the gradient of finite differences for a draw that stays', () => {
    const loss = (own: Tensor) => {
      const { weights } = sampleRow(own, 0.7, 2, new Random(3));
      return sum(multiply(weights, tensor([1, -2])));
    };
    const found = grad(loss)(logits).dataSync<Float32Array>();
    const values = [...logits.dataSync<Float32Array>()];
    values.forEach((own, at) => {
      const at_ = (step: number) => loss(tensor(values.map((other, i) => (i === at ? own + step : other)))).item();
      expect(found[at]).toBeCloseTo((at_(1e-2) - at_(-1e-2)) / 2e-2, 3);
    });
  });

  test('the temperature falls by a cosine from 5 to 0.1', () => {
    expect([0, 300, 600].map((epoch) => temperatureAt(epoch, 600))).toEqual(
      [5, 2.55, 0.1].map((own) => expect.closeTo(own, 9)),
    );
    const [hot, cold] = [4, 1].map((own) => perturbed(logits, own, new Random(5)).dataSync<Float32Array>());
    cold?.forEach((own, at) => {
      expect(hot?.[at]).toBeCloseTo(own / 4, 5);
    });
    expect(() => perturbed(logits, 0, new Random(0))).toThrow(/positive/);
  });
});

describe('the cost of a shape', () => {
  test.each(Object.keys(networks))(
    '%s: expected cost of one-hot rows = cost of the shape = the built network',
    (name) => {
      const make = networks[name] as () => Layer;
      const space = shapeChoicesOf(make(), image, new Random(1));
      const tables = macTables(space);
      for (let draw = 0; draw < 3; draw++) {
        const shape = draw === 0 ? narrowest(space) : anyShape(space, new Random(draw));
        const built = make();
        applyShape(built, shape, image, new Random(2));
        const found = costOfShape(space, tables, shape);
        expect(found).toBe(macsOf(built));
        expect(expectedCost(space, tables, oneHot(space, shape)) / found).toBeCloseTo(1, 9);
      }
    },
  );

  test('projections are counted where a block adds an input of other width, in kept blocks alone', () => {
    const space = shapeChoicesOf(resnet(), image, new Random(1));
    const tables = macTables(space);
    const own = (widths: Record<string, number>, depths: Record<string, number> = {}) =>
      costOfShape(space, tables, { widths, depths });
    const full = own({});
    // layer1.1 adds 8 channels to 5: 16·16 pixels of 8·5, and its convolution has 3 filters fewer,
    // which the next block and its shortcut do not read.
    const next = 3 * (64 * 10 * 9 + 64 * 10);
    expect(full - own({ 'layer1.1.conv2': 5 })).toBe(3 * 256 * 8 * 9 + next - 256 * 8 * 5);
    expect(own({ 'layer1.1.conv2': 5 }, { layer1: 1 })).toBe(own({}, { layer1: 1 }));
    // The next stage reads the channels of the block that is kept last.
    expect(own({ 'layer1.0.conv2': 5 }, { layer1: 1 })).toBe(
      own({}, { layer1: 1 }) - 3 * 256 * 8 * 9 - next + 256 * 8 * 5,
    );
  });

  test('the expected cost is that of independent draws, and its gradient that of finite differences', () => {
    const space = shapeChoicesOf(resnet(), image, new Random(1));
    const tables = macTables(space);
    const random = new Random(4);
    const rows = {
      widths: space.groups.map(({ candidates }) => random.normal([candidates.length])),
      depths: space.stages.map(({ candidates }) => random.normal([candidates.length])),
    };
    const shares = {
      widths: rows.widths.map((row) => Array.from(softmax(row).dataSync<Float32Array>())),
      depths: rows.depths.map((row) => Array.from(softmax(row).dataSync<Float32Array>())),
    };
    const expected = expectedCost(space, tables, shares);
    expect(expectedCostOf(space, tables, rows).item() / expected).toBeCloseTo(1, 5);
    const draw = (candidates: readonly number[], probabilities: readonly number[]) =>
      candidates[drawWithout(probabilities, 1, random)[0] as number] as number;
    let total = 0;
    for (let i = 0; i < 4000; i++)
      total += costOfShape(space, tables, {
        widths: Object.fromEntries(
          space.groups.map((own, at) => [own.name, draw(own.candidates, shares.widths[at] as number[])]),
        ),
        depths: Object.fromEntries(
          space.stages.map((own, at) => [own.name, draw(own.candidates, shares.depths[at] as number[])]),
        ),
      });
    expect(total / 4000 / expected).toBeCloseTo(1, 1.7);
    const gradients = grad((all: typeof rows) => expectedCostOf(space, tables, all))(rows) as typeof rows;
    const difference = (kind: 'widths' | 'depths', row: number, entry: number) => {
      const moved = (step: number) => {
        const values = Array.from(
          (rows[kind][row] as Tensor).dataSync<Float32Array>(),
          (own, at) => own + (at === entry ? step : 0),
        );
        const powers = values.map(Math.exp);
        const sumOf = powers.reduce((a, b) => a + b, 0);
        const own = powers.map((power) => power / sumOf);
        return expectedCost(space, tables, {
          ...shares,
          [kind]: shares[kind].map((other, at) => (at === row ? own : other)),
        });
      };
      return (moved(1e-4) - moved(-1e-4)) / 2e-4;
    };
    for (const [kind, row, entry] of [
      ['widths', 0, 2],
      ['widths', 3, 0],
      ['widths', 5, 7],
      ['depths', 0, 1],
      ['depths', 2, 0],
    ] as const) {
      const found = (gradients[kind][row] as Tensor).dataSync<Float32Array>()[entry] as number;
      expect(found / difference(kind, row, entry)).toBeCloseTo(1, 2);
    }
  });

  test('a table of times follows widths and depths', () => {
    const space = shapeChoicesOf(resnet(), image, new Random(1));
    const tables = latencyTables(space);
    const full = costOfShape(space, tables, { widths: {}, depths: {} });
    const narrow = narrowest(space);
    expect(expectedCost(space, tables, oneHot(space, narrow))).toBeCloseTo(costOfShape(space, tables, narrow), 9);
    expect(full).toBeGreaterThan(0);
    expect(costOfShape(space, tables, { widths: {}, depths: narrow.depths })).toBeLessThan(full);
  });

  test('uniform and random shapes cost what is asked, to 1 %', () => {
    const space = shapeChoicesOf(resnet(), image, new Random(1));
    const tables = macTables(space);
    const target = 0.4 * costOfShape(space, tables, { widths: {}, depths: {} });
    const uniform = uniformShape(space, tables, target);
    expect(Math.abs(costOfShape(space, tables, uniform) / target - 1)).toBeLessThanOrEqual(0.01);
    expect(new Set(Object.values(uniform.depths))).toEqual(new Set([2]));
    for (const { name, channels } of space.groups)
      expect(Math.abs((uniform.widths[name] as number) / channels - Math.sqrt(0.4))).toBeLessThan(0.2);
    const drawn = [1, 2, 3].map((seed) => randomShape(space, tables, target, new Random(seed)));
    for (const shape of drawn)
      expect(Math.abs(costOfShape(space, tables, shape) / target - 1)).toBeLessThanOrEqual(0.01);
    expect(new Set(drawn.map((shape) => JSON.stringify(shape))).size).toBe(3);
    expect(fitShape(space, tables, { widths: {}, depths: {} }, 1, new Random(0))).toBeUndefined();
  });

  test('the cost loss pushes down above the budget, up below its tolerance, and rests between', () => {
    expect([11, 10, 9.6, 9.4].map((own) => costDirection(own, 10, 0.5))).toEqual([1, 0, 0, -1]);
  });
});
