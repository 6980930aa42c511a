// A student of LightHGNN as a file: the perceptron, the names of its classes, and nothing of the
// hypergraph.

import { type ModelKind, readModelFile, writeModelFile } from '../data/index.js';
import { type Features, featureCount, inference, type MLP, stateOf } from '../nn/index.js';
import { scope, softmax } from '../tensor/index.js';
import { perceptronFrom } from './training.js';

/** Name and version of a student's model file. */
export const STUDENT_MODEL: ModelKind = { system: 'lighthgnn', version: '1', madeBy: 'gossamer run lighthgnn' };

interface Description {
  readonly classes: readonly string[];
}

/** Classifies vertices by their own features alone. */
export class StudentModel {
  constructor(
    readonly classes: readonly string[],
    readonly network: MLP,
  ) {}

  /**
   * Probability of each class [vertices, classes], row after row.
   *
   * @param name what errors call the features
   * @throws Error when the features are not as many as in training
   */
  predictProba(features: Features, name = 'the table'): Float32Array {
    const expected = this.network.blocks[0]?.linear.inFeatures;
    const found = featureCount(features);
    if (found !== expected) throw new Error(`"${name}" has ${found} features a vertex, the model expects ${expected}`);
    return scope(() => softmax(this.network.forward(features, inference)).dataSync<Float32Array>());
  }

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as the data that it was trained on
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    return writeModelFile(
      STUDENT_MODEL,
      { ...more, classes: this.classes } satisfies Description,
      stateOf(this.network),
    );
  }

  /** @throws Error when the file is no student, or of another version */
  static load(bytes: Uint8Array, name = 'model'): StudentModel {
    const { description, tensors } = readModelFile<Description>(STUDENT_MODEL, bytes, name);
    return new StudentModel(description.classes, perceptronFrom(tensors));
  }
}
