import { describe, expect, test } from 'vitest';
import { runMethods } from '../../src/experiments/parts/methods.js';
import {
  graphCandidates,
  hopCandidates,
  type NodeCandidate,
  tunedNodeMethods,
} from '../../src/experiments/protocols/node-tuning.js';
import { loadNodes, nodeScores, nodeTask } from '../../src/experiments/protocols/nodes.js';
import type { GraphModule } from '../../src/graph/index.js';
import { accuracy, inference, predictedClasses } from '../../src/nn/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { context } from './context.js';

const published = { steps: 20, learningRate: 0.2, weightDecay: 5e-3, dropout: 0.2 };
const data = loadNodes('blocks', new Random(1));
const task = nodeTask(data, new Random(2));
const comparison = { data, task, trials: 3, epochs: 4 };
const run = (candidates: readonly NodeCandidate[], over = {}) =>
  runMethods(
    tunedNodeMethods(candidates, { ...comparison, ...over }),
    { ...context(0), random: new Random(3) },
    {
      score: (model) => ({ ...nodeScores(model, task), validated: model.validated }),
      keep: candidates[0]?.title ?? '',
    },
  );

describe('node classifiers tuned alike', () => {
  test('each has as many trials as the others, and both forms of the features', () => {
    for (const { title, grid } of [...graphCandidates, ...hopCandidates(published)]) {
      const size = Object.values(grid).reduce((product, values) => product * values.length, 1);
      expect([title, size >= 12]).toEqual([title, true]);
      expect([...grid.features].sort()).toEqual(['raw', 'scaled']);
      expect(grid.dropout.length).toBeGreaterThan(1);
    }
    for (const { grid } of hopCandidates(published)) {
      const { steps, learningRate } = grid as unknown as Record<string, readonly number[]>;
      expect([...(steps as number[])].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, k) => k + 1));
      expect(learningRate?.[0]).toBe(0.2);
      expect([grid.features[0], grid.weightDecay[0], grid.dropout[0]]).toEqual(['raw', 5e-3, 0.2]);
    }
  });

  test('the choice reads validation labels, not test labels', async () => {
    const candidates = [...hopCandidates(published), graphCandidates[1] as NodeCandidate];
    const tests = new Set(task.test);
    const hidden = data.labels.map((label, v) => (tests.has(v) ? (label + 1) % data.classes : label));
    const [own, blind] = [await run(candidates), await run(candidates, { task: { ...task, labels: hidden } })];
    const choices = (result: typeof own) =>
      result.methods.map(({ method, tuning, scores }) => [method, tuning, scores.validated]);
    expect(choices(blind)).toEqual(choices(own));
    expect(own.methods.map(({ tuning }) => tuning?.trials)).toEqual([3, 3, 3, 3, 3]);
    for (const form of ['raw', 'scaled'] as const) {
      const [first] = candidates as [NodeCandidate];
      const { kept } = await run([{ ...first, grid: { ...first.grid, features: [form] } }], { trials: 1 });
      expect(kept?.features).toBe(form === 'raw' ? data.features : data.scaled);
    }
    const { network, features, validated } = own.kept as NonNullable<typeof own.kept>;
    const predicted = predictedClasses(network.forward(features, data.graph, inference));
    expect(accuracy(predicted, data.labels, task.validation)).toBeCloseTo(validated, 6);
  });

  test('the setting with the best validation accuracy is kept, trained as it says', async () => {
    const made: number[] = [];
    const constant = (c: number): GraphModule => ({
      forward: (_, graph) =>
        tensor(
          Array.from({ length: graph.nodeCount * data.classes }, (_, at) =>
            at % data.classes === (c === 1 ? data.labels[Math.floor(at / data.classes)] : 0) ? 1 : 0,
          ),
          [graph.nodeCount, data.classes],
        ),
    });
    const candidate = {
      title: 'constant',
      grid: { features: ['raw'], learningRate: [0.1], weightDecay: [0], dropout: [0.5, 0.1, 0.2] },
      create(_inputs: number, _classes: number, _random: Random, { dropout }: { dropout: number }) {
        made.push(dropout);
        return constant(dropout === 0.1 ? 1 : 0);
      },
    } as unknown as NodeCandidate;
    const { methods } = await run([candidate], { epochs: 0 });
    expect(methods[0]?.tuning?.setting.dropout).toBe(0.1);
    expect(made[0]).toBe(0.5);
    expect(made.at(-1)).toBe(0.1);
    expect(made).toHaveLength(4);
  });
});
