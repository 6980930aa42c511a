import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  AverageServer,
  type Channel,
  chained,
  clipUpdate,
  decodeMessage,
  encodeMessage,
  FederatedClient,
  Federation,
  gaussianNoise,
  HypernetServer,
  heterogeneityLevels,
  layoutOf,
  localChannel,
  type NamedArrays,
  NewcomerServer,
  type PrivateRows,
  payloadBytes,
  quantizeArrays,
  requireUpdate,
  runRounds,
  sensorUsers,
  splitByTime,
  standardizationOf,
  standardized,
  threadChannels,
  trainMessage,
} from '../../src/hypernet/index.js';
import { type Optimizer, parameters, SGD } from '../../src/nn/index.js';
import { Random, scope, type Tensor } from '../../src/tensor/index.js';

const network = { kind: 'autoencoder', sizes: [3, 2] } as const;
const classifier = { kind: 'classifier', sizes: [3, 4, 2] } as const;
const order = { objective: 'reconstruct', epochs: 3, batch: 8, learningRate: 1e-2 } as const;

/** Rows around two centres, of which the first `labelled` have a class. */
function rowsOf(count: number, seed: number, labelled = count): PrivateRows {
  const values = new Random(seed).normal([count, 3]).dataSync<Float32Array>().slice();
  const labels = Int32Array.from({ length: count }, (_, row) => row % 2);
  labels.forEach((label, row) => {
    values[3 * row] = (values[3 * row] as number) + 4 * label;
  });
  return { count, width: 3, values, labels: labels.map((label, row) => (row < labelled ? label : -1)) };
}

const clientOf = (name: string, seed: number, options = {}, rows = rowsOf(20, seed)) =>
  new FederatedClient(name, rows, 2, new Random(seed), options);

const flat = (arrays: NamedArrays) =>
  Object.values(arrays).flatMap(({ values, scale = 1 }) => Array.from(values, (value) => value * scale));

describe('messages', () => {
  const arrays = {
    weight: { shape: [2, 3], values: Float32Array.of(1, -2, 0.5, 0, 3, -0.25) },
    bias: { shape: [2], values: Float32Array.of(0.1, 0.2) },
  };

  test('keep kind, fields and arrays, also in int8', () => {
    const message = { kind: 'update', fields: { rows: 3, name: 'é' }, arrays };
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
    const small = { ...message, arrays: quantizeArrays(arrays) };
    expect(decodeMessage(encodeMessage(small))).toEqual(small);
    expect([payloadBytes(message), payloadBytes(small)]).toEqual([32, 8]);
  });

  test('in int8 are off by half a step at most', () => {
    const values = new Random(1).normal([500]).dataSync<Float32Array>().slice();
    const { w } = quantizeArrays({ w: { shape: [500], values } });
    const step = Math.max(...values.map(Math.abs)) / 127;
    expect(w?.scale).toBeCloseTo(step, 6);
    w?.values.forEach((q, i) => {
      expect(Math.abs(q * step - (values[i] as number))).toBeLessThanOrEqual(step / 2 + 1e-6);
    });
    expect(flat(quantizeArrays({ w: { shape: [2], values: new Float32Array(2) } }))).toEqual([0, 0]);
  });

  test('that are none are refused', () => {
    expect(() => decodeMessage(new Uint8Array(3), 'x')).toThrow('x');
    const bytes = encodeMessage({ kind: 'a', fields: {}, arrays });
    expect(() => decodeMessage(bytes.subarray(0, bytes.length - 4), 'x')).toThrow('x');
    const text = Buffer.from(bytes).toString('latin1');
    expect(() =>
      decodeMessage(Buffer.from(text.replace('gossamer-federated-1', 'gossamer-federated-9'), 'latin1')),
    ).toThrow('no message of a federation of this version');
    const integers = Buffer.from(text.replace('"F32"', '"I32"'), 'latin1');
    expect(() => decodeMessage(integers)).toThrow('expected f32, or i8 with a scale');
  });
});

