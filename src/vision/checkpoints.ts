// Published checkpoints of the backbones: translation of the authors' parameter names.

import { loadTorchState } from '../data/index.js';
import type { Weights } from '../nn/index.js';
import { ones, reshape } from '../tensor/index.js';
import { EMOv2 } from './emov2/index.js';
import { LSNet } from './lsnet/index.js';
import { SimpleNet } from './simplenet.js';
import { VanillaNet } from './vanillanet.js';

/** A regular expression over the published name and its replacement; undefined drops the tensor. */
type Rule = readonly [pattern: RegExp, ours: string | undefined];

/**
 * github.com/huawei-noah/VanillaNet: training form (stem1, stem2, conv1, conv2, cls1, cls2) and
 * deployed form (stem, conv, cls).
 */
const vanillaNetRules: readonly Rule[] = [
  [/^stem1\.0\./, 'stem.first.conv.'],
  [/^stem1\.1\./, 'stem.first.norm.'],
  [/^stem2\.0\./, 'stem.second.conv.'],
  [/^stem2\.1\./, 'stem.second.norm.'],
  [/^stem2\.2\.bn\./, 'stemActivation.norm.'],
  [/^stem2\.2\./, 'stemActivation.'],
  [/^stem\.0\./, 'stem.first.conv.'],
  [/^stem\.1\./, 'stemActivation.'],
  [/^(stages\.\d+)\.conv1\.0\./, '$1.conv.first.conv.'],
  [/^(stages\.\d+)\.conv1\.1\./, '$1.conv.first.norm.'],
  [/^(stages\.\d+)\.conv2\.0\./, '$1.conv.second.conv.'],
  [/^(stages\.\d+)\.conv2\.1\./, '$1.conv.second.norm.'],
  [/^(stages\.\d+)\.conv\.(weight|bias)$/, '$1.conv.first.conv.$2'],
  [/^(stages\.\d+)\.act\.bn\./, '$1.activation.norm.'],
  [/^(stages\.\d+)\.act\./, '$1.activation.'],
  [/^cls1\.2\./, 'head.first.conv.'],
  [/^cls1\.3\./, 'head.first.norm.'],
  [/^cls2\.0\./, 'head.second.conv.'],
  [/^cls\.2\./, 'head.first.conv.'],
];

/**
 * github.com/jameslahm/lsnet, where a convolution and its norm are `c` and `bn`, and the
 * downsampling pair between stages is counted as the first two blocks of the next stage.
 */
const lsNetRules: readonly Rule[] = [
  [/attention_bias_idxs$/, undefined],
  [/attention_biases$/, 'biases'],
  [/^patch_embed\.0\./, 'stem.0.'],
  [/^patch_embed\.2\./, 'stem.1.'],
  [/^patch_embed\.4\./, 'stem.2.'],
  [/^head\.bn\./, 'heads.0.norm.'],
  [/^head\.l\./, 'heads.0.linear.'],
  [/^head_dist\.bn\./, 'heads.1.norm.'],
  [/^head_dist\.l\./, 'heads.1.linear.'],
  [/\.mixer\.m\.qkv\./, '.mixer.qkv.'],
  [/\.mixer\.m\.dw\./, '.mixer.queryConv.'],
  [/\.mixer\.m\.proj\.1\./, '.mixer.project.'],
  [/\.mixer\.m\./, '.mixer.'],
  [/\.mixer\.conv1\./, '.mixer.pointwise.'],
  [/\.mixer\.bn\./, '.mixer.norm.'],
  [/\.lkp\.cv1\./, '.reduce.'],
  [/\.lkp\.cv2\./, '.perceive.'],
  [/\.lkp\.cv3\./, '.mix.'],
  [/\.lkp\.cv4\./, '.weights.'],
  [/\.lkp\.norm\./, '.weightNorm.'],
  [/\.se\./, '.squeeze.'],
  [/\.ffn\.m\.pw1\./, '.feedForward.expand.'],
  [/\.ffn\.m\.pw2\./, '.feedForward.contract.'],
  [/\.c\./, '.conv.'],
  [/\.bn\./, '.norm.'],
];

/**
 * github.com/zhangzjn/EMOv2, which has EMO's networks too: the stem is `stage0`, stages count from
 * 1, expansions are `eops`.
 */
const emov2Rules: readonly Rule[] = [
  [/^stage0\.2\.conv\./, 'stem.2.'],
  [/^stage0\./, 'stem.'],
  [/^norm\.norm\./, 'norm.'],
  [/\.norm\.norm\./, '.norm.'],
  [/^(stage\d\.\d+)\.norm\./, '$1.expand.norm.'],
  [/\.eops\.0\.net\.conv\./, '.expand.conv.'],
  [/\.eops\.0\.(qk|v)\.conv\./, '.expand.attention.$1.'],
  [/\.conv_local\./, '.operator.conv.'],
  [/\.proj\.conv\./, '.project.conv.'],
  [/\.ls\.gamma$/, '.project.gamma'],
];

