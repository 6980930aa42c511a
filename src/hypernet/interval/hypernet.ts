// A hypernetwork that maps boxes of embeddings to boxes of weights.

import { type Linear, parameterOwners, type Weights } from '../../nn/index.js';
import { abs, add, linear, matmul, multiply, type Random, relu, subtract, type Tensor } from '../../tensor/index.js';
import { once } from '../generator.js';
import { weightsOf } from '../hypernet.js';
import { initializeOutputs } from '../init.js';
import { Layout } from '../layout.js';
import { MLPTrunk } from '../trunk.js';
import type { IntervalWeights } from './propagate.js';

/** Options of `IntervalHypernet`. */
export interface IntervalHypernetOptions {
  /** Hidden widths. Default: [75, 75]. */
  readonly hidden?: readonly number[];
  /**
   * Whether the last biases start from initial weights of the target, for boxes around 0, from
   * which the rest of the network makes little. Default: false.
   */
  readonly centred?: boolean;
}

/**
 * An MLP with ReLU from embeddings to the weights of a target. A box with centre c and radius r ≥ 0
 * passes a linear layer as c ← W·c + b, r ← |W|·r, and a ReLU as l = ReLU(c − r),
 * h = ReLU(c + r), c ← (l + h)/2, r ← (h − l)/2. What it makes of any point of the box lies within
 * the bounds that it gives for the box; the middle of those is not what it makes of the centre.
 */
export class IntervalHypernet {
  /** The hidden layers. */
  readonly trunk: MLPTrunk;
  /** The output layer, to all weights. */
  readonly out: Linear;
  /** Names, shapes and offsets of the weights. */
  readonly layout: Layout;

  constructor(
    target: object,
    embedding: number,
    random: Random,
    { hidden = [75, 75], centred = false }: IntervalHypernetOptions = {},
  ) {
    const values = Object.fromEntries(parameterOwners(target).map(({ name, tensor }) => [name, tensor]));
    this.layout = new Layout(Object.fromEntries(Object.entries(values).map(([name, { shape }]) => [name, shape])));
    this.trunk = new MLPTrunk(embedding, hidden, random.split('trunk'));
    const outputs = once().create(this.layout, this.trunk.outFeatures, random.split('generator')).outputs();
    initializeOutputs(outputs, this.layout, values, 'hyperfan-in', random.split('init'));
    this.out = (outputs[0] as (typeof outputs)[number]).layer;
    if (centred) (this.out.bias as Tensor).assign(this.layout.pack(values));
  }

  /** Boxes of embeddings, centres and radii [B, d] → bounds of the weights by name, [B, …shape]. */
  generate(centre: Tensor, radius: Tensor): IntervalWeights {
    let [c, r] = [centre, radius];
    for (const layer of this.trunk.layers) {
      [c, r] = throughLinear(layer, c, r);
      const [low, high] = [relu(subtract(c, r)), relu(add(c, r))];
      [c, r] = [multiply(add(low, high), 0.5), multiply(subtract(high, low), 0.5)];
    }
    [c, r] = throughLinear(this.out, c, r);
    return {
      lower: this.layout.unpack(subtract(c, r)),
      middle: this.layout.unpack(c),
      upper: this.layout.unpack(add(c, r)),
    };
  }

  /** The weights of single embeddings [B, d], by name, [B, …shape]. */
  weights(embedding: Tensor): Record<string, Tensor> {
    return this.layout.unpack(this.out.forward(this.trunk.forward(embedding)));
  }
}

function throughLinear({ weight, bias }: Linear, c: Tensor, r: Tensor): [Tensor, Tensor] {
  return [linear(c, weight, bias), matmul(r, abs(weight), { transposeB: true })];
}

/** The bounds of one of B networks: [B, …shape] → […shape]. */
export function intervalWeightsOf(weights: IntervalWeights, network: number): IntervalWeights {
  const one = (side: Weights) => weightsOf(side, network);
  return { lower: one(weights.lower), middle: one(weights.middle), upper: one(weights.upper) };
}
