import { describe, expect, test } from 'vitest';
import { fromTorchName } from '../../src/data/index.js';
import { stateOf } from '../../src/nn/index.js';
import { ones, Random, type Tensor } from '../../src/tensor/index.js';
import {
  fromPublishedName,
  LSNet,
  type LSNetOptions,
  loadPublished,
  VanillaNet,
  type VanillaNetOptions,
} from '../../src/vision/index.js';

/** Names as PyTorch modules give them. */
const convNorm = (name: string) => [`${name}.c.weight`, ...norm(`${name}.bn`)];
const norm = (name: string) => [
  ...affine(name),
  `${name}.running_mean`,
  `${name}.running_var`,
  `${name}.num_batches_tracked`,
];
const affine = (name: string) => [`${name}.weight`, `${name}.bias`];

/**
 * Random tensors under the authors' names, with the shapes that ours have; all of ours are there
 * once.
 */
function checkpointOf(model: VanillaNet | LSNet, names: readonly string[]): Record<string, Tensor> {
  const state = stateOf(model);
  const ours = (name: string) => fromTorchName(fromPublishedName(model, name) ?? 'num_batches_tracked');
  const needed = names.filter((name) => !ours(name).endsWith('numBatchesTracked'));
  expect(needed.map(ours).sort()).toEqual(
    Object.keys(state)
      .filter((name) => name !== 'slope')
      .sort(),
  );
  return Object.fromEntries(names.map((name, i) => [name, new Random(i).normal(state[ours(name)]?.shape ?? [1])]));
}

describe('published names find their places', () => {
  const vanilla: VanillaNetOptions = { dims: [4, 6], strides: [2], classes: 3 };
  test.each([
    [
      'deep',
      [
        ...affine('stem1.0'),
        ...norm('stem1.1'),
        ...affine('stem2.0'),
        ...norm('stem2.1'),
        'stem2.2.weight',
        ...norm('stem2.2.bn'),
        ...affine('stages.0.conv1.0'),
        ...norm('stages.0.conv1.1'),
        ...affine('stages.0.conv2.0'),
        ...norm('stages.0.conv2.1'),
        'stages.0.act.weight',
        ...norm('stages.0.act.bn'),
        ...affine('cls1.2'),
        ...norm('cls1.3'),
        ...affine('cls2.0'),
      ],
    ],
    [
      'merged',
      [
        ...affine('stem.0'),
        ...affine('stem.1'),
        ...affine('stages.0.conv'),
        ...affine('stages.0.act'),
        ...affine('cls.2'),
      ],
    ],
  ] as const)('VanillaNet, %s', (form, names) => {
    const model = new VanillaNet({ ...vanilla, form }, new Random(1));
    const checkpoint = checkpointOf(model, names);
    loadPublished(model, checkpoint);
    expect(model.lambda).toBe(1);
    const [first] = names;
    expect(model.stem.first.conv.weight.dataSync()).toEqual(checkpoint[first as string]?.dataSync());
  });

  test('LSNet: every kind of block', () => {
    const options: LSNetOptions = {
      dims: [8, 8, 16, 16],
      depths: [1, 0, 2, 2],
      classes: 3,
      heads: 2,
      attentionSize: 1,
      distilled: true,
    };
    const block = (name: string) => [...convNorm(`${name}.ffn.m.pw1`), ...convNorm(`${name}.ffn.m.pw2`)];
    const light = (name: string) => [
      ...convNorm(`${name}.mixer.conv`),
      ...convNorm(`${name}.mixer.conv1`),
      ...affine(`${name}.se.fc1`),
      ...affine(`${name}.se.fc2`),
      ...block(name),
    ];
    const between = (stage: number) => [...convNorm(`blocks${stage}.0`), ...convNorm(`blocks${stage}.1`)];
    const names = [
      ...[0, 2, 4].flatMap((i) => convNorm(`patch_embed.${i}`)),
      ...light('blocks1.0'),
      ...between(2),
      ...between(3),
      ...light('blocks3.2'),
      ...['cv1', 'cv2', 'cv3'].flatMap((part) => convNorm(`blocks3.3.mixer.lkp.${part}`)),
      ...affine('blocks3.3.mixer.lkp.cv4'),
      ...affine('blocks3.3.mixer.lkp.norm'),
      ...norm('blocks3.3.mixer.bn'),
      ...block('blocks3.3'),
      ...between(4),
      ...light('blocks4.2'),
      ...['qkv', 'proj.1', 'dw'].flatMap((part) => convNorm(`blocks4.3.mixer.m.${part}`)),
      'blocks4.3.mixer.m.attention_biases',
      'blocks4.3.mixer.m.attention_bias_idxs',
      ...block('blocks4.3'),
      ...norm('head.bn'),
      ...affine('head.l'),
      ...norm('head_dist.bn'),
      ...affine('head_dist.l'),
    ];
    const model = new LSNet(options, new Random(1));
    const checkpoint = checkpointOf(model, names);
    loadPublished(model, checkpoint);
    expect(model.heads[1]?.linear.bias?.dataSync()).toEqual(checkpoint['head_dist.l.bias']?.dataSync());
    const { 'head.l.bias': _, ...lacking } = checkpoint;
    expect(() => loadPublished(model, lacking)).toThrow('the checkpoint lacks heads.0.linear.bias');
    expect(() => loadPublished(model, { ...checkpoint, 'extra.weight': ones([1]) })).toThrow(
      'no place for extra.weight',
    );
  });
});
