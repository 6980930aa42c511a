import { describe, expect, test } from 'vitest';
import { type WholeGraphs, wholeGraphsFromTables } from '../../src/data/index.js';
import { memoryUse, withOwnPeak } from '../../src/engine/index.js';
import {
  attributeEncoding,
  CellSource,
  columnOf,
  GraphBatches,
  graphScores,
  graphTask,
  outputsOf,
  partsWithin,
  requireCells,
  SUBGRAPH_MODEL,
  SubgraphModel,
  SubgraphNetwork,
  targetsOf,
  trainWholeGraphs,
  type WholeGraphTraining,
} from '../../src/graph/index.js';
import { parameters, stateOf, type TrainingState } from '../../src/nn/index.js';
import { connectedGraph, cycles, GraphCollection } from '../../src/structure/index.js';
import { keep, Random } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);
const random = new Random(0);
const graphs = GraphCollection.of(
  Array.from({ length: 41 }, (_, g) => connectedGraph(random.split(g), 4 + (g % 3), 5)),
);
const input = { graphs, nodes: undefined, edges: undefined };
/** Number of nodes, standardised. */
const values = Float32Array.from({ length: 41 }, (_, g) => (g % 3) - 1);
const split = { train: range(0, 31), validation: range(31, 41) };
const make = (seed = 1) =>
  new SubgraphNetwork({ nodes: 0, edges: 0, outputs: 1 }, new Random(seed), { layers: 1, hidden: 6 });
const train = (network: SubgraphNetwork, options: WholeGraphTraining = {}) =>
  trainWholeGraphs(network, new GraphBatches(input), { values, width: 1 }, split, new Random(3), {
    batch: 10,
    epochs: 12,
    ...options,
  });
const weightsOf = (network: SubgraphNetwork) => Object.values(parameters(network)).flatMap((x) => Array.from(x.view()));

describe('training on whole graphs', () => {
  test('learns, and keeps the weights of the least validation loss', async () => {
    const network = make();
    const losses: number[] = [];
    const { bestEpoch, bestMetric } = await train(network, {
      epochs: 40,
      learningRate: 0.02,
      onEpoch: ({ metric }) => losses.push(metric as number),
    });
    expect(bestMetric).toBe(Math.min(...losses));
    expect(losses[(bestEpoch as number) - 1]).toBe(bestMetric);
    expect(bestMetric).toBeLessThan(0.15);
    const outputs = outputsOf(network, new GraphBatches(input), split.validation);
    const error = outputs.reduce((sum, own, i) => sum + Math.abs(own - (values[31 + i] as number)), 0) / 10;
    expect(error).toBeCloseTo(bestMetric as number, 5);
  });

  test('lets the rate fall by a cosine of the epochs', async () => {
    const network = make();
    const states: number[][] = [weightsOf(network)];
    await train(network, { epochs: 20, learningRate: 0.01, onEpoch: () => states.push(weightsOf(network)) });
    const moved = (epoch: number) =>
      Math.max(...(states[epoch] as number[]).map((value, i) => Math.abs(value - (states[epoch - 1]?.[i] as number))));
    // Adam moves a weight by about the rate in each of three steps.
    expect(moved(1)).toBeGreaterThan(0.01);
    expect(moved(20)).toBeLessThan(0.0006);
  });

  test('halves the rate where the loss does not fall', async () => {
    const network = make();
    const states: number[][] = [weightsOf(network)];
    await train(network, {
      epochs: 24,
      learningRate: 1e-7,
      schedule: 'plateau',
      plateau: 1,
      onEpoch: () => states.push(weightsOf(network)),
    });
    const moved = (epoch: number) =>
      Math.max(...(states[epoch] as number[]).map((value, i) => Math.abs(value - (states[epoch - 1]?.[i] as number))));
    expect(moved(24)).toBeLessThan(moved(1) / 4);
  });

  test('goes on from a checkpoint to the same weights', async () => {
    const [whole, cut] = [make(), make()];
    await train(whole);
    const controller = new AbortController();
    let state: TrainingState | undefined;
    const checkpoint = {
      load: () => state,
      save: (own: TrainingState) => {
        const copy = (weights: TrainingState['weights']) =>
          Object.fromEntries(Object.entries(weights).map(([name, x]) => [name, keep(x.clone())]));
        state = {
          ...own,
          weights: copy(own.weights),
          optimizer: { ...own.optimizer, tensors: copy(own.optimizer.tensors) },
          best: own.best && { ...own.best, weights: copy(own.best.weights) },
          history: [...own.history],
        };
      },
    };
    const { stopped } = await train(cut, {
      checkpoint,
      signal: controller.signal,
      onEpoch: ({ epoch }) => epoch === 7 && controller.abort(),
    });
    expect([stopped, state?.epoch]).toEqual(['aborted', 7]);
    const again = make(9);
    await train(again, { checkpoint });
    expect(weightsOf(again)).toEqual(weightsOf(whole));
  });

  test('takes as much memory after many epochs as after few', async () => {
    const used: number[] = [];
    await train(make(), { epochs: 30, onEpoch: () => used.push(memoryUse().bytes) });
    expect(Math.max(...used.slice(20))).toBeLessThan(1.2 * Math.max(...used.slice(2, 6)) + 2 ** 16);
  });

  test('draws other roots in each step, and the same ones to answer', async () => {
    const own = { hops: 2, roots: 2 };
    const network = make();
    const { bestMetric } = await trainWholeGraphs(
      network,
      new GraphBatches(input, own),
      { values, width: 1 },
      split,
      new Random(3),
      { epochs: 30, batch: 10, learningRate: 0.02 },
    );
    expect(bestMetric).toBeLessThan(0.5);
    const answer = () => outputsOf(network, new GraphBatches(input, own), split.validation);
    expect(answer()).toEqual(answer());
  });
});