describe('transforms', () => {
  const update = { a: { shape: [2], values: Float32Array.of(3, 4) } };

  test('clipping scales to the norm, and leaves shorter updates', () => {
    expect(flat(clipUpdate(1)(update, 0))).toEqual([Math.fround(0.6), Math.fround(0.8)]);
    expect(clipUpdate(6)(update, 0)).toBe(update);
    expect(() => clipUpdate(0)).toThrow('must be positive');
  });

  test('noise has its deviation, is new in each round and comes after clipping', () => {
    const zeros = { a: { shape: [4000], values: new Float32Array(4000) } };
    const noise = gaussianNoise(0.5, new Random(3));
    const values = flat(noise(zeros, 0));
    expect(Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / 4000)).toBeCloseTo(0.5, 1);
    expect(flat(noise(zeros, 1))).not.toEqual(values);
    expect(flat(noise(zeros, 0))).toEqual(values);
    const both = flat(chained(clipUpdate(1), gaussianNoise(1e-3, new Random(3)))(update, 0));
    expect(Math.hypot(...both)).toBeCloseTo(1, 1);
  });

  test('are applied to what a client sends', async () => {
    const server = new AverageServer(network, new Random(0));
    const message = trainMessage(server, 0, 0, order);
    const plain = await clientOf('a', 1).handle(message);
    const clipped = await clientOf('a', 1, { transformUpdate: clipUpdate(1e-3) }).handle(message);
    expect(Math.hypot(...flat(plain.arrays))).toBeGreaterThan(0.01);
    expect(Math.hypot(...flat(clipped.arrays))).toBeCloseTo(1e-3, 6);
  });
});

describe('rows of a client', () => {
  test('are standardised by the values that are there; gaps are the mean', () => {
    const values = Float32Array.of(1, 5, Number.NaN, 3, 5, 8, 5, 5, 10);
    const own = standardizationOf({ count: 3, width: 3, values });
    expect(Array.from(own.means)).toEqual([3, 5, 9]);
    const z = standardized(values, own);
    expect(Array.from(z.filter((_, i) => i % 3 === 1))).toEqual([0, 0, 0]);
    expect(z[2]).toBe(0);
    expect(z[5]).toBe(-1);
  });

  test('are divided by time within each class; those without one train', () => {
    const labels = Int32Array.from([0, 1, 0, -1, 1, 0, 1, 0, 1, 1]);
    const { train, test: later } = splitByTime(labels, 2, 0.5);
    expect([...train]).toEqual([0, 1, 2, 3, 4, 6]);
    expect([...later]).toEqual([5, 7, 8, 9]);
  });

  test('that no client can be made from are refused by name', () => {
    const rows = rowsOf(4, 1);
    const make = (changes: Partial<PrivateRows>) => () => clientOf('a', 1, {}, { ...rows, ...changes });
    expect(make({ count: 0, values: new Float32Array(), labels: new Int32Array() })).toThrow('has no rows');
    expect(make({ values: rows.values.map((v, i) => (i === 4 ? Number.POSITIVE_INFINITY : v)) })).toThrow(
      'row 2, column 2 holds Infinity',
    );
    expect(make({ labels: Int32Array.of(0, 1, 2, 0) })).toThrow('row 3 has the class 2; there are 2');
    expect(make({ values: new Float32Array(11) })).toThrow('4 rows of 3 numbers have 11 values');
  });

  test('never leave: neither rows nor classes are in what a client answers', async () => {
    const rows = rowsOf(20, 4);
    const server = new AverageServer(classifier, new Random(0));
    const client = clientOf('a', 4, {}, rows);
    const answer = await client.handle(trainMessage(server, 0, 0, { ...order, objective: 'classify' }));
    expect(Object.keys(answer.fields).sort()).toEqual(['loss', 'round', 'rows']);
    const bytes = Buffer.from(encodeMessage(answer));
    for (const values of [rows.values, standardized(rows.values, client.standardization)])
      for (let row = 0; row < 20; row++)
        expect(bytes.includes(Buffer.from(values.slice(3 * row, 3 * row + 3).buffer))).toBe(false);
    expect(bytes.includes(Buffer.from(rows.labels.buffer))).toBe(false);
  });
});

