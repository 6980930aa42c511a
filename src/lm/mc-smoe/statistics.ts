// Routing statistics of a mixture of experts on a calibration text: how often each expert is used,
// and how alike the router's outputs are.

import { randomWindows } from '../../data/index.js';
import type { Decoder } from '../../models/index.js';
import { type ExpertContext, expertContext } from '../../nn/index.js';
import { matmul, type Random, scope, type Tensor } from '../../tensor/index.js';

/** Statistics of one expert layer with E experts. */
export interface LayerStatistics {
  /** uₑ [E]: share of the slots that were routed to expert e; they sum to 1. */
  readonly usage: Float64Array;
  /** [E, E]: (cos(Hᵢ, Hⱼ) + 1)/2 of the logits Hᵢ of output i over all tokens. */
  readonly similarity: Float64Array;
}

/**
 * Statistics of every expert layer, over some batches.
 *
 * @param batches number of batches
 * @param run runs the model on a batch, with the record that its expert layers report to
 * @throws Error when the model has no experts, or when there are fewer tokens than experts.
 */
export function routingStatistics(
  batches: number,
  run: (batch: number, context: ExpertContext) => unknown,
): LayerStatistics[] {
  const layers: LayerSums[] = [];
  for (let batch = 0; batch < batches; batch++)
    scope(() => {
      const context = expertContext();
      run(batch, context);
      context.usage.forEach(({ counts, routing }, i) => {
        layers[i] ??= new LayerSums(counts.length);
        layers[i].add(counts, routing.logits);
      });
    });
  const [first] = layers;
  if (!first) throw new Error('routingStatistics: the model has no mixtures of experts; its layers are dense');
  if (first.tokens < first.count)
    throw new Error(
      `routingStatistics: ${first.tokens} tokens of calibration for ${first.count} experts; take a longer text`,
    );
  return layers.map((layer) => layer.statistics());
}

/** Calibration text of a decoder. */
export interface CalibrationOptions {
  /** Windows of the text, at random places. Default: 256. */
  readonly windows?: number;
  /** Tokens of a window. Default: 64. */
  readonly length?: number;
}

/** `routingStatistics` of a decoder on windows of a text, of which none is padded. */
export function decoderStatistics(
  model: Decoder,
  tokens: Int32Array,
  random: Random,
  { windows = 256, length = 64 }: CalibrationOptions = {},
): LayerStatistics[] {
  const size = Math.min(windows, 16);
  return routingStatistics(Math.ceil(windows / size), (batch, context) =>
    model.forward(randomWindows(tokens, size, length, random.split(batch)).inputs, context),
  );
}

/**
 * [E, E]: (cos + 1)/2 of the rows of a matrix [E, n], such as the weights of routers or experts.
 */
export function rowSimilarity(rows: Tensor): Float64Array {
  const count = rows.shape[0] as number;
  const products = scope(() => Float64Array.from(matmul(rows, rows, { transposeB: true }).view<Float32Array>()));
  return similarityOf(count, (i, j) => products[i * count + j] as number);
}

/** (cos + 1)/2 from inner products; 0.5 beside a zero vector. */
function similarityOf(count: number, product: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: count * count }, (_, at) => {
    const [i, j] = [Math.floor(at / count), at % count];
    const norms = Math.sqrt(product(i, i) * product(j, j));
    return norms > 0 ? (product(i, j) / norms + 1) / 2 : 0.5;
  });
}

/** Sums over tokens: slots by expert, and HᵀH of the logits. */
class LayerSums {
  readonly #slots: Float64Array;
  readonly #products: Float64Array;
  tokens = 0;

  constructor(readonly count: number) {
    this.#slots = new Float64Array(count);
    this.#products = new Float64Array(count * count);
  }

  add(counts: Int32Array, logits: Tensor): void {
    const values = logits.view<Float32Array>();
    const { count } = this;
    counts.forEach((slots, e) => {
      this.#slots[e] = (this.#slots[e] as number) + slots;
    });
    for (let first = 0; first < values.length; first += count)
      for (let i = 0; i < count; i++)
        for (let j = 0; j <= i; j++) {
          const at = i * count + j;
          this.#products[at] =
            (this.#products[at] as number) + (values[first + i] as number) * (values[first + j] as number);
        }
    this.tokens += values.length / count;
  }

  statistics(): LayerStatistics {
    const { count } = this;
    const total = this.#slots.reduce((sum, slots) => sum + slots, 0);
    const product = (i: number, j: number) => this.#products[Math.max(i, j) * count + Math.min(i, j)] as number;
    const similarity = similarityOf(count, product);
    return { usage: this.#slots.map((slots) => slots / total), similarity };
  }
}
