import { expect, test } from 'vitest';
import { roleDataset } from '../../src/data/index.js';
import * as h from '../../src/hypergraph/index.js';
import { accuracy, inference, predictedClasses } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';

test('finds roles that vertices alone do not tell', async () => {
  const random = new Random(0);
  const data = roleDataset(random.split('data'), { vertices: 300, hyperedges: 450 });
  const labelled = { ...data, ...data.split };
  const tested = (network: h.IncidenceNetwork) =>
    100 * accuracy(predictedClasses(network.forward(labelled, inference)), data.labels, data.split.test);
  const [mlp, conhd] = [
    new h.IncidenceMLP(16, 3, random.split('mlp'), { hidden: 32 }),
    new h.CoNHD(16, 3, random.split('conhd'), { hidden: 32, dropout: 0.2 }),
  ];
  for (const network of [mlp, conhd])
    await h.trainIncidences(network as h.IncidenceNetwork & object, labelled, random, {
      epochs: 60,
      batch: 'all',
      learningRate: 3e-3,
    });
  expect(tested(conhd)).toBeGreaterThan(tested(mlp) + 6);
}, 60_000);
