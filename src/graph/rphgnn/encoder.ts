// RpHGNN's trained part. For each group of tensors x [K, b, d]: dropout, F filters over the K axis
// (a convolution of kernel 1), a perceptron on the F·d numbers; then fusion of the groups.
//
//   u_f = Σ_k W[f, k]·x_k + b_f                               filters
//   h_g = [Linear → PReLU → dropout]ᴸ (u_1 ‖ … ‖ u_F)         group encoder
//   logits = Linear(dropout(PReLU(Linear(h_1 ‖ … ‖ h_G))))    fusion

import { Dropout, Linear, type Mode, PReLU, parameter, xavierNormal } from '../../nn/index.js';
import {
  add,
  concatenate,
  matmul,
  mean,
  multiply,
  permute,
  type Random,
  reshape,
  stack,
  sum,
  type Tensor,
  zeros,
} from '../../tensor/index.js';
import type { GroupShape } from './propagate.js';

/** A network on groups of collected tensors. */
export interface GroupModule {
  /** Groups [count, b, width] → logits [b, classes]. */
  forward(groups: readonly Tensor[], mode: Mode): Tensor;
}

/** Layout of the encoder. */
export interface EncoderOptions {
  /** Hidden width. Default: 64. */
  readonly hidden?: number;
  /** F: filters of each group; of a group of one tensor there is one. Default: 2. */
  readonly filters?: number;
  /** L: layers of each group's perceptron. Default: 2. */
  readonly depth?: number;
  /** How groups become one: side by side, or their mean. Default: 'concatenate'. */
  readonly fusion?: 'concatenate' | 'mean';
  /** Dropout probability of the collected tensors. Default: 0.5. */
  readonly inputDropout?: number;
  /** Dropout probability after each activation. Default: 0.5. */
  readonly dropout?: number;
}

/** A linear layer with Xavier-normal W and b = 0. */
export function affine(inFeatures: number, outFeatures: number, random: Random): Linear {
  const layer = new Linear(inFeatures, outFeatures, random, { init: 'xavier' });
  layer.weight = parameter(xavierNormal(random, [outFeatures, inFeatures]));
  return layer;
}

/** [Linear → PReLU → dropout] for each pair of widths. */
export class ActivatedLayers {
  /** The linear layers. */
  readonly layers: readonly Linear[];
  /** One after each of them. */
  readonly activations: readonly PReLU[];
  readonly #dropout: Dropout;

  constructor(widths: readonly number[], random: Random, { dropout = 0.5 }: { readonly dropout?: number } = {}) {
    this.layers = widths.slice(1).map((width, l) => affine(widths[l] as number, width, random.split(l)));
    this.activations = this.layers.map(() => new PReLU());
    this.#dropout = new Dropout(dropout);
  }

  /** x [b, in] → [b, out]. */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.afterFirst((this.layers[0] as Linear).forward(x), mode);
  }

  /** What follows on the output of the first linear layer. */
  afterFirst(first: Tensor, mode: Mode): Tensor {
    return this.layers.reduce(
      (h, layer, l) =>
        this.#dropout.forward((this.activations[l] as PReLU).forward(l === 0 ? h : layer.forward(h)), mode),
      first,
    );
  }
}

/** The encoder of one group: filters over its tensors, then a perceptron. */
export class GroupEncoder {
  /** W [F, K]. */
  weight: Tensor;
  /** b [F]. */
  bias: Tensor;
  /** On the F filtered tensors side by side. */
  readonly layers: ActivatedLayers;

  constructor(
    { count, width }: GroupShape,
    random: Random,
    { hidden = 64, filters = 2, depth = 2, dropout = 0.5 }: EncoderOptions = {},
  ) {
    const own = count === 1 ? 1 : filters;
    this.weight = parameter(xavierNormal(random.split('filters'), [own, count]));
    this.bias = parameter(zeros([own]));
    const widths = [own * width, ...new Array<number>(depth).fill(hidden)];
    this.layers = new ActivatedLayers(widths, random.split('layers'), { dropout });
  }

