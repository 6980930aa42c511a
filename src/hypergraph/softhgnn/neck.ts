// A neck for detectors: soft hypergraphs between the maps of three scales.

import { convNorm } from '../../models/index.js';
import { type Layer, type Mode, runSequence, type Sequence, SoftHGNN, type SoftHGNNOptions } from '../../nn/index.js';
import { add, averagePool2d, concatenate, type Random, resize, slice, type Tensor } from '../../tensor/index.js';

/** Maps of three scales, the finest first; each has half the height and width of the one before. */
export type ThreeScales = readonly [fine: Tensor, middle: Tensor, coarse: Tensor];

/** Options of `HypergraphNeck`. */
export interface NeckOptions {
  /** c, channels of the block. Default: 32. */
  readonly width?: number;
  /**
   * The two branches side by side: soft hypergraph layers, or bottlenecks in their place. Default:
   * `soft`.
   */
  readonly branches?: 'soft' | 'bottleneck';
  /** Of the soft hypergraph layers. Default: 8 hyperedges, 8 heads, without γ. */
  readonly soft?: SoftHGNNOptions;
}

/** x + two 3×3 convolutions, each with batch norm and ReLU. */
class Bottleneck implements Layer {
  readonly layers: Sequence;

  constructor(width: number, random: Random) {
    this.layers = [...convNorm(width, width, 3, random.split(0)), ...convNorm(width, width, 3, random.split(1))];
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return add(x, runSequence(this.layers, x, mode));
  }
}

/**
 * The three scales meet at the middle one: halved by pooling, as they are, doubled by repetition; a
 * 1×1 convolution makes c channels of them, another 3c in three parts. The first stays, two
 * branches of soft hypergraphs read the second, bottlenecks the third; what all give is joined and
 * returned to each scale, where a 1×1 convolution merges it with the scale's own map.
 *
 * **Shapes**: [B, cᵢ, Hᵢ, Wᵢ] for three scales → the same shapes.
 */
export class HypergraphNeck {
  /** Σcᵢ → c at the middle scale. */
  readonly fuse: Sequence;
  /** c → 3c. */
  readonly split: Sequence;
  /** Two layers on the second part. */
  readonly branches: readonly Layer[];
  /** Two layers on the third part. */
  readonly bottlenecks: readonly Layer[];
  /** All parts → c. */
  readonly join: Sequence;
  /** c → cᵢ of each scale. */
  readonly give: readonly Sequence[];
  /** 2cᵢ → cᵢ of each scale. */
  readonly merge: readonly Sequence[];
  /** c */
  readonly width: number;

  /** @param channels of the three scales, the finest first */
  constructor(channels: readonly [number, number, number], random: Random, options: NeckOptions = {}) {
    const { width = 32, branches = 'soft', soft } = options;
    this.width = width;
    const pointwise = (from: number, to: number, label: string) => convNorm(from, to, 1, random.split(label));
    this.fuse = pointwise(
      channels.reduce((a, b) => a + b),
      width,
      'fuse',
    );
    this.split = pointwise(width, 3 * width, 'split');
    const own: SoftHGNNOptions = { hyperedges: 8, heads: 8, gate: false, ...soft };
    this.branches = [0, 1].map((at) => {
      const stream = random.split(`branch ${at}`);
      return branches === 'soft' ? new SoftHGNN(width, stream, own) : new Bottleneck(width, stream);
    });
    this.bottlenecks = [0, 1].map((at) => new Bottleneck(width, random.split(`bottleneck ${at}`)));
    this.join = pointwise(4 * width, width, 'join');
    this.give = channels.map((own, at) => pointwise(width, own, `give ${at}`));
    this.merge = channels.map((own, at) => pointwise(2 * own, own, `merge ${at}`));
  }

  /** Maps of three scales → the same shapes. @throws Error unless each scale halves the last */
  forward(maps: ThreeScales, mode: Mode): ThreeScales {
    const [fine, middle, coarse] = maps;
    const size = middle.shape.slice(2) as [number, number];
    const [fineSize, coarseSize] = [fine, coarse].map((map) => map.shape.slice(2) as [number, number]) as [
      [number, number],
      [number, number],
    ];
    if (size.some((side, axis) => fineSize[axis] !== 2 * side || 2 * (coarseSize[axis] as number) !== side))
      throw new Error(
        `HypergraphNeck: each scale must have half the height and width of the one before, got ${[fineSize, size, coarseSize].map((own) => own.join('×')).join(', ')}`,
      );
    const met = concatenate([averagePool2d(fine, 2), middle, resize(coarse, size, { mode: 'nearest' })], 1);
    const parts = runSequence([this.fuse, this.split], met, mode);
    const part = (at: number) => slice(parts, null, [at * this.width, (at + 1) * this.width]);
    const joined = concatenate(
      [
        part(0),
        ...this.branches.map((branch) => branch.forward(part(1), mode)),
        runSequence(this.bottlenecks, part(2), mode),
      ],
      1,
    );
    const context = runSequence(this.join, joined, mode);
    const scaled = [resize(context, fineSize, { mode: 'nearest' }), context, averagePool2d(context, 2)];
    return maps.map((map, at) => {
      const given = runSequence(this.give[at] as Sequence, scaled[at] as Tensor, mode);
      return runSequence(this.merge[at] as Sequence, concatenate([map, given], 1), mode);
    }) as unknown as ThreeScales;
  }
}
