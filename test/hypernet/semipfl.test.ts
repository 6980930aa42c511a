import { describe, expect, test } from 'vitest';
import {
  Autoencoder,
  autoencoderSizes,
  type Donor,
  Federation,
  fitMixture,
  HypernetServer,
  heterogeneityLevels,
  layoutOf,
  localChannel,
  mixtureGain,
  mixtureWeights,
  PersonalModel,
  type PrivateRows,
  personalize,
  pickRows,
  priorLogits,
  runRounds,
  SemiPFLClient,
  semiPFLNetwork,
  semiPFLOrder,
  sensorUsers,
  standardizationOf,
  standardized,
  trainBaseModels,
} from '../../src/hypernet/index.js';
import { weightedF1 } from '../../src/nn/index.js';
import { Random, scope, tensor } from '../../src/tensor/index.js';

const CLASSES = 5;
const WIDTH = 180;
const mild = { ...heterogeneityLevels.mild, rotation: 10 };
const users = sensorUsers(6, 120, mild, new Random(5), { noise: 0.3 });

const donorOf = (rows: PrivateRows, i: number): Donor => ({
  name: `donor ${i}`,
  x: standardized(rows.values, standardizationOf(rows)),
  labels: rows.labels,
});
const donors = users.slice(0, 3).map(donorOf);

/** A user with the first rows, of which `labelled` have a class. */
function userOf(name: string, rows: PrivateRows, labelled: number, seed = 1): SemiPFLClient {
  const own = pickRows(
    rows,
    Array.from({ length: 80 }, (_, i) => i),
  );
  const labels = own.labels.map((label, row) => (row < labelled ? label : -1));
  return new SemiPFLClient(name, { ...own, labels }, CLASSES, new Random(seed));
}

const later = (rows: PrivateRows) =>
  pickRows(
    rows,
    Array.from({ length: 40 }, (_, i) => 80 + i),
  );

const bestOf = (p: Float32Array, classes = CLASSES) =>
  Int32Array.from({ length: p.length / classes }, (_, row) => {
    const own = Array.from(p.subarray(row * classes, (row + 1) * classes));
    return own.indexOf(Math.max(...own));
  });

async function trained(clients: readonly SemiPFLClient[], rounds = 30, seed = 0) {
  const names = clients.map(({ name }) => name);
  const server = new HypernetServer(semiPFLNetwork(WIDTH), clients.length, new Random(seed), { hidden: 24 });
  const federation = new Federation(clients.map(localChannel));
  await runRounds(server, federation, names, new Random(seed), { rounds, order: semiPFLOrder });
  const done = await personalize(server, federation, names, donors, CLASSES, new Random(seed), {
    round: rounds,
    base: { steps: 60, ownSteps: 10 },
  });
  return { server, federation, done };
}

const f1Of = (client: SemiPFLClient, rows: PrivateRows) =>
  100 * weightedF1(bestOf(client.model.predictProba(rows.values)), rows.labels, CLASSES);

test('weighted F1 by hand, with a class that is only predicted and one that is nowhere', () => {
  // Class 0: TP 2, FP 0, FN 1 → 4/5; class 1: TP 1, FP 0, FN 0 → 1; class 2 is predicted once.
  expect(weightedF1([0, 0, 2, 1], [0, 0, 0, 1], 4)).toBeCloseTo((3 * 0.8 + 1) / 4, 12);
  expect(weightedF1([1, 1], [0, 0], 2)).toBe(0);
});

describe('aggregation', () => {
  test('α without labels is the closed softmax of the errors over their median', () => {
    const alpha = mixtureWeights(priorLogits([0.2, 0.4, 0.9]));
    const powers = [0.2, 0.4, 0.9].map((error) => Math.exp(-error / 0.4));
    const total = powers.reduce((a, b) => a + b, 0);
    alpha.forEach((share, k) => {
      expect(share).toBeCloseTo((powers[k] as number) / total, 12);
    });
    expect(Array.from(mixtureWeights(priorLogits([0, 0])))).toEqual([0.5, 0.5]);
    expect(() => priorLogits([Number.NaN])).toThrow('finite');
  });

  test('α goes to the base model that is right, where the others guess', () => {
    const truth = Float64Array.from({ length: 60 * 3 }, (_, i) => (i % 3 === 1 ? 0.99 : 0.2));
    const prior = new Float64Array(3);
    const learnt = mixtureWeights(fitMixture(truth, prior, { steps: 3000 }));
    expect(learnt[1]).toBeGreaterThan(0.9);
    expect(mixtureGain(truth, prior)).toBeGreaterThan(0.1);
  });

  test('the gradient of α is that of its loss: small steps lower it', () => {
    const random = new Random(3);
    const truth = Float64Array.from(random.uniform([20 * 4], 0.01, 1).dataSync<Float32Array>());
    const prior = Float64Array.of(0.3, -0.2, 0.1, 0);
    const loss = (a: Float64Array) => {
      const alpha = mixtureWeights(a);
      let total = 0;
      for (let row = 0; row < 20; row++)
        total -= Math.log(alpha.reduce((sum, share, k) => sum + share * (truth[row * 4 + k] as number), 0)) / 20;
      return total + (2 / 20) * a.reduce((sum, value, k) => sum + (value - (prior[k] as number)) ** 2 / 4, 0);
    };
    const best = fitMixture(truth, prior, { steps: 4000, learningRate: 0.01 });
    // Stationary: no coordinate moves to a lower loss.
    for (let k = 0; k < 4; k++)
      for (const step of [-0.02, 0.02])
        expect(loss(best.map((value, j) => (j === k ? value + step : value)))).toBeGreaterThan(loss(best) - 1e-7);
    expect(loss(best)).toBeLessThan(loss(prior));
  });

  test('labels that say nothing about the donors leave α at the prior', () => {
    const random = new Random(9);
    const truth = Float64Array.from(random.uniform([5 * 4], 0.1, 0.3).dataSync<Float32Array>());
    expect(mixtureGain(truth.subarray(0, 4), new Float64Array(4))).toBe(Number.NEGATIVE_INFINITY);
    const flat = new Float64Array(20).fill(0.25);
    expect(mixtureGain(flat, new Float64Array(4))).toBeLessThanOrEqual(1e-12);
  });
});

