import { describe, expect, test } from 'vitest';
import { eventsFromTable } from '../../src/data/index.js';
import { EventModel, NAT, NATModel, scaledEvents, trainTemporal, usualInterval } from '../../src/graph/index.js';
import type { TrainingState } from '../../src/nn/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const rows = Array.from({ length: 60 }, (_, e) => `u${e % 3},i${e % 3},${10 * e},${e % 4}`);
const table = eventsFromTable(`source,target,time,amount\n${rows.join('\n')}\n`, 'events');

function modelOf(): EventModel {
  const { graph, scaling } = scaledEvents(table.graph, Int32Array.of(0, 1, 2, 3));
  const network = new NAT(graph, new Random(1), { slots: [4], selfWidth: 8, outWidth: 8 });
  const training = {
    features: table.featureNames,
    targets: ['i0', 'i1', 'i2'],
    ...(scaling && { scaling: { means: [...scaling.means], deviations: [...scaling.deviations] } }),
  };
  return new EventModel(new NATModel(network, { graph, nodeNames: table.nodeNames }), training, 590);
}

describe('a model of events', () => {
  test('scales features by the training events', () => {
    const { graph } = scaledEvents(table.graph, Int32Array.of(0, 1, 2, 3));
    const deviation = Math.sqrt(1.25);
    expectClose(
      graph.features?.view().subarray(0, 4) ?? [],
      [-1.5, -0.5, 0.5, 1.5].map((x) => x / deviation),
      1e-5,
    );
  });

  test('the usual interval is the median between events of a node', () => {
    expect(usualInterval(table.graph)).toBe(30);
  });

  test('partners are targets alone, the likeliest first, with the probabilities of the pairs', () => {
    const model = modelOf();
    const found = model.partners(['u0', 'i1'], 2);
    expect(found.map(({ source }) => source)).toEqual(['u0', 'u0', 'i1', 'i1']);
    expect(found.filter(({ source }) => source === 'i1').every(({ target }) => ['i0', 'i2'].includes(target))).toBe(
      true,
    );
    expect(found[0]?.probability).toBeGreaterThanOrEqual(found[1]?.probability as number);
    const [own] = model.model.predictProba(['u0'], [found[0]?.target as string]);
    expect(found[0]?.probability).toBe(own);
  });

  test('the file keeps scaling, columns, targets and the last time; observed events add to them', () => {
    const model = EventModel.load(modelOf().save());
    expect(model.lastTime).toBe(590);
    expect(model.training.features).toEqual(['amount']);
    const later = (text: string) => eventsFromTable(text, 'later');
    expect(() => model.observe(later('source,target,t\nu0,i0,600\n'))).toThrow('events have the features none');
    expect(() => model.observe(later('source,target,t,amount\nu0,i0,5,1\nu0,i0,6,2\n'))).toThrow(
      'comes after one at 590',
    );
    model.observe(later('source,target,t,amount\nu0,new,600,1\nu1,i1,700,2\n'));
    const again = EventModel.load(model.save());
    expect([again.lastTime, again.training.targets]).toEqual([700, ['i0', 'i1', 'i2', 'new']]);
    expect(again.model.nodeNames).toContain('new');
  });

  test('features of further events are scaled as in training', () => {
    const model = modelOf();
    model.observe(eventsFromTable('source,target,t,amount\nu0,i0,600,3\nu0,i0,700,2\n', 'later'));
    const mean = 1.5;
    const features = Array.from(model.model.network.eventFeatures?.view() ?? []);
    expectClose(features.slice(-2), [(3 - mean) / Math.sqrt(1.25), (2 - mean) / Math.sqrt(1.25)], 1e-5);
  });
});

test('a training that is resumed from a checkpoint ends as one that was not interrupted', async () => {
  const graph = table.graph;
  const ends = (shares: readonly number[]) => graph.splitByTime(shares) as [Int32Array, Int32Array, Int32Array];
  const [train, validation, test_] = ends([0.6, 0.8]);
  const split = { train, validation, test: test_ };
  const run = async (epochs: number, store: { state?: TrainingState }) => {
    const network = new NAT(graph, new Random(1), { slots: [4], selfWidth: 8, outWidth: 8 });
    const checkpoint = {
      load: () => store.state,
      save: (state: TrainingState) => {
        const copy = (weights: TrainingState['weights']) =>
          Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, tensor(w.view().slice(), w.shape)]));
        store.state = {
          ...state,
          weights: copy(state.weights),
          optimizer: { ...state.optimizer, tensors: copy(state.optimizer.tensors) },
          best: state.best && { ...state.best, weights: copy(state.best.weights) },
        };
      },
    };
    await trainTemporal(network, graph, split, new Random(2), {
      epochs,
      batchSize: 10,
      learningRate: 0.01,
      patience: 10,
      checkpoint,
    });
    const { selves, partners } = network.snapshot();
    return { selves: [...selves], partners: [...partners] };
  };
  const store = {};
  await run(2, store);
  const resumed = await run(4, store);
  expect(resumed).toEqual(await run(4, {}));
});
