import { describe, expect, test } from 'vitest';
import { CopyTransformer } from '../../src/models/index.js';
import { Adam, parameters } from '../../src/nn/index.js';
import {
  log,
  mean,
  negate,
  pickColumns,
  Random,
  reshape,
  scope,
  tensor,
  valueAndGrad,
} from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const int = (rows: number[][]) => tensor(Int32Array.from(rows.flat()), [rows.length, rows[0]?.length as number]);
const network = new CopyTransformer({ vocabulary: 12, features: 16, heads: 2, layers: 1 }, new Random(1));

describe('the copy transformer', () => {
  test('gives probabilities of the next word', () => {
    const chances = network.decode(
      network.encode(
        int([
          [4, 5, 6],
          [7, 8, 0],
        ]),
      ),
      int([
        [1, 4],
        [1, 9],
      ]),
    );
    expect(chances.shape).toEqual([2, 2, 12]);
    const values = chances.view();
    for (let row = 0; row < 4; row++)
      expect(values.subarray(row * 12, (row + 1) * 12).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
  });

  test('does not see padding, nor later words of the target', () => {
    const first = (sources: number[][], targets: number[][]) =>
      network
        .decode(network.encode(int(sources)), int(targets))
        .view()
        .slice(0, 24);
    const plain = first([[4, 5]], [[1, 4]]);
    expectClose(first([[4, 5, 0, 0]], [[1, 4]]), plain, 1e-5);
    expectClose(first([[4, 5]], [[1, 4, 9]]), plain, 1e-5);
    expect([...first([[4, 9]], [[1, 4]])]).not.toEqual([...plain]);
    expect(() => network.encode(int([new Array(65).fill(4)]))).toThrow('65 words are more than the context of 64');
  });

  test('learns to copy a word that it has not seen in training', () => {
    const model = new CopyTransformer({ vocabulary: 40, features: 32, heads: 2, layers: 1 }, new Random(2));
    const optimizer = new Adam({ learningRate: 3e-3 });
    const random = new Random(3);
    // The word after word 4 is to be written; words 30 and above are never written in training.
    const draw = (words: () => number) => Array.from({ length: 5 }, words);
    const loss = (sources: number[][], wanted: number[]) => {
      const chances = model.decode(model.encode(int(sources)), int(sources.map(() => [1])));
      return negate(mean(log(pickColumns(reshape(chances, [sources.length, 40]), tensor(Int32Array.from(wanted))))));
    };
    const sample = (words: () => number) => {
      const sources = Array.from({ length: 64 }, () => {
        const row = draw(words);
        row[random.integer(4)] = 4;
        return row;
      });
      return { sources, wanted: sources.map((row) => row[row.indexOf(4) + 1] as number) };
    };
    const seen = () => 5 + random.integer(25);
    for (let step = 0; step < 150; step++)
      scope(() => {
        const { sources, wanted } = sample(seen);
        const { gradient } = valueAndGrad((weights: Record<string, ReturnType<typeof int>>) => {
          void weights;
          return loss(sources, wanted);
        })(parameters(model));
        optimizer.update(parameters(model), gradient);
      });
    const fresh = sample(() => 30 + random.integer(10));
    expect(loss(fresh.sources, fresh.wanted).item()).toBeLessThan(1.6);
  });
});