describe('local training', () => {
  test('answers old less new weights, of fewer epochs or rows where the device is small', async () => {
    const server = new AverageServer(network, new Random(0));
    const message = trainMessage(server, 0, 0, { ...order, epochs: 40 });
    const [full, partial, few] = [
      clientOf('a', 1),
      clientOf('a', 1, { mostEpochs: 5 }),
      clientOf('a', 1, { mostRows: 6 }),
    ];
    const losses = await Promise.all([full, partial, few].map(async (one) => (await one.handle(message)).fields));
    expect(losses.map(({ rows }) => rows)).toEqual([20, 20, 6]);
    expect(full.multiplyAdds).toBe(8 * partial.multiplyAdds);
    // A step along −Δθ is the trained network, which reconstructs better.
    const trained = await full.handle(message);
    server.apply([{ client: 0, difference: trained.arrays, rows: 1 }]);
    const again = await full.handle(trainMessage(server, 0, 1, { ...order, epochs: 1, learningRate: 1e-9 }));
    expect(again.fields.loss as number).toBeLessThan(losses[0]?.loss as number);
  });

  test('classifies its labelled rows alone, and others by what it is sure of', async () => {
    const rows = rowsOf(40, 5, 6);
    const server = new AverageServer(classifier, new Random(1));
    const ask = (changes: object) => trainMessage(server, 0, 0, { ...order, objective: 'classify', ...changes });
    const client = clientOf('a', 5, {}, rows);
    expect((await client.handle(ask({}))).fields.rows).toBe(6);
    const sure = async (confidence: number) =>
      (await client.handle(ask({ objective: 'pseudo', confidence }))).fields.rows as number;
    expect(await sure(0.5)).toBe(40);
    expect(await sure(1.01)).toBe(6);
    const none = await clientOf('b', 5, {}, rowsOf(10, 5, 0)).handle(ask({}));
    expect(none.fields.rows).toBe(0);
    expect(flat(none.arrays).every((value) => value === 0)).toBe(true);
  });

  test('refuses orders that do not fit', async () => {
    const server = new AverageServer(network, new Random(0));
    const client = clientOf('a', 1);
    const refused = (changes: object) => {
      const message = trainMessage(server, 0, 0, order);
      return expect(client.handle({ ...message, fields: { ...message.fields, ...changes } })).rejects;
    };
    await refused({ network: { kind: 'autoencoder', sizes: [5, 2] } }).toThrow('reads 5 numbers a row');
    await refused({ objective: 'classify' }).toThrow('an autoencoder is not trained to classify');
    await refused({ epochs: 1e9 }).toThrow('epochs must be from 0');
    await refused({ learningRate: Number.NaN }).toThrow('learning rate');
    await refused({ network: { kind: 'autoencoder', sizes: [3, 1e12] } }).toThrow('widths');
    await expect(client.handle({ kind: 'rows', fields: {}, arrays: {} })).rejects.toThrow(
      'does not know the message "rows"',
    );
  });
});

