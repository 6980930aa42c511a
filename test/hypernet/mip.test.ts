import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { open } from '../../src/cli/models/mip.js';
import { type LabelledTable, labelledTable } from '../../src/data/index.js';
import {
  armTitle,
  blendedMethods,
  blendedTitles,
  validationSplit,
} from '../../src/experiments/protocols/blended-arms.js';
import { blend, blendedHypernet, trainBlended } from '../../src/experiments/protocols/blended-digits.js';
import { conversionStudy } from '../../src/experiments/protocols/conversions.js';
import { drawnDigits } from '../../src/experiments/protocols/digits.js';
import { ablationCells, ablationStudy, ordinary, stepsTo } from '../../src/experiments/protocols/magnitudes.js';
import * as h from '../../src/hypernet/index.js';
import {
  Adam,
  AdamW,
  BatchNorm1d,
  fans,
  inference,
  Linear,
  MLP,
  minimize,
  parameters,
  SGD,
  stateOf,
} from '../../src/nn/index.js';
import { Random, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const random = () => new Random(5);
const mlp = (sizes: readonly number[] = [3, 7, 2]) => new MLP(sizes, random());
const forward = (live: MLP, x: Tensor) => live.forward(x, inference);
const vector = (size: number) => new h.VectorCondition(size);
const bare = { ...h.MIP_OPTIONS, encoding: 'none', residual: 'none' } as const;

/** h(e) by loops: layers of leaky ReLU without biases, then a linear one. */
function generated(hypernet: object, code: readonly number[]): number[] {
  const state = stateOf(hypernet);
  const layers = [0, 1, 2].map((i) => state[`trunk.layers.${i}.weight`] as Tensor);
  const product = (weight: Tensor, x: readonly number[]) => {
    const values = weight.view();
    return Array.from({ length: weight.shape[0] as number }, (_, row) =>
      x.reduce((sum, value, column) => sum + value * (values[row * x.length + column] as number), 0),
    );
  };
  const hidden = layers.reduce((x, weight) => product(weight, x).map((y) => (y > 0 ? y : 0.01 * y)), [...code]);
  return product(state['generator.out.weight'] as Tensor, hidden);
}

describe('the parametrisation', () => {
  test('weights are θ⁰ + h([cos πγ/2, sin πγ/2]) without biases in h; by default they are h(γ)', () => {
    const gammas = [0.13, 0.42, 0.91];
    const code = [...gammas.map((g) => Math.cos((Math.PI * g) / 2)), ...gammas.map((g) => Math.sin((Math.PI * g) / 2))];
    for (const [options, encoded] of [
      [h.MIP_OPTIONS, code],
      [bare, gammas],
    ] as const) {
      const hypernet = new h.Hypernet(mlp(), vector(3), random(), options);
      const base = hypernet.base && hypernet.layout.pack(hypernet.base);
      const expected = generated(hypernet, encoded).map((value, i) => value + (base?.[i] ?? 0));
      const made = h.weightsOf(hypernet.generate(tensor([gammas])), 0);
      expectClose(hypernet.layout.pack(made), expected, 1e-4);
    }
  });

  test('θ⁰ takes the place of the output biases: it is counted once, also for gains of norms', () => {
    class Normed {
      readonly linear = new Linear(4, 6, random());
      readonly norm = new BatchNorm1d(6);
    }
    const n = 4 * 6 + 6 + 6 + 6;
    for (const residual of ['fresh', 'target'] as const) {
      const hypernet = new h.Hypernet(new Normed(), vector(1), random(), { ...h.MIP_OPTIONS, residual });
      expect(hypernet.size).toBe(2 * 16 + 16 + 16 * 64 + 64 + 64 * 128 + 128 + 128 * n + n);
      const out = stateOf(hypernet)['generator.out.weight'] as Tensor;
      out.assign(new Float32Array(out.size));
      const made = hypernet.generate(tensor([[0.4]]));
      expect(made['norm.weight']?.dataSync()).toEqual(new Float32Array(6).fill(1));
      expect(hypernet.layout.pack(h.weightsOf(made, 0))).toEqual(hypernet.layout.pack(hypernet.base ?? {}));
    }
  });

  test('all at once, heads and chunks count θ⁰ once', () => {
    for (const generator of [h.once(), h.heads('layer'), h.chunks(5), h.components('layer')]) {
      const hypernet = new h.Hypernet(mlp(), vector(1), random(), { ...h.MIP_OPTIONS, generator });
      const names = Object.keys(parameters(hypernet)).filter((name) => name.startsWith('generator.'));
      expect(names.filter((name) => name.endsWith('.bias'))).toEqual([]);
    }
  });

  test('fresh θ⁰ has the variance gain²/fan-in, biases 0', () => {
    const hypernet = new h.Hypernet(mlp([60, 80, 40]), vector(1), random(), h.MIP_OPTIONS);
    for (const [name, weight] of Object.entries(hypernet.base ?? {})) {
      const power = weight.square().mean().item();
      if (name.endsWith('.bias')) expect(power).toBe(0);
      else expect((power * fans(weight.shape).fanIn) / h.gainOf('leakyRelu') ** 2).toBeCloseTo(1, 1);
    }
  });

  test('an existing network is θ⁰; its values are replaced, kept as they are, and trained again', async () => {
    const target = mlp();
    const hypernet = new h.Hypernet(target, vector(1), random(), { ...h.MIP_OPTIONS, residual: 'target' });
    const pretrained = parameters(new MLP([3, 7, 2], new Random(9)));
    hypernet.setBase(pretrained);
    expect(hypernet.layout.pack(hypernet.base ?? {})).toEqual(hypernet.layout.pack(pretrained));
    expect(() => hypernet.setBase({ 'head.bias': zeros([2]) })).toThrow('missing blocks.0.linear.weight');
    const train = () =>
      minimize(
        hypernet,
        (live) =>
          live
            .run(tensor([[0.5]]), uniformTensor(1, [4, 3]), forward)
            .square()
            .mean(),
        {
          steps: 2,
          random: random(),
          optimizer: new Adam(),
        },
      );
    hypernet.freezeBase();
    await train();
    expect(hypernet.layout.pack(hypernet.base ?? {})).toEqual(hypernet.layout.pack(pretrained));
    expect(Object.keys(stateOf(hypernet))).toContain('base.head.weight');
    hypernet.freezeBase(false);
    await train();
    expect(hypernet.layout.pack(hypernet.base ?? {})).not.toEqual(hypernet.layout.pack(pretrained));
    const without = new h.Hypernet(target, vector(1), random());
    expect(() => without.freezeBase()).toThrow("residual: 'fresh'");
  });

  test('weight decay of θ⁰ is apart from that of Φ, in AdamW and SGD', () => {
    const decay = h.mipDecay(0.5, 0.1);
    for (const optimizer of [
      new AdamW({ learningRate: 1, weightDecay: decay }),
      new SGD({ learningRate: 1, weightDecay: decay }),
    ]) {
      const weights = {
        'base.head.weight': tensor([1]),
        'generator.out.weight': tensor([1]),
        'trunk.layers.0.weight': tensor([1]),
      };
      optimizer.update(weights, Object.fromEntries(Object.keys(weights).map((name) => [name, zeros([1])])));
      expectClose(
        Object.values(weights).map((weight) => weight.item()),
        [0.9, 0.5, 0.5],
        1e-6,
      );
    }
    expect(h.mipDecay(0.5)('base.head.weight')).toBe(0);
  });
});

describe('initialisation', () => {
  test('rows of each tensor, of biases too, have the deviation gain/√numel, in both parametrisations alike', () => {
    const target = mlp([20, 60, 40]);
    const outputs = [h.MIP_OPTIONS, bare].map((options) => {
      const hypernet = new h.Hypernet(target, vector(1), random(), options);
      return { layout: hypernet.layout, weight: stateOf(hypernet)['generator.out.weight'] as Tensor };
    }) as [{ layout: h.Layout; weight: Tensor }, { layout: h.Layout; weight: Tensor }];
    const [{ layout, weight }, other] = outputs;
    expect(other.weight.subtract(weight).abs().max().item()).toBe(0);
    for (const { offset, size } of layout.entries) {
      const power = weight
        .slice([offset, offset + size])
        .square()
        .mean()
        .item();
      expect(Math.abs(Math.sqrt(power * size) / h.gainOf('leakyRelu') - 1)).toBeLessThan(0.05);
    }
  });

  test('hyperfan-in and hyperfan-out give weights of variance 2/(2·fan-in) and 2/fan-out, hyperfan the mean', () => {
    const conditions = new Random(7).normal([200, 64]);
    const variance = (init: h.HypernetInit) => {
      const options = { trunk: h.mlpTrunk([]), init };
      const weights = new h.Hypernet(mlp([40, 10, 2]), vector(64), random(), options).generate(conditions);
      return (weights['blocks.0.linear.weight'] as Tensor).square().mean().item();
    };
    expect(variance('hyperfan-in') / (1 / 40)).toBeCloseTo(1, 1);
    expect(variance('hyperfan-out') / (2 / 10)).toBeCloseTo(1, 1);
    expect(variance('hyperfan') / ((1 / 40 + 2 / 10) / 2)).toBeCloseTo(1, 1);
  });
});

describe('named conditions', () => {
  const condition = (onOutside?: h.NamedConditionOptions['onOutside']) =>
    new h.NamedCondition(
      { scale: { range: [0.5, 2.5] }, angle: { range: [-30, 30] }, shift: { shape: [2] } },
      { ...(onOutside && { onOutside }) },
    );

  test('are rescaled by their ranges and concatenated in the order of their names', () => {
    expectClose(
      condition()
        .forward({ scale: 1, shift: [0.1, 0.9], angle: -15 })
        .view(),
      [0.25, 0.25, 0.1, 0.9],
      1e-6,
    );
    const batch = condition().forward({
      scale: [0.5, 2.5],
      shift: tensor([
        [0, 1],
        [1, 0],
      ]),
      angle: tensor([30, -30]),
    });
    expect(batch.shape).toEqual([2, 4]);
    expectClose(batch.view(), [1, 0, 0, 1, 0, 1, 1, 0], 1e-6);
  });

  test('name what is missing, unexpected, of another shape, of several batch sizes, outside', () => {
    expect(() => condition().forward({ scale: 1, angle: 0, hue: 1 })).toThrow(/missing shift.*unexpected hue/);
    expect(() => condition().forward({ scale: 1, angle: 0, shift: [1, 2, 3] })).toThrow(
      '"shift" is [3], expected [2], or [B, 2]',
    );
    expect(() => condition().forward({ scale: [1, 2], angle: 0, shift: [0, 1] })).toThrow('angle 1, scale 2, shift 1');
    expect(() => new h.NamedCondition({ a: { range: [1, 1] } })).toThrow('range of "a"');
    const outside: [string, readonly number[]][] = [];
    condition((name, values) => outside.push([name, values])).forward({ scale: 3, angle: 30, shift: [0, 1] });
    expect(outside).toEqual([['scale', [3]]]);
  });
});

test('FiLM starts as the identity and is modulated by the condition alone', () => {
  class Modulated {
    readonly film = new h.FiLM(3);
    readonly head = new Linear(3, 2, random());
    forward(x: Tensor): Tensor {
      return this.head.forward(this.film.forward(x).mean([2, 3]));
    }
  }
  const target = new Modulated();
  const x = uniformTensor(1, [2, 3, 4, 4]);
  expect(target.film.forward(x).dataSync()).toEqual(x.dataSync());
  const hypernet = new h.Hypernet(target, vector(1), random(), {
    ...h.MIP_OPTIONS,
    residual: 'target',
    select: { layers: h.FiLM },
  });
  expect(Object.keys(hypernet.layout.shapes)).toEqual(['film.scale', 'film.shift']);
  const at = (gamma: number) => hypernet.run(tensor([[gamma]]), x, (live, seen) => live.forward(seen)).dataSync();
  expect(at(0.1)).not.toEqual(at(0.9));
  target.film.scale.assign(Float32Array.of(2, 3, 4));
  target.film.shift.assign(Float32Array.of(1, 0, -1));
  const [first] = x.view();
  expect(target.film.forward(x).view()[0]).toBeCloseTo(2 * (first as number) + 1, 5);
});

/** Rows whose class is the sign of x, turned over where the angle is above 45. */
function turnedTable(rows: number, seed: number): LabelledTable {
  const draws = new Random(seed);
  const x = Float64Array.from({ length: rows }, () => 2 * draws.float() - 1);
  const angle = Float64Array.from({ length: rows }, () => 90 * draws.float());
  const label = Array.from(x, (value, i) => (value > 0 === (angle[i] as number) > 45 ? 'out' : 'in'));
  return labelledTable(
    {
      rows,
      columns: [
        { name: 'x', kind: 'number', values: x },
        { name: 'angle', kind: 'number', values: angle },
        { name: 'label', kind: 'category', values: label },
      ],
    },
    'label',
  );
}

describe('a table with condition columns', () => {
  const data = turnedTable(400, 1);
  const options = { conditions: ['angle'], hidden: [8], trunk: [16, 16], steps: 250, batch: 32 };
  const trained = h.ConditionedTable.train(data, 'label', random(), {
    ...options,
    optimizer: new Adam({ learningRate: 1e-2 }),
  });

  test('each row is classified by the network of its own condition, alone as among others', async () => {
    const model = await trained;
    const test = turnedTable(300, 2);
    const probabilities = model.probabilities(test.table);
    const right = h.classesOf(probabilities, 2).filter((code, row) => code === test.labels[row]).length;
    expect(right / 300).toBeGreaterThan(0.9);
    const row = (column: number) => Float64Array.of(Number(test.table.columns[column]?.values[7]));
    const alone = model.probabilities({
      rows: 1,
      columns: ['x', 'angle'].map((name, i) => ({ name, kind: 'number' as const, values: row(i) })),
    });
    expectClose(alone, probabilities.subarray(14, 16), 1e-5);
  });

  test('is kept in a file with its ranges, and answers for new rows and conditions', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'gossamer-mip-')), 'model.safetensors');
    const model = await trained;
    writeFileSync(path, model.save());
    const table = path.replace('model.safetensors', 'new.csv');
    writeFileSync(table, 'angle,x\n10,0.5\n80,0.5\n200,0.5\n');
    const opened = open(path);
    const notes: string[] = [];
    const answer = await opened.predict([table], { note: (text) => notes.push(text) });
    expect(answer.columns).toEqual(['row', 'label', 'probability', 'p(in)', 'p(out)']);
    expect(answer.rows.slice(0, 2).map(([, label]) => label)).toEqual(['in', 'out']);
    expect(notes).toEqual([expect.stringMatching(/condition "angle" is 200 outside of .*, the range of training/)]);
    const fixed = await opened.predict([table], { conditions: { angle: 10 }, note: () => {} });
    expect(fixed.rows.map(([, label]) => label)).toEqual(['in', 'in', 'in']);
    expect(opened.describe?.()[0]).toBe('Classifies label (in, out) by x');
    expect(opened.describe?.().join('\n')).toMatch(/angle: 0\.\d+ … 89\.\d+/);
    await expect(opened.predict([table], { conditions: { hue: 1 }, note: () => {} })).rejects.toThrow(
      '"hue" is no condition',
    );
    expect(() => h.ConditionedTable.load(model.save().slice(0, 100))).toThrow();
  });

  test('conditions are columns of numbers that vary, without gaps', () => {
    const number = (name: string, values: readonly number[]) => ({
      name,
      kind: 'number' as const,
      values: Float64Array.from(values),
    });
    const table = {
      rows: 2,
      columns: [
        number('same', [1, 1]),
        number('gap', [1, Number.NaN]),
        { name: 'text', kind: 'category' as const, values: ['a', 'b'] },
      ],
    };
    expect(() => h.conditionRanges(table, ['other'])).toThrow(
      '"other" is no column of the table; it has same, gap, text',
    );
    expect(() => h.conditionRanges(table, ['same'])).toThrow('must vary');
    expect(() => h.conditionRanges(table, ['gap'])).toThrow('no value in row 2');
    expect(() => h.conditionRanges(table, ['text'])).toThrow('must hold numbers');
    expect(() => h.conditionRanges(table, [])).toThrow('at least one');
  });
});