describe('limits of memory', () => {
  const sizes = [3, 3, 9, 3, 1, 9, 9, 1];
  const source = new CellSource(GraphCollection.of(sizes.map((n) => connectedGraph(random, n, n === 3 ? 2 : n - 1))));

  test('batches are cut where they exceed the budget, and no part is one row', () => {
    const parts = partsWithin(source, range(0, 8), 10, 1000);
    expect(parts.map((part) => Array.from(part))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
    ]);
    for (const part of parts)
      expect(part.reduce((sum, g) => sum + 10 * source.cellsOf(g), 0)).toBeLessThanOrEqual(1000);
    expect(partsWithin(source, Int32Array.of(4, 5, 6), 10, 815).map((part) => Array.from(part))).toEqual([[4, 5], [6]]);
    expect(partsWithin(source, Int32Array.of(5, 4, 6), 10, 815).map((part) => Array.from(part))).toEqual([[5, 4], [6]]);
  });

  test('a graph of 600 nodes is refused with its figure, unless forced or of few roots', () => {
    const large = GraphCollection.of([cycles(600), cycles(5)]);
    const network = make();
    const need =
      (policy = {}, limits = {}) =>
      () =>
        requireCells(new CellSource(large, policy), network.cellBytes, limits, (g) => `g${g}`);
    expect(need()).toThrow(
      /graph "g0" has 600 nodes, whose 360,000 cells take about \d+ MiB; graphs of more than 500 nodes/,
    );
    expect(need({}, { force: true })).not.toThrow();
    expect(need({}, { force: true, budget: 2 ** 24 })).toThrow('above the budget of 16 MiB');
    expect(need({ policy: 'plain' })).not.toThrow();
    expect(need({ roots: 3 })).toThrow('fewer roots');
    expect(need({ roots: 3 }, { force: true })).not.toThrow();
  });

  test('says about as much memory as a step takes', async () => {
    const many = GraphCollection.of(Array.from({ length: 200 }, (_, g) => connectedGraph(random.split(g), 16, 22)));
    const network = new SubgraphNetwork({ nodes: 0, edges: 0, outputs: 1 }, new Random(1), { layers: 4, hidden: 32 });
    const batches = new GraphBatches({ graphs: many, nodes: undefined, edges: undefined });
    const start = memoryUse().bytes;
    const { peakBytes } = await withOwnPeak(() =>
      trainWholeGraphs(
        network,
        batches,
        { values: new Float32Array(200), width: 1 },
        { train: range(0, 180), validation: range(180, 200) },
        new Random(1),
        { epochs: 1, batch: 180 },
      ),
    );
    const said = 180 * 256 * network.cellBytes;
    expect(peakBytes).toBeGreaterThan(0.6 * said);
    expect(peakBytes).toBeLessThan(1.3 * said + start);
  });
});

