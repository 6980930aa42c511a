// GHN-3's decoder: a block of at most `width` × `width` channels and `kernel` × `kernel` pixels,
// which wide layers repeat (Knyazev, Hwang, Lacoste-Julien 2023).

import { Linear } from '../../nn/index.js';
import { permute, type Random, relu, reshape, resize, slice, type Tensor } from '../../tensor/index.js';
import type { WeightDecoder } from './decoder.js';
import type { Shape4d } from './sizes.js';

/** Sizes of a `TilingDecoder`. */
export interface TilingOptions {
  /** Width d of a node's vector. */
  readonly features: number;
  /** Channels of the block. */
  readonly width: number;
  /** Largest kernel of the block; larger ones are interpolated from it. */
  readonly kernel: number;
  /** Classes of the last layer, which has rows of its own. */
  readonly classes: number;
}

/**
 * The block decoder of GHN-3: d → 4d·k·k, ReLU, then for each pixel 4d → 8d (ReLU) → width²; a
 * layer takes the pixels about the centre. Gains and biases: d → 2d (ReLU) → 2·width. The last
 * layer has its rows by a linear map of the block's, width → classes.
 */
export class TilingDecoder implements WeightDecoder {
  /** [4d·k², d]. */
  readonly fc: Linear;
  /** [8d, 4d]. */
  readonly conv1: Linear;
  /** [width², 8d]. */
  readonly conv2: Linear;
  /** [classes, width]. */
  readonly classRows: Linear;
  /** [2d, d]. */
  readonly vector1: Linear;
  /** [2·width, 2d]. */
  readonly vector2: Linear;
  /** [classes, width]. */
  readonly classBias: Linear;

  constructor(
    readonly options: TilingOptions,
    random: Random,
  ) {
    const { features: d, width, kernel, classes } = options;
    this.fc = new Linear(d, 4 * d * kernel * kernel, random.split('fc'));
    this.conv1 = new Linear(4 * d, 8 * d, random.split('conv1'));
    this.conv2 = small(new Linear(8 * d, width * width, random.split('conv2')));
    this.classRows = small(new Linear(width, classes, random.split('class rows')));
    this.vector1 = new Linear(d, 2 * d, random.split('vector1'));
    this.vector2 = small(new Linear(2 * d, 2 * width, random.split('vector2')));
    this.classBias = new Linear(width, classes, random.split('class bias'));
  }

  decodedShape([out, inner, height, width]: Shape4d): Shape4d {
    const most = this.options.width;
    return [Math.min(out, most), Math.min(inner, most), height, width];
  }

  decodedLength(length: number): number {
    return Math.min(length, this.options.width);
  }

  weights(x: Tensor, [out, inner, height, width]: Shape4d, classifier: boolean): Tensor {
    const block = this.#block(x, Math.min(height, this.options.kernel), Math.min(width, this.options.kernel));
    const [g, all, , kh, kw] = block.shape as [number, number, number, number, number];
    const columns = slice(block, null, null, [0, inner]); // [g, width, inner, kh, kw]
    if (classifier && this.#isClassifier(out) && kh * kw === 1) {
      const rows = this.classRows.forward(relu(permute(reshape(columns, [g, all, inner]), [0, 2, 1])));
      return reshape(permute(rows, [0, 2, 1]), [g, out, inner, 1, 1]);
    }
    const rows = slice(columns, null, [0, out]);
    if (kh === height && kw === width) return rows;
    const sized = resize(reshape(rows, [g * out, inner, kh, kw]), [height, width]);
    return reshape(sized, [g, out, inner, height, width]);
  }

  vectors(x: Tensor, length: number, classifier: boolean): Tensor {
    const both = reshape(this.vector2.forward(this.vector1.forward(x, 'relu')), [x.shape[0] as number, 2, -1]);
    if (classifier && this.#isClassifier(length)) return this.classBias.forward(relu(both));
    return slice(both, null, null, [0, length]);
  }

  #isClassifier(rows: number): boolean {
    return rows === this.options.classes;
  }

  /** The pixels about the centre [g, width, width, kh, kw]. */
  #block(x: Tensor, kh: number, kw: number): Tensor {
    const { features: d, kernel, width } = this.options;
    const g = x.shape[0] as number;
    const centred = (size: number): [number, number] => {
      const start = Math.max(0, Math.floor(kernel / 2) - Math.floor(size / 2));
      return [start, start + size];
    };
    const pixels = slice(
      reshape(this.fc.forward(x, 'relu'), [g, 4 * d, kernel, kernel]),
      null,
      null,
      centred(kh),
      centred(kw),
    );
    const hidden = this.conv1.forward(permute(pixels, [0, 2, 3, 1]), 'relu'); // [g, kh, kw, 8d]
    return reshape(permute(this.conv2.forward(hidden), [0, 3, 1, 2]), [g, width, width, kh, kw]);
  }
}

/** A last layer with weights a fifth and biases 0, against a start that diverges. */
function small(layer: Linear): Linear {
  const { weight, bias } = layer;
  const values = weight.view<Float32Array>();
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / 5;
  bias?.view<Float32Array>().fill(0);
  return layer;
}