describe('the experiment', () => {
  const data = drawnDigits(new Random(0));

  test('the ablation has all 72 cells, and both arms of a cell start alike and see the same data', async () => {
    const keys = ablationCells.map((cell) => JSON.stringify(cell));
    expect(new Set(keys).size).toBe(4 * 3 * 2 * 3);
    for (const [name, values] of Object.entries({
      activation: ['relu', 'leakyRelu', 'gelu', 'tanh'],
      dims: [1, 4, 8],
      width: [16, 128],
      norm: ['none', 'batch', 'layer'],
    }))
      expect([...new Set(ablationCells.map((cell) => cell[name as keyof typeof cell]))]).toEqual(values);
    const shares: number[] = [];
    const context = { seed: 0, signal: undefined, progress: (_: string, share: number) => shares.push(share) };
    const cells = [ablationCells[2], ablationCells[50]] as (typeof ablationCells)[number][];
    const { scores, studies } = await ablationStudy(data.train, 3, context, cells);
    expect(shares).toEqual([0.5, 1]);
    const won = studies[0]?.rows.filter(([, , , , plain, invariant]) => Number(invariant) <= Number(plain)).length;
    expect(scores).toEqual({ cells: won, share: (won as number) / 2 });
  });

  test('the default differs from MIP in encoding and θ⁰ alone', () => {
    const { encoding, residual, ...rest } = ordinary;
    expect([encoding, residual]).toEqual(['none', 'none']);
    expect(rest).toEqual({ init: h.MIP_OPTIONS.init, trunk: h.MIP_OPTIONS.trunk });
  });

  test('images are blended with their negative by the γ of their band', () => {
    const x = uniformTensor(1, [2, 64], 0, 1);
    const made = blend(x, [0, 0.25, 0.5, 1]);
    const expected = Array.from(x.view(), (v, i) => {
      const gamma = [0, 0.25, 0.5, 1][Math.floor((i % 64) / 16)] as number;
      return (1 - gamma) * v + gamma * (1 - v);
    });
    expectClose(made.view(), expected, 1e-6);
  });

  test('γ in [−1, 1] is 2γ − 1', () => {
    const hypernet = blendedHypernet({ options: ordinary, signed: true }, random());
    expectClose(hypernet.condition.forward(tensor([[0], [0.5], [1]])).view(), [-1, 0, 1], 1e-6);
  });

  test('training records a norm of the gradient for each step, and needs the γ of its own images', async () => {
    const settings = { steps: 150, batch: 64 };
    const { losses, norms } = await trainBlended({ options: h.MIP_OPTIONS }, data.train, new Random(1), {
      ...settings,
      optimizer: new Adam({ learningRate: 3e-3 }),
    });
    expect(norms.length).toBe(150);
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-20))).toBeLessThan(1.6);
    expect(stepsTo([...Array(30).fill(2), ...Array(30).fill(1)], 1)).toBe(50);
    expect(stepsTo(Array(40).fill(2), 1)).toBe(40);
  });

  test('learning rates are chosen from as many trials for every method, on images that neither train nor test', () => {
    const { train, validation } = validationSplit(data);
    expect([train.labels.length, validation.labels.length]).toEqual([3200, 800]);
    expect(validation.x.byteOffset).toBe(train.x.byteOffset + train.x.byteLength);
    expect(blendedMethods(data, { steps: 20, batch: 8, tuning: 'on' }).map(({ title }) => title)).toEqual(
      blendedTitles({ tuning: 'on' }),
    );
    expect(blendedTitles({ tuning: 'off' })).not.toContain(armTitle('MIP', 'Adam', true));
  });

  test('networks that are converted are bit for bit what they were at θ⁰', async () => {
    const context = { seed: 0, signal: undefined, progress: () => {} };
    const { scores, studies } = await conversionStudy(data, 3, context);
    expect(scores.conversionDifference).toBe(0);
    expect(studies[0]?.rows.length).toBe(5);
  });
});
