// Small pictures of images, for reports.

import type { LabelledImages } from './images.js';
import type { Picture } from './pictures.js';

/**
 * An image as a picture of at most `most` pixels a side: blocks of pixels are averaged, and what
 * does not fill a block at the right and the bottom is left out.
 *
 * @param image number of the image
 */
export function thumbnail(images: LabelledImages, image: number, most = 96): Picture {
  const { channels, height, width, pixels } = images;
  const side = Math.max(1, Math.ceil(Math.max(height, width) / most));
  const [rows, columns] = [Math.max(1, Math.floor(height / side)), Math.max(1, Math.floor(width / side))];
  const [down, across] = [Math.min(side, height), Math.min(side, width)];
  const result = new Uint8Array(3 * rows * columns);
  for (let channel = 0; channel < 3; channel++) {
    // The one channel of grey images is that of all colours.
    const from = (image * channels + Math.min(channel, channels - 1)) * height * width;
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        let sum = 0;
        for (let dy = 0; dy < down; dy++)
          for (let dx = 0; dx < across; dx++) sum += pixels[from + (y * side + dy) * width + x * side + dx] as number;
        result[3 * (y * columns + x) + channel] = Math.round(sum / (down * across));
      }
  }
  return { height: rows, width: columns, pixels: result };
}
