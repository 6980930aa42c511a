// Vectors of pictures: what a network knows of an image before it is classified.

import { inference, type Layer, type Mode } from '../nn/index.js';
import { globalAveragePool, type Tensor } from '../tensor/index.js';
import type { MapBackbone } from './pyramid.js';

/** A network that tells what its classifier reads. */
interface Embedder extends Layer {
  embed(x: Tensor, mode: Mode): Tensor;
}

/**
 * Images [n, channels, h, w] → vectors [n, features]: what the classifier of a network reads where
 * the network tells that, else the means of its last map.
 *
 * @param network named by this word in the error
 * @throws Error for a network that has neither
 */
export function pictureFeatures(model: Layer, images: Tensor, network = 'the network'): Tensor {
  if ('embed' in model && typeof model.embed === 'function') return (model as Embedder).embed(images, inference);
  if ('maps' in model && typeof model.maps === 'function')
    return globalAveragePool((model as MapBackbone).maps(images, inference).at(-1) as Tensor);
  throw new Error(`pictureFeatures: ${network} tells no maps; EMOv2, LSNet, MobileNet V2, ResNet and ViT do`);
}