describe('base models', () => {
  const autoencoder = new Autoencoder(autoencoderSizes(WIDTH), new Random(2));

  test('have the norms of all donors’ codes folded in, and start alike', async () => {
    const none = { steps: 0, ownSteps: 0, relevant: 1 };
    const { arrays, used } = await trainBaseModels(autoencoder, donors, CLASSES, new Random(1), none);
    expect(used).toEqual([120, 120, 120]);
    const part = (name: string, k: number) => {
      const values = arrays[name]?.values as Float32Array;
      return values.subarray((k * values.length) / 3, ((k + 1) * values.length) / 3);
    };
    for (const name of Object.keys(arrays)) expect(part(name, 2)).toEqual(part(name, 0));
    const x = Float32Array.from(donors.flatMap((donor) => [...donor.x]));
    const z = scope(() =>
      autoencoder
        .encode(tensor(x, [360, WIDTH]))
        .dataSync<Float32Array>()
        .slice(),
    );
    const layer = (input: readonly number[], name: string) =>
      Array.from(part(`${name}.bias`, 0), (bias, o) =>
        input.reduce((y, v, i) => y + v * (part(`${name}.weight`, 0)[o * input.length + i] as number), bias),
      );
    const hidden = Array.from({ length: 360 }, (_, row) => layer([...z.subarray(16 * row, 16 * row + 16)], 'first'));
    const logits = hidden.map((own) =>
      layer(
        own.map((v) => Math.max(0, v)),
        'second',
      ),
    );
    // Biases start at 0, so that behind a norm the mean over all rows is 0.
    for (const values of [hidden, logits])
      values[0]?.forEach((_, unit) => {
        expect(values.reduce((sum, own) => sum + (own[unit] as number), 0) / 360).toBeCloseTo(0, 4);
      });
  });

  test('learn their donor’s classes, and know how it is reconstructed', async () => {
    const { arrays, errors } = await trainBaseModels(autoencoder, donors, CLASSES, new Random(1), {
      steps: 100,
      ownSteps: 100,
    });
    const standardization = { means: new Float32Array(WIDTH), deviations: new Float32Array(WIDTH).fill(1) };
    const encoder = Object.fromEntries(
      layoutOf(semiPFLNetwork(WIDTH)).entries.map(({ name, shape }) => {
        const [part = '', at = '', field = ''] = name.split('.');
        const layer = autoencoder[part as 'encoder' | 'decoder'][Number(at)];
        const own = layer?.[field as 'weight' | 'bias'];
        return [name, { shape, values: own?.dataSync<Float32Array>().slice() as Float32Array }];
      }),
    );
    for (const [k, donor] of donors.entries()) {
      const only = Float64Array.from(donors, (_, i) => (i === k ? 50 : 0));
      const model = new PersonalModel(standardization, semiPFLNetwork(WIDTH), encoder, arrays, only);
      expect(100 * weightedF1(bestOf(model.probabilitiesOf(donor.x)), donor.labels, CLASSES)).toBeGreaterThan(60);
      const mse = scope(() => {
        const x = tensor(donor.x, [120, WIDTH]);
        return autoencoder.forward(x).subtract(x).square().mean().item();
      });
      expect(errors[k]).toBeCloseTo(mse, 5);
    }
  });

  test('leave out rows that the autoencoder does not know, but never most of a donor', async () => {
    const far = { ...(donors[2] as Donor), x: (donors[2] as Donor).x.map((value) => 10 * value) };
    const two = [donors[0] as Donor, donors[1] as Donor];
    const most = await trainBaseModels(autoencoder, two, CLASSES, new Random(1), { steps: 1, relevant: 0.5 });
    expect((most.used[0] as number) + (most.used[1] as number)).toBe(120);
    const strange = await trainBaseModels(autoencoder, [...two, far], CLASSES, new Random(1), {
      steps: 1,
      relevant: 0.6,
    });
    expect(strange.used[2]).toBe(120);
    const published = await trainBaseModels(autoencoder, two, CLASSES, new Random(1), { steps: 1, threshold: 0.05 });
    expect(published.used).toEqual([120, 120]);
    await expect(trainBaseModels(autoencoder, [], CLASSES, new Random(1))).rejects.toThrow('needs a donor');
  });
});

