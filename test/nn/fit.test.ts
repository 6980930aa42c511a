import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileCheckpoint, loadModel, saveModel } from '../../src/data/node.js';
import {
  Adam,
  constant,
  fit,
  Linear,
  meanSquaredError,
  minibatches,
  progressLine,
  SGD,
  stateOf,
} from '../../src/nn/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { uniformTensor } from '../oracle.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-fit-'));

function problem() {
  const model = new Linear(3, 1, new Random(1));
  const x = uniformTensor(1, [20, 3]);
  const y = x.matmul(tensor([[1], [-2], [0.5]]));
  return { model, loss: (live: Linear) => meanSquaredError(live.forward(x), y) };
}

test('learns, reports each epoch, and returns the history', async () => {
  const { model, loss } = problem();
  const seen: number[] = [];
  const { history, stopped } = await fit({
    model,
    loss,
    optimizer: new Adam({ learningRate: 0.1 }),
    schedule: constant(),
    epochs: 150,
    random: new Random(0),
    onEpoch: ({ epoch }) => seen.push(epoch),
  });
  expect(stopped).toBe('completed');
  expect(seen).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
  expect(history.at(-1)?.loss).toBeLessThan(1e-3);
});

test('keeps the best epoch and stops early', async () => {
  const { model, loss } = problem();
  const scores = [1, 3, 2, 2, 2, 2];
  const weights: number[][] = [];
  const result = await fit({
    model,
    loss,
    optimizer: new SGD({ learningRate: 0.1 }),
    epochs: 6,
    random: new Random(0),
    patience: 3,
    validate: (live) => {
      weights.push([...live.weight.dataSync()]);
      return scores[weights.length - 1] as number;
    },
  });
  expect(result).toMatchObject({ bestEpoch: 2, bestMetric: 3, stopped: 'early' });
  expect(result.history.length).toBe(5);
  expect([...model.weight.dataSync()]).toEqual(weights[1]);
});

test('an infinite metric is replaced as the best by any finite one', async () => {
  for (const [better, worst] of [
    ['smaller', Number.POSITIVE_INFINITY],
    ['larger', Number.NEGATIVE_INFINITY],
  ] as const)
    for (const tolerance of [0, 0.1]) {
      const { model, loss } = problem();
      const metrics = [worst, 3, 3];
      const { bestEpoch } = await fit({
        ...{ model, loss, better, tolerance, epochs: 3, random: new Random(0) },
        optimizer: new SGD({ learningRate: 0.1 }),
        validate: () => metrics.shift() as number,
      });
      expect([better, tolerance, bestEpoch]).toEqual([better, tolerance, 2]);
    }
});

test('validates every few epochs and at the end', async () => {
  const { model, loss } = problem();
  const options = { model, loss, optimizer: new SGD({ learningRate: 0.1 }), random: new Random(0), patience: 4 };
  const run = (scores: number[], epochs: number) =>
    fit({ ...options, epochs, validateEvery: 3, validate: () => scores.shift() as number });
  const whole = await run([1, 2, 3], 7);
  expect(whole.history.map(({ metric }) => metric)).toEqual([undefined, undefined, 1, undefined, undefined, 2, 3]);
  expect([whole.bestEpoch, whole.bestMetric]).toEqual([7, 3]);
  const early = await run([2, 1, 1, 1], 20);
  expect([early.stopped, early.history.length, early.bestEpoch]).toEqual(['early', 7, 3]);
  await expect(fit({ ...options, epochs: 1, validateEvery: 0 })).rejects.toThrow('validateEvery must be a positive');
});

test('a loss that is not finite stops with advice', async () => {
  const { model, loss } = problem();
  await expect(
    fit({ model, loss, optimizer: new SGD({ learningRate: 1e30 }), epochs: 50, random: new Random(0) }),
  ).rejects.toThrow(/fit: the loss became (NaN|Infinity) in epoch \d+, step \d+/);
});

