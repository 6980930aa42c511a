// Image augmentation and normalisation on bytes, in one pass. `augment` is sent to worker threads as source text, so it refers to nothing outside itself.

/** What is done to training images; each image's draws follow from the key and its number alone. */
export interface Augmentation {
  /** Shift by up to so many pixels each way, zeros (black) moving in: a random crop of the padded image. */
  readonly crop?: number;
  /** Mirror half of the images. */
  readonly flip?: boolean;
  /** Probability of greying out a random box of 2–33 % of the area (random erasing, Zhong et al. 2020). */
  readonly erase?: number;
  /** Largest relative change of brightness and contrast. */
  readonly jitter?: number;
}

export interface ImageBytes {
  readonly pixels: Uint8Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Chosen images as normalised floats [indices, channels, height, width]. */
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
