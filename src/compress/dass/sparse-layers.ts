// SparseConv and SparseLinear of DASS: convolutions and linear layers that keep a share of their
// weights, those of the largest scores. The share is a parameter of the layer; at 1 it is dense.
//
//   y = conv(x, w ⊙ m),  m = 1 for the n − ⌊(1 − k)·n⌋ entries of the largest |s|, else 0
//
// Scores learn straight through the mask: ∂L/∂s = sign(s)·w ⊙ ∂L/∂(w ⊙ m).

import {
  BatchNorm,
  Conv2d,
  fans,
  kaimingNormal,
  type Layer,
  Linear,
  MixedOperator,
  type Optimizer,
  type OptimizerState,
  parameter,
  parameterOwners,
  plainPlaces,
  type Weights,
} from '../../nn/index.js';
import {
  abs,
  keep as kept,
  max,
  multiply,
  type Random,
  scope,
  stopGradient,
  straightThrough,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { keepLargest } from '../masks.js';

/** What learns: weights under fixed masks, or scores under fixed weights. */
export type Learning = 'weights' | 'scores';

/** What all sparse layers of a network share. */
interface Shared {
  keep: number;
  learning: Learning;
  /** Counts changes, after which masks are drawn anew. */
  version: number;
}

/** @throws RangeError unless the share is in (0, 1] */
export function requireKeep(keep: number): number {
  if (!(keep > 0 && keep <= 1))
    throw new RangeError(`the share of weights that are kept must be in (0, 1], got ${keep}`);
  return keep;
}

/**
 * m: 1 for the n − ⌊(1 − k)·n⌋ scores of the largest magnitude, at least one; of equal ones the
 * last.
 *
 * @throws RangeError unless k is in (0, 1]
 */
export function scoreMask(scores: Tensor, keep: number): Float32Array {
  const share = 1 - requireKeep(keep);
  const magnitudes = Float32Array.from(scores.view(), Math.abs);
  return Float32Array.from(keepLargest(magnitudes, Math.min(share, 1 - 1 / magnitudes.length)));
}

/** SparseConv or SparseLinear: a plain layer and a score for each of its weights. */
export class SparseLayer implements Layer {
  /** s, of the shape of the weight. Initially He's normal distribution by fan-in. */
  scores: Tensor;
  #mask: { readonly values: Tensor; readonly version: number } | undefined;

  constructor(
    readonly layer: Conv2d | Linear,
    readonly shared: Shared,
    random: Random,
  ) {
    this.scores = parameter(kaimingNormal(random, layer.weight.shape));
  }

  /** x as the plain layer takes it, through w ⊙ m. */
  forward(x: Tensor): Tensor {
    const { layer } = this;
    const { weight } = layer;
    layer.weight = this.masked();
    try {
      return layer.forward(x);
    } finally {
      layer.weight = weight;
    }
  }

  /** w ⊙ m. Where scores learn, w passes no gradient. */
  masked(): Tensor {
    const { keep, learning } = this.shared;
    const { weight } = this.layer;
    if (learning === 'scores') {
      const mask = tensor(scoreMask(this.scores, keep), weight.shape);
      return multiply(stopGradient(weight), straightThrough(mask, abs(this.scores)));
    }
    return keep === 1 ? weight : multiply(weight, this.#fixedMask());
  }

  #fixedMask(): Tensor {
    const { keep, version } = this.shared;
    if (this.#mask?.version !== version) {
      this.#mask?.values.dispose();
      this.#mask = { values: kept(tensor(scoreMask(this.scores, keep), this.scores.shape)), version };
    }
    return this.#mask.values;
  }

  /** s ← √(6 / fan-in)·w / max|w|, by which the first mask is that of magnitude pruning. */
  scoreByMagnitude(): void {
    const { weight } = this.layer;
    scope(() => {
      const largest = max(abs(weight)).item();
      const scale = Math.sqrt(6 / fans(weight.shape).fanIn) / (largest || 1);
      this.scores.assign(multiply(weight, scale));
    });
  }

  /** Frees the scores and the mask; the plain layer stays. */
  dispose(): void {
    this.scores.dispose();
    this.#mask?.values.dispose();
  }
}

/** A network whose convolutions and linear layers are sparse. */
export interface SparseNetwork {
  /** The sparse layers by the name of the layer that each has become. */
  readonly layers: Readonly<Record<string, SparseLayer>>;
  /** Sets k of all layers, and what learns. @throws RangeError unless k is in (0, 1] */
  set(keep: number, learning: Learning): void;
  /** Scores all layers by the magnitude of their weights. */
  scoreByMagnitude(): void;
  /** Puts the plain layers back, w ⊙ m in place of w. @returns the masks by weight name */
  bake(): Weights;
  /** Puts the plain layers back as they are, dense. */
  restore(): void;
}

/**
 * Makes every convolution and linear layer of a network sparse, in place: the first and the last
 * layer too. At first k = 1 and the weights learn.
 *
 * @throws Error for a network without such layers
 */
export function toSparse(model: object, random: Random): SparseNetwork {
  const shared: Shared = { keep: 1, learning: 'weights', version: 0 };
  const places = plainPlaces(model).filter(({ layer }) => layer instanceof Conv2d || layer instanceof Linear);
  if (places.length === 0) throw new Error('toSparse: the network has no convolution or linear layer');
  const made = places.map(({ name, owner, key, layer }) => {
    const sparse = new SparseLayer(layer as Conv2d | Linear, shared, random);
    owner[key] = sparse;
    return { name, owner, key, sparse };
  });
  const restore = () => {
    for (const { owner, key, sparse } of made) {
      owner[key] = sparse.layer;
      sparse.dispose();
    }
  };
  return {
    layers: Object.fromEntries(made.map(({ name, sparse }) => [name, sparse])),
    set(keep, learning) {
      Object.assign(shared, { keep: requireKeep(keep), learning, version: shared.version + 1 });
    },
    scoreByMagnitude() {
      for (const { sparse } of made) sparse.scoreByMagnitude();
      shared.version += 1;
    },
    bake() {
      const masks = made.map(({ name, sparse }) => {
        const { weight } = sparse.layer;
        const mask = kept(tensor(scoreMask(sparse.scores, shared.keep), weight.shape));
        scope(() => weight.assign(multiply(weight, mask)));
        return [`${name}.weight`, mask] as const;
      });
      restore();
      return Object.fromEntries(masks);
    },
    restore,
  };
}

/**
 * Names of the parameters that learn: the scores, or all but them. γ and β of batch norms learn
 * with both, architecture weights with neither.
 */
export function learningNames(model: object, learning: Learning): ReadonlySet<string> {
  const owners = parameterOwners(model).filter(({ owner }) => !(owner instanceof MixedOperator));
  const learns = ({ owner }: { readonly owner: object }) =>
    owner instanceof SparseLayer === (learning === 'scores') || owner instanceof BatchNorm;
  return new Set(owners.filter(learns).map(({ name }) => name));
}

/** Updates the named parameters alone: the others keep their bits, weight decay or not. */
export class Selected implements Optimizer {
  constructor(
    readonly inner: Optimizer,
    readonly names: ReadonlySet<string>,
  ) {}

  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    this.inner.update(this.#of(parameters), this.#of(gradients), rateFactor);
  }

  state(): OptimizerState {
    return this.inner.state();
  }

  restore(state: OptimizerState): void {
    this.inner.restore(state);
  }

  #of(all: Weights): Weights {
    return Object.fromEntries(Object.entries(all).filter(([name]) => this.names.has(name)));
  }
}
