// Layers of blocks (BlockFFN) at inference: of the weights a pass reads those of blocks that any of
// its tokens uses.

import type { ExpertContext } from '../../nn/experts/index.js';
import { BlockMatrix, blocksDown, blocksUp, usedBlocks } from '../../quantized/index.js';
import { concatenate, slice, type Tensor } from '../../tensor/index.js';
import { gatedBlocks, ROUTER_EPSILON, reluGates } from '../blockffn/layer.js';
import type { BlockMatrices } from './block-weights.js';
import type { LanguageModelConfig } from './config.js';
import type { Loader } from './loader.js';
import { DenseMatrix, type WeightMatrix } from './matrix.js';

/** Most tokens whose union of blocks one product takes. */
const CHUNK = 64;

/** A layer of blocks on weights of any format. */
export class BlockFeedForward {
  constructor(
    readonly router: WeightMatrix,
    readonly norm: Tensor,
    readonly weights: BlockMatrices,
    readonly config: Required<NonNullable<LanguageModelConfig['blocks']>> & {
      readonly width: number;
      readonly features: number;
    },
  ) {}

  get matrices(): WeightMatrix[] {
    return [this.router, this.weights.up, this.weights.down];
  }

  /** All blocks: how many a token reads depends on the token. */
  get bytesPerToken(): number {
    return this.matrices.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Its router reads what the blocks read. */
  routeEarly(): undefined {}

  forward(x: Tensor, context: ExpertContext): Tensor {
    const { epsilon, execution } = this.config;
    const routed = reluGates(this.router.multiply(x), { weight: this.norm, epsilon });
    context.onGates?.(routed);
    if (execution === 'sparse') return this.#sparse(x, routed.gates);
    const { up, down } = this.weights;
    return gatedBlocks(
      x,
      routed.gates,
      (input) => up.multiply(input),
      (hidden) => down.multiply(hidden),
    );
  }

  /** Chunks of up to 64 tokens, each with the union of its blocks. */
  #sparse(x: Tensor, gates: Tensor): Tensor {
    const tokens = x.shape[0] as number;
    const parts: Tensor[] = [];
    for (let from = 0; from < tokens; from += CHUNK) {
      const rows: [number, number] = [from, Math.min(tokens, from + CHUNK)];
      parts.push(this.#chunk(tokens <= CHUNK ? x : slice(x, rows), tokens <= CHUNK ? gates : slice(gates, rows)));
    }
    return parts.length === 1 ? (parts[0] as Tensor) : concatenate(parts);
  }

  #chunk(x: Tensor, gates: Tensor): Tensor {
    const { width, features } = this.config;
    const used = usedBlocks(gates);
    // The store may drop the first matrix for the second, which is therefore fetched later.
    const hidden = blocksUp(x, heldBy(this.weights.up), gates, used, width);
    return blocksDown(hidden, heldBy(this.weights.down), used, features);
  }
}

/** The values of a matrix in memory. */
function heldBy(matrix: WeightMatrix): Tensor | BlockMatrix {
  const loaded = matrix.resident?.() ?? matrix;
  if (loaded instanceof DenseMatrix) return loaded.values;
  if (loaded instanceof BlockMatrix) return loaded;
  throw new Error(`a matrix of ${matrix.rows}×${matrix.columns} is not one of blocks`);
}

/** Loads the blocks of a layer. @throws Error naming a missing weight, or one of another shape. */
export function loadBlocks(loader: Loader, config: LanguageModelConfig, layer: number): BlockFeedForward {
  const { features, hidden: width, blocks } = config;
  if (!blocks) throw new Error('the configuration has no blocks');
  const { count, epsilon = ROUTER_EPSILON, execution = 'sparse' } = blocks;
  const router = loader.matrix('blockRouter', layer, [count, features]);
  const norm = loader.vector('routerNorm', layer, count);
  const weights = loader.blocks(layer, { count, width, features }, execution);
  return new BlockFeedForward(router, norm, weights, { count, epsilon, execution, width, features });
}
