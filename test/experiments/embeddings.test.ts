import { describe, expect, test } from 'vitest';
import type { MultiLabelGraph } from '../../src/data/index.js';
import { fastRP, type MultiLabels } from '../../src/embedding/index.js';
import { threads } from '../../src/engine/index.js';
import { runMethods } from '../../src/experiments/parts/methods.js';
import type { Setting } from '../../src/experiments/parts/tuning.js';
import { growthStudy, speedStudy, threadStudy } from '../../src/experiments/protocols/embedding-speed.js';
import {
  type EmbeddingMethod,
  embeddingMethod,
  embeddingTask,
  innerLabelScore,
  type LabelTask,
  labelScores,
  linkScore,
} from '../../src/experiments/protocols/embeddings.js';
import { ARMS, similarityStudies } from '../../src/experiments/protocols/similarity-studies.js';
import { skipGramBaselines } from '../../src/experiments/protocols/skip-gram-baselines.js';
import { blockModel, type Graph } from '../../src/structure/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { context } from './context.js';

const nodes = 400;

/** A small block model; `relabel` changes labels by node. */
function data(relabel: (label: number, node: number) => number = (label) => label): MultiLabelGraph {
  const { graph, labels } = blockModel(new Random(2), { nodes, classes: 4, meanDegree: 10, noise: 0.2 });
  const changed: MultiLabels = {
    indptr: Int32Array.from({ length: nodes + 1 }, (_, v) => v),
    labels: labels.map(relabel),
    count: 4,
  };
  return { name: 'small', graph, labels: changed };
}

const pairsOf = ({ sources, targets }: { sources: Int32Array; targets: Int32Array }) =>
  Array.from(sources, (u, i) => [u, targets[i] as number] as const);

describe('the task of a seed', () => {
  const { graph, labels } = data();
  const task = embeddingTask({ name: 'small', graph, labels }, { share: 0.1 }, new Random(5));

  test('shares of labels are nested, and choices see training nodes of the smallest alone', () => {
    const splits = task.labels?.splits ?? [];
    expect(splits.map(({ nodes: { train } }) => train.length)).toEqual([40, 200, 360]);
    splits.forEach(({ nodes: { train, test: rest } }, at) => {
      expect(new Set([...train, ...rest]).size).toBe(nodes);
      const smaller = splits[at - 1]?.nodes.train ?? [];
      expect([...train].slice(0, smaller.length)).toEqual([...smaller]);
    });
    const known = new Set(splits[0]?.nodes.train);
    expect(task.labels?.inner.length).toBe(3);
    for (const { train, test: rest } of task.labels?.inner ?? []) {
      expect([train.length, rest.length]).toEqual([20, 20]);
      expect([...train, ...rest].every((v) => known.has(v))).toBe(true);
      expect(new Set([...train, ...rest]).size).toBe(40);
    }
    const [one, two] = task.labels?.inner ?? [];
    expect([...(one?.train ?? [])].sort()).not.toEqual([...(two?.train ?? [])].sort());
  });

  test('held-out links are edges of the graph that the training graph lacks; the others are not edges', () => {
    for (const [links, from] of [
      [task.links, graph],
      [task.trial, task.links.graph],
    ] as const) {
      expect(links.graph.edgeCount + links.test.edges.sources.length).toBe(from.edgeCount);
      for (const [u, v] of pairsOf(links.test.edges)) {
        expect(from.hasEdge(u, v)).toBe(true);
        expect(links.graph.hasEdge(u, v)).toBe(false);
      }
      for (const [u, v] of pairsOf(links.test.nonEdges)) expect(from.hasEdge(u, v) || u === v).toBe(false);
      for (const [u, v] of pairsOf(links.train.edges)) expect(links.graph.hasEdge(u, v)).toBe(true);
      for (const [u, v] of pairsOf(links.train.nonEdges)) expect(links.graph.hasEdge(u, v)).toBe(false);
      expect(links.test.nonEdges.sources.length).toBe(links.test.edges.sources.length);
    }
  });

  test('scores of links come from fitting training pairs: what is turned in the test turns the score', () => {
    const embedding = fastRP(graph, { dim: 24, seed: 3 });
    const score = linkScore(embedding, task.links);
    expect(score).toBeGreaterThan(55);
    const { edges, nonEdges } = task.links.test;
    expect(linkScore(embedding, { ...task.links, test: { edges: nonEdges, nonEdges: edges } })).toBeCloseTo(
      100 - score,
    );
  });
});

