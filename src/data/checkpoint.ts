// Training checkpoints and model files in safetensors.

import { existsSync } from 'node:fs';
import type { CheckpointStore, TrainingState, Weights } from '../nn/index.js';
import { loadState, stateOf } from '../nn/index.js';
import { openBytes, readBytes } from './files.js';
import { readSafetensors, SafetensorsReader, writeSafetensors } from './formats/index.js';
import { writeFileAtomic } from './write.js';

const FORMAT = 'gossamer-checkpoint-1';

/**
 * Keeps a run's state in one safetensors file: weights, optimiser moments, best weights, counters.
 * Each save replaces the file whole.
 *
 * @param asked what the run is to do, which `checkpointAsked` reads
 */
export function fileCheckpoint(path: string, asked?: object): CheckpointStore {
  return {
    save: (state) => writeFileAtomic(path, encode(state, asked)),
    load: () => (existsSync(path) ? decode(readBytes(path), path) : undefined),
  };
}

/**
 * What the run in a file of `fileCheckpoint` was to do; undefined where it was not said.
 *
 * @throws Error when the file is damaged
 */
export function checkpointAsked(path: string): Readonly<Record<string, unknown>> | undefined {
  const file = openBytes(path);
  try {
    const { asked } = new SafetensorsReader(file).metadata;
    return asked === undefined ? undefined : runOf(asked, path);
  } finally {
    file.close();
  }
}

function prefixed(prefix: string, weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`${prefix}/${name}`, tensor]));
}

function unprefixed(prefix: string, weights: Weights): Weights {
  const start = `${prefix}/`;
  return Object.fromEntries(
    Object.entries(weights).flatMap(([name, tensor]) =>
      name.startsWith(start) ? [[name.slice(start.length), tensor]] : [],
    ),
  );
}

function encode({ weights, optimizer, best, ...counters }: TrainingState, asked?: object): Uint8Array {
  const run = { ...counters, optimizerStep: optimizer.step, best: best && { epoch: best.epoch, metric: best.metric } };
  return writeSafetensors(
    {
      ...prefixed('weights', weights),
      ...prefixed('optimizer', optimizer.tensors),
      ...prefixed('best', best?.weights ?? {}),
    },
    { format: FORMAT, run: JSON.stringify(run), ...(asked && { asked: JSON.stringify(asked) }) },
  );
}

function decode(bytes: Uint8Array, path: string): TrainingState {
  const { tensors, metadata } = readSafetensors(bytes, path);
  if (metadata.format !== FORMAT) throw new Error(`file "${path}" is not a training checkpoint`);
  const { optimizerStep, best, ...counters } = runOf(metadata.run ?? '{}', path);
  return {
    ...counters,
    weights: unprefixed('weights', tensors),
    optimizer: { step: optimizerStep, tensors: unprefixed('optimizer', tensors) },
    best: best && { ...best, weights: unprefixed('best', tensors) },
  };
}

/** @throws Error naming the file when the counters cannot be read. */
function runOf(text: string, path: string) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`file "${path}" is a damaged checkpoint: ${(error as Error).message}`);
  }
}

/** Writes a module's parameters and buffers. */
export function saveModel(module: object, path: string, metadata: Readonly<Record<string, string>> = {}): void {
  writeFileAtomic(path, writeSafetensors(stateOf(module), metadata));
}

/** Reads a module's parameters and buffers in place. @throws Error when names or shapes differ. */
export function loadModel(module: object, path: string): void {
  loadState(module, readSafetensors(readBytes(path), path).tensors);
}