describe('servers', () => {
  const difference = (server: { layout: ReturnType<typeof layoutOf> }, seed: number): NamedArrays =>
    Object.fromEntries(
      server.layout.entries.map(({ name, shape, size }) => [
        name,
        { shape, values: new Random(seed).split(name).normal([size]).dataSync<Float32Array>().slice() },
      ]),
    );

  test('FedAvg is the mean of the clients’ weights by their rows', () => {
    const server = new AverageServer(network, new Random(0));
    const start = flat(server.weightsFor());
    const [a, b] = [difference(server, 1), difference(server, 2)];
    server.apply([
      { client: 0, difference: a, rows: 30 },
      { client: 1, difference: b, rows: 10 },
      { client: 2, difference: difference(server, 3), rows: 0 },
    ]);
    const expected = start.map((w, i) => (30 * (w - (flat(a)[i] as number)) + 10 * (w - (flat(b)[i] as number))) / 40);
    flat(server.weightsFor()).forEach((w, i) => {
      expect(w).toBeCloseTo(expected[i] as number, 5);
    });
  });

  test('the step of a hypernetwork is the gradient of ½‖θ(φ, v) − θ̃‖², by central differences', () => {
    const sizes = { hidden: 4, layers: 1, embedding: 2 };
    const server = new HypernetServer(network, 3, new Random(4), { ...sizes, init: 'hyperfan-in' });
    const target = difference(server, 7);
    const distance = () =>
      flat(server.weightsFor(1)).reduce((sum, w, i) => sum + 0.5 * (w - (flat(target)[i] as number)) ** 2, 0);
    const own = server.weightsFor(1);
    const delta = Object.fromEntries(
      Object.entries(own).map(([name, { shape, values }]) => [
        name,
        { shape, values: (values as Float32Array).map((w, i) => w - (target[name]?.values[i] as number)) },
      ]),
    );
    const gradients = scope(() =>
      Object.fromEntries(
        Object.entries(server.gradientOf([{ client: 1, difference: delta, rows: 1 }])).map(([name, g]) => [
          name,
          g.dataSync<Float32Array>().slice(),
        ]),
      ),
    );
    const all = parameters(server.hypernet);
    expect(Object.keys(gradients).sort()).toEqual(Object.keys(all).sort());
    for (const [name, weight] of Object.entries(all)) {
      const values = weight.view();
      const step = 2 ** -8;
      const found = gradients[name] as Float32Array;
      for (let i = 0; i < values.length; i += Math.max(1, Math.floor(values.length / 7))) {
        const kept = values[i] as number;
        values[i] = kept + step;
        const above = distance();
        values[i] = kept - step;
        const below = distance();
        values[i] = kept;
        expect(Math.abs((above - below) / (2 * step) - (found[i] as number))).toBeLessThan(2e-3);
      }
    }
  });

  test('a hypernetwork that is a free vector moves to the client’s weights by the rate', () => {
    const inner = new SGD({ learningRate: 0.25 });
    const biases = (all: Readonly<Record<string, Tensor>>) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => /heads\.\d+\.bias$/.test(name)));
    const optimizer: Optimizer = {
      update: (own, gradients) => inner.update(biases(own), biases(gradients)),
      state: () => inner.state(),
      restore: (state) => inner.restore(state),
    };
    const server = new HypernetServer(network, 2, new Random(4), { init: 'bias', optimizer });
    const before = flat(server.weightsFor(0));
    const delta = difference(server, 9);
    server.apply([{ client: 0, difference: delta, rows: 5 }]);
    flat(server.weightsFor(0)).forEach((w, i) => {
      const trained = (before[i] as number) - (flat(delta)[i] as number);
      expect(w).toBeCloseTo(0.75 * (before[i] as number) + 0.25 * trained, 6);
    });
    // A late update counts less.
    const then = flat(server.weightsFor(0));
    server.apply([{ client: 0, difference: delta, rows: 5, factor: 0.5 }]);
    flat(server.weightsFor(0)).forEach((w, i) => {
      expect(w).toBeCloseTo((then[i] as number) - 0.125 * (flat(delta)[i] as number), 6);
    });
  });

  test('all clients start from one network, and part as they learn', () => {
    const server = new HypernetServer(network, 3, new Random(4), { hidden: 8 });
    const [first, second] = [0, 1].map((client) => flat(server.weightsFor(client))) as [number[], number[]];
    expect(first).toEqual(second);
    expect(Math.max(...first.map(Math.abs))).toBeGreaterThan(0.01);
    for (let round = 0; round < 2; round++)
      server.apply([0, 1].map((client) => ({ client, difference: difference(server, 9 + client), rows: 5 })));
    const parted = flat(server.weightsFor(0)).map((w, i) => Math.abs(w - (flat(server.weightsFor(1))[i] as number)));
    expect(Math.max(...parted)).toBeGreaterThan(1e-4);
  });

  test('a newcomer learns its embedding and leaves the hypernetwork as it is', async () => {
    const sizes = { hidden: 8, layers: 1, embedding: 2 };
    const server = new HypernetServer(network, 3, new Random(4), { ...sizes, init: 'hyperfan-in' });
    const before = Object.values(parameters(server.hypernet)).map((own) => own.dataSync<Float32Array>().slice());
    const newcomer = new NewcomerServer(server);
    const client = clientOf('new', 8);
    const federation = new Federation([localChannel(client)]);
    const losses: number[] = [];
    await runRounds(newcomer, federation, ['new'], new Random(0), {
      rounds: 60,
      order: { ...order, epochs: 1 },
      onEpoch: ({ loss }) => losses.push(loss),
    });
    expect(losses.at(-1) as number).toBeLessThan(0.97 * (losses[0] as number));
    Object.values(parameters(server.hypernet)).forEach((own, i) => {
      expect(Array.from(own.view())).toEqual(Array.from(before[i] as Float32Array));
    });
  });

  test('updates that cannot be used are refused with the reason', async () => {
    const server = new AverageServer(network, new Random(0));
    const good = await clientOf('a', 1).handle(trainMessage(server, 0, 0, order));
    expect(() => requireUpdate(server, good)).not.toThrow();
    const [name = ''] = Object.keys(good.arrays);
    const array = good.arrays[name] as NamedArrays[string];
    const refused = (arrays: NamedArrays, fields = {}) =>
      expect(() => requireUpdate(server, { ...good, arrays, fields: { ...good.fields, ...fields } }));
    refused({
      ...good.arrays,
      [name]: { ...array, values: Float32Array.from(array.values, () => Number.NaN) },
    }).toThrow(`"${name}" holds NaN at 0; values must be finite`);
    refused({ ...good.arrays, [name]: { shape: [1], values: Float32Array.of(1) } }).toThrow('has the shape [1]');
    refused({ [name]: array }).toThrow('missing');
    refused(good.arrays, { rows: -1 }).toThrow('number of rows is -1');
    refused(good.arrays, { loss: 'x' }).toThrow('loss is not finite');
  });
});

