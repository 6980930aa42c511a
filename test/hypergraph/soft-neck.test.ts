import { describe, expect, test } from 'vitest';
import {
  type BoxedPictures,
  detect,
  detectionLoss,
  GridDetector,
  HypergraphNeck,
  type ThreeScales,
  trainDetector,
} from '../../src/hypergraph/index.js';
import { type ClassBox, intersectionOverUnion, meanBoxPrecision } from '../../src/models/index.js';
import { inference, runSequence, SoftHGNN, stateOf, training } from '../../src/nn/index.js';
import {
  averagePool2d,
  concatenate,
  grad,
  Random,
  resize,
  type Tensor,
  tensor,
  zeros,
} from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const channels = [4, 6, 8] as const;
const maps = (batch = 2): ThreeScales => [
  uniformTensor(1, [batch, 4, 8, 8]),
  uniformTensor(2, [batch, 6, 4, 4]),
  uniformTensor(3, [batch, 8, 2, 2]),
];
const neckOf = (branches: 'soft' | 'bottleneck') =>
  new HypergraphNeck(channels, new Random(1), { width: 8, branches, soft: { heads: 4, hyperedges: 4 } });

describe.each(['soft', 'bottleneck'] as const)('a neck with %s branches', (branches) => {
  test('gives each scale its shape, and every scale reaches every other', () => {
    const neck = neckOf(branches);
    const given = neck.forward(maps(), inference);
    expect(given.map(({ shape }) => shape)).toEqual(maps().map(({ shape }) => shape));
    for (const [source] of maps().entries())
      for (const [target] of maps().entries()) {
        const gradient = grad((x: Tensor) => {
          const inputs = maps().map((map, i) => (i === source ? x : map)) as unknown as ThreeScales;
          return (neckOf(branches).forward(inputs, training(new Random(2)))[target] as Tensor).square().sum();
        })(maps()[source] as Tensor);
        expect(Math.max(...gradient.abs().view())).toBeGreaterThan(1e-6);
      }
  });

  test('reads the second part by its branches, the third by its bottlenecks', () => {
    const neck = neckOf(branches);
    const seen = new Map<string, number[][]>();
    const watch = (name: string, layers: HypergraphNeck['branches']) => {
      for (const layer of layers) {
        const forward = layer.forward.bind(layer);
        layer.forward = (x, mode) => {
          seen.set(name, [...(seen.get(name) ?? []), [...x.view()]]);
          return forward(x, mode);
        };
      }
    };
    watch('branches', neck.branches);
    watch('bottlenecks', neck.bottlenecks.slice(0, 1));
    const [, middle] = maps();
    const met = concatenate([averagePool2d(maps()[0], 2), middle, resize(maps()[2], [4, 4], { mode: 'nearest' })], 1);
    const parts = runSequence([neck.fuse, neck.split], met, inference);
    const part = (at: number) => [...parts.slice(null, [8 * at, 8 * (at + 1)]).view()];
    neck.forward(maps(), inference);
    expect(seen.get('branches')).toEqual([part(1), part(1)]);
    expect(seen.get('bottlenecks')).toEqual([part(2)]);
  });

  test('refuses scales that do not halve', () => {
    const [fine, middle] = maps();
    expect(() => neckOf(branches).forward([fine, middle, uniformTensor(1, [2, 8, 4, 4])], inference)).toThrow(
      'each scale must have half the height and width of the one before, got 8×8, 4×4, 4×4',
    );
  });
});

test('the two necks differ in their branches alone, with the same weights elsewhere', () => {
  const [soft, plain] = [neckOf('soft'), neckOf('bottleneck')];
  expect(soft.branches.every((branch) => branch instanceof SoftHGNN && branch.gate === undefined)).toBe(true);
  const outside = (neck: HypergraphNeck) =>
    Object.entries(stateOf(neck)).filter(([name]) => !name.startsWith('branches'));
  expect(outside(soft).map(([name]) => name)).toEqual(outside(plain).map(([name]) => name));
  const values = (neck: HypergraphNeck) => outside(neck).map(([, weight]) => [...weight.dataSync()]);
  expect(values(soft)).toEqual(values(plain));
});

