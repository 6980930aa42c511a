import { expect, test } from 'vitest';
import { ambisonicSounds, type LabelledSound, readSafetensors } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';
import { type SoundDescription, SoundModel } from '../../src/vision/index.js';
import { uniform } from '../oracle.js';

const RATE = 2000;
const layout: Omit<SoundDescription, 'mean' | 'deviation'> = {
  ...{ architecture: 'phc-seld-nano', classes: ['low', 'high'], whole: false, channels: 2, rate: RATE },
  ...{ window: 128, hop: 64, bins: 64, frames: 20, n: 2, preset: false, threshold: 0.5 },
};

/** A tone of one of two pitches in faint noise, from a time to another. */
function tone(label: number, start: number, end: number, seed: number, seconds = 1): LabelledSound {
  const channels = [0, 1].map((c) => {
    const noise = uniform(seed + c, RATE * seconds, -0.02, 0.02);
    return noise.map((value, i) =>
      i / RATE >= start && i / RATE < end
        ? value + 0.5 * Math.sin((2 * Math.PI * (label === 0 ? 200 : 700) * i) / RATE)
        : value,
    );
  });
  return { name: `${seed}`, sound: { rate: RATE, channels }, events: [{ label, start, end }] };
}

const sounds = Array.from({ length: 24 }, (_, i) => tone(i % 2, (0.05 * i) % 0.4, 0.5 + ((0.05 * i) % 0.4), 10 * i));

test('windows cover a sound once, normalised, with what sounds in the middle of each frame', () => {
  const model = SoundModel.create(layout, sounds, new Random(1));
  expect([model.steps, model.windowSamples, model.stepSeconds]).toEqual([20, 19 * 64 + 128, 64 / RATE]);
  const { count, values, targets } = model.windows([tone(1, 0.2, 0.5, 5)]);
  // 2,000 samples have 30 frames: a window of 20 and one of the other 10.
  expect(count).toBe(2);
  for (let frame = 0; frame < 40; frame++) {
    const middle = (64 * frame + 64) / RATE;
    expect([targets[2 * frame], targets[2 * frame + 1]]).toEqual([0, Number(middle >= 0.2 && middle < 0.5)]);
  }
  const all = model.windows(
    sounds.map((own) => ({
      ...own,
      sound: { rate: RATE, channels: own.sound.channels.map((c) => c.slice(0, model.windowSamples)) },
    })),
  );
  expect(all.count).toBe(24);
  const mean = all.values.reduce((sum, value) => sum + value, 0) / all.values.length;
  expect(Math.abs(mean)).toBeLessThan(0.2);
  expect(values).toHaveLength(2 * 2 * 64 * 20);
  expect(() =>
    model.windows([{ ...tone(0, 0, 1, 1), sound: { rate: RATE, channels: [new Float32Array(500)] } }]),
  ).toThrow('the model hears 2 channels, the sound has 1');
  expect(() =>
    model.windows([
      { ...tone(0, 0, 1, 1), sound: { rate: 8000, channels: [new Float32Array(500), new Float32Array(500)] } },
    ]),
  ).toThrow('hears 2000 Hz, the sound has 8000');
});

test('a short sound of one class is heard again, not followed by silence', () => {
  const model = SoundModel.create({ ...layout, whole: true }, sounds, new Random(1));
  const { count, values, targets } = model.windows([{ ...tone(0, 0, 0.25, 3, 0.25) }]);
  expect([count, targets.filter((_, at) => at % 2 === 0).every((value) => value === 1)]).toEqual([1, true]);
  const loud = (frame: number) =>
    Array.from({ length: 64 }, (_, bin) => values[bin * 20 + frame] as number).reduce((a, b) => Math.max(a, b));
  expect(loud(19)).toBeGreaterThan(0.5 * loud(0));
});

test('learns tones, tells where they are, and reads back', async () => {
  const model = SoundModel.create(layout, sounds, new Random(1));
  const windows = model.windows(sounds);
  const before = model.scores(windows).f1;
  await model.train(windows, new Random(2), { epochs: 10, batchSize: 8, learningRate: 5e-3 });
  const test = [tone(0, 0.2, 0.6, 900), tone(1, 0.3, 0.7, 950)];
  const scores = model.scores(model.windows(test));
  expect(scores.f1).toBeGreaterThan(Math.max(0.85, before));
  const { precision, recall, f1 } = scores;
  expect(f1).toBeCloseTo((2 * precision * recall) / (precision + recall), 9);
  const found = model.detect((test[1] as LabelledSound).sound).filter(({ end, start }) => end - start > 0.1);
  expect(found.map(({ label }) => label)).toEqual([1]);
  expect(Math.abs((found[0]?.start ?? 9) - 0.3)).toBeLessThan(0.12);
  expect(Math.abs((found[0]?.end ?? 9) - 0.7)).toBeLessThan(0.12);
  const bytes = model.save();
  const names = Object.keys(readSafetensors(bytes).tensors);
  expect(names).toContain('convs.1.algebra');
  expect(names).not.toContain('convs.1.weight');
  const again = SoundModel.load(bytes);
  expect(again.probabilities(windows)).toEqual(model.probabilities(windows));
  expect(again.description).toEqual(model.description);
});

test('scores are those of counts', () => {
  const model = SoundModel.create({ ...layout, threshold: 0 }, sounds, new Random(1));
  const windows = model.windows(sounds.slice(0, 3));
  const there = windows.targets.filter((value) => value === 1).length;
  // All is detected.
  const { precision, recall, f1 } = model.scores(windows);
  expect([recall, precision]).toEqual([1, there / windows.targets.length]);
  expect(f1).toBeCloseTo((2 * there) / (windows.targets.length + there), 9);
  const silent = SoundModel.create({ ...layout, threshold: 1.1 }, sounds, new Random(1));
  expect(silent.scores(windows)).toEqual({ precision: 0, recall: 0, f1: 0 });
});

test('generated sounds have a window each', () => {
  const { sounds: own, classes } = ambisonicSounds(2, new Random(1));
  const model = SoundModel.create(
    { ...layout, classes, channels: 4, rate: 8000, window: 512, hop: 256, bins: 128, frames: 61, n: 4 },
    own,
    new Random(1),
  );
  const { count, targets } = model.windows(own);
  expect([count, targets.length]).toEqual([2, 2 * 61 * 8]);
  expect(targets.some((value) => value === 1)).toBe(true);
});
