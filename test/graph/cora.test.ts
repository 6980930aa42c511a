import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataFolders } from '../../src/data/folders.js';
import { loadGraph } from '../../src/data/node.js';
import * as g from '../../src/graph/index.js';
import { accuracy, inference, predictedClasses } from '../../src/nn/index.js';
import { Random, type Tensor } from '../../src/tensor/index.js';

const hasCora = dataFolders().some((folder) => existsSync(join(folder, 'planetoid/cora.npz')));

test.skipIf(!hasCora)(
  'DGMLP and GCN reach their accuracy on Cora (needs planetoid/cora.npz)',
  async () => {
    const stored = loadGraph('cora', { scaleRows: false });
    const data = loadGraph('cora');
    const labelled = {
      ...data,
      ...(data.split as NonNullable<typeof data.split>),
      features: data.features as NonNullable<typeof data.features>,
    };
    const tested = (logits: Tensor) => 100 * accuracy(predictedClasses(logits), data.labels, labelled.test);
    const { steps, dropout, learningRate, weightDecay } = g.dgmlpPresets.cora;
    const raw = stored.features as NonNullable<typeof stored.features>;
    const accuracies: number[] = [];
    for (const seed of [1, 2, 3]) {
      const model = new g.DGMLP(1433, 7, new Random(seed), { steps, dropout });
      const settings = { learningRate, weightDecay, epochs: 200 };
      await g.trainNodes(model, { ...labelled, features: raw }, new Random(10 + seed), settings);
      accuracies.push(tested(model.forward(raw, data.graph, inference)));
    }
    expect(accuracies.reduce((a, b) => a + b) / 3).toBeGreaterThan(83);
    const { network } = await g.trainRecipe('gcn', labelled, new Random(1));
    expect(tested(network.forward(labelled.features, data.graph, inference))).toBeGreaterThan(80);
  },
  120_000,
);