const box = (left: number, top: number, width: number, height: number, label: number): ClassBox => ({
  ...{ left, top, right: left + width, bottom: top + height, label },
});

describe('a detector', () => {
  test('pays for objectness of all cells, and for class and box of those with things', () => {
    const boxes = [[box(8, 16, 8, 16, 1)], []];
    // Cell of the centre (12, 24): column 1, row 3 of 4.
    const cell = 3 * 4 + 1;
    const said = new Float32Array(2 * 16 * 7);
    const at = (picture: number, own: number) => (picture * 16 + own) * 7;
    for (let p = 0; p < 2; p++) for (let own = 0; own < 16; own++) said[at(p, own)] = -2;
    said.set([1, 0.25, 0.5, 0.1, 0.6, 0, 2], at(0, cell));
    const softplus = (v: number) => Math.log1p(Math.exp(v));
    const objectness = (31 * softplus(-2) + softplus(-1)) / 2;
    // Centre ½ of the cell across and 0 down; log sizes 0 and ln 2.
    const place = 0.25 + 0.5 + 0.1 + Math.abs(0.6 - Math.log(2));
    const named = softplus(-2);
    const loss = detectionLoss(tensor(said, [2, 4, 4, 7]), boxes, 32).item();
    expect(loss).toBeCloseTo(objectness + (place + named) / 2, 5);
    const empty = detectionLoss(tensor(said, [2, 4, 4, 7]), [[], []], 32).item();
    expect(empty).toBeCloseTo((31 * softplus(-2) + softplus(1)) / 2, 5);
  });

  /** Bright squares of two sizes: the two classes. */
  function squares(count: number, random: Random): BoxedPictures {
    const side = 48;
    const pixels = new Float32Array(count * side * side);
    const boxes = Array.from({ length: count }, (_, picture) => {
      const own: ClassBox[] = [];
      for (let i = 0; i < 2; i++) {
        const label = random.integer(2);
        const size = label === 0 ? 6 : 14;
        const placed = box(random.integer(side - size), random.integer(side - size), size, size, label);
        if (own.some((other) => intersectionOverUnion(other, placed) > 0)) continue;
        own.push(placed);
        for (let y = placed.top; y < placed.bottom; y++)
          pixels.fill(2, (picture * side + y) * side + placed.left, (picture * side + y) * side + placed.right);
      }
      return own;
    });
    return { pixels, channels: 1, side, boxes };
  }

  test('learns to find and name things', async () => {
    const random = new Random(3);
    const [train, held] = [squares(120, random), squares(40, random)];
    const network = new GridDetector({ classes: 2, widths: [8, 8, 16, 16] }, new Random(1), {
      width: 16,
      soft: { hyperedges: 4 },
    });
    const score = () => meanBoxPrecision(detect(network, held), held.boxes, 2);
    const before = score();
    await trainDetector(network, train, new Random(2), { epochs: 14, batch: 12, learningRate: 5e-3 });
    expect(before).toBeLessThan(0.2);
    expect(score()).toBeGreaterThan(0.6);
    const [first] = detect(network, { ...held, boxes: held.boxes.slice(0, 1) });
    const scores = first?.map((found) => found.score) as number[];
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores.every((value) => value >= 0.01 && value <= 1)).toBe(true);
  }, 60_000);

  test('reads its boxes from the head', () => {
    const network = new GridDetector({ classes: 3 }, new Random(1));
    network.head.weight.assign(zeros(network.head.weight.shape));
    network.head.bias?.assign(tensor([3, 0.5, 0.25, 0, Math.log(2), -9, 9, -9]));
    const [found] = detect(network, { pixels: new Float32Array(32 * 32), channels: 1, side: 32, boxes: [[]] });
    // One box of 8×16 around the middle of each cell; neighbours in a column overlap by a third.
    expect(found).toHaveLength(16);
    const [first] = [...(found ?? [])].sort((a, b) => a.top - b.top || a.left - b.left);
    expectClose([first?.left, first?.top, first?.right, first?.bottom] as number[], [0, -6, 8, 10], 1e-5);
    expect([first?.label, first?.score]).toEqual([1, expect.closeTo(1 / (1 + Math.exp(-3)), 5)]);
  });
});
