// Built-in operators in the place of the trainable spatial operations of a network, trained or not
// (Han, Yoo, Kim, Heo, "Learning Features with Parameter-Free Layers", ICLR 2022): 3×3 convolutions
// of bottlenecks, depthwise convolutions, and attention in every other block of a transformer. The
// 1×1 convolutions and linear layers around them keep their weights.

import { medianSeconds } from '../engine/index.js';
import {
  Activation,
  BatchNorm2d,
  Conv2d,
  halved,
  inference,
  type Layer,
  MultiHeadAttention,
  parameter,
  parameterCount,
  type Sequence,
  type SpatialOperator,
  spatialOperator,
} from '../nn/index.js';
import { concatenate, keep, pair, Random, scope, Tensor, zeros } from '../tensor/index.js';
// Imported by file, since the ONNX reader needs a package that pages lack.
import { compile } from '../trace/compile.js';
import { cost } from '../trace/cost.js';
import { BasicBlock, Bottleneck } from './resnet.js';
import { EffLayer, TransformerBlock } from './transformer-block.js';
import { VisionTransformer } from './vit.js';

/** What takes the place of trainable spatial operations. */
export interface SpatialRule {
  /**
   * `max` and `average` pooling, `none`: every stride-th pixel; `hybrid`: blocks with a stride keep
   * their convolution, of a map halved by averages, and all others have max pooling.
   */
  readonly with: 'max' | 'average' | 'none' | 'hybrid';
  /** Side of the pools, odd. Default: 3. */
  readonly kernel?: number;
}

/** What a rule did to a layer, or why it did nothing. */
export interface SpatialChange {
  /** Name of the layer, such as `layer1.0.conv2`. */
  readonly layer: string;
  /** What it was, such as `3×3 convolution`. */
  readonly was: string;
  /** What it is now, or why it stayed. */
  readonly now: string;
}

/** What a rule did to a network. */
export interface SpatialChanges {
  /** Layers that were replaced. */
  readonly replaced: readonly SpatialChange[];
  /** Layers that see more than a pixel and stayed, each with the reason. */
  readonly kept: readonly SpatialChange[];
}

/** What a network costs. */
export interface NetworkCosts {
  /** Number of parameters. */
  readonly parameters: number;
  /** Multiply-adds of a forward pass of the example. */
  readonly multiplyAdds: number;
  /** Median milliseconds of the example, as a plan. */
  readonly milliseconds: number;
}

/** What a rule did to a network, and what that saved. */
export interface SpatialReport extends SpatialChanges {
  /** Costs of the network as given. */
  readonly before: NetworkCosts;
  /** Costs of the changed network. */
  readonly after: NetworkCosts;
}

const operators = { max: 'max-pool', average: 'average-pool', none: 'none', hybrid: 'max-pool' } as const;

/**
 * Replaces the spatial operations of a network in place, see `SpatialRule`. Norm and activation of
 * a replaced convolution go with it. Attention becomes an `EffLayer` in every other block, from the
 * second of each stage on: its W₁ are the projections to queries, keys and values, its W₂ is the
 * output projection of the values. Train it afterwards.
 *
 * @param example images [n, channels, h, w] on which costs are measured
 * @throws Error where nothing can be replaced, with the reasons; RangeError for an even kernel
 */
export function replaceSpatialOps(model: Layer, rule: SpatialRule, example: Tensor): SpatialReport {
  const before = costsOf(model, example);
  const changes = replaceSpatial(model, rule);
  if (changes.replaced.length === 0) {
    const reasons = changes.kept.map(({ layer, was, now }) => `${layer} (${was}: ${now})`);
    throw new Error(
      `replaceSpatialOps: nothing can be replaced; ${reasons.join(', ') || 'no layer sees more than a pixel'}`,
    );
  }
  return { ...changes, before, after: costsOf(model, example) };
}

function costsOf(model: Layer, example: Tensor): NetworkCosts {
  const run = (x: Tensor) => model.forward(x, inference);
  const { multiplyAdds } = scope(() => cost(run, [example]));
  const plan = compile(run, [example]);
  const milliseconds = 1000 * medianSeconds(() => scope(() => plan.run(example)), 5, 2, 0.05);
  plan.dispose();
  return { parameters: parameterCount(model), multiplyAdds, milliseconds };
}

