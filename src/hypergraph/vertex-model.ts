// A student of LightHGNN for vertices by name, with how its inputs are made: from columns of a
// table, or, where vertices have none, from who shares hyperedges with them.

import {
  columnsFor,
  type EncodedColumn,
  encodeColumns,
  encodingOf,
  type NamedHypergraph,
  readModelFile,
} from '../data/index.js';
import { Random, type Tensor } from '../tensor/index.js';
import { projectedNeighbours } from './projected.js';
import { STUDENT_MODEL, StudentModel } from './student.js';

/** How the inputs of vertices are made. */
export type VertexInputs =
  /** From columns of the table of vertices. */
  | { readonly columns: readonly EncodedColumn[] }
  /** From so many random projections of their neighbours. */
  | { readonly projections: number };

/** What a student was trained on, for people. */
export interface VertexTraining {
  /** Name of the data. */
  readonly data: string;
  /** Number of vertices. */
  readonly vertices: number;
  /** Number of hyperedges. */
  readonly hyperedges: number;
  /** Network that taught. */
  readonly teacher: string;
  /** Scores in % by name. */
  readonly scores: Readonly<Record<string, number>>;
}

/** What the file says beside the student. */
interface Description {
  readonly vertexInputs?: VertexInputs | undefined;
  readonly training?: VertexTraining | undefined;
}

/**
 * The inputs that a hypergraph offers: its columns where it has some, else projections.
 *
 * @param train vertices whose mean and deviation count
 */
export function vertexInputsOf({ rows }: NamedHypergraph, train: Int32Array, projections: number): VertexInputs {
  return rows && rows.columns.length > 0 ? { columns: encodingOf(rows.columns, train) } : { projections };
}

/**
 * Inputs [N, d] of the vertices of a hypergraph.
 *
 * @throws Error naming a column that is missing or of another kind, or a vertex without a line
 */
export function inputsOf(data: NamedHypergraph, inputs: VertexInputs): Tensor {
  const { rows, vertexNames, name, hypergraph } = data;
  if ('projections' in inputs)
    return projectedNeighbours(hypergraph, vertexNames, new Random(0).split('neighbours'), inputs.projections);
  const columns = rows ? columnsFor(rows, vertexNames, name) : [];
  return encodeColumns(columns, inputs.columns, vertexNames.length, `vertices of "${name}"`);
}

/** Classifies vertices of a table or of a hypergraph. */
export class VertexModel {
  constructor(
    readonly student: StudentModel,
    /** How inputs are made; undefined for a student of features that are given as they are. */
    readonly inputs: VertexInputs | undefined,
    readonly training?: VertexTraining,
  ) {}

  /** Probability of each class [vertices, classes] of the vertices of a hypergraph. */
  predictProba(data: NamedHypergraph): Float32Array {
    if (!this.inputs) throw new Error('VertexModel: the student takes features; call student.predictProba');
    return this.student.classify(inputsOf(data, this.inputs));
  }

  /** The model as a file, which `StudentModel.load` reads too. */
  save(): Uint8Array {
    return this.student.save({ training: this.training, vertexInputs: this.inputs } satisfies Description);
  }

  /** @throws Error when the file is no student, or of another version */
  static load(bytes: Uint8Array, name = 'model'): VertexModel {
    const { vertexInputs, training } = readModelFile<Description>(STUDENT_MODEL, bytes, name).description;
    return new VertexModel(StudentModel.load(bytes, name), vertexInputs, training);
  }
}
