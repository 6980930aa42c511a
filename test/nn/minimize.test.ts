import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileCheckpoint } from '../../src/data/node.js';
import { type MinimizeOptions, minimize, parameter, SGD } from '../../src/nn/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';

const point = () => ({ at: parameter(tensor([4])) });
const bowl = (live: { at: Tensor }) => live.at.subtract(1).square().sum().multiply(0.5);
const options = (steps: number, rest: Partial<MinimizeOptions<{ at: Tensor }>> = {}) => ({
  steps,
  optimizer: new SGD({ learningRate: 0.1 }),
  random: new Random(3),
  ...rest,
});

test('gradient descent on ½(θ − 1)² follows its closed form, in epochs of which the last is shorter', async () => {
  const model = point();
  const reports: number[] = [];
  const steps: number[] = [];
  const losses = await minimize(
    model,
    (live, { step }) => {
      steps.push(step);
      return bowl(live);
    },
    options(7, { stepsPerEpoch: 3, onEpoch: ({ loss }) => reports.push(loss) }),
  );
  expect(steps).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(model.at.item()).toBeCloseTo(1 + 3 * 0.9 ** 7, 5);
  losses.forEach((loss, step) => {
    expect(loss).toBeCloseTo(4.5 * 0.81 ** step, 4);
  });
  expect(reports.length).toBe(3);
  expect(reports[2]).toBeCloseTo(losses[6] as number, 6);
});

test('steps draw from streams of their own, so that a resumed run equals an unbroken one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gossamer-minimize-'));
  const train = async (file: string, stop?: { after: number; by: AbortController }) => {
    const model = point();
    const checkpoint = fileCheckpoint(join(folder, file));
    const onEpoch = ({ epoch }: { epoch: number }) => epoch === stop?.after && stop.by.abort(new Error('stopped'));
    await minimize(
      model,
      (live, { random }) => live.at.subtract(random.gaussian()).square().sum(),
      options(10, { stepsPerEpoch: 4, checkpoint, signal: stop?.by.signal, onEpoch }),
    );
    return model.at.item();
  };
  const whole = await train('whole');
  await expect(train('broken', { after: 2, by: new AbortController() })).rejects.toThrow('stopped');
  expect(await train('broken')).toBe(whole);
});

test('a step whose loss is not finite ends the run, or is left out', async () => {
  const model = point();
  const broken = (live: { at: Tensor }, { step }: { step: number }) => bowl(live).multiply(step === 1 ? Number.NaN : 1);
  await expect(minimize(model, broken, options(3))).rejects.toThrow(/the loss became NaN in epoch 2, step 2/);
  const skipping = point();
  const losses = await minimize(skipping, broken, options(3, { nonFinite: 'skip' }));
  expect(losses[1]).toBe(Number.POSITIVE_INFINITY);
  expect(skipping.at.item()).toBeCloseTo(1 + 3 * 0.9 ** 2, 5);
});
