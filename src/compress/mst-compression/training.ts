// Training of binary networks towards short, shallow trees of channels.
//
//   loss = cross-entropy + λ(t)·(1/layers)·Σ_layers D̃_l
//
// λ(t) is 0 at first, then rises linearly to λ; trees follow the weights once in some steps, and
// are kept for the last part, so that the loss does not chase itself.

import type { ImageDataset } from '../../data/index.js';
import { type ImageTrainingOptions, trainOnImages } from '../../models/index.js';
import { type BinaryConv2d, binaryLayers, clipBinaryWeights, type FitResult, type Layer } from '../../nn/index.js';
import { multiply, type Random } from '../../tensor/index.js';
import { majoritySigns, type SignRows, spanningTree } from '../binary/index.js';
import { type LayerTree, orderChannels, requireSeveralChannels } from './order.js';
import { type Pull, treeDistance } from './tree-loss.js';

/** How trees are made short. */
export interface TreePullOptions {
  /** λ: weight of the mean tree distance of the layers. Default: 0.3. */
  readonly strength?: number;
  /** μ: weight of the distances to the root, which make trees shallow. Default: 0.25. */
  readonly centring?: number;
  /** Distance below which an edge is pulled no more, as a share of L. Default: 0.02. */
  readonly least?: number;
  /** Share of the steps before λ rises. Default: 0.6. */
  readonly start?: number;
  /** Share of the steps at which λ is reached, and trees are kept from. Default: 0.9. */
  readonly end?: number;
  /** Steps between two trees. Default: 1 epoch. */
  readonly every?: number;
  /**
   * `star`: channels are pulled to the majority of their signs at the start, not along trees.
   * Default: `tree`.
   */
  readonly towards?: 'tree' | 'star';
}

/** The channels of a binary layer. */
export function rowsOfLayer({ weight }: Pick<BinaryConv2d, 'weight'>): SignRows {
  const channels = weight.shape[0] as number;
  return { values: weight.view(), channels, length: weight.size / channels };
}

/** The pull on the layers of a network while it trains. A resumed training makes its trees anew. */
export class TreePull {
  readonly #layers: readonly BinaryConv2d[];
  readonly #options: Required<Omit<TreePullOptions, 'every'>>;
  readonly #every: number;
  #pulls: readonly Pull[] = [];
  #strength = 0;

  /**
   * @param epochSteps steps of an epoch
   * @throws Error for a network without binary layers, or with one of a single channel; RangeError
   * for options out of range
   */
  constructor(
    readonly model: object,
    epochSteps: number,
    {
      strength = 0.3,
      centring = 0.25,
      least = 0.02,
      start = 0.6,
      end = 0.9,
      every = epochSteps,
      towards = 'tree',
    }: TreePullOptions = {},
  ) {
    requireSeveralChannels('TreePull', model);
    if (!(strength >= 0 && centring >= 0 && least >= 0))
      throw new RangeError('TreePull: strength, centring and least must not be negative');
    if (!(start >= 0 && start <= end && end <= 1))
      throw new RangeError(`TreePull: start and end must ascend within 0 … 1, got ${start} and ${end}`);
    this.#layers = Object.values(binaryLayers(model));
    this.#options = { strength, centring, least, start, end, towards };
    this.#every = Math.max(1, every);
  }

  /** λ at a step. */
  strengthAt(step: number, steps: number): number {
    const { strength, start, end } = this.#options;
    const share = (step + 1) / steps;
    if (share <= start) return 0;
    return strength * Math.min(1, (share - start) / Math.max(end - start, 1 / steps));
  }

  /** Sets λ before a step, and makes trees anew where they are due. */
  followStep(step: number, steps: number): void {
    clipBinaryWeights(this.model);
    const { start, end, towards } = this.#options;
    this.#strength = this.strengthAt(step, steps);
    if (this.#strength === 0) return;
    const first = this.#pulls.length === 0;
    const due = Math.floor(step - start * steps) % this.#every === 0 && step < end * steps && towards === 'tree';
    if (first || due) this.#follow();
  }

  #follow(): void {
    const { centring, least, towards } = this.#options;
    this.#pulls = this.#layers.map((layer) => {
      const rows = rowsOfLayer(layer);
      const tree = spanningTree(rows);
      return { tree, centring, least, ...(towards === 'star' && { centre: majoritySigns(rows) }) };
    });
    this.#layers.forEach((layer, at) => {
      layer.term = (weight) =>
        this.#strength === 0
          ? undefined
          : multiply(treeDistance(weight, this.#pulls[at] as Pull), this.#strength / this.#layers.length);
    });
  }

  /** Ends the pull. */
  release(): void {
    clipBinaryWeights(this.model);
    for (const layer of this.#layers) layer.term = undefined;
  }
}

/** Options of `trainWithTrees`: of the pull, of the training, and the depth of the trees. */
export interface TreeTrainingOptions extends TreePullOptions, ImageTrainingOptions {
  /** Most edges between a channel and the root, or `auto` for the least of minimum trees. */
  readonly depth?: number | 'auto';
}

/** Result of `trainWithTrees`. */
export interface TreeTraining {
  /** Loss curve and outcome. */
  readonly training: FitResult;
  /** The trees of the final signs. */
  readonly trees: readonly LayerTree[];
}

/**
 * Trains a binary network with the tree terms, then orders its channels by the trees of its final
 * signs, in place.
 *
 * @example const { trees } = await trainWithTrees(new BinaryNet(random), data, random,
 * { strength: 0.3, epochs: 20, learningRate: 1e-3 });
 * @throws Error for a network without binary layers, before any training
 */
export async function trainWithTrees(
  model: Layer,
  data: ImageDataset,
  random: Random,
  { strength, centring, least, start, end, every, towards, depth = 'auto', ...training }: TreeTrainingOptions = {},
): Promise<TreeTraining> {
  const given = { strength, centring, least, start, end, every, towards };
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const pull = new TreePull(model, Math.ceil(data.train.count / (training.batchSize ?? 128)), options);
  try {
    const result = await trainOnImages(model, data, random, {
      learningRate: 1e-3,
      ...training,
      onStep: (step, steps) => {
        pull.followStep(step, steps);
        training.onStep?.(step, steps);
      },
    });
    return { training: result, trees: orderChannels(model, { depth }) };
  } finally {
    pull.release();
  }
}
