// Events in WAV files, or classes of them, by a network of hypercomplex convolutions.

import { ambisonicSounds, frameCount, type LabelledSound, type SoundSet } from '../../data/index.js';
import { isFolder, loadSounds } from '../../data/node.js';
import { parameterCount } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { eventNets, SoundModel } from '../../vision/index.js';
import type { FitRequest, Fitted } from './learner.js';
import type { soundOptions } from './options.js';

/** Generated sounds, where their name stands for a folder. */
const GENERATED = { name: 'ambisonics', count: 200 } as const;

/** Trains on most of the sounds; others choose the epoch, and others test. */
export async function fitSounds(
  architecture: keyof typeof eventNets,
  path: string,
  { values, random, hooks, note }: FitRequest<typeof soundOptions>,
): Promise<Fitted> {
  const all =
    path === GENERATED.name && !isFolder(path)
      ? ambisonicSounds(GENERATED.count, random.split('sounds'))
      : loadSounds(path, { onNote: note });
  const { train, validation, test } = partsOf(all, values, random.split('split'));
  const [{ sound }] = train as [LabelledSound];
  const { window, hop, bins, seconds, threshold } = values;
  const channels = sound.channels.length;
  const n = values.n > 0 ? values.n : domainOf(channels);
  const frames = frameCount(Math.round(seconds * sound.rate), { window, hop });
  const shrunk = eventNets[architecture].pools.reduce((product, [, time]) => product * time, 1);
  if (frames < shrunk)
    throw new Error(
      `${seconds} s of ${sound.rate} Hz are ${frames} frames, ${architecture} needs ${shrunk}: --set seconds, window or hop`,
    );
  const model = SoundModel.create(
    {
      ...{ architecture, classes: all.classes, whole: all.whole, channels, rate: sound.rate },
      ...{ window, hop, bins, frames, n, preset: values.algebra === 'preset', threshold },
    },
    train,
    random.split('model'),
  );
  const count = parameterCount(model.network).toLocaleString('en-US');
  note(`${architecture}, n = ${n}, ${count} parameters; ${channels} channels at ${sound.rate} Hz`);
  const chooseBy = validation.length > 0 ? model.windows(validation) : undefined;
  const { epochs, batch, learningRate } = values;
  const { stopped } = await model.train(model.windows(train), random.split('fit'), {
    ...{ epochs, batchSize: batch, learningRate },
    ...(chooseBy && { chooseBy }),
    ...hooks,
  });
  const sizes = `${train.length} sounds to train, ${validation.length} to choose the epoch, ${test.length} to test; ${all.classes.length} kinds`;
  const file = () => model.save();
  const lines = [`${all.name}: ${sizes}`];
  if (test.length === 0 || stopped === 'aborted')
    return { file, lines: [...lines, 'no test sounds, so that nothing was measured'], scores: {}, stopped };
  if (all.whole) {
    const right = test.filter(({ sound: own, events }) => likeliest(model.classify(own)) === events[0]?.label).length;
    const accuracy = (100 * right) / test.length;
    return { file, lines: [...lines, `test accuracy ${accuracy.toFixed(2)} %`], scores: { accuracy }, stopped };
  }
  const { f1, precision, recall } = model.scores(model.windows(test));
  const text = `frame-wise F1 on the test sounds: ${(100 * f1).toFixed(1)} % (precision ${(100 * precision).toFixed(1)} %, recall ${(100 * recall).toFixed(1)} %)`;
  return { file, lines: [...lines, text], scores: { f1, precision, recall }, stopped };
}

const likeliest = (probabilities: Float64Array) => probabilities.indexOf(Math.max(...probabilities));

/** 4, 2 or 1, whichever leaves the fewest channels to be filled with zeros. */
function domainOf(channels: number): number {
  return channels % 4 === 0 ? 4 : channels > 1 ? 2 : 1;
}

/** At least one sound to train; shares of the others, of a class each where a sound is of one. */
function partsOf(
  { sounds, whole, name }: SoundSet,
  { validation, test }: { readonly validation: number; readonly test: number },
  random: Random,
) {
  const parts = { train: [] as LabelledSound[], validation: [] as LabelledSound[], test: [] as LabelledSound[] };
  const groups = new Map<number, LabelledSound[]>();
  for (const own of sounds) {
    const key = whole ? (own.events[0]?.label ?? 0) : 0;
    groups.set(key, [...(groups.get(key) ?? []), own]);
  }
  for (const [key, group] of groups) {
    const order = Array.from(random.split(key).permutation(group.length), (at) => group[at] as LabelledSound);
    const count = (share: number) => (share === 0 ? 0 : Math.max(1, Math.round(share * group.length)));
    const [held, chosen] = [count(test), count(validation)];
    if (held + chosen >= group.length)
      throw new Error(
        `"${name}" has ${group.length} sounds${whole ? ' in a class' : ''}, of which ${held} would test and ${chosen} choose the epoch: none is left to train on (--set test=0, validation=0)`,
      );
    parts.test.push(...order.slice(0, held));
    parts.validation.push(...order.slice(held, held + chosen));
    parts.train.push(...order.slice(held + chosen));
  }
  return parts;
}
