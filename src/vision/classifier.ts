// An image classifier with its classes and preprocessing (image size, mean, deviation): the model
// file that `gossamer train` writes and `gossamer classify` reads.

import {
  type Background,
  bytesInMemory,
  decodePicture,
  type ImageDataset,
  imageTensor,
  isPlan,
  type ModelKind,
  modelDescription,
  modelMetadata,
  type Picture,
  type PictureOptions,
  planesOf,
  readModelFile,
  writeModelFile,
} from '../data/index.js';
import {
  applyShape,
  type Genotype,
  type ImageTrainingOptions,
  type NetworkShape,
  replaceSpatial,
  type SpatialRule,
  trainOnImages,
} from '../models/index.js';
import {
  type FitResult,
  followLayerKinds,
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

/** Architecture, classes and preprocessing; stored as metadata of the model file. */
export interface ImageDescription {
  /** Name of the network, one of `imageModelNames`. */
  readonly architecture: string;
  /** Class names in the order of the logits. */
  readonly classes: readonly string[];
  /** 1 for greyscale, 3 for RGB. */
  readonly channels: number;
  /** Image height in pixels. */
  readonly height: number;
  /** Image width in pixels. */
  readonly width: number;
  /** Mean of each channel, subtracted from pixels in [0, 1]. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel, by which centred pixels are divided. */
  readonly deviation: readonly number[];
  /** What transparent pixels are laid on. Default: white. */
  readonly background?: Background;
  /** Hyperparameters of the network, see `imageModelSettings`. Default: none. */
  readonly settings?: Readonly<Record<string, number>>;
  /** Cells of the network, where a search found them. */
  readonly genotype?: Genotype;
  /** Rules that replaced spatial operations of the network, in order. Default: none. */
  readonly replaced?: readonly SpatialRule[];
  /** Widths and depths, where they are not those of the architecture. */
  readonly shape?: NetworkShape;
  /** What it was trained on, where that is known. */
  readonly trained?: ImageTrainingRecord;
}

/** What a classifier was trained on, and how well it did. */
export interface ImageTrainingRecord {
  /** Name or folder of the images. */
  readonly data: string;
  /** Training images of each class. */
  readonly images: readonly number[];
  /** Number of test images. */
  readonly testImages: number;
  /** Share of the test images that are classified correctly; none without test images. */
  readonly accuracy?: number;
}

/** Identifies model files of image classifiers. */
export const IMAGE_MODEL: ModelKind = { system: 'image-classifier', version: '1', madeBy: 'gossamer train' };

/** A network with its class names and preprocessing: create, train, deploy, save and load. */
export class ImageClassifier {
  constructor(
    readonly description: ImageDescription,
    readonly model: Layer,
  ) {}

  /**
   * Creates an untrained classifier for the image size and classes of a data set.
   *
   * @param architecture one of `imageModelNames`
   * @param settings of the architecture, see `imageModelSettings`
   * @param genotype cells that a search found, for `dass`
   * @param shape widths and depths that a search found
   * @throws Error for an unknown architecture or setting, one that does not take images of this
   * size, or a shape of another architecture
   */
  static create(
    architecture: string,
    data: ImageDataset,
    random: Random,
    settings: Readonly<Record<string, number>> = {},
    genotype?: Genotype,
    shape?: NetworkShape,
  ): ImageClassifier {
    const { channels, height, width } = data.train;
    const { classes, mean, deviation, background = 'white' } = data;
    const own = {
      ...(Object.keys(settings).length > 0 && { settings }),
      ...(genotype && { genotype }),
      ...(shape && { shape }),
    };
    const description = { architecture, classes, channels, height, width, mean, deviation, background, ...own };
    return new ImageClassifier(description, modelOf(description, random));
  }

  /**
   * Trains in place with `trainOnImages`. Networks with a step schedule (`FollowsSteps`, e.g. λ of
   * VanillaNet) are updated before each step, unless their training `continues`.
   */
  train(data: ImageDataset, random: Random, options: ImageTrainingOptions = {}): Promise<FitResult> {
    const { model } = this;
    const onStep: ImageTrainingOptions['onStep'] = (step, steps) => {
      if (followsSteps(model) && !options.continues) model.followStep(step, steps);
      options.onStep?.(step, steps);
    };
    return trainOnImages(model, data, random, { ...options, onStep });
  }

  /**
   * The same network with a record of its training in the description.
   *
   * @param accuracy on the test images; left out when there are none
   */
  trainedOn({ name, classes, train, test }: ImageDataset, accuracy?: number): ImageClassifier {
    const images = classes.map(() => 0);
    for (const label of train.labels) images[label] = (images[label] as number) + 1;
    const trained = { data: name, images, testImages: test.count, ...(accuracy !== undefined && { accuracy }) };
    return new ImageClassifier({ ...this.description, trained }, this.model);
  }

  /**
   * The same network with rules in the description that were applied to it, see
   * `replaceSpatialOps`: a saved file is read by them.
   */
  withReplaced(rules: readonly SpatialRule[]): ImageClassifier {
    if (rules.length === 0) return this;
    const replaced = [...(this.description.replaced ?? []), ...rules];
    return new ImageClassifier({ ...this.description, replaced }, this.model);
  }

  /**
   * A new network of the same description, with initial weights.
   *
   * @param shape its widths and depths. Default: those of the description
   */
  anew(random: Random, shape: NetworkShape | undefined = this.description.shape): ImageClassifier {
    const { trained: _, ...own } = this.description;
    const description = { ...own, ...(shape && { shape }) };
    return new ImageClassifier(description, modelOf(description, random));
  }

  /** The same network with a shape in the description that was applied to it, see `applyShape`. */
  withShape(shape: NetworkShape | undefined): ImageClassifier {
    return shape ? new ImageClassifier({ ...this.description, shape }, this.model) : this;
  }

  /** The network for inference: in merged form if it has one. */
  deployed(): Layer {
    return deployedForm(this.model);
  }

  /**
   * Compiles the deployed network for a batch size: [batch, channels, height, width] → logits
   * [batch, classes].
   */
  plan(batch = 1, options: CompileOptions = {}): Plan {
    const model = this.deployed();
    const { channels, height, width } = this.description;
    return compile((x) => model.forward(x, inference), [zeros([batch, channels, height, width])], options);
  }

  /** A predictor with a plan for a batch of one image. */
  predictor(): ImagePredictor {
    return new ImagePredictor(this.description, this.plan());
  }

  /** The description as file metadata, for plan files too. */
  metadata(): Record<string, string> {
    return modelMetadata(IMAGE_MODEL, this.description);
  }

  /** The classifier as a safetensors file. */
  save(): Uint8Array {
    return writeModelFile(IMAGE_MODEL, this.description, stateOf(this.model));
  }

  /**
   * Reads a file written by `save`.
   *
   * @param name used in error messages
   * @throws Error when the file is a plan or not an image classifier, or its weights do not fit the
   * architecture
   */
  static load(bytes: Uint8Array, name = 'model'): ImageClassifier {
    if (isPlan(bytesInMemory(bytes, name)))
      throw new Error(`file "${name}" is a plan, which has no weights to train; give the model.safetensors beside it`);
    const { description, tensors } = readModelFile<ImageDescription>(IMAGE_MODEL, bytes, name);
    const model = modelOf(description, new Random(0));
    followLayerKinds(model, tensors);
    const missing = Object.keys(stateOf(model)).filter((key) => !tensors[key]);
    if (missing.length > 0)
      throw new Error(`file "${name}" lacks ${missing.slice(0, 3).join(', ')} of ${description.architecture}`);
    replaceWeights(model, tensors);
    return new ImageClassifier(description, model);
  }
}

/** Classifies pictures one at a time with a compiled plan. */
export class ImagePredictor {
  constructor(
    readonly description: ImageDescription,
    readonly plan: Plan,
  ) {}

  /**
   * Decodes a picture as the network needs it: scaled to cover its size, laid on its background.
   *
   * @param options most pixels of a stored picture
   * @throws Error as `decodePicture` does
   */
  decode(bytes: Uint8Array, options: Pick<PictureOptions, 'maxPixels'> = {}): Promise<Picture> {
    const { height, width, background = 'white' } = this.description;
    return decodePicture(bytes, { ...options, height, width, background });
  }

  /**
   * Converts a picture to the normalised network input [1, channels, height, width].
   *
   * @throws Error when the picture has another size
   */
  inputOf(picture: Picture): Tensor {
    const { channels, height, width } = this.description;
    if (picture.height !== height || picture.width !== width)
      throw new Error(`a picture is ${picture.height}×${picture.width}, the model reads ${height}×${width}`);
    const pixels = planesOf(picture, channels);
    return imageTensor({ count: 1, channels, height, width, pixels, labels: Int32Array.of(0) }, [0], this.description);
  }

  /**
   * Probability of each class, [classes].
   *
   * @throws Error when the picture has another size
   */
  predictProba(picture: Picture): Float32Array {
    return scope(() => softmax(this.plan.run(this.inputOf(picture))[0] as Tensor).dataSync<Float32Array>());
  }

  /**
   * Reads a plan file of `gossamer compress` or a weights file of `gossamer train`.
   *
   * @param name used in error messages
   * @throws Error when it is neither
   */
  static load(bytes: Uint8Array, name = 'model'): ImagePredictor {
    if (!isPlan(bytesInMemory(bytes, name))) return ImageClassifier.load(bytes, name).predictor();
    const plan = loadPlan(bytes);
    return new ImagePredictor(modelDescription<ImageDescription>(IMAGE_MODEL, plan.data.metadata ?? {}, name), plan);
  }
}

/** The merged form of a network that has one; any other network unchanged. */
export function deployedForm(model: Layer): Layer {
  return isMergeable(model) ? model.merged() : model;
}

function modelOf(description: ImageDescription, random: Random): Layer {
  const { architecture, channels, height, width, classes, settings = {}, genotype, replaced = [] } = description;
  const sizes = { channels, classes: classes.length, size: height, imageWidth: width, settings, genotype };
  const model = imageModel(architecture, sizes, random);
  for (const rule of replaced) replaceSpatial(model, rule);
  if (description.shape)
    scope(() =>
      applyShape(model, description.shape as NetworkShape, zeros([1, channels, height, width]), random.split('shape')),
    );
  return model;
}
