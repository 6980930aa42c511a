// What networks read of the nodes of a heterogeneous graph: features of each type, prepared as in
// training, and kept as plain data with the model.

import type { NamedHeteroGraph, NodesOfType } from '../data/index.js';
import { type Features, featureCount } from '../nn/index.js';
import { SparseMatrix } from '../sparse/index.js';
import { gaussianOfNames } from '../structure/index.js';
import { keep, multiply, normalizeRows, type Random, scope } from '../tensor/index.js';
import type { TypedFeatures } from './conv/index.js';
import { attributeFeatures, fitInputs, type NodeInputs } from './node-inputs.js';
import { RandomProjection } from './rphgnn/projection.js';

/** How the features of a type follow from its attributes, or from the names of its nodes. */
export type TypeInputs =
  | Exclude<NodeInputs, { readonly kind: 'structure' }>
  /** Gaussian vectors of length 1 in the mean, by name. */
  | { readonly kind: 'random'; readonly width: number };

/** How the features of all types are made. */
export interface TypedInputs {
  /** By type. */
  readonly types: Readonly<Record<string, TypeInputs>>;
  /** Features of more columns are projected to so many at random; 0 for none. */
  readonly projectTo: number;
}

/** The inputs of a graph, and what they leave out. */
export interface FittedTypedInputs {
  /** How features are made. */
  readonly inputs: TypedInputs;
  /** Attributes that are left out, in sentences. */
  readonly notes: readonly string[];
}

/** Options of `fitTypedInputs`. */
export interface TypedInputOptions {
  /** Width of the vectors of nodes without features. Default: 256. */
  readonly randomWidth?: number;
  /** Features of more columns are projected to so many at random; 0 for none. Default: 0. */
  readonly projectTo?: number;
}

/**
 * Chooses how the features of each type are made: of the matrix where there is one, of attributes,
 * or at random.
 *
 * @param without attributes that are no inputs, such as the class, by type
 */
export function fitTypedInputs(
  { nodes }: NamedHeteroGraph,
  without: Readonly<Record<string, readonly string[]>>,
  { randomWidth = 256, projectTo = 0 }: TypedInputOptions = {},
): FittedTypedInputs {
  const notes: string[] = [];
  const types = Object.fromEntries(
    [...nodes].map(([type, own]): [string, TypeInputs] => {
      const { inputs, leftOut } = fitInputs(own, without[type] ?? []);
      for (const [column, reason] of leftOut) notes.push(`${type}: column "${column}" is left out: ${reason}`);
      return [type, inputs.kind === 'structure' ? { kind: 'random', width: randomWidth } : inputs];
    }),
  );
  return { inputs: { types, projectTo }, notes };
}

/**
 * The features of the nodes of each type [n, d] as in training: rows of counts and of sparse
 * matrices of length 1, standardised columns divided by √d.
 *
 * @param random stream of random vectors and projections, the same in training and for an answer
 * @param note called with what is unknown, such as categories that training did not have
 * @throws Error naming the type and the attributes that are missing, or are of another kind
 */
export function typedFeatures(
  { types, projectTo }: TypedInputs,
  { name, nodes }: Pick<NamedHeteroGraph, 'name' | 'nodes'>,
  random: Random,
  note?: (text: string) => void,
): TypedFeatures {
  return new Map(
    Object.entries(types).flatMap(([type, inputs]): [string, Features][] => {
      const own = nodes.get(type);
      if (!own) return [];
      const noteOf = note && ((text: string) => note(`${type}: ${text}`));
      const features = featuresOfType(
        inputs,
        { ...own, name: `${name}: ${type}` },
        random.split('nodes').split(type),
        noteOf,
      );
      return [[type, narrowed(features, projectTo, random.split('project').split(type))]];
    }),
  );
}

/**
 * Features of more columns than asked for, projected to so many at random, rows of length 1.
 *
 * @param width columns; 0 leaves all features as they are
 */
export function narrowed(features: Features, width: number, random: Random): Features {
  const columns = featureCount(features);
  if (width === 0 || columns <= width) return features;
  const projection = new RandomProjection(columns, width, random);
  const projected = keep(scope(() => normalizeRows(projection.apply(features))));
  projection.dispose();
  return projected;
}

function featuresOfType(
  inputs: TypeInputs,
  nodes: NodesOfType & { readonly name: string },
  random: Random,
  note: ((text: string) => void) | undefined,
): Features {
  if (inputs.kind === 'random') return keep(gaussianOfNames(nodes.nodeNames, random, inputs.width));
  const features = attributeFeatures(inputs, nodes, note);
  if (features instanceof SparseMatrix) return features;
  return keep(scope(() => multiply(features, 1 / Math.sqrt(featureCount(features)))));
}
