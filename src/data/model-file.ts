// Model files: safetensors, or a plan, whose metadata names the format, the system that can read
// the model, and the version of what that system wrote.

import type { Weights } from '../nn/index.js';
import type { ByteSource } from './bytes.js';
import { readSafetensors, SafetensorsReader, writeSafetensors } from './formats/safetensors.js';

/** What the models of one system have in common. */
export interface ModelKind {
  /** Name by which commands find the reader. */
  readonly system: string;
  /** Of what is written; it changes when older files can no longer be read. */
  readonly version: string;
  /** The command that makes such a model. */
  readonly madeBy: string;
}

/** A model file as read: the description that its system wrote, and the weights. */
export interface ModelFile<Description> {
  /** The system's own description: hyperparameters and names. */
  readonly description: Description;
  /** Weights by name. */
  readonly tensors: Weights;
}

const FORMAT = 'gossamer-model';

/** The metadata of a model file, for files of other formats that hold metadata too. */
export function modelMetadata({ system, version }: ModelKind, description: object): Record<string, string> {
  return { format: FORMAT, system, version, description: JSON.stringify(description) };
}

/** Writes weights with what is needed to use them. */
export function writeModelFile(kind: ModelKind, description: object, tensors: Weights): Uint8Array {
  return writeSafetensors(tensors, modelMetadata(kind, description));
}

/**
 * Reads a file of `writeModelFile`.
 *
 * @throws Error as `modelDescription` does, or when the file is damaged
 */
export function readModelFile<Description>(kind: ModelKind, bytes: Uint8Array, name = 'model'): ModelFile<Description> {
  const { tensors, metadata } = readSafetensors(bytes, name);
  return { description: modelDescription<Description>(kind, metadata, name), tensors };
}

/**
 * The description in a file's metadata.
 *
 * @throws Error when the file is no model file, holds a model of another system, or one of another
 * version, with what to do
 */
export function modelDescription<Description>(
  { system, version, madeBy }: ModelKind,
  metadata: Readonly<Record<string, string>>,
  name: string,
): Description {
  const found = requireFormat(metadata, name, madeBy);
  if (found !== system)
    throw new Error(`file "${name}" is a model of "${found}", not of "${system}", which ${madeBy} makes`);
  if (metadata.version !== version)
    throw new Error(
      `file "${name}" has version ${metadata.version ?? 'none'} of "${system}", and version ${version} is read here: update Gossamer, or make the model again with ${madeBy}`,
    );
  return parsed(metadata.description ?? '{}', name) as Description;
}

/** The object of a JSON text. @throws Error naming the file when it is none. */
function parsed(text: string, name: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Reported below.
  }
  throw new Error(`file "${name}" is damaged: its description is not a JSON object`);
}

function requireFormat(metadata: Readonly<Record<string, string>>, name: string, madeBy: string): string {
  if (metadata.format !== FORMAT || metadata.system === undefined)
    throw new Error(
      `file "${name}" is no model file (its metadata has no format "${FORMAT}"); models of earlier versions must be made again with ${madeBy}`,
    );
  return metadata.system;
}

/**
 * The system that a model file names, from its header alone.
 *
 * @throws Error when it is no model file
 */
export function modelSystem(source: ByteSource): string {
  const metadata = isPlan(source) ? planMetadata(source) : new SafetensorsReader(source).metadata;
  return requireFormat(metadata, source.name, 'the command that made them, such as gossamer fit or gossamer train');
}

/**
 * Whether a file is a plan: its header, in JSON, follows a length of four bytes; in safetensors of
 * eight.
 */
export function isPlan(source: ByteSource): boolean {
  if (source.size < 5) return false;
  const byte = new Uint8Array(1);
  source.read(byte, 4);
  return byte[0] === 0x7b;
}

function planMetadata(source: ByteSource): Readonly<Record<string, string>> {
  const length = new Uint8Array(4);
  source.read(length, 0);
  const size = new DataView(length.buffer).getUint32(0, true);
  if (size > source.size - 4) throw new Error(`file "${source.name}" is cut short`);
  const header = new Uint8Array(size);
  source.read(header, 4);
  const { metadata = {} } = parsed(new TextDecoder().decode(header), source.name) as { metadata?: unknown };
  const isObject = typeof metadata === 'object' && metadata !== null;
  if (!isObject || !Object.values(metadata).every((value) => typeof value === 'string'))
    throw new Error(`file "${source.name}" has metadata that is not a table of strings`);
  return metadata as Readonly<Record<string, string>>;
}