describe('a round', () => {
  const names = ['a', 'b', 'dead', 'slow', 'garbage', 'nan'];
  const server = () => new AverageServer(network, new Random(0));

  /** Clients of which one dies, one is slow, one sends no message and one sends NaN. */
  function badCompany(): Channel[] {
    const channels = names.map((name, i) => localChannel(clientOf(name, 10 + i)));
    const behave: Readonly<Record<string, (channel: Channel) => Channel>> = {
      dead: ({ name }) => ({ name, request: () => Promise.reject(new Error('connection reset')) }),
      slow: ({ name, request }) => ({
        name,
        request: async (bytes) => {
          await new Promise((resolve) => setTimeout(resolve, 400));
          return request(bytes);
        },
      }),
      garbage: ({ name }) => ({ name, request: () => Promise.resolve(new Uint8Array(100)) }),
      nan: ({ name, request }) => ({
        name,
        request: async (bytes) => {
          const answer = decodeMessage(await request(bytes));
          const [first = ''] = Object.keys(answer.arrays);
          (answer.arrays[first] as NamedArrays[string]).values[0] = Number.NaN;
          return encodeMessage(answer);
        },
      }),
    };
    return channels.map((channel) => behave[channel.name]?.(channel) ?? channel);
  }

  test('closes without those who die, are slow or send what cannot be used; the others are unharmed', async () => {
    const [mixed, alone] = [server(), server()];
    const federation = new Federation(badCompany(), { deadline: 150 });
    await runRounds(mixed, federation, names, new Random(0), { rounds: 1, order });
    const good = new Federation(['a', 'b'].map((name, i) => localChannel(clientOf(name, 10 + i))));
    await runRounds(alone, good, names, new Random(0), { rounds: 1, order });
    expect(flat(mixed.weightsFor())).toEqual(flat(alone.weightsFor()));
    const log = Object.fromEntries(federation.events.map(({ client, outcome, detail }) => [client, [outcome, detail]]));
    expect(log).toMatchObject({
      a: ['answered', undefined],
      b: ['answered', undefined],
      dead: ['lost', 'connection reset'],
      slow: ['late', expect.stringContaining('deadline')],
      garbage: ['refused', expect.stringContaining('the answer of "garbage"')],
      nan: ['refused', expect.stringContaining('holds NaN')],
    });
    // The slow one is not asked again before it has answered; its answer then counts less.
    expect(federation.available).not.toContain('slow');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const answers = await federation.ask(
      1,
      [],
      () => trainMessage(mixed, 0, 1, order),
      () => undefined,
    );
    expect(answers.map(({ client, age }) => [client, age])).toEqual([['slow', 1]]);
  });

  test('counts the bytes of arrays that pass, both ways', async () => {
    const own = server();
    const federation = new Federation([
      localChannel(clientOf('a', 1)),
      localChannel(clientOf('b', 2, { upload: 'int8' })),
    ]);
    await runRounds(own, federation, ['a', 'b'], new Random(0), { rounds: 3, order });
    const size = layoutOf(network).size;
    expect(federation.traffic.get('a')).toMatchObject({ down: 12 * size, up: 12 * size });
    expect(federation.traffic.get('b')).toMatchObject({ down: 12 * size, up: 3 * size });
    expect(federation.traffic.get('a')?.wireUp).toBeGreaterThan(12 * size);
  });

  test('simulates those who drop out and those whose answers come rounds later, discounted', async () => {
    const own = server();
    const applied: (readonly [number, number, number])[][] = [];
    const spy = {
      ...{ network: own.network, layout: own.layout, weightsFor: () => own.weightsFor() },
      apply: (updates: Parameters<typeof own.apply>[0]) => {
        applied.push(updates.map(({ client, rows, factor = 1 }) => [client, rows, factor] as const));
      },
    };
    const federation = new Federation(
      ['a', 'b', 'c'].map((name, i) => localChannel(clientOf(name, i + 1))),
      { simulate: (client, round) => (client === 'b' ? 'lost' : client === 'c' && round === 0 ? 2 : 'answers') },
    );
    await runRounds(spy, federation, ['a', 'b', 'c'], new Random(0), { rounds: 3, order, discount: 0.9 });
    expect(applied).toEqual([
      [[0, 20, 1]],
      [
        [0, 20, 1],
        [2, 20, 1],
      ],
      [
        [2, 20, 0.9 ** 2],
        [0, 20, 1],
        [2, 20, 1],
      ],
    ]);
    expect(federation.events.filter(({ outcome }) => outcome === 'dropped')).toHaveLength(3);
  });

  test('a client’s result depends on its own data and seed alone', async () => {
    const run = async (third: number) => {
      const own = new HypernetServer(network, 3, new Random(4), {
        optimizer: { update: () => undefined, state: () => ({ step: 0, tensors: {} }), restore: () => undefined },
      });
      const twins = ['a', 'b'].map((name) => clientOf(name, 1));
      const federation = new Federation([...twins, clientOf('c', third)].map(localChannel));
      const last = new Map<string, NamedArrays>();
      for (let round = 0; round < 3; round++)
        for (const { client, message } of await federation.ask(
          round,
          ['a', 'b', 'c'],
          () => trainMessage(own, 0, round, order),
          () => undefined,
        ))
          last.set(client, message.arrays);
      return last;
    };
    const [one, two] = [await run(2), await run(3)];
    expect(one.get('a')).toEqual(one.get('b'));
    expect(one.get('a')).toEqual(two.get('a'));
    expect(one.get('c')).not.toEqual(two.get('c'));
  });
});

