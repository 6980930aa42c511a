import { expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { triadicStream } from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';

const graph = triadicStream(new Random(5), { nodes: 150, events: 3000 });
const split = g.chronologicalSplit(graph);

test('caches find closed triangles: far better than self-representations alone', async () => {
  const precision = async (slots: readonly number[], aggregate: 'sum' | 'attention' = 'sum') => {
    const model = new g.NAT(graph, new Random(1), { selfWidth: 32, slots, aggregate });
    await g.trainTemporal(model, graph, split, new Random(2), { epochs: 3, learningRate: 2e-3 });
    const pools = [g.negativePool(graph, split, 'test', 'phase')];
    return g.evaluateStream(g.temporalScorer(model), graph, split.test, pools, new Random(3))[0]
      ?.averagePrecision as number;
  };
  const [off, one, attention] = [await precision([]), await precision([16]), await precision([16], 'attention')];
  expect(one).toBeGreaterThan(off + 0.08);
  expect(attention).toBeGreaterThan(off + 0.05);
}, 60_000);
