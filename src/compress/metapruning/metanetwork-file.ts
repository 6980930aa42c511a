// The file of a metanetwork, which is made once for an architecture and prunes any network of it.

import { type ModelKind, readModelFile, writeModelFile } from '../../data/index.js';
import { loadState, stateOf } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { Metanetwork } from './metanetwork.js';

/** Metanetworks among model files. */
export const METANETWORK: ModelKind = {
  system: 'metapruning',
  version: '1',
  madeBy: 'gossamer fit --model metapruning',
};

/** How a metanetwork was trained. */
export interface MetanetworkRecord {
  /** Name of the images. */
  readonly data: string;
  /** Architecture by the name of its model. */
  readonly network: string;
  /** Files of the networks that it learnt from, the one that chose the epoch last. */
  readonly models: readonly string[];
  /** Number of the chosen epoch, from 1. */
  readonly epoch: number;
  /** Epochs that there were to choose from. */
  readonly epochs: number;
  /** Speed-ups of the choice. */
  readonly speedups: readonly number[];
  /** Accuracy on validation images after pruning the held-out network to each, in [0, 1]. */
  readonly accuracies: readonly number[];
}

/** A metanetwork with the record of its training, if it has one. */
export interface MetanetworkFile {
  /** The metanetwork. */
  readonly metanetwork: Metanetwork;
  /** How it was trained, where the file says it. */
  readonly trained?: MetanetworkRecord;
}

/** The bytes of a safetensors file with a metanetwork. */
export function saveMetanetwork(metanetwork: Metanetwork, trained?: MetanetworkRecord): Uint8Array {
  const { architecture, options } = metanetwork;
  return writeModelFile(METANETWORK, { architecture, options, ...(trained && { trained }) }, stateOf(metanetwork));
}

/**
 * Reads a metanetwork with its record.
 *
 * @param name of the file, in error messages
 * @throws Error for a file that holds none
 */
export function readMetanetwork(bytes: Uint8Array, name = 'the file'): MetanetworkFile {
  const { description, tensors } = readModelFile<
    Pick<Metanetwork, 'architecture' | 'options'> & Pick<MetanetworkFile, 'trained'>
  >(METANETWORK, bytes, name);
  const { architecture, options, trained } = description;
  const metanetwork = new Metanetwork(architecture, new Random(0), options);
  loadState(metanetwork, tensors);
  return { metanetwork, ...(trained && { trained }) };
}

/** Reads a metanetwork. @throws Error for a file that holds none */
export function loadMetanetwork(bytes: Uint8Array, name?: string): Metanetwork {
  return readMetanetwork(bytes, name).metanetwork;
}
