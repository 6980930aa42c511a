// Loads the weights of a decoder by role and checks their shapes.

import type { ExpertBlockSizes } from '../../quantized/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { BlockMatrices } from './block-weights.js';
import type { WeightMatrix } from './matrix.js';
import type { GlobalRole, LayerRole } from './weight-names.js';
import type { WeightSource } from './weights.js';

const placeOf = (role: LayerRole | GlobalRole, layer: number | undefined) =>
  layer === undefined ? `"${role}"` : `"${role}" of layer ${layer}`;

/**
 * Weights with checked shapes. All methods throw an Error naming a weight that is missing or of
 * another shape.
 */
export class Loader {
  constructor(readonly source: WeightSource) {}

  matrix(role: LayerRole | GlobalRole, layer: number | undefined, shape: readonly [number, number]): WeightMatrix {
    return this.checked(this.source.matrix(role, layer), role, layer, shape);
  }

  checked(
    matrix: WeightMatrix | undefined,
    role: LayerRole | GlobalRole,
    layer: number | undefined,
    [rows, columns]: readonly [number, number],
  ): WeightMatrix {
    const place = placeOf(role, layer);
    if (!matrix) throw new Error(`the model lacks the weights ${place}`);
    if (matrix.rows !== rows || matrix.columns !== columns)
      throw new Error(`the weights ${place} are ${matrix.rows}×${matrix.columns}, expected ${rows}×${columns}`);
    return matrix;
  }

  /** The matrices of all experts of a layer. */
  experts(role: 'gate' | 'up' | 'down', layer: number, count: number, sparse = false): readonly WeightMatrix[] {
    const all = this.source.experts(role, layer, count, sparse);
    if (!all) throw new Error(`the model lacks the experts ${placeOf(role, layer)}`);
    return all;
  }

  /** W_up and W_down of a layer of blocks. */
  blocks(layer: number, sizes: ExpertBlockSizes, execution: 'sparse' | 'dense'): BlockMatrices {
    const found = this.source.blocks?.(layer, sizes, execution);
    if (!found) throw new Error(`the model lacks the blocks "up" and "down" of layer ${layer}`);
    return found;
  }

  /** A tensor of `size` elements, of any shape. */
  vector(role: LayerRole | GlobalRole, layer: number | undefined, size: number): Tensor {
    const vector = this.optional(role, layer, size);
    if (!vector) throw new Error(`the model lacks the weights ${placeOf(role, layer)}`);
    return vector;
  }

  optional(role: LayerRole | GlobalRole, layer: number | undefined, size: number): Tensor | undefined {
    const vector = this.source.vector(role, layer);
    if (vector && vector.size !== size)
      throw new Error(`the weights ${placeOf(role, layer)} have ${vector.size} elements, expected ${size}`);
    return vector;
  }
}
