import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MethodRun } from '../../src/experiments/parts/methods.js';
import { type ImageMethod, imageArtifacts, imageMethod, loadImageSet } from '../../src/experiments/protocols/images.js';
import { decoderFile, decoderMethod, loadTokens } from '../../src/experiments/protocols/text.js';
import { decoderConfig } from '../../src/lm/index.js';
import { loadLanguageModel } from '../../src/lm/node.js';
import { inference } from '../../src/nn/index.js';
import { Random, tensor, zeros } from '../../src/tensor/index.js';
import { ImageClassifier } from '../../src/vision/index.js';
import { expectClose } from '../oracle.js';

const run = (title: string): MethodRun => ({
  title,
  seed: 0,
  random: new Random(0),
  hooks: {},
  progress: () => {},
  chose: () => {},
});

test.each(['vanillanet-nano', 'lsnet-nano', 'emov2-nano', 'mobilenet-v1-small'])(
  'the file of a kept %s is a classifier of the same images',
  async (network) => {
    const data = await loadImageSet('glyphs', { images: 100, tests: 100 });
    const method = imageMethod({ title: 'Kept', network }, data, { epochs: 1, batch: 32, trials: 1, tuning: 0.5 });
    const classifier = await method.train(run('Kept'));
    const { model = new Uint8Array(0), predictions } = imageArtifacts(classifier, data);
    const loaded = ImageClassifier.load(model);
    expect(loaded.description).toEqual(classifier.description);
    const image = zeros([1, 1, 28, 28]);
    expectClose(
      loaded.model.forward(image, inference).dataSync(),
      classifier.model.forward(image, inference).dataSync(),
      1e-6,
    );
    expect(predictions?.rows).toHaveLength(100);
  },
  60_000,
);

test('a network is cut after three quarters of the epochs, and reports the rest as epochs that follow', async () => {
  const data = await loadImageSet('glyphs', { images: 100, tests: 100 });
  const cuts: number[] = [];
  const epochs: [number, number][] = [];
  const cut: ImageMethod['cut'] = () => {
    cuts.push(epochs.length);
    return {};
  };
  const method = imageMethod({ title: 'Cut', network: 'vanillanet-nano', cut }, data, {
    ...{ epochs: 4, batch: 50, trials: 1, tuning: 0.5 },
  });
  await method.train({
    ...run('Cut'),
    hooks: { onEpoch: ({ epoch, epochs: all }) => epochs.push([epoch, all]) },
  });
  expect(cuts).toEqual([3]);
  expect(epochs.map(([epoch]) => epoch)).toEqual([1, 2, 3, 4]);
  expect(epochs.at(-1)).toEqual([4, 4]);
});

test('the file of a kept decoder with MoE++ layers is a language model with the same logits', async () => {
  const data = await loadTokens('grammar', { pairs: 0 });
  const experts = { feedForward: 4, constant: 2 };
  const config = {
    ...decoderConfig({ vocabulary: data.tokenizer.size, features: 16, layers: 2, heads: 2, hidden: 16, context: 64 }),
    experts: { count: 4, k: 2, normalised: true, zeroComputation: { experts, k: 2, hidden: 16, tau: 0.75 } },
  };
  const trained = await decoderMethod('Kept', config, data, { steps: 2, batch: 2, length: 16, trials: 1 }).train(
    run('Kept'),
  );
  const path = join(mkdtempSync(join(tmpdir(), 'gossamer-')), 'model.safetensors');
  writeFileSync(path, decoderFile(trained, data));
  const { model, tokenizer, close } = loadLanguageModel(path);
  const tokens = tokenizer.encode('The old fox');
  const logits = trained.model.forward(tensor(Int32Array.from(tokens), [1, tokens.length])).dataSync();
  expectClose(model.forward(tokens, model.cache()).dataSync(), logits.slice(-tokenizer.size), 1e-2);
  close();
});
