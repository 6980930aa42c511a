// A classifier of images with all that its use needs: classes, size and statistics of its images. What `gossamer train` writes and `gossamer classify` reads.

import { type ImageDataset, type Picture, planesOf, readSafetensors, writeSafetensors } from '../data/index.js';
import { type ImageTrainingOptions, trainOnImages } from '../models/index.js';
import { type FitResult, inference, type Layer, replaceWeights, stateOf } from '../nn/index.js';
import { Random, scope, softmax, type Tensor, tensor, zeros } from '../tensor/index.js';
import { type CompileOptions, compile, type Plan } from '../trace/index.js';
import { LSNet } from './lsnet.js';
import { fadingAt, VanillaNet } from './vanillanet.js';
import { imageModel } from './zoo.js';

/** Written into the file beside the weights. */
export interface ImageDescription {
  readonly architecture: string;
  readonly classes: readonly string[];
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

const KEY = 'gossamer-images';

export class ImageClassifier {
  constructor(
    readonly description: ImageDescription,
    readonly model: Layer,
  ) {}

  /** A fresh model for a data set. */
  static create(architecture: string, data: ImageDataset, random: Random): ImageClassifier {
    const { channels, height, width } = data.train;
    const { classes, mean, deviation } = data;
    const description = { architecture, classes, channels, height, width, mean, deviation };
    return new ImageClassifier(description, modelOf(description, random));
  }

  /** Trains in place. VanillaNets fade their activations on the way. */
  train(data: ImageDataset, random: Random, options: ImageTrainingOptions = {}): Promise<FitResult> {
    const { model } = this;
    const onStep: ImageTrainingOptions['onStep'] = (step, steps) => {
      if (model instanceof VanillaNet && model.slope) model.lambda = fadingAt(step, steps);
      options.onStep?.(step, steps);
    };
    return trainOnImages(model, data, random, { ...options, onStep });
  }

  /** The model for inference: networks with a merged form in that form. */
  deployed(): Layer {
    const { model } = this;
    if (model instanceof LSNet && model.options.form !== 'merged') return model.merged();
    if (model instanceof VanillaNet && model.options.form !== 'merged') return model.merged();
    return model;
  }

  /** A static plan for batches of images. */
  plan(batch = 1, options: CompileOptions = {}): Plan {
    const model = this.deployed();
    const { channels, height, width } = this.description;
    return compile((x) => model.forward(x, inference), [zeros([batch, channels, height, width])], options);
  }

  /** Pictures of the model's size as its input [n, channels, height, width]. @throws Error when a picture has another size. */
  inputOf(pictures: readonly Picture[]): Tensor {
    const { channels, height, width, mean, deviation } = this.description;
    const plane = height * width;
    const values = new Float32Array(pictures.length * channels * plane);
    pictures.forEach((picture, image) => {
      if (picture.height !== height || picture.width !== width)
        throw new Error(`a picture is ${picture.height}×${picture.width}, the model reads ${height}×${width}`);
      planesOf(picture, channels).forEach((value, i) => {
        const channel = Math.floor(i / plane);
        values[image * channels * plane + i] =
          (value / 255 - (mean[channel] as number)) / (deviation[channel] as number);
      });
    });
    return tensor(values, [pictures.length, channels, height, width]);
  }

  /** Probabilities [pictures][classes] by a plan of one image. */
  predictProba(plan: Plan, pictures: readonly Picture[]): Float32Array[] {
    return pictures.map((picture) =>
      scope(() => softmax(plan.run(this.inputOf([picture]))[0] as Tensor).dataSync<Float32Array>()),
    );
  }

  save(metadata: Readonly<Record<string, string>> = {}): Uint8Array {
    return writeSafetensors(stateOf(this.model), { ...metadata, [KEY]: JSON.stringify(this.description) });
  }

  /** @throws Error when the file is not one, or its weights do not fit its architecture. */
  static load(bytes: Uint8Array, name = 'model'): ImageClassifier {
    const { tensors, metadata } = readSafetensors(bytes, name);
    const text = metadata[KEY];
    if (text === undefined) throw new Error(`file "${name}" is no model of gossamer train`);
    const description = JSON.parse(text) as ImageDescription;
    const model = modelOf(description, new Random(0));
    const missing = Object.keys(stateOf(model)).filter((key) => !tensors[key]);
    if (missing.length > 0)
      throw new Error(`file "${name}" lacks ${missing.slice(0, 3).join(', ')} of ${description.architecture}`);
    replaceWeights(model, tensors);
    return new ImageClassifier(description, model);
  }
}

function modelOf({ architecture, channels, height, width, classes }: ImageDescription, random: Random): Layer {
  if (height !== width && architecture.startsWith('deit'))
    throw new Error(`${architecture} needs square images, got ${height}×${width}`);
  return imageModel(architecture, { channels, classes: classes.length, size: height }, random);
}