/**
 * Replaces the spatial operations of a network in place, as `replaceSpatialOps` does, without
 * measuring anything: how a saved network is made again.
 *
 * @throws RangeError for an even kernel
 */
export function replaceSpatial(model: object, rule: SpatialRule): SpatialChanges {
  if (!Object.hasOwn(operators, rule.with))
    throw new RangeError(`replaceSpatialOps: "${rule.with}" is none of ${Object.keys(operators).join(', ')}`);
  const walk = new Replacement(rule);
  walk.visit(model as Fields, '');
  return walk;
}

type Fields = Record<string, unknown>;

const nothing: Layer = { forward: (x) => x };
const halving: Layer = { forward: halved };

/** What takes the place of a convolution; its norm and activation go unless they are kept. */
interface Instead {
  readonly layers: Sequence;
  readonly keepsNorm: boolean;
}

class Replacement implements SpatialChanges {
  readonly replaced: SpatialChange[] = [];
  readonly kept: SpatialChange[] = [];
  readonly #seen = new Set<object>();
  readonly #operator: SpatialOperator;
  readonly #kernel: number;
  /** Why the blocks of the transformer that is visited keep their attention. */
  #tokens: string | undefined;

  constructor(readonly rule: SpatialRule) {
    this.#operator = operators[rule.with];
    this.#kernel = rule.kernel ?? 3;
  }

  visit(owner: Fields, path: string): void {
    if (this.#seen.has(owner)) return;
    this.#seen.add(owner);
    if (owner instanceof VisionTransformer && owner.clsToken)
      this.#tokens = 'a class token has no place on a map; networks with mean pooling can be changed';
    if (owner instanceof Bottleneck) this.#bottleneck(owner, path);
    if (owner instanceof BasicBlock) this.#basic(owner, path);
    if (Array.isArray(owner)) this.#sequence(owner, path);
    for (const [key, value] of Object.entries(owner)) {
      if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Tensor) continue;
      if (value instanceof Conv2d) this.#other(value, path + key);
      else if (value instanceof MultiHeadAttention) this.#keep(path + key, value, 'in a block of another kind');
      this.visit(value as Fields, `${path}${key}.`);
    }
  }

  #keep(layer: string, own: Conv2d | MultiHeadAttention, now: string): void {
    if (this.#seen.has(own)) return;
    this.#seen.add(own);
    this.kept.push({ layer, was: kindOf(own), now });
  }

  #pool(channels: number, stride: number): Layer {
    const options = { kernel: this.#kernel, stride, countPadding: true };
    return spatialOperator(this.#operator, channels, new Random(0), options);
  }

  /** Why a convolution cannot be replaced at all. */
  #hindrance({ options: { stride = 1, dilation = 1 } }: Conv2d): string | undefined {
    const [down, right] = pair(stride);
    if (down !== right) return 'its strides differ';
    return pair(dilation).every((each) => each === 1) ? undefined : 'it is dilated';
  }

  /** Records a replacement by the rule. @returns what takes the place of the convolution */
  #instead(conv: Conv2d, layer: string): Instead {
    const [stride] = pair(conv.options.stride ?? 1);
    const was = kindOf(conv);
    this.#seen.add(conv);
    if (this.rule.with === 'hybrid' && stride === 2) {
      this.replaced.push({ layer, was, now: 'mean of 2×2 pixels, then the convolution' });
      const made = withoutStride(conv);
      this.#seen.add(made);
      return { layers: [halving, made], keepsNorm: true };
    }
    this.replaced.push({ layer, was, now: `${this.#operator}${stride > 1 ? `, stride ${stride}` : ''}` });
    for (const weight of [conv.weight, conv.bias]) weight?.dispose();
    return { layers: [this.#pool(conv.outChannels, stride)], keepsNorm: false };
  }

  #bottleneck(block: Bottleneck, path: string): void {
    const { conv2, bn2 } = block;
    if (!(conv2 && bn2)) return;
    if (!(conv2 instanceof Conv2d)) {
      this.kept.push({ layer: `${path}conv2`, was: 'hypercomplex convolution', now: 'replace before that step' });
      return;
    }
    const hindrance = this.#hindrance(conv2);
    if (hindrance !== undefined) {
      this.#keep(`${path}conv2`, conv2, hindrance);
      return;
    }
    const { layers, keepsNorm } = this.#instead(conv2, `${path}conv2`);
    if (!keepsNorm) for (const weight of [bn2.weight, bn2.bias, bn2.runningMean, bn2.runningVariance]) weight.dispose();
    block.spatial = keepsNorm ? [...layers, bn2, new Activation('relu')] : layers;
    [block.conv2, block.bn2] = [undefined, undefined];
  }