describe('a tuned method', () => {
  /** A method that records the graphs that it embeds. */
  function recorded(title = 'recorded') {
    const seen: { graph: Graph; beta: unknown; trial: boolean }[] = [];
    const method: EmbeddingMethod = {
      title,
      settings: [-1, 0, -0.5, 0.5].map((beta): Setting => ({ beta })),
      embed(graph, { beta }, { seed }, trial) {
        seen.push({ graph, beta, trial });
        return fastRP(graph, { dim: trial ? 8 : 16, seed, degreeExponent: beta as number });
      },
    };
    return { seen, method };
  }

  async function outcome(own: MultiLabelGraph, seed = 5) {
    const task = embeddingTask(own, { share: 0.1 }, new Random(seed));
    const { seen, method } = recorded();
    const { methods } = await runMethods([embeddingMethod(method, task)], context(1));
    return { task, seen, result: methods[0] as (typeof methods)[number] };
  }

  test('trials embed the graph without the edges of both link tasks; links are predicted without theirs', async () => {
    const { task, seen, result } = await outcome(data());
    expect(seen.map(({ trial }) => trial)).toEqual([true, true, true, true, false, false]);
    expect(seen.map(({ graph }) => graph)).toEqual([...Array(4).fill(task.trial.graph), task.graph, task.links.graph]);
    expect(result.tuning?.trials).toBe(4);
    expect(Object.keys(result.scores)).toEqual([
      'seconds',
      'micro',
      'macro',
      'micro50',
      'macro50',
      'micro90',
      'macro90',
      'auc',
    ]);
  });

  test('settings are the best of the trials by labels, and by links for links', async () => {
    const choices = [];
    for (const seed of [5, 6, 7, 8]) {
      const { task, seen } = await outcome(data(), seed);
      const scored = seen.slice(0, 4).map(({ graph, beta }) => {
        const embedding = fastRP(graph, { dim: 8, seed: 1, degreeExponent: beta as number });
        const byLabels = innerLabelScore(embedding, task.labels as LabelTask);
        return { beta, byLabels, byLinks: linkScore(embedding, task.trial) };
      });
      const best = (by: 'byLabels' | 'byLinks') => scored.reduce((a, b) => (b[by] > a[by] ? b : a)).beta;
      choices.push([best('byLabels'), best('byLinks')]);
      expect(seen.slice(4).map(({ beta }) => beta)).toEqual(choices.at(-1));
    }
    expect(choices.some(([byLabels, byLinks]) => byLabels !== byLinks)).toBe(true);
  });

  test('labels of test nodes change neither the choice nor C', async () => {
    const { task, seen, result } = await outcome(data());
    const training = new Set(task.labels?.splits[0]?.nodes.train);
    const turned = await outcome(data((label, v) => (training.has(v) ? label : (label + 1) % 4)));
    expect(turned.seen.map(({ beta }) => beta)).toEqual(seen.map(({ beta }) => beta));
    expect(turned.result.tuning).toEqual(result.tuning);
    expect(turned.result.scores.micro).toBeLessThan(30);
    expect(result.scores.micro).toBeGreaterThan(50);
  });

  test('a graph without labels is tuned and scored by links', async () => {
    const { graph, name } = data();
    const { seen, result } = await outcome({ name, graph, labels: undefined });
    expect(Object.keys(result.scores)).toEqual(['seconds', 'auc']);
    expect(seen[4]?.beta).toBe(seen[5]?.beta);
  });
});

test('labels are scored with the C that is best on the inner splits', () => {
  const { graph, labels } = data();
  const task = embeddingTask({ name: 'small', graph, labels }, { share: 0.1 }, new Random(5));
  const embedding = fastRP(graph, { dim: 16, seed: 1 });
  const whole = labelScores(embedding, task.labels as LabelTask);
  // A third of the length asks for another C: the scores stay near, where a fixed C would not do.
  const short = labelScores(embedding.multiply(0.3), task.labels as LabelTask);
  expect(Math.abs((whole.micro as number) - (short.micro as number))).toBeLessThan(6);
  const oracle = tensor(
    Float32Array.from({ length: 4 * nodes }, (_, at) => Number(labels?.labels[at >> 2] === at % 4)),
    [nodes, 4],
  );
  expect(labelScores(oracle, task.labels as LabelTask)).toMatchObject({ micro: 100, macro: 100, micro90: 100 });
});

