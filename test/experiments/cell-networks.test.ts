import { expect, test } from 'vitest';
import type { ImageDataset } from '../../src/data/index.js';
import { cellNetworks } from '../../src/experiments/protocols/cell-methods.js';
import {
  DASS,
  foundCells,
  MOBILE,
  ONE_SHOT,
  prunable,
  RESIDUAL,
  randomCells,
  trainPruned,
} from '../../src/experiments/protocols/cell-networks.js';
import {
  cellSpeedStudy,
  chosenAt,
  PLANTED_KEEP,
  plantedCues,
  plantedStudy,
} from '../../src/experiments/protocols/cell-studies.js';
import { genotypes, requireGenotype } from '../../src/models/index.js';
import { stateOf } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';

const values = { keep: 0.2, epochs: 2, searchEpochs: 1, batch: 16, width: 4, cells: 3, nodes: 1, draws: 2 };
const context = {
  random: new Random(0),
  signal: undefined,
  onEpoch: () => {},
  progress: () => {},
} as unknown as Parameters<typeof foundCells>[4];
const data: ImageDataset = plantedCues(32, new Random(1));

const nonZeros = (model: object) =>
  Object.values(stateOf(model))
    .filter(({ rank }) => rank > 1)
    .reduce((sum, weight) => sum + weight.view().reduce((own, value) => own + Number(value !== 0), 0), 0);

test('a dense search takes as many epochs as the three phases of a sparse one', async () => {
  const own = { ...values, searchEpochs: 2 };
  const [sparse, dense] = [
    await foundCells(data, own, 0.3, new Random(2), context),
    await foundCells(data, own, 1, new Random(2), context),
  ];
  expect(sparse.history).toHaveLength(5);
  expect(dense.history).toHaveLength(5);
  expect(dense.shares).not.toEqual(sparse.shares);
});

test('random cells: operations that compute something, of two inputs', () => {
  for (let draw = 0; draw < 50; draw++) {
    const { normal, reduce } = requireGenotype(randomCells(3, new Random(draw)));
    for (const cell of [normal, reduce]) {
      expect(cell).toHaveLength(6);
      for (let node = 0; node < 3; node++) expect(cell[2 * node]?.[1]).not.toBe(cell[2 * node + 1]?.[1]);
    }
  }
});

test('other networks have about the weights of the found cells, which keep their width', () => {
  const all = cellNetworks(
    data,
    { ...values, width: 12, nodes: 4 },
    genotypes['dass-95'],
    genotypes['darts-dense'],
    new Random(3),
  );
  const weights = new Map(all.map(({ title, make }) => [title, prunable(make(new Random(0)))]));
  const found = weights.get(DASS) as number;
  expect(weights.get(ONE_SHOT)).toBe(found);
  expect(weights.size).toBe(7);
  for (const title of [MOBILE, RESIDUAL])
    expect(Math.abs(Math.log((weights.get(title) as number) / found))).toBeLessThan(0.15);
});

test('one-shot pruning trains as long, from the same dense network, and keeps as many weights', async () => {
  const make = cellNetworks(data, values, genotypes['dass-95'], genotypes['darts-dense'], new Random(3))[0]?.make;
  if (!make) throw new Error('no network');
  const trained = async (isOneShot: boolean) => {
    const epochs: string[] = [];
    const hooks = {
      onEpoch: ({ epoch, epochs: all }: { epoch: number; epochs: number }) => void epochs.push(`${epoch}/${all}`),
    };
    const setting = { learningRate: 1e-2, scoreRate: 0.1 };
    const { model, dense } = await trainPruned(
      make,
      data,
      values,
      setting,
      { random: new Random(4), hooks },
      isOneShot,
    );
    return { model, dense, epochs };
  };
  const [scored, once] = [await trained(false), await trained(true)];
  expect(scored.epochs).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5']);
  expect(once.epochs).toEqual(scored.epochs);
  // Both prune the same dense network.
  expect(once.dense).toBe(scored.dense);
  expect(nonZeros(once.model)).toBe(nonZeros(scored.model));
  expect(nonZeros(once.model)).toBeLessThan(0.25 * prunable(once.model));
});

test('planted cues: stripes tell every class, brightness about 85 % of them', () => {
  const { train } = plantedCues(2000, new Random(5));
  const side = train.width;
  let [bright, striped] = [0, 0];
  for (let image = 0; image < train.count; image++) {
    const pixels = train.pixels.subarray(image * side ** 2, (image + 1) * side ** 2);
    const mean = pixels.reduce((sum, value) => sum + value, 0) / side ** 2;
    let [across, down] = [0, 0];
    for (let at = 0; at < side * (side - 1); at++)
      down += Math.abs((pixels[at] as number) - (pixels[at + side] as number));
    for (let at = 0; at < side ** 2; at++)
      if (at % side > 0) across += Math.abs((pixels[at] as number) - (pixels[at - 1] as number));
    const label = train.labels[image];
    bright += Number(label === Number(mean > 127.5));
    striped += Number(label === Number(across > down));
  }
  expect(striped).toBe(train.count);
  expect(Math.abs(bright / train.count - 0.85)).toBeLessThan(0.03);
});

test('the studies give the scores that claims are on', async () => {
  const { scores: planted } = await plantedStudy({ searches: 1, images: 32, epochs: 1 }, context);
  expect(Object.keys(planted)).toEqual([chosenAt(1), chosenAt(PLANTED_KEEP)]);
  for (const share of Object.values(planted)) expect([0, 1]).toContain(share);
  const { scores, studies } = await cellSpeedStudy(2);
  expect(Object.keys(scores)).toEqual(['sparse kernels, 1×1', 'sparse kernels, network']);
  for (const gain of Object.values(scores)) expect(gain).toBeGreaterThan(0);
  expect(studies[0]?.rows[0]?.[0]).toMatch(/^[1-9]\d* 1×1 convolutions$/);
});