/** `stage1` is the first stage. */
const emov2Stage = (name: string) => name.replace(/^stage(\d)/, (_, number: string) => `stages.${Number(number) - 1}`);

/**
 * `blocks2.0.…` and `blocks2.1.…` are the downsampling before the second stage, `blocks2.2.…` is
 * that stage's first block.
 */
function lsNetStage(name: string): string {
  return name.replace(/^blocks(\d)\.(\d+)\./, (_, number: string, index: string) => {
    const [stage, at] = [Number(number) - 1, Number(index)];
    if (stage === 0) return `stages.0.${at}.`;
    return at < 2 ? `stages.${stage}.0.${at === 0 ? 'spatial' : 'widen'}.` : `stages.${stage}.${at - 1}.`;
  });
}

/** Applies all rules in order; undefined drops the tensor. */
function renamed(rules: readonly Rule[], name: string): string | undefined {
  let ours = name;
  for (const [pattern, replacement] of rules) {
    if (!pattern.test(ours)) continue;
    if (replacement === undefined) return undefined;
    ours = ours.replace(pattern, replacement);
  }
  return ours;
}

/**
 * The name in this library (with PyTorch's last fields, such as `running_mean`) of a tensor in the
 * authors' checkpoint; undefined for tensors that are not needed.
 */
export function fromPublishedName(model: VanillaNet | LSNet | EMOv2, name: string): string | undefined {
  if (model instanceof EMOv2) {
    const ours = renamed(emov2Rules, name);
    return ours && emov2Stage(ours);
  }
  return model instanceof LSNet ? renamed(lsNetRules, lsNetStage(name)) : renamed(vanillaNetRules, name);
}

/**
 * github.com/Coderx7/SimpleNet_Pytorch, whose layers stand in one sequence, `features.<place>`: a
 * convolution, its norm, ReLU and maybe dropout take three or four places, a pooling two more.
 *
 * @returns our name by theirs
 * @throws Error where the places tell of other poolings than the network has
 */
function simpleNetNames({ options: { layers }, convs }: SimpleNet, checkpoint: Weights): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const places = Object.entries(checkpoint)
    .flatMap(([name, { rank }]) => (rank === 4 ? [Number(/^features\.(\d+)\.weight$/.exec(name)?.[1])] : []))
    .sort((a, b) => a - b);
  if (places.length !== convs.length)
    throw new Error(`the checkpoint has ${places.length} convolutions, the network ${convs.length}`);
  const after = layers.flatMap((layer, at) => (layer === 'pool' ? [] : [layers[at + 1] === 'pool']));
  places.forEach((place, i) => {
    const gap = (places[i + 1] ?? Number.NaN) - place;
    const isPooled = gap > 4;
    if (gap >= 3 && isPooled !== after[i])
      throw new Error(
        `the checkpoint ${isPooled ? 'pools' : 'does not pool'} after convolution ${i + 1}, unlike the network; see simpleNetExtraPool`,
      );
    for (const [offset, part] of [
      [0, 'conv'],
      [1, 'norm'],
    ] as const)
      for (const field of ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'])
        names.set(`features.${place + offset}.${field}`, `convs.${i}.${part}.${field}`);
  });
  return names;
}

/**
 * Loads a published checkpoint (read by `readSafetensors` or `readTorch`, names without a prefix)
 * into a network of the same preset and form. A VanillaNet in its deep form then has λ = 1.
 *
 * @throws Error naming weights that are missing, unknown or of another shape
 */
export function loadPublished(model: VanillaNet | LSNet | SimpleNet | EMOv2, checkpoint: Weights): void {
  if (model instanceof EMOv2) {
    // γ is [1, channels, 1, 1] there.
    const flat = Object.entries(checkpoint).map(([name, weight]) => [
      name,
      name.endsWith('.ls.gamma') ? reshape(weight, [weight.size]) : weight,
    ]);
    loadTorchState(model, Object.fromEntries(flat), { rename: (name) => fromPublishedName(model, name) });
    return;
  }
  if (model instanceof SimpleNet) {
    const names = simpleNetNames(model, checkpoint);
    loadTorchState(model, checkpoint, { rename: (name) => names.get(name) ?? name });
    return;
  }
  const fading = model instanceof VanillaNet && model.slope !== undefined;
  loadTorchState(model, fading ? { ...checkpoint, slope: ones([1]) } : checkpoint, {
    rename: (name) => fromPublishedName(model, name),
  });
}
