// SparseByteNN: groups of output channels that share their zeros are faster than a dense network
// already at 30 % zeros, and lose little accuracy once the channels have changed places.

import { firstImages } from '../../data/index.js';
import type { Layer } from '../../nn/index.js';
import type { ImageClassifier } from '../../vision/index.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { choice, count } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { awaitOnOneThread } from '../parts/threads.js';
import { groupClaims } from '../protocols/group-claims.js';
import { armTitle, groupMethods, groupNetworks, groupPlan, groupTitles } from '../protocols/group-sparse.js';
import { groupKernelStudy, groupNetworkStudy } from '../protocols/group-speed.js';
import { oneImage, timesInTurns } from '../protocols/image-timings.js';
import { imageArtifacts, imageOptions, imageTask } from '../protocols/images.js';

const options = {
  ...imageOptions,
  images: count(1200, 'training images, the first ones', { smoke: 128, minimum: 100 }),
  tests: count(2000, 'test images, the first ones', { smoke: 100, minimum: 100 }),
  epochs: count(8, 'epochs of the dense networks', { smoke: 1 }),
  finetune: count(2, 'epochs of fine-tuning of every arm, the dense ones too', { smoke: 1 }),
  trials: count(2, 'settings tried for each dense network and learning rates for each arm', { smoke: 1, maximum: 3 }),
  network: choice(groupNetworks, 'the network of three widths', { smoke: 'mobilenet-v1-nano' }),
  speed: choice(['yes', 'no'], 'whether kernels and MobileNetV1 at 224² are timed', { smoke: 'no' }),
};

export const experiment = defineExperiment({
  options,
  ...imageTask,
  metrics: {
    ...imageTask.metrics,
    cut: { label: 'accuracy before fine-tuning', unit: '%', better: 'larger' },
  },
  reproduction: [
    { data: 'cifar10', seeds: 3 },
    { data: 'fashion-mnist', seeds: 3, set: { speed: 'no' }, long: true },
    { data: 'cifar10', seeds: 3, set: { images: 8000, epochs: 12, finetune: 3, speed: 'no' }, long: true },
  ],
  methods: () => groupTitles,
  notes: ({ images, epochs, finetune, trials, network }) => [
    `Networks ${network} of three widths, and a ResNet-8: ${images} images, ${epochs} epochs; their learning rate and weight decay are the best of ${trials} on a tenth of the training images. Every arm starts from the same trained network of its width, is pruned at once and fine-tuned for ${finetune} more epochs with the best of ${trials} learning rates, chosen alike.`,
    'Zeros are shares of the units of the pruned layers: pointwise convolutions, for taps depthwise ones, for ResNet-8 its 3×3 convolutions. Groups are of 4 output channels. Random groups: units drawn at random. Filters go by their L1 norm, down to as many multiply-adds as the network with zeros uses.',
    'Training seconds are of fine-tuning, and for the first arm of a width of its dense network too. Times are of WebAssembly on this machine, one thread, in turns, with the faster kernel in each layer; the abstract measures a Qualcomm 855.',
  ],
  runSeed: async (data, values, context) => {
    const models = new Map<string, Layer>();
    const keep = armTitle('rearranged', 0.3);
    const { methods, kept } = await runMethods(groupMethods(data, values), context, {
      keep,
      score: (classifier, { title }) => {
        models.set(title, classifier.deployed());
        return {};
      },
    });
    const arms = [...models].map(([title, model]) => ({ title, model, plan: groupPlan }));
    const times = await timesInTurns(arms, data, { latency: oneImage });
    return {
      methods: methods.map((own) => ({ ...own, scores: { ...own.scores, ...times.get(own.method) } })),
      artifacts: () => imageArtifacts(kept as ImageClassifier, { ...data, test: firstImages(data.test, 200) }),
    };
  },
  studies: (_data, { speed }) =>
    speed === 'yes'
      ? awaitOnOneThread(async () => joinStudies(await groupKernelStudy(), await groupNetworkStudy()))
      : noStudies,
  claims: groupClaims,
  unmeasured: {
    arm: 'the kernels are measured in WebAssembly on x86-64; no ARM machine is at hand',
    mnn: 'MNN does not run in WebAssembly here; a kernel of XNNPACK stands for a sparse engine',
  },
});
