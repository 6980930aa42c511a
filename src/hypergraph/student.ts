// A student of LightHGNN as a file: the perceptron, the names of its classes and features, how
// features are prepared, and nothing of the hypergraph.

import { type ModelKind, readModelFile, writeModelFile } from '../data/index.js';
import { type Features, featureCount, inference, type MLP, stateOf } from '../nn/index.js';
import { SparseMatrix } from '../sparse/index.js';
import { applyStatistics, type ColumnStatistics } from '../structure/index.js';
import { scope, softmax, tensor } from '../tensor/index.js';
import { perceptronFrom } from './training.js';

/** Name and version of a student's model file. */
export const STUDENT_MODEL: ModelKind = { system: 'lighthgnn', version: '1', madeBy: 'gossamer run lighthgnn' };

/** How a student's features are called and prepared. */
export interface StudentInputs {
  /** Names of the features, in order; not checked when left out. */
  readonly columns?: readonly string[];
  /** `rows`: each row is divided by its L1 norm; `columns`: by `statistics`. Default: `none`. */
  readonly scaling?: 'none' | 'rows' | 'columns';
  /** Mean and deviation of each column, for `columns`. */
  readonly statistics?: ColumnStatistics;
  /** Whether features were made from the hypergraph, so that there are none of new vertices. */
  readonly structural?: boolean;
}

/** Vertices to classify by their own features. */
export interface StudentTable {
  /** Features [vertices, d] as in the data, before scaling. */
  readonly features: Features;
  /** Names of the features, in order. */
  readonly featureNames?: readonly string[];
}

interface Description extends Omit<StudentInputs, 'statistics'> {
  readonly classes: readonly string[];
  readonly means?: readonly number[];
  readonly deviations?: readonly number[];
}

/** Classifies vertices by their own features alone. */
export class StudentModel {
  constructor(
    readonly classes: readonly string[],
    readonly network: MLP,
    readonly inputs: StudentInputs = {},
  ) {}

  /**
   * Probability of each class [vertices, classes], row after row.
   *
   * @param name what errors call the features
   * @throws Error when the features are not those of training, or were made from the hypergraph
   */
  predictProba({ features, featureNames }: StudentTable, name = 'the table'): Float32Array {
    if (this.inputs.structural)
      throw new Error(
        'the model was trained without features of the vertices: its inputs were made from the hypergraph, so a new ' +
          'vertex needs its hyperedges; add them to the folder and run again (predictions.csv has all its vertices)',
      );
    const expected = this.network.blocks[0]?.linear.inFeatures;
    const found = featureCount(features);
    if (found !== expected) throw new Error(`"${name}" has ${found} features a vertex, the model expects ${expected}`);
    const { columns } = this.inputs;
    const wrong = columns && featureNames ? columns.findIndex((column, at) => column !== featureNames[at]) : -1;
    if (wrong >= 0)
      throw new Error(`"${name}" has "${featureNames?.[wrong]}" where the model expects feature "${columns?.[wrong]}"`);
    return this.classify(scaledFeatures(features, this.inputs));
  }

  /** Probability of each class from features that are scaled already. */
  classify(features: Features): Float32Array {
    return scope(() => softmax(this.network.forward(features, inference)).dataSync<Float32Array>());
  }

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as the data that it was trained on
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    const { statistics, ...inputs } = this.inputs;
    const columns = statistics && { means: [...statistics.means], deviations: [...statistics.deviations] };
    return writeModelFile(
      STUDENT_MODEL,
      { ...more, classes: this.classes, ...inputs, ...columns } satisfies Description,
      stateOf(this.network),
    );
  }

  /** @throws Error when the file is no student, or of another version */
  static load(bytes: Uint8Array, name = 'model'): StudentModel {
    const { description, tensors } = readModelFile<Description>(STUDENT_MODEL, bytes, name);
    const { classes, columns, scaling, structural, means, deviations } = description;
    return new StudentModel(classes, perceptronFrom(tensors), {
      ...(columns && { columns }),
      ...(scaling && { scaling }),
      ...(structural && { structural }),
      ...(means &&
        deviations && {
          statistics: { means: Float32Array.from(means), deviations: Float32Array.from(deviations) },
        }),
    });
  }
}

/** Features as training scaled them. */
function scaledFeatures(features: Features, { scaling = 'none', statistics }: StudentInputs): Features {
  if (scaling === 'none') return features;
  const width = featureCount(features);
  const table = features instanceof SparseMatrix ? scope(() => features.toDense().dataSync()) : features.dataSync();
  const values = Float32Array.from(table);
  if (scaling === 'columns' && statistics) applyStatistics(values, statistics);
  else divideRows(values, width);
  return tensor(values, [values.length / width, width]);
}

/** Divides each row by the sum of its magnitudes, in place; rows of zeros stay. */
function divideRows(values: Float32Array, width: number): void {
  for (let from = 0; from < values.length; from += width) {
    const row = values.subarray(from, from + width);
    const norm = row.reduce((total, value) => total + Math.abs(value), 0) || 1;
    row.forEach((value, at) => {
      row[at] = value / norm;
    });
  }
}