test('baselines have as many settings as asked for, the usual one first, and cheaper trials', async () => {
  const { graph } = data();
  const values = { walkers: 'all', walks: 4, walkDim: 8, trials: 20 } as const;
  const methods = skipGramBaselines(values);
  expect(methods.map(({ title, settings }) => [title, settings.length])).toEqual([
    ['LINE', 20],
    ['DeepWalk', 20],
    ['node2vec', 20],
  ]);
  expect(methods.map(({ settings }) => settings[0])).toEqual([
    { order: 'both', negatives: 5 },
    { window: 10, negatives: 5 },
    { p: 1, q: 1, window: 10, negatives: 5 },
  ]);
  expect(skipGramBaselines({ ...values, walkers: 'none' })).toEqual([]);
  const run = { ...context(1), title: '', hooks: {}, progress: () => {}, chose: () => {} };
  for (const { embed, settings } of methods) {
    const vectors = (setting: Setting) => Promise.resolve(embed(graph, setting, run, false)).then((x) => x.dataSync());
    const usual = await vectors(settings[0] as Setting);
    expect(usual.length).toBe(8 * nodes);
    for (const setting of settings.slice(1, 4)) expect(await vectors(setting)).not.toEqual(usual);
  }
});

describe('studies', () => {
  test('times are of graphs that nothing is known of, after warming up on another; on one thread', async () => {
    const { graph } = data();
    const seen: { graph: Graph; threads: number }[] = [];
    const embed = (own: Graph): Tensor => {
      seen.push({ graph: own, threads: threads() });
      return fastRP(own, { dim: 4 });
    };
    const { scores } = await speedStudy(graph, { a: embed, b: (own) => fastRP(own, { dim: 4 }) });
    expect(Object.keys(scores)).toEqual(['seconds a', 'seconds b']);
    expect(seen[0]?.graph.nodeCount).not.toBe(graph.nodeCount);
    const timed = seen.slice(1);
    expect(timed.length).toBe(15);
    expect(new Set([graph, ...timed.map((own) => own.graph)]).size).toBe(16);
    expect(timed.every((own) => own.graph.edgeCount === graph.edgeCount)).toBe(true);
    expect(new Set(seen.map((own) => own.threads))).toEqual(new Set([1]));
  });

  test('two threads give the same bits; growth is told with memory', async () => {
    const embed = (graph: Graph) => fastRP(graph, { dim: 8 });
    expect((await threadStudy(embed, 2000)).scores.sameBits).toBe(1);
    let calls = 0;
    const other = (graph: Graph) => fastRP(graph, { dim: 8, seed: calls++ });
    expect((await threadStudy(other, 2000)).scores.sameBits).toBe(0);
    const { scores, studies } = await growthStudy(embed, { what: 'FastRP', dim: 8, edges: 8000 });
    expect(scores.largest).toBeGreaterThan(0);
    expect(studies[0]?.rows.length).toBe(3);
    const memory = studies[0]?.rows.map((row) => Number(String(row[4]).replace(',', ''))) ?? [];
    expect(memory.every((bytes) => bytes >= 0)).toBe(true);
  });

  test('the arms tell the similarity matrix from its reduction; zero rows and components are counted', async () => {
    const own = data();
    const setting = { dim: 16, weights: [0, 0, 1, 4], degreeExponent: 0 };
    const { scores, studies } = await similarityStudies(own, setting, {
      share: 0.1,
      transferTrials: 3,
      transferDim: 80,
      studySplits: 1,
    });
    expect(Object.keys(scores)).toEqual([...Object.keys(ARMS), 'chosenExponent', 'entries', 'transferRank']);
    expect(scores.projection).toBe(scores.withoutDegrees);
    expect(scores.projection).toBeGreaterThan((scores.neighbours as number) + 10);
    expect(scores.svd).toBeGreaterThan(60);
    expect(Math.abs((scores.entries as number) - 20)).toBeLessThan(4);
    expect(scores.transferRank).toBeLessThanOrEqual(3);
    const isolated = studies[0]?.rows[0] ?? [];
    const alone = own.graph.isolated.length;
    expect(isolated[2]).toBe(`${((100 * alone) / nodes).toFixed(1)} %`);
    expect(isolated[3]).toBe(String(new Set(own.graph.components).size));
    const trials = studies[2]?.rows.map((row) => Number(row[2])) ?? [];
    expect(trials).toEqual([...trials].sort((a, b) => b - a));
  });
});