test('minibatches cover every row once, in another order each epoch', () => {
  const batches = [...minibatches(10, 4, new Random(1))];
  expect(batches.map((batch) => batch.length)).toEqual([4, 4, 2]);
  expect(batches.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('an aborted run leaves a checkpoint from which the same weights follow', async () => {
  const train = async (file: string, signal?: AbortSignal, onEpoch?: (epoch: number) => void) => {
    const { model, loss } = problem();
    const result = await fit({
      model,
      loss,
      optimizer: new Adam({ learningRate: 0.05 }),
      epochs: 40,
      random: new Random(0),
      checkpoint: fileCheckpoint(file),
      signal,
      onEpoch: ({ epoch }) => onEpoch?.(epoch),
    });
    return { result, weights: [...model.weight.dataSync(), ...(model.bias?.dataSync() ?? [])] };
  };
  const whole = await train(join(folder, 'whole.safetensors'));
  const stop = new AbortController();
  const broken = await train(join(folder, 'broken.safetensors'), stop.signal, (epoch) => epoch === 17 && stop.abort());
  expect(broken.result.stopped).toBe('aborted');
  const seen: number[] = [];
  const resumed = await train(join(folder, 'broken.safetensors'), undefined, (epoch) => seen.push(epoch));
  expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect(resumed.weights).toEqual(whole.weights);
  expect(resumed.result.history.length).toBe(40);
});

describe('a process killed half-way', () => {
  const script = join(import.meta.dirname, '../fixtures/train.mjs');

  test.skipIf(!existsSync(join(import.meta.dirname, '../../dist/index.js')))(
    'resumes to the weights of an unbroken run (needs a build)',
    async () => {
      const path = (name: string) => join(folder, name);
      expect(spawnSync(process.execPath, [script, path('a.safetensors'), path('a.json')]).status).toBe(0);
      const child = spawn(process.execPath, [script, path('b.safetensors'), path('b.json'), '20']);
      let output = '';
      const killed = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
      child.stdout.on('data', (chunk) => {
        output += chunk;
        if (output.includes('epoch 12')) child.kill('SIGKILL');
      });
      expect(await killed).toBe('SIGKILL');
      expect(existsSync(path('b.json'))).toBe(false);
      expect(spawnSync(process.execPath, [script, path('b.safetensors'), path('b.json')]).status).toBe(0);
      expect(readFileSync(path('b.json'), 'utf8')).toBe(readFileSync(path('a.json'), 'utf8'));
    },
  );
});

test('progress is one redrawn line on a terminal, and ten lines elsewhere', () => {
  const report = (epoch: number) => ({ epoch, epochs: 40, loss: 0.5, metric: 0.25, seconds: 1 });
  const written = (isTTY: boolean) => {
    let text = '';
    const onEpoch = progressLine({ isTTY, write: (part) => (text += part) });
    for (let epoch = 1; epoch <= 40; epoch++) onEpoch(report(epoch));
    return text;
  };
  expect(written(true).split('\r').at(-1)).toMatch(
    /█{30} epoch 40\/40 {2}loss 0\.5000 {2}metric 0\.2500 {2}0 s left\n$/,
  );
  expect(written(false).trim().split('\n').length).toBe(10);
});

test('models are saved and loaded by name', () => {
  const a = new Linear(3, 2, new Random(1));
  const b = new Linear(3, 2, new Random(2));
  saveModel(a, join(folder, 'model.safetensors'));
  loadModel(b, join(folder, 'model.safetensors'));
  expect(stateOf(b).weight?.dataSync()).toEqual(stateOf(a).weight?.dataSync());
  expect(() => loadModel(new Linear(4, 2, new Random(1)), join(folder, 'model.safetensors'))).toThrow(
    'weight "weight" is Tensor(f32[2, 3]), expected Tensor(f32[2, 4])',
  );
});
