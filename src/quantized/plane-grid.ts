// Where the pixels of maps lie in planes of bits, so that every tap of a convolution is a shift.
//
// A plane holds one channel of a batch, one bit a pixel and 128 in a vector, bit 1 for −1. Maps
// that later strides make f times smaller are held as f² phases: phase (py, px) has pixel (f·i +
// py, f·j + px) in cell (image·rows + i)·pitch + j. Cells outside of an image and the guard vectors
// around a plane hold −1, which is the padding. A convolution of stride s reads maps of f phases a
// side and writes f/s, in the same cells: no pixel moves between layers.

/** Bits of a vector. */
const VECTOR = 128;
/** Bits that a shift reads beyond a vector. */
const LOOKAHEAD = 64;

/** A map within a grid. */
export interface PlaneMap {
  /** Height and width in pixels. */
  readonly size: readonly [height: number, width: number];
  /** Phases a side: the product of the strides of all layers that follow. */
  readonly phases: number;
}

/** The cells that all maps of a chain of convolutions share. */
export class PlaneGrid {
  /** Rows of cells of an image, with one of padding where taps reach over the border. */
  readonly rows: number;
  /** Cells of a row. */
  readonly pitch: number;
  /** Vectors of a plane without its guards. */
  readonly vectors: number;
  /** Vectors of −1 before a plane, and behind it. */
  readonly guard: number;

  /**
   * @param images images of a batch
   * @param first the map before the first convolution
   * @param kernel side of the largest filters, odd
   */
  constructor(
    readonly images: number,
    { size: [height, width], phases }: PlaneMap,
    kernel: number,
  ) {
    const reach = (kernel - 1) / 2;
    this.rows = Math.ceil(height / phases) + reach;
    this.pitch = Math.ceil(width / phases) + reach;
    this.vectors = Math.ceil((images * this.rows * this.pitch) / VECTOR);
    this.guard = Math.ceil((reach * (this.pitch + 1) + LOOKAHEAD) / VECTOR);
  }

  /** Vectors of a plane with its guards. */
  get planeVectors(): number {
    return this.vectors + 2 * this.guard;
  }

  /** Bits that are 1 in the cells that no pixel of a map has: [phases², vectors·4] words. */
  mask({ size: [height, width], phases }: PlaneMap): Int32Array {
    const bits = new Uint8Array((phases ** 2 * this.vectors * VECTOR) / 8).fill(0xff);
    for (let phase = 0; phase < phases ** 2; phase++)
      for (let image = 0; image < this.images; image++)
        for (let y = Math.floor(phase / phases), i = 0; y < height; y += phases, i++)
          for (let x = phase % phases, j = 0; x < width; x += phases, j++) {
            const at = phase * this.vectors * VECTOR + (image * this.rows + i) * this.pitch + j;
            bits[at >> 3] = (bits[at >> 3] as number) & ~(1 << (at & 7));
          }
    return new Int32Array(bits.buffer);
  }
}