describe('a federation', () => {
  test('gives users without labels, with few and with many a model of their own', async () => {
    const clients = [0, 10, 80].map((labelled, i) => userOf(`user ${i}`, users[3 + i] as PrivateRows, labelled));
    expect(() => clients[0]?.model).toThrow('has no model yet');
    const { federation, done, server } = await trained(clients);
    expect(done).toEqual(['user 0', 'user 1', 'user 2']);
    for (const [i, client] of clients.entries())
      expect(f1Of(client, later(users[3 + i] as PrivateRows))).toBeGreaterThan(40);
    // Bytes: the autoencoder both ways in each round and at the end, and the base models once.
    const size = server.layout.size;
    const base = 3 * (16 * 16 + 16 + CLASSES * 16 + CLASSES);
    for (const { name } of clients)
      expect(federation.traffic.get(name)).toMatchObject({ down: 4 * (31 * size + base), up: 4 * 31 * size });
    // Predictions of a row do not depend on the rows beside it.
    const rows = later(users[3] as PrivateRows);
    const half = (clients[0] as SemiPFLClient).model.predictProba(rows.values.slice(0, 20 * WIDTH));
    const whole = (clients[0] as SemiPFLClient).model.predictProba(rows.values);
    half.forEach((p, i) => {
      expect(p).toBeCloseTo(whole[i] as number, 5);
    });
  }, 120_000);

  test('trains: without rounds autoencoders reconstruct worse', async () => {
    const loss = async (rounds: number) => {
      const clients = [3, 4, 5].map((at) => userOf(`user ${at}`, users[at] as PrivateRows, 0));
      const { server, federation } = await trained(clients, rounds);
      const names = clients.map(({ name }) => name);
      let last = 0;
      await runRounds(server, federation, names, new Random(0), {
        ...{ rounds: 1, first: rounds + 2, order: { ...semiPFLOrder, epochs: 1, learningRate: 1e-9 } },
        onEpoch: ({ loss: own }) => {
          last = own;
        },
      });
      return last;
    };
    expect(await loss(40)).toBeLessThan(0.8 * (await loss(0)));
  }, 120_000);

  test('users with the same rows and seed get the same model, whatever a third one holds', async () => {
    const rows = users[3] as PrivateRows;
    const run = async (third: PrivateRows) => {
      const clients = [userOf('a', rows, 5), userOf('b', rows, 5), userOf('c', third, 80)];
      // The hypernetwork is not trained, and gives both the same autoencoder.
      const own = new HypernetServer(semiPFLNetwork(WIDTH), 3, new Random(0), { hidden: 8 });
      const frozen = {
        ...own,
        layout: own.layout,
        network: own.network,
        apply: () => undefined,
        weightsFor: () => own.weightsFor(0),
      };
      const federation = new Federation(clients.map(localChannel));
      await personalize(frozen, federation, ['a', 'b', 'c'], donors, CLASSES, new Random(0), {
        round: 0,
        base: { steps: 20 },
      });
      return clients.map(({ model }) => Array.from(model.predictProba(later(rows).values)));
    };
    const [one, two] = [await run(users[4] as PrivateRows), await run(users[5] as PrivateRows)];
    expect(one[0]).toEqual(one[1]);
    expect(one[0]).toEqual(two[0]);
    expect(one[2]).not.toEqual(two[2]);
  }, 120_000);

  test('averages parameters in place of probabilities where that is asked for', async () => {
    const client = userOf('a', users[3] as PrivateRows, 10);
    client.aggregation = { average: 'parameters' };
    await trained([client], 10);
    expect(client.model.base['first.weight']?.shape).toEqual([1, 16, 16]);
    expect(f1Of(client, later(users[3] as PrivateRows))).toBeGreaterThan(30);
  }, 120_000);
});

test('autoencoders have the published sizes, and no layer so narrow that its ReLUs may all be 0', () => {
  expect(autoencoderSizes(43)).toEqual([43, 32, 24, 16]);
  expect(autoencoderSizes(300)).toEqual([300, 64, 32, 16]);
  expect(autoencoderSizes(4)).toEqual([4, 6, 6, 6]);
});
