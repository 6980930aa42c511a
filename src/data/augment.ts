// Augmentation and normalisation of 8-bit images in one pass. `augment` is sent to worker threads
// as source text, so it must not refer to anything outside its own body.

/**
 * Augmentation of training images. The draws of an image depend on the key and the image's index
 * alone.
 */
export interface Augmentation {
  /**
   * Random crop of the zero-padded image: a shift of up to this many pixels in each direction.
   * Default 0.
   */
  readonly crop?: number;
  /** Flip horizontally with probability 1/2. Default false. */
  readonly flip?: boolean;
  /**
   * Probability of random erasing: a box of 2–33 % of the area becomes the mean (Zhong et al.
   * 2020). Default 0.
   */
  readonly erase?: number;
  /** Largest relative change of brightness and contrast. Default 0. */
  readonly jitter?: number;
}

/** Images [count, channels, height, width] of 8 bits, with the statistics that normalise them. */
export interface ImageBytes {
  readonly pixels: Uint8Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/**
 * Augments and normalises a batch: (pixel/255 − mean) / deviation for each channel.
 *
 * @param indices the images of the batch
 * @param key seeds the draws, together with each image's index
 * @returns float32 values [indices, channels, height, width]
 */
export function augment(images: ImageBytes, indices: Int32Array, options: Augmentation, key: number): Float32Array {
  const { pixels, channels, height, width, mean, deviation } = images;
  const { crop = 0, flip = false, erase = 0, jitter = 0 } = options;
  const plane = height * width;
  const out = new Float32Array(indices.length * channels * plane);
  // A counter-based generator (SplitMix32): one stream an image.
  let state = 0;
  const draw = () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    state = Math.imul(key ^ 0x5bd1e995, 0x27d4eb2f) ^ Math.imul(index + 1, 0x165667b1);
    const shift = () => (crop ? Math.floor(draw() * (2 * crop + 1)) - crop : 0);
    const [down, right] = [shift(), shift()];
    const mirrored = flip && draw() < 0.5;
    const brightness = jitter ? 1 + (2 * draw() - 1) * jitter : 1;
    const contrast = jitter ? 1 + (2 * draw() - 1) * jitter : 1;
    for (let channel = 0; channel < channels; channel++) {
      const from = (index * channels + channel) * plane;
      const to = (i * channels + channel) * plane;
      const average = mean[channel] as number;
      const scale = 1 / (deviation[channel] as number);
      for (let y = 0; y < height; y++) {
        const sourceY = y + down;
        for (let x = 0; x < width; x++) {
          const sourceX = (mirrored ? width - 1 - x : x) + right;
          const inside = sourceY >= 0 && sourceY < height && sourceX >= 0 && sourceX < width;
          const value = inside ? (pixels[from + sourceY * width + sourceX] as number) / 255 : 0;
          const lit = jitter ? Math.min(1, Math.max(0, (value * brightness - average) * contrast + average)) : value;
          out[to + y * width + x] = (lit - average) * scale;
        }
      }
    }
    if (erase > 0 && draw() < erase) {
      const area = plane * (0.02 + 0.31 * draw());
      const ratio = Math.exp((2 * draw() - 1) * Math.log(3.3));
      const boxHeight = Math.min(height, Math.max(1, Math.round(Math.sqrt(area * ratio))));
      const boxWidth = Math.min(width, Math.max(1, Math.round(Math.sqrt(area / ratio))));
      const top = Math.floor(draw() * (height - boxHeight + 1));
      const left = Math.floor(draw() * (width - boxWidth + 1));
      for (let channel = 0; channel < channels; channel++)
        for (let y = top; y < top + boxHeight; y++) {
          const row = (i * channels + channel) * plane + y * width;
          out.fill(0, row + left, row + left + boxWidth);
        }
    }
  }
  return out;
}
