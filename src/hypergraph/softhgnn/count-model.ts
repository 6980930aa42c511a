// A density counter as a file: weights, and how pictures are read, so that new pictures are counted
// as those of training were.

import {
  type CountedReading,
  type ImageDataset,
  type ModelKind,
  type Picture,
  planesOf,
  readModelFile,
  writeModelFile,
} from '../../data/index.js';
import { loadState, SoftHGNN, type SoftHGNNOptions, stateOf } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { type CounterSizes, DensityCounter } from './counter.js';
import { countOf, densitiesOf } from './counting.js';
import type { DensityMap } from './tiles.js';

/** Name and version of the model file. */
export const COUNT_MODEL: ModelKind = {
  system: 'softhgnn',
  version: '1',
  madeBy: 'gossamer fit --model count-softhgnn',
};

/** In training: without it few pictures with few things leave every cell at 0 for good. */
const LEAK = 0.1;

/** What the file says beside its weights. */
export interface CountDescription extends Pick<ImageDataset, 'mean' | 'deviation'> {
  /** How pictures are read. */
  readonly reading: CountedReading;
  /** Side of the squares that a picture is cut into, in pixels. */
  readonly tile: number;
  /** Channels of the convolutions. */
  readonly widths: NonNullable<CounterSizes['widths']>;
  /** The soft hypergraph layer; none when there is none. */
  readonly context?: SoftHGNNOptions;
  /** What it was trained on. */
  readonly trained?: { readonly data: string; readonly pictures: number; readonly things: number };
}

/** What is counted in a picture. */
export interface Count {
  /** The sum of the density. */
  readonly count: number;
  /** Things in each cell of 8×8 pixels. */
  readonly density: DensityMap;
}

/** Counts what training marked in pictures, of any size. */
export class CountModel {
  constructor(
    readonly description: CountDescription,
    readonly network: DensityCounter,
  ) {}

  /** An untrained model. @throws RangeError for options of the layer that do not fit */
  static create(description: CountDescription, random: Random): CountModel {
    const { reading, widths, context } = description;
    const sizes = { channels: reading.channels, widths };
    const layer = context && ((features: number, own: Random) => new SoftHGNN(features, own, context));
    return new CountModel(description, new DensityCounter(sizes, random, { context: layer, leak: LEAK }));
  }

  /** Counts in a picture that was read as the description says. */
  count(picture: Picture): Count {
    const { tile, reading } = this.description;
    const own = { height: picture.height, width: picture.width, planes: planesOf(picture, reading.channels) };
    const density = densitiesOf(this.network, [own], tile, this.description)[0] as DensityMap;
    return { count: countOf(density), density };
  }

  /** The model as a file. */
  save(): Uint8Array {
    return writeModelFile(COUNT_MODEL, this.description, stateOf(this.network));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): CountModel {
    const { description, tensors } = readModelFile<CountDescription>(COUNT_MODEL, bytes, name);
    const model = CountModel.create(description, new Random(0));
    loadState(model.network, tensors);
    return model;
  }
}
