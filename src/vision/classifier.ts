// A classifier of images with all that its use needs: classes, size and statistics of its images. What `gossamer train` writes and `gossamer classify` reads.

import {
  bytesInMemory,
  type ImageDataset,
  imageTensor,
  isPlan,
  type ModelKind,
  modelDescription,
  modelMetadata,
  type Picture,
  planesOf,
  readModelFile,
  writeModelFile,
} from '../data/index.js';
import { type ImageTrainingOptions, trainOnImages } from '../models/index.js';
import {
  type FitResult,
  followsSteps,
  inference,
  isMergeable,
  type Layer,
  replaceWeights,
  stateOf,
} from '../nn/index.js';
import { Random, scope, softmax, type Tensor, zeros } from '../tensor/index.js';
import { type CompileOptions, compile, loadPlan, type Plan } from '../trace/index.js';
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

export const IMAGE_MODEL: ModelKind = { system: 'image-classifier', version: '1', madeBy: 'gossamer train' };

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

  /** Trains in place. Networks that follow the steps of their training do so, as VanillaNets fade their activations. */
  train(data: ImageDataset, random: Random, options: ImageTrainingOptions = {}): Promise<FitResult> {
    const { model } = this;
    const onStep: ImageTrainingOptions['onStep'] = (step, steps) => {
      if (followsSteps(model)) model.followStep(step, steps);
      options.onStep?.(step, steps);
    };
    return trainOnImages(model, data, random, { ...options, onStep });
  }

  /** The model for inference: networks with a merged form in that form. */
  deployed(): Layer {
    return deployedForm(this.model);
  }

  /** A static plan for batches of images. */
  plan(batch = 1, options: CompileOptions = {}): Plan {
    const model = this.deployed();
    const { channels, height, width } = this.description;
    return compile((x) => model.forward(x, inference), [zeros([batch, channels, height, width])], options);
  }

  /** What classifies pictures: the description and a plan of one image. */
  predictor(): ImagePredictor {
    return new ImagePredictor(this.description, this.plan());
  }

  /** The description, for a file of a plan too. */
  metadata(): Record<string, string> {
    return modelMetadata(IMAGE_MODEL, this.description);
  }

  save(): Uint8Array {
    return writeModelFile(IMAGE_MODEL, this.description, stateOf(this.model));
  }

  /** @throws Error when the file is not one, or its weights do not fit its architecture. */
  static load(bytes: Uint8Array, name = 'model'): ImageClassifier {
    if (isPlan(bytesInMemory(bytes, name)))
      throw new Error(`file "${name}" is a plan, which has no weights to train; give the model.safetensors beside it`);
    const { description, tensors } = readModelFile<ImageDescription>(IMAGE_MODEL, bytes, name);
    const model = modelOf(description, new Random(0));
    const missing = Object.keys(stateOf(model)).filter((key) => !tensors[key]);
    if (missing.length > 0)
      throw new Error(`file "${name}" lacks ${missing.slice(0, 3).join(', ')} of ${description.architecture}`);
    replaceWeights(model, tensors);
    return new ImageClassifier(description, model);
  }
}

/** Classifies pictures one by one, by a plan alone. */
export class ImagePredictor {
  constructor(
    readonly description: ImageDescription,
    readonly plan: Plan,
  ) {}

  /** A picture of the model's size as its input [1, channels, height, width]. @throws Error when it has another size. */
  inputOf(picture: Picture): Tensor {
    const { channels, height, width } = this.description;
    if (picture.height !== height || picture.width !== width)
      throw new Error(`a picture is ${picture.height}×${picture.width}, the model reads ${height}×${width}`);
    const pixels = planesOf(picture, channels);
    return imageTensor({ count: 1, channels, height, width, pixels, labels: Int32Array.of(0) }, [0], this.description);
  }

  /** Probability of each class. */
  predictProba(picture: Picture): Float32Array {
    return scope(() => softmax(this.plan.run(this.inputOf(picture))[0] as Tensor).dataSync<Float32Array>());
  }

  /** From a file of `gossamer compress` (a plan) or `gossamer train` (weights). @throws Error when it is neither. */
  static load(bytes: Uint8Array, name = 'model'): ImagePredictor {
    if (!isPlan(bytesInMemory(bytes, name))) return ImageClassifier.load(bytes, name).predictor();
    const plan = loadPlan(bytes);
    return new ImagePredictor(modelDescription<ImageDescription>(IMAGE_MODEL, plan.data.metadata ?? {}, name), plan);
  }
}

/** A network with a merged form in that form, any other as it is. */
export function deployedForm(model: Layer): Layer {
  return isMergeable(model) ? model.merged() : model;
}

function modelOf({ architecture, channels, height, width, classes }: ImageDescription, random: Random): Layer {
  if (height !== width && architecture.startsWith('deit'))
    throw new Error(`${architecture} needs square images, got ${height}×${width}`);
  return imageModel(architecture, { channels, classes: classes.length, size: height }, random);
}