describe('threads (needs a build)', () => {
  test('clients in threads of their own answer as those in the same thread', async () => {
    const module = new URL('./federated-thread.mjs', import.meta.url);
    const data = ['a', 'b'].map((name, i) => ({ name, data: { name, rows: rowsOf(20, 10 + i), seed: 10 + i } }));
    const channels = await threadChannels(fileURLToPath(module), 'createClient', data);
    const federation = new Federation(channels);
    try {
      const [threads, same] = [new AverageServer(network, new Random(0)), new AverageServer(network, new Random(0))];
      await runRounds(threads, federation, ['a', 'b'], new Random(0), { rounds: 2, order });
      const local = new Federation(['a', 'b'].map((name, i) => localChannel(clientOf(name, 10 + i))));
      await runRounds(same, local, ['a', 'b'], new Random(0), { rounds: 2, order });
      expect(flat(threads.weightsFor())).toEqual(flat(same.weightsFor()));
    } finally {
      await federation.close();
    }
    await federation.ask(
      2,
      ['a'],
      () => ({ kind: 'train', fields: {}, arrays: {} }),
      () => undefined,
    );
    expect(federation.events.at(-1)).toMatchObject({
      client: 'a',
      outcome: 'lost',
      detail: expect.stringContaining('thread'),
    });
  }, 60_000);
});

test('generated users: channels of noise and oscillation, a silent one, and the same activities for all', () => {
  const users = sensorUsers(3, 50, heterogeneityLevels.strong, new Random(1));
  expect(users.map(({ count, width }) => [count, width])).toEqual(new Array(3).fill([50, 180]));
  const power = (channel: number, { values }: PrivateRows) =>
    values.filter((_, i) => i % 6 === channel).reduce((sum, v) => sum + v * v, 0);
  for (const user of users) expect([0, 1, 2, 3, 4, 5].filter((c) => power(c, user) === 0)).toHaveLength(1);
  expect(sensorUsers(1, 50, heterogeneityLevels.strong, new Random(1))[0]).toEqual(users[0]);
  const counts = [0, 1, 2, 3, 4].map((c) => users[0]?.labels.filter((label) => label === c).length);
  expect(counts).toEqual([10, 10, 10, 10, 10]);
});
