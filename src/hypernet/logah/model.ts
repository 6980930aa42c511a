// The file of a trained graph hypernetwork: its options and the family that it was trained on.

import { type ModelKind, readModelFile, writeModelFile } from '../../data/index.js';
import { loadState, parameterCount, stateOf } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { Architecture } from './families.js';
import { LoGAH } from './hypernet.js';
import type { LoGAHOptions } from './options.js';

/** Identifies model files of graph hypernetworks. */
export const LOGAH_MODEL: ModelKind = { system: 'logah', version: '1', madeBy: 'gossamer fit --model logah' };

/** What a hypernetwork was trained on. */
export interface HypernetDescription {
  /** Options of the hypernetwork. */
  readonly options: LoGAHOptions;
  /** What the networks of the family have in common; their depths and widths vary. */
  readonly base: Architecture;
  /** Numbers of layers in the family. */
  readonly layers: readonly number[];
  /** Widths in the family. */
  readonly widths: readonly number[];
  /** Name of the data. */
  readonly data: string;
  /** Steps of training. */
  readonly steps: number;
  /** Scores of the family's networks with predicted weights, untrained, by name. */
  readonly scores: Readonly<Record<string, number>>;
}

/** A graph hypernetwork with what it was trained on: save and load. */
export class HypernetModel {
  constructor(
    readonly ghn: LoGAH,
    readonly description: HypernetDescription,
  ) {}

  /** The model as a file. */
  save(): Uint8Array {
    return writeModelFile(LOGAH_MODEL, this.description, stateOf(this.ghn));
  }

  /** @throws Error when the file is of another system, or damaged */
  static load(bytes: Uint8Array, name = 'model'): HypernetModel {
    const { description, tensors } = readModelFile<HypernetDescription>(LOGAH_MODEL, bytes, name);
    const ghn = new LoGAH(new Random(0), description.options);
    loadState(ghn, tensors);
    return new HypernetModel(ghn, description);
  }

  /** Lines on the hypernetwork, its family, and how its networks do untrained. */
  describe(): string[] {
    const { base, layers, widths, data, steps, scores, options } = this.description;
    const scored = Object.entries(scores).map(([name, value]) => `${name} ${value.toFixed(2)}`);
    return [
      `Graph hypernetwork (LoGAH): ${parameterCount(this.ghn).toLocaleString('en-US')} parameters, rank ${options.rank ?? 32}, width ${options.features ?? 64}`,
      `Predicts      initial weights of networks, from their architecture: ${base.family} and others`,
      `Trained on    "${data}", ${steps} steps; ${base.family} of ${layers.join(', ')} layers and widths ${widths.join(', ')}`,
      `Untrained     ${scored.join(', ') || 'not measured'}`,
    ];
  }
}
