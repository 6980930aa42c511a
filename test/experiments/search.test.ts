import { expect, test } from 'vitest';
import { hypervolume } from '../../src/compress/index.js';
import { findData } from '../../src/data/node.js';
import {
  changedWeights,
  elasticProblem,
  pictureDomain,
  textDomain,
  weightBits,
} from '../../src/experiments/protocols/elastic-domains.js';
import { evaluationsTo, traceScores } from '../../src/experiments/protocols/search-arms.js';
import { landscape } from '../../src/experiments/protocols/search-landscapes.js';
import { LOGS, readSearchLog, searchLogStudy } from '../../src/experiments/protocols/search-logs.js';
import { parameters } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';

test('a log is read with active genes, and one that is none is refused by row', () => {
  const list = (value: number, count: number) => `[${Array(count).fill(value).join(', ')}]`;
  const row = (depth: number) =>
    `"{'wid': None, 'ks': ${list(7, 20)}, 'e': ${list(6, 20)}, 'd': ${list(depth, 5)}, 'r': [224]}",then,5029656,0,255502624,75.5`;
  const header = 'Sub-network,Date,Model Parameters,Latency (ms),MACs,Top-1 Acc (%)';
  const [network] = readSearchLog(`${header}\n${row(2)}\n`, 'log.csv');
  expect(network?.macs).toBeCloseTo(255.502624);
  expect(network?.accuracy).toBe(75.5);
  expect(network?.all.filter((choice) => choice === 2).length).toBe(40);
  expect(network?.genome.filter((choice) => choice === 2).length).toBe(20);
  expect(() => readSearchLog(`${header}\n"{'ks': [3]}",then,1,0,1,1\n`, 'log.csv')).toThrow(
    '"log.csv", row 1: no list "e"',
  );
  expect(() => readSearchLog(`${header}\n${row(7)}\n`, 'log.csv')).toThrow('depth.0 is one of 2, 3, 4, got 7');
});

test.skipIf(!findData('dynas/mbnv3w10_evonsga2_acc_macs.csv'))(
  'the logs of DyNAS-T give our reading, and active genes rank better',
  () => {
    const { scores } = searchLogStudy();
    expect(scores[LOGS.off]).toBeLessThan(0.5);
    expect(scores[LOGS.share]).toBeCloseTo(208 / 540, 3);
    expect(scores[LOGS.macs]).toBeGreaterThan((scores[LOGS.macsAll] as number) + 0.03);
  },
);

test('evaluations to a hypervolume, and one more where it is never reached', () => {
  const trace = [
    [3, 3],
    [2, 2],
    [1, 1],
  ];
  expect([1, 4, 9, 10].map((volume) => evaluationsTo(trace, volume, [4, 4]))).toEqual([1, 2, 3, 4]);
});

test('scores of traces are those of the common budget, and ranges are relative to NSGA-II', () => {
  const flat = Array(10).fill([3, 3]);
  const traces = new Map([
    [
      'concurrent',
      [
        [3, 1],
        [1, 3],
        [2, 2],
      ],
    ],
    ['NSGA-II', [...flat, [3, 1], [1, 3]]],
    ['WeakNAS', [[2, 2]]],
  ]);
  const scores = traceScores(traces, { reference: [4, 4] }, { evaluations: 3, target: 100, whole: 6 });
  expect(scores.get('concurrent')).toEqual({
    ...{ volume: 100, toTarget: 3, toEvolution: 1, toWeak: 2, span: 1, front: 3 },
  });
  expect(scores.get('NSGA-II')?.volume).toBeCloseTo(100 / 6);
  expect(scores.get('NSGA-II')?.toTarget).toBe(13);
});

test('a made problem: the whole hypervolume is that of all, noise is the same each time', async () => {
  const own = await landscape(5, 3);
  const points = [...own.space.all()].map((genome) => {
    const { accuracy = 0, latency = 0 } = own.truth(own.space.decode(genome));
    return [-accuracy, latency];
  });
  expect(own.whole).toBeCloseTo(hypervolume(points, own.reference), 6);
  const configuration = { gene: [0, 1, 2, 1, 0] };
  expect(own.evaluate(configuration)).toEqual(own.evaluate(configuration));
  expect(own.evaluate(configuration)).not.toEqual(own.truth(configuration));
  const second = await landscape(5, 3, 1);
  expect(second.truth(configuration).accuracy).toBe(own.truth(configuration).accuracy);
  expect(second.truth(configuration).latency).not.toBe(own.truth(configuration).latency);
});

test.each(['glyphs', 'grammar'])(
  'sub-networks of %s are measured by the same code, and their weights stay',
  async (source) => {
    const domain = await (source === 'glyphs' ? pictureDomain : textDomain)(source, {
      ...{ examples: 64, validation: 64, epochs: 1, width: 4 },
    });
    const network = await domain.train('progressive', new Random(1), {});
    const before = weightBits(network);
    const problem = await elasticProblem(domain, network);
    const smallest = problem.space.decode(problem.space.smallest());
    const measured = problem.evaluate(smallest);
    expect(problem.evaluate(smallest)).toBe(measured);
    expect(measured.accuracy).toBeLessThanOrEqual(100);
    expect(measured.macs).toBeLessThan(problem.evaluate(problem.space.decode(problem.space.largest())).macs as number);
    expect(problem.tested(smallest)).toBeGreaterThanOrEqual(0);
    expect(changedWeights(network, before)).toBe(0);
    const [weight] = Object.values(parameters(network));
    weight?.assign(new Random(2).normal(weight.shape));
    expect(changedWeights(network, before)).toBe(weight?.size);
  },
);
