import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/experiments/parts/options.js';
import {
  linkNetworks,
  linkSettings,
  networkMethods,
  networkOptions,
  networkTitles,
} from '../../src/experiments/protocols/link-networks.js';
import { scoringStudy } from '../../src/experiments/protocols/link-speed.js';
import {
  heuristicMethod,
  linkOptions,
  linkScores,
  linkTask,
  loadLinks,
} from '../../src/experiments/protocols/links.js';
import { inductiveSplit, type TemporalScorer } from '../../src/graph/index.js';
import { Random } from '../../src/tensor/index.js';

const options = { ...networkOptions, ...linkOptions };
const values = resolveOptions(options, {
  assignments: [
    'events=400',
    'width=8',
    'near=8',
    'far=4',
    'walks=2',
    'timeUnit=1',
    'epochs=1',
    'trials=2',
    'rivals=all',
    'setting=inductive',
  ],
});
const data = loadLinks('triadic', values);
const random = new Random(1);
const task = linkTask(data, values, random);

function recorder() {
  const [scored, observed] = [[] as number[], [] as number[]];
  const scorer: TemporalScorer = {
    score: (left, right, times) => {
      scored.push(...times.subarray(0, times.length / 3));
      return Float64Array.from(left, (u, i) => u + (right[i] as number));
    },
    observe: (events) => void observed.push(...events),
  };
  return { scorer, scored, observed };
}

describe('links', () => {
  test('inductive: heuristics take in all events before the test, and the test events alone are scored', async () => {
    const { scorer, scored, observed } = recorder();
    const model = await heuristicMethod('recorder', () => scorer, task).train(undefined as never);
    expect(observed).toEqual([...(task.split.replay ?? [])]);
    const { scores, positives } = linkScores(model, task, random);
    expect(scored).toEqual(Array.from(task.split.test, (e) => data.graph.times[e]));
    expect(positives.length).toBe(task.split.test.length);
    for (const name of ['ap', 'auc', 'apSeen', 'apNewOld']) expect(scores[name]).toBeGreaterThan(0);
  });

  test('seeds of an inductive run hide other nodes', () => {
    expect(linkTask(data, values, new Random(1)).split.hidden).not.toEqual(
      linkTask(data, values, new Random(2)).split.hidden,
    );
    expect(task.split.hidden).toEqual(inductiveSplit(data.graph, new Random(1).split('split')).hidden);
  });

  test('every network has the same settings, the usual one first', () => {
    const all = linkSettings({ ...values, trials: 8 });
    expect(all[0]).toEqual({ learningRate: 1e-3, width: 8, dropout: 0.1 });
    expect(new Set(all.map(({ learningRate }) => learningRate))).toEqual(new Set([1e-3, 1e-4]));
    expect(networkTitles(values)).toEqual(Object.keys(linkNetworks(values)));
  });

  test('every network is chosen on validation events, trained, and ends ready for the test', async () => {
    for (const method of networkMethods(data, task, { ...values, trials: 1 })) {
      let chosen = 0;
      const run = {
        title: method.title,
        seed: 0,
        random,
        hooks: {},
        progress: () => undefined,
        chose: () => void (chosen += 1),
      };
      const model = await method.train(run);
      expect(chosen).toBe(1);
      expect(model.validation).toBeGreaterThan(0);
      const before = model.network.snapshot();
      model.network.restore(before);
      expect(linkScores(model, task, random).scores.ap).toBeGreaterThan(0);
    }
  }, 30_000);

  test('speed is measured for scoring and for training, at equal hops', async () => {
    const { studies, scores } = await scoringStudy(data.graph, random, { ...values, batch: 20, timed: 20 });
    expect(studies[0]?.rows.map(([phase]) => phase)).toEqual(['test', 'train']);
    for (const phase of ['test', 'train'])
      for (const title of networkTitles(values).slice(1)) expect(scores[`${phase} ${title}`]).toBeGreaterThan(0);
  }, 30_000);
});