  /** x [K, b, d] → [b, hidden]. */
  forward(x: Tensor, mode: Mode): Tensor {
    if ((x.shape[0] as number) > FEW) return this.encode(this.filter(x), mode);
    return this.layers.afterFirst(this.#firstLayer(x), mode);
  }

  /** x [K, b, d] → [F, b, d]. */
  filter(x: Tensor): Tensor {
    const [count, b, d] = x.shape as [number, number, number];
    const filtered = matmul(this.weight, reshape(x, [count, b * d]));
    return reshape(add(filtered, reshape(this.bias, [-1, 1])), [-1, b, d]);
  }

  /** Filtered tensors [F, b, d] → [b, hidden]. */
  encode(filtered: Tensor, mode: Mode): Tensor {
    const joined = reshape(permute(filtered, [1, 0, 2]), [filtered.shape[1] as number, -1]);
    return this.layers.afterFirst((this.layers.layers[0] as Linear).forward(joined), mode);
  }

  /**
   * The first linear layer on filtered tensors with its weights [U_1 ‖ … ‖ U_F] and the filters
   * merged: Σ_k x_k·(Σ_f W[f, k]·U_f)ᵀ + Σ_f b_f·U_f·1 + b. No filtered tensor, nor a gradient of
   * one, is made.
   */
  #firstLayer(x: Tensor): Tensor {
    const [count, b, d] = x.shape as [number, number, number];
    const { weight, bias } = this.layers.layers[0] as Linear;
    const [hidden, filters] = [weight.shape[0] as number, this.weight.shape[0] as number];
    const byFilter = permute(reshape(weight, [hidden, filters, d]), [1, 0, 2]); // (F, hidden, d)
    const merged = matmul(this.weight, reshape(byFilter, [filters, hidden * d]), { transposeA: true });
    const shift = add(sum(multiply(sum(byFilter, 2), reshape(this.bias, [-1, 1])), 0), bias as Tensor);
    let y: Tensor | undefined;
    for (let k = 0; k < count; k++) {
      const term = matmul(reshape(x.slice([k, k + 1]), [b, d]), reshape(merged.slice([k, k + 1]), [hidden, d]), {
        transposeB: true,
      });
      y = y ? add(y, term) : term;
    }
    return add(y as Tensor, shift);
  }
}

/** Tensors up to which filters and the first layer are merged: K products in place of 1.5·F. */
const FEW = 3;

/** Group encoders, their fusion and the classifier. */
export class RpHGNN implements GroupModule {
  /** One for each group. */
  readonly groups: readonly GroupEncoder[];
  /** Linear → PReLU → dropout on the fused groups. */
  readonly fused: ActivatedLayers;
  /** Classifier. */
  readonly head: Linear;
  readonly #options: Required<EncoderOptions>;
  readonly #inputDropout: Dropout;

  /** @param shapes counts and widths of the groups, in order */
  constructor(shapes: readonly GroupShape[], classes: number, random: Random, options: EncoderOptions = {}) {
    const all = { ...encoderDefaults, ...options };
    this.groups = shapes.map((shape, g) => new GroupEncoder(shape, random.split(g), all));
    if (!(all.depth >= 1)) throw new RangeError(`RpHGNN: expected one layer a group or more, got ${all.depth}`);
    const inFeatures = all.fusion === 'mean' ? all.hidden : all.hidden * shapes.length;
    this.fused = new ActivatedLayers([inFeatures, all.hidden], random.split('fused'), all);
    this.head = affine(all.hidden, classes, random.split('head'));
    this.#options = all;
    this.#inputDropout = new Dropout(all.inputDropout);
  }

  forward(groups: readonly Tensor[], mode: Mode): Tensor {
    const encoded = groups.map((x, g) =>
      (this.groups[g] as GroupEncoder).forward(this.#inputDropout.forward(x, mode), mode),
    );
    return this.#classify(encoded, mode);
  }

  /** Filtered groups [F, b, d] → logits [b, classes]. */
  afterFilters(filtered: readonly Tensor[], mode: Mode): Tensor {
    return this.#classify(
      filtered.map((x, g) => (this.groups[g] as GroupEncoder).encode(x, mode)),
      mode,
    );
  }

  #classify(encoded: readonly Tensor[], mode: Mode): Tensor {
    const joined = this.#options.fusion === 'mean' ? mean(stack(encoded), 0) : concatenate(encoded, 1);
    return this.head.forward(this.fused.forward(joined, mode));
  }
}

const encoderDefaults: Required<EncoderOptions> = {
  hidden: 64,
  filters: 2,
  depth: 2,
  fusion: 'concatenate',
  inputDropout: 0.5,
  dropout: 0.5,
};
