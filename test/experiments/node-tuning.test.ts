import { describe, expect, test } from 'vitest';
import { runMethods } from '../../src/experiments/parts/methods.js';
import {
  graphCandidates,
  hopCandidates,
  hopSettings,
  type NodeCandidate,
} from '../../src/experiments/protocols/node-candidates.js';
import type { NodeSetting } from '../../src/experiments/protocols/node-settings.js';
import { type NodeCandidates, tunedNodeMethods } from '../../src/experiments/protocols/node-tuning.js';
import { loadNodes, nodeScores, nodeTask } from '../../src/experiments/protocols/nodes.js';
import type { GraphModule } from '../../src/graph/index.js';
import { accuracy, inference, predictedClasses } from '../../src/nn/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { context } from './context.js';

const dgmlp = { steps: 20, learningRate: 0.2, weightDecay: 5e-3, dropout: 0.2, temperature: 1 };
const data = loadNodes('blocks', new Random(1));
const task = nodeTask(data, new Random(2));
const comparison = { data, task, trials: 3, hopTrials: 4, epochs: 4, patientEpochs: 6 };
const run = ({ onGraph = [], onHops = [] }: Partial<NodeCandidates>, over = {}) =>
  runMethods(
    tunedNodeMethods({ onGraph, onHops }, { ...comparison, ...over }),
    { ...context(0), random: new Random(3) },
    {
      score: (model) => ({ ...nodeScores(model, task), validated: model.validated }),
      keep: (onGraph[0] ?? onHops[0])?.title ?? '',
    },
  );
const named = (candidates: readonly NodeCandidate[], title: string) =>
  candidates.find((own) => own.title === title) as NodeCandidate;
const first = (title: string, set: string) => named(graphCandidates(set), title).settings(5)[0];

describe('node classifiers tuned alike', () => {
  test('a network on the graph has as many trials as the others, and both forms of the features', () => {
    for (const own of graphCandidates('cora')) {
      const settings = own.settings(12);
      expect([own.title, settings.length, new Set(settings.map((s) => JSON.stringify(s))).size]).toEqual([
        own.title,
        12,
        12,
      ]);
      expect(new Set(settings.map(({ features }) => features))).toEqual(new Set(['raw', 'scaled']));
      expect(new Set(settings.map(({ dropout }) => dropout)).size).toBeGreaterThan(1);
    }
  });

  test('what is published for the data set comes first', () => {
    expect(first('DAGNN', 'cora')).toMatchObject({ dropout: 0.8, weightDecay: 5e-3, steps: 10, learningRate: 0.01 });
    expect(first('DAGNN', 'citeseer')).toMatchObject({ dropout: 0.5, weightDecay: 2e-2, steps: 10 });
    expect(first('GCNII, 16 layers', 'cora')).toMatchObject({ dropout: 0.6, lambda: 0.5 });
    expect(first('GCNII, 16 layers', 'citeseer')).toMatchObject({ dropout: 0.7, lambda: 0.6 });
    expect(first('APPNP', 'citeseer')).toMatchObject({ dropout: 0.5, weightDecay: 5e-3, steps: 10, alpha: 0.1 });
    const firsts = (set: string) => hopCandidates(set, dgmlp).map((own) => own.settings(1)[0]);
    const { temperature: _, ...published } = dgmlp;
    const usual = { features: 'raw', ...published };
    const sgc = { features: 'raw', learningRate: 0.1, weightDecay: 5e-5, dropout: 0.5, steps: 4 };
    const averaged = { features: 'scaled', learningRate: 0.2, weightDecay: 1e-5, dropout: 0, steps: 16 };
    const gbp = { features: 'scaled', learningRate: 0.01, weightDecay: 5e-4, dropout: 0.5, steps: 10 };
    expect(firsts('cora')).toEqual([sgc, averaged, gbp, usual, usual]);
    expect(firsts('citeseer')[1]).toEqual({ ...averaged, weightDecay: 1e-4 });
  });

  test('all linear classifiers on hops try the same settings, of K = 1 … 20', () => {
    const tried = (own: NodeCandidate, trials: number) => own.settings(trials).map((s) => JSON.stringify(s));
    const [sgc, ...others] = hopCandidates('cora', dgmlp) as [NodeCandidate, ...NodeCandidate[]];
    expect(tried(sgc, 20)).toHaveLength(20);
    expect(new Set(tried(sgc, 20)).size).toBe(20);
    for (const own of others) expect(tried(own, 20).sort()).toEqual(tried(sgc, 20).sort());
    const many = hopSettings('DGMLP', 'cora', dgmlp, 500);
    const values = (name: 'steps' | 'weightDecay') => [...new Set(many.map((s) => s[name]))].sort((a, b) => a - b);
    expect(values('steps')).toEqual(Array.from({ length: 20 }, (_, k) => k + 1));
    expect(values('weightDecay')).toEqual([1e-5, 5e-5, 5e-4, 5e-3]);
  });

  test('the choice of a patient candidate may train for longer than a trial', async () => {
    const epochs = async (own: NodeCandidate) => {
      const seen: number[] = [];
      await runMethods(tunedNodeMethods({ onGraph: [own], onHops: [] }, comparison), {
        ...context(0),
        random: new Random(3),
        hooks: () => ({ onEpoch: ({ epoch }) => void seen.push(epoch) }),
      });
      return seen.length;
    };
    const candidates = graphCandidates('cora');
    expect(await epochs(named(candidates, 'DAGNN'))).toBe(6);
    expect(await epochs(named(candidates, 'GCN'))).toBe(4);
  });

  test('the choice reads validation labels, not test labels', async () => {
    const onHops = hopCandidates('cora', dgmlp);
    const candidates = { onHops, onGraph: [named(graphCandidates('cora'), 'GCN')] };
    const tests = new Set(task.test);
    const hidden = data.labels.map((label, v) => (tests.has(v) ? (label + 1) % data.classes : label));
    const [own, blind] = [await run(candidates), await run(candidates, { task: { ...task, labels: hidden } })];
    const choices = (result: typeof own) =>
      result.methods.map(({ method, tuning, scores }) => [method, tuning, scores.validated]);
    expect(choices(blind)).toEqual(choices(own));
    expect(own.methods.map(({ tuning }) => tuning?.trials)).toEqual([3, 4, 4, 4, 4, 4]);
    for (const form of ['raw', 'scaled'] as const) {
      const [sgc] = onHops as [NodeCandidate];
      const settings = () => [{ ...(sgc.settings(1)[0] as NodeSetting), features: form }];
      const { kept } = await run({ onHops: [{ ...sgc, settings }] });
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
      settings: () =>
        [0.5, 0.1, 0.2].map((dropout) => ({ features: 'raw', learningRate: 0.1, weightDecay: 0, dropout })),
      create(_inputs: number, _classes: number, _random: Random, { dropout }: { dropout: number }) {
        made.push(dropout);
        return constant(dropout === 0.1 ? 1 : 0);
      },
    } as unknown as NodeCandidate;
    const { methods } = await run({ onGraph: [candidate] }, { epochs: 0 });
    expect(methods[0]?.tuning?.setting.dropout).toBe(0.1);
    expect(made[0]).toBe(0.5);
    expect(made.at(-1)).toBe(0.1);
    expect(made).toHaveLength(4);
  });
});