  #basic(block: BasicBlock, path: string): void {
    for (const name of ['conv1', 'conv2'] as const)
      this.#keep(path + name, block[name], 'it mixes channels too, and its block has no 1×1 convolution that would');
  }

  /** Depthwise convolutions of a sequence, with norm and activation, and blocks of transformers. */
  #sequence(layers: unknown[], path: string): void {
    for (const [at, layer] of layers.entries()) {
      if (layer instanceof TransformerBlock) this.#transformer(layer, at, `${path}${at}.attn`);
      if (!(layer instanceof Conv2d && isDepthwise(layer) && layers[at + 1] instanceof BatchNorm2d)) continue;
      const hindrance = this.#hindrance(layer);
      if (hindrance !== undefined) {
        this.#keep(path + at, layer, hindrance);
        continue;
      }
      const made = this.#instead(layer, path + at);
      layers[at] = made.layers.length === 1 ? made.layers[0] : made.layers;
      if (made.keepsNorm) continue;
      layers[at + 1] = nothing;
      if (layers[at + 2] instanceof Activation) layers[at + 2] = nothing;
    }
  }

  #transformer(block: TransformerBlock, index: number, layer: string): void {
    const { attn } = block;
    if (!(attn instanceof MultiHeadAttention)) return;
    if (this.#tokens !== undefined) {
      this.#keep(layer, attn, this.#tokens);
      return;
    }
    if (index % 2 === 0) {
      this.#keep(layer, attn, 'every other block keeps its attention');
      return;
    }
    this.#seen.add(attn);
    this.replaced.push({ layer, was: kindOf(attn), now: `${this.#operator} between linear layers` });
    block.attn = effLayerOf(attn, this.#operator, this.#kernel);
  }

  /** A convolution that no block has dealt with. */
  #other(conv: Conv2d, layer: string): void {
    if (pair(conv.kernelSize).every((side) => side === 1)) return;
    const reason = isDepthwise(conv)
      ? 'in a block of another kind'
      : conv.inChannels === conv.outChannels
        ? 'it mixes channels too'
        : 'it changes the number of channels';
    this.#keep(layer, conv, reason);
  }
}

/** The same convolution, by the same weights, of every pixel. */
function withoutStride({ inChannels, outChannels, kernelSize, options, weight, bias }: Conv2d): Conv2d {
  const made = new Conv2d(inChannels, outChannels, kernelSize, new Random(0), { ...options, stride: 1 });
  for (const own of [made.weight, made.bias]) own?.dispose();
  [made.weight, made.bias] = [weight, bias];
  return made;
}

const isDepthwise = ({ options: { groups = 1 }, inChannels, outChannels, kernelSize }: Conv2d) =>
  groups > 1 && groups === inChannels && groups === outChannels && pair(kernelSize).some((side) => side > 1);

function kindOf(layer: Conv2d | MultiHeadAttention): string {
  if (layer instanceof MultiHeadAttention) return 'attention';
  return `${pair(layer.kernelSize).join('×')} ${isDepthwise(layer) ? 'depthwise ' : ''}convolution`;
}

/**
 * The layer in the place of attention: W₁ projects to queries, keys and values as before, W₂ takes
 * the output projection for the values and 0 for the others.
 */
function effLayerOf({ qkv, proj, features }: MultiHeadAttention, operator: SpatialOperator, kernel: number): EffLayer {
  const made = new EffLayer(features, new Random(0), { operator, kernel });
  const old = [made.fc1.weight, made.fc1.bias, made.fc2.weight];
  made.fc1 = qkv;
  const [outputs, values] = proj.weight.shape as [number, number];
  const others = (qkv.weight.shape[0] as number) - values;
  made.fc2.weight = parameter(keep(scope(() => concatenate([zeros([outputs, others]), proj.weight], 1))));
  if (proj.bias) made.fc2.bias?.assign(proj.bias);
  for (const weight of [...old, proj.weight, proj.bias]) weight?.dispose();
  return made;
}