describe('tasks and models of whole graphs', () => {
  const lines = (header: string, rows: readonly string[]) => [header, ...rows].join('\n');
  const all = Array.from({ length: 20 }, (_, g) => g);
  const data: WholeGraphs = wholeGraphsFromTables(
    {
      graphs: lines(
        'graph,label,size,other',
        all.map((g) => `${g},${g % 2 ? 'odd' : 'even'},${10 * g},${g === 19 ? '' : 1}`),
      ),
      edges: lines(
        'graph,source,target,bond',
        all.flatMap((g) => [`${g},a,b,x`, `${g},b,c,${g % 2 ? 'y' : 'x'}`]),
      ),
      nodes: lines(
        'graph,node,kind,charge,mass',
        all.flatMap((g) => ['a', 'b', 'c'].map((v) => `${g},${v},k${g % 3},${g % 4},${g / 7}`)),
      ),
    },
    'mine',
  );

  test('numbers are scaled by the training graphs alone, and come back in their units', () => {
    const task = graphTask(data, ['size'], Int32Array.of(0, 2, 4));
    expect(task).toEqual({ kind: 'numbers', names: ['size'], means: [20], deviations: [Math.sqrt(800 / 3)] });
    const targets = targetsOf(data, task);
    expectClose(
      'values' in targets ? targets.values.subarray(0, 3) : [],
      [-20, -10, 0].map((own) => own / Math.sqrt(800 / 3)),
    );
    const { errors } = graphScores(Float32Array.of(25, 40), data, task, Int32Array.of(2, 5));
    expect(errors).toEqual([(5 + 10) / 2]);
    expect(() => columnOf(data, 'other')).toThrow('"other" of graph "19" is missing');
    expect(() => graphTask({ ...data, classNames: [] }, undefined, range(0, 2))).toThrow('graphs have no labels');
    expect(() => targetsOf({ ...data, labels: Int32Array.of(0, -1) }, graphTask(data, undefined, range(0, 2)))).toThrow(
      'graph "1" has no label',
    );
  });

  test('a model comes back from its file, and reads columns of few whole numbers as categories', () => {
    const encoding = attributeEncoding(data, range(0, 10));
    expect(encoding.nodes.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'kind category',
      'charge category',
      'mass number',
    ]);
    const task = graphTask(data, undefined, range(0, 10));
    const options = { scheme: 'sswl', layers: 1, hidden: 6 } as const;
    const model = SubgraphModel.create({ encoding, task, policy: { hops: 2 }, options }, new Random(4));
    const answers = model.predict(data);
    expect(answers.length).toBe(40);
    for (let g = 0; g < 20; g++) expect((answers[2 * g] as number) + (answers[2 * g + 1] as number)).toBeCloseTo(1, 5);
    const again = SubgraphModel.load(model.save({ data: 'mine' }));
    expect(again.predict(data)).toEqual(answers);
    expect(Object.keys(stateOf(again.network))).toEqual(Object.keys(stateOf(model.network)));
    expect(model.embed(data, 'graphs').length).toBe(20 * 6);
    expect(model.embed(data, 'nodes').length).toBe(60 * 6);
    expect(SUBGRAPH_MODEL.system).toBe('subgraph-gnn');
    const odd = wholeGraphsFromTables(
      { edges: 'graph,source,target,bond\nn,a,b,z\n', nodes: 'graph,node,kind,charge,mass\nn,a,k9,1,1\nn,b,k0,9,1\n' },
      'odd',
    );
    const unknown: string[] = [];
    model.predict(odd, { onUnknown: (what, value) => unknown.push(`${what} ${value}`) });
    expect(unknown).toEqual(['nodes, kind k9', 'nodes, charge 9', 'edges, bond z']);
    expect(() => model.predict(odd)).toThrow('holds "k9" in row 1, which training did not know');
  });
});
