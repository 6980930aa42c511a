// Which matrix-product tile this runtime's compiler does best: 4×8, or 6×8 where fused multiply-add
// exists. 6×8 is a few percent faster where all its accumulators stay in registers and half as fast
// where they do not, so the first large products alternate between the two and are timed. Both
// tiles give the same bits.

import type { FeatureLevel } from '../kernels.js';

/** Rows of a tile of the matrix product. */
export type TileRows = 4 | 6;

/** Operations below which a product is too short to time. */
const TIMED_FLOP = 8e6;
/**
 * Products of each tile that are timed; the best rate counts, so that those before optimised code
 * and those disturbed do not.
 */
const SAMPLES = 16;
/**
 * The tile of the nth timed product: alternates so that both get their share of any short pattern
 * of shapes (Thue–Morse).
 */
const timedTile = (count: number): TileRows => (count.toString(2).split('1').length % 2 ? 4 : 6);

/** Times both tiles on the first large products and keeps the faster. */
export class TileChoice {
  #settled: TileRows | undefined;
  #timed = 0;
  readonly #best = { 4: 0, 6: 0 };

  constructor(level: FeatureLevel) {
    if (level === 'simd') this.#settled = 4;
  }

  /** The tile to use where nothing can be timed. */
  get choice(): TileRows {
    return this.#settled ?? (this.#best[6] > this.#best[4] ? 6 : 4);
  }

  /** Runs a product of `flop` operations with the tile to use. */
  time(flop: number, product: (tileRows: TileRows) => void): void {
    if (this.#settled !== undefined || flop < TIMED_FLOP) {
      product(this.#settled ?? 4);
      return;
    }
    const tileRows = timedTile(this.#timed++);
    const start = performance.now();
    product(tileRows);
    this.#best[tileRows] = Math.max(this.#best[tileRows], flop / (performance.now() - start));
    if (this.#timed === 2 * SAMPLES) this.#settled = this.#best[6] > this.#best[4] ? 6 : 4;
  }
}
