// Transfer learning: a trained classifier gives its backbone to a new one of other classes.

import { shapesOnly } from '../engine/index.js';
import { followLayerKinds, stateOf } from '../nn/index.js';
import { formatShape, Random, scope } from '../tensor/index.js';
import type { ImageClassifier, ImageDescription } from './classifier.js';
import { type ImageShape, imageModel } from './zoo.js';

/** What transfer needs to know of a classifier. */
type Described = Pick<ImageDescription, 'architecture' | 'channels' | 'height' | 'width' | 'classes' | 'settings'>;

/** The path of the layer that holds a weight. */
const layerOf = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf('.')));

/** Tells the weights of the head: of the layers whose shapes follow the number of classes. */
export function headOf(description: Described): (name: string) => boolean {
  const layers = new Set(headNames(description).map(layerOf));
  return (name) => layers.has(layerOf(name));
}

/** Names of the weights whose shapes follow the number of classes. */
function headNames({ architecture, channels, height, width, settings = {} }: Described): string[] {
  const shapes = (classes: number) =>
    scope(() => {
      const shape: ImageShape = { channels, classes, size: height, imageWidth: width, settings };
      const state = stateOf(imageModel(architecture, shape, new Random(0)));
      return Object.entries(state).map(([name, { shape: own }]) => [name, own.join()] as const);
    });
  return shapesOnly(() => {
    const other = new Map(shapes(3));
    return shapes(2).flatMap(([name, shape]) => (other.get(name) === shape ? [] : [name]));
  });
}

/** What `transferWeights` did. */
export interface Transferred {
  /** Weights that were taken over. */
  readonly taken: number;
  /** Names of the weights that stay as they were made: the head, where classes differ. */
  readonly anew: readonly string[];
}

/**
 * Copies the weights of a trained classifier into one of the same architecture; where their classes
 * differ, all but the head.
 *
 * @throws Error naming what differs: the architecture, its settings, the channels, or the shape of
 * a weight, as with other image sizes or removed channels
 */
export function transferWeights(target: ImageClassifier, source: ImageClassifier): Transferred {
  const [own, given] = [target.description, source.description];
  const settings = ({ settings: all = {} }: Described) => JSON.stringify(Object.entries(all).sort());
  for (const [what, a, b] of [
    ['architecture', given.architecture, own.architecture],
    ['settings', settings(given), settings(own)],
    ['channels', given.channels, own.channels],
  ] as const)
    if (a !== b) throw new Error(`transferWeights: the trained network has ${what} ${a}, the new one ${b}`);
  const isSame = given.classes.join('\n') === own.classes.join('\n');
  const isAnew = isSame ? () => false : headOf(own);
  const weights = Object.fromEntries(Object.entries(stateOf(source.model)).filter(([name]) => !isAnew(name)));
  followLayerKinds(target.model, weights);
  const all = Object.entries(stateOf(target.model));
  const state = all.filter(([name]) => !isAnew(name));
  for (const [name, { shape }] of state) {
    const trained = weights[name];
    if (trained?.shape.join() === shape.join()) continue;
    throw new Error(
      `transferWeights: "${name}" is ${trained ? formatShape(trained.shape) : 'missing'} in the trained network, ${formatShape(shape)} in the new one for images of ${own.height}×${own.width}; it was made for ${given.height}×${given.width}, or channels were removed`,
    );
  }
  for (const [name, weight] of state) weight.assign(weights[name] as typeof weight);
  return { taken: state.length, anew: all.flatMap(([name]) => (isAnew(name) ? [name] : [])) };
}
