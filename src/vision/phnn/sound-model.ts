// A detector of sound events with its preprocessing: windows of spectrograms, training, answers for
// sounds of any length, and the model file.

import {
  frameCount,
  type LabelledSound,
  type ModelKind,
  readModelFile,
  type Sound,
  type SoundEvent,
  spectrogram,
  writeModelFile,
} from '../../data/index.js';
import {
  AdamW,
  binaryCrossEntropy,
  consecutive,
  type FitResult,
  fit,
  inference,
  replaceWeights,
  stateOf,
  type TrainingHooks,
} from '../../nn/index.js';
import { Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import { EventNet, eventNets } from './events.js';

/** Identifies model files of sound events. */
export const SOUND_MODEL: ModelKind = { system: 'phnn-sound', version: '1', madeBy: 'gossamer fit' };

/** Network, classes and preprocessing; stored as metadata of the model file. */
export interface SoundDescription {
  /** Name of the network, one of `eventNets`. */
  readonly architecture: keyof typeof eventNets;
  /** Names of the kinds of events. */
  readonly classes: readonly string[];
  /** Whether a sound as a whole is of one class. */
  readonly whole: boolean;
  /** Channels of the sounds. */
  readonly channels: number;
  /** Samples a second. */
  readonly rate: number;
  /** Samples of a frame. */
  readonly window: number;
  /** Samples from frame to frame. */
  readonly hop: number;
  /** Bins of frequency. */
  readonly bins: number;
  /** Frames that the network hears at once. */
  readonly frames: number;
  /** Size of the domain. */
  readonly n: number;
  /** Whether the algebra is that of complex numbers or quaternions. */
  readonly preset: boolean;
  /** Probability from which an event sounds. */
  readonly threshold: number;
  /** Mean of each bin of each channel, [channels, bins]. */
  readonly mean: readonly number[];
  /** Deviation of each, by which values without the mean are divided. */
  readonly deviation: readonly number[];
}

/** Windows of spectrograms with what sounds in each step. */
export interface SoundWindows {
  /** Number of windows. */
  readonly count: number;
  /** Normalised spectrograms [count, channels, bins, frames]. */
  readonly values: Float32Array;
  /** 1 where a kind of event sounds, [count, steps, classes]. */
  readonly targets: Float32Array;
}

/** Micro-averaged scores over steps and kinds, in [0, 1]. */
export interface EventScores {
  /** Harmonic mean of the two others. */
  readonly f1: number;
  /** Share of the detections that are right. */
  readonly precision: number;
  /** Share of the events that are detected. */
  readonly recall: number;
}

/** Options of `SoundModel.train`. */
export interface SoundTrainingOptions extends TrainingHooks {
  /** Default: 15. */
  readonly epochs?: number;
  /** Windows of a step. Default: 16. */
  readonly batchSize?: number;
  /** Adam's learning rate. Default: 1e-3. */
  readonly learningRate?: number;
  /** Windows that choose the epoch by F1. Default: the last epoch is kept. */
  readonly chooseBy?: SoundWindows;
}

/** Windows of a batch at inference. */
const BATCH = 32;

/** A network with its classes and preprocessing. */
export class SoundModel {
  constructor(
    readonly description: SoundDescription,
    readonly network: EventNet,
  ) {}

  /**
   * Creates an untrained model with the statistics of the sounds that it will be trained on.
   *
   * @throws RangeError where n does not divide the widths, or no sound has a frame
   */
  static create(
    description: Omit<SoundDescription, 'mean' | 'deviation'>,
    sounds: readonly LabelledSound[],
    random: Random,
  ): SoundModel {
    return new SoundModel({ ...description, ...statisticsOf(description, sounds) }, networkOf(description, random));
  }

  /** Frames that one step of the answer is about. */
  get pooled(): number {
    return this.network.options.pools.reduce((product, [, time]) => product * time, 1);
  }

  /** Steps of the answer for a window. */
  get steps(): number {
    return this.network.options.pools.reduce((left, [, time]) => Math.floor(left / time), this.description.frames);
  }

  /** Seconds from one step to the next. */
  get stepSeconds(): number {
    return (this.pooled * this.description.hop) / this.description.rate;
  }

  /** Samples of a window. */
  get windowSamples(): number {
    const { frames, hop, window } = this.description;
    return (frames - 1) * hop + window;
  }

  /**
   * Cuts sounds into windows. What a last window lacks is silence, or where a sound as a whole is
   * of a class, the sound again.
   *
   * @throws Error for a sound with another number of channels or another rate
   */
  windows(sounds: readonly LabelledSound[]): SoundWindows {
    const { channels, bins, frames, classes } = this.description;
    const parts = sounds.flatMap(({ sound, events }) => this.#parts(sound).map((part) => ({ ...part, events })));
    const size = channels * bins * frames;
    const { steps } = this;
    const values = new Float32Array(parts.length * size);
    const targets = new Float32Array(parts.length * steps * classes.length);
    parts.forEach(({ values: own, start, events }, i) => {
      values.set(own, i * size);
      for (const { label, ...times } of events)
        for (const step of this.#stepsOf(times, start)) targets[(i * steps + step) * classes.length + label] = 1;
    });
    return { count: parts.length, values, targets };
  }

  /** The steps of a window whose middle is in an event. */
  #stepsOf({ start, end }: Pick<SoundEvent, 'start' | 'end'>, offset: number): number[] {
    const { rate, window, whole } = { ...this.description };
    const middle = (step: number) => offset + step * this.stepSeconds + (window / rate) * 0.5;
    return Array.from({ length: this.steps }, (_, step) => step).filter(
      (step) => whole || (middle(step) >= start && middle(step) < end),
    );
  }

  /** Windows of a sound: normalised spectrograms, and where each starts in seconds. */
  #parts(sound: Sound): { readonly values: Float32Array; readonly start: number }[] {
    const { channels, rate, window, hop, bins, whole, mean, deviation } = this.description;
    if (sound.channels.length !== channels)
      throw new Error(`the model hears ${channels} channels, the sound has ${sound.channels.length}`);
    if (sound.rate !== rate) throw new Error(`the model hears ${rate} Hz, the sound has ${sound.rate}`);
    const length = sound.channels[0]?.length ?? 0;
    const stride = this.steps * this.pooled * hop;
    const count = Math.max(1, Math.ceil(frameCount(length, { window, hop }) / (this.steps * this.pooled)));
    return Array.from({ length: count }, (_, i) => {
      const first = i * stride;
      const own = sound.channels.map((samples) =>
        Float32Array.from({ length: this.windowSamples }, (_, at) => {
          const place = first + at;
          return samples[whole ? place % length : place] ?? 0;
        }),
      );
      const values = spectrogram({ rate, channels: own }, { window, hop, bins });
      const frames = values.length / (channels * bins);
      values.forEach((value, at) => {
        const row = Math.floor(at / frames);
        values[at] = (value - (mean[row] as number)) / (deviation[row] as number);
      });
      return { values, start: first / rate };
    });
  }

  /** Trains in place by AdamW without decay. */
  async train(data: SoundWindows, random: Random, options: SoundTrainingOptions = {}): Promise<FitResult> {
    const { epochs = 15, batchSize = 16, learningRate = 1e-3, chooseBy, ...hooks } = options;
    return fit<EventNet, Int32Array>({
      ...hooks,
      ...{ model: this.network, epochs, random, optimizer: new AdamW({ learningRate, weightDecay: 0 }) },
      batches: (order) => consecutive(order.permutation(data.count), batchSize),
      loss: (live, part, mode) =>
        binaryCrossEntropy(live.forward(this.#inputs(data, part), mode), this.#targets(data, part)),
      ...(chooseBy && { validate: () => this.scores(chooseBy).f1 }),
    });
  }

  #inputs({ values }: SoundWindows, rows: Int32Array): Tensor {
    const { channels, bins, frames } = this.description;
    return tensor(gathered(values, rows, channels * bins * frames), [rows.length, channels, bins, frames]);
  }

  #targets({ targets }: SoundWindows, rows: Int32Array): Tensor {
    const { length } = this.description.classes;
    return tensor(gathered(targets, rows, this.steps * length), [rows.length, this.steps, length]);
  }

  /** Probabilities of each kind of event in each step, [count, steps, classes]. */
  probabilities(data: SoundWindows): Float32Array {
    const each = this.steps * this.description.classes.length;
    const result = new Float32Array(data.count * each);
    const all = Int32Array.from({ length: data.count }, (_, i) => i);
    for (const part of consecutive(all, BATCH)) {
      const own = scope(() =>
        this.network.forward(this.#inputs(data, part), inference).sigmoid().dataSync<Float32Array>(),
      );
      result.set(own, (part[0] as number) * each);
    }
    return result;
  }

  /** Scores over all steps and kinds of events, at the threshold of the model. */
  scores(data: SoundWindows): EventScores {
    const { threshold } = this.description;
    let [right, said, there] = [0, 0, 0];
    this.probabilities(data).forEach((probability, at) => {
      const [detected, is] = [probability >= threshold, data.targets[at] === 1];
      if (detected && is) right += 1;
      if (detected) said += 1;
      if (is) there += 1;
    });
    const [precision, recall] = [said > 0 ? right / said : 0, there > 0 ? right / there : 0];
    return { precision, recall, f1: right > 0 ? (2 * right) / (said + there) : 0 };
  }

  /** Mean probability of each class over a sound, [classes]. */
  classify(sound: Sound): Float64Array {
    const { length } = this.description.classes;
    const all = this.#answers(sound);
    const steps = all.length / length;
    return Float64Array.from({ length }, (_, c) => {
      let sum = 0;
      for (let step = 0; step < steps; step++) sum += all[step * length + c] as number;
      return sum / steps;
    });
  }

  /** Events in a sound by start, each with its mean probability. */
  detect(sound: Sound): (SoundEvent & { readonly probability: number })[] {
    const { classes, threshold, rate, window } = this.description;
    const all = this.#answers(sound);
    const steps = all.length / classes.length;
    const length = (sound.channels[0]?.length ?? 0) / rate;
    // A step is about the time around the middle of its frame.
    const timeOf = (step: number) => step * this.stepSeconds + (window / rate - this.stepSeconds) / 2;
    const events = classes.flatMap((_, label) => {
      const found: (SoundEvent & { probability: number })[] = [];
      let [from, sum] = [-1, 0];
      for (let step = 0; step <= steps; step++) {
        const probability = step < steps ? (all[step * classes.length + label] as number) : 0;
        if (probability >= threshold) {
          if (from < 0) [from, sum] = [step, 0];
          sum += probability;
        } else if (from >= 0) {
          const [start, end] = [from, step].map((at) => Math.min(length, Math.max(0, timeOf(at)))) as [number, number];
          if (end > start) found.push({ label, start, end, probability: sum / (step - from) });
          from = -1;
        }
      }
      return found;
    });
    return events.sort((a, b) => a.start - b.start || a.label - b.label);
  }

  #answers(sound: Sound): Float32Array {
    return this.probabilities(this.windows([{ name: '', sound, events: [] }]));
  }

  /** The model as a safetensors file. */
  save(): Uint8Array {
    return writeModelFile(SOUND_MODEL, this.description, stateOf(this.network));
  }

  /**
   * Reads a file written by `save`.
   *
   * @param name used in error messages
   * @throws Error when the file is none, or its weights do not fit the network
   */
  static load(bytes: Uint8Array, name = 'model'): SoundModel {
    const { description, tensors } = readModelFile<SoundDescription>(SOUND_MODEL, bytes, name);
    if (!Object.hasOwn(eventNets, description.architecture))
      throw new Error(`file "${name}" is of a network that is not known, "${description.architecture}"`);
    const network = networkOf(description, new Random(0));
    const missing = Object.keys(stateOf(network)).filter((key) => !tensors[key]);
    if (missing.length > 0) throw new Error(`file "${name}" lacks ${missing.slice(0, 3).join(', ')}`);
    replaceWeights(network, tensors);
    return new SoundModel(description, network);
  }
}

type Layout = Omit<SoundDescription, 'mean' | 'deviation'>;

function networkOf({ architecture, channels, bins, classes, n, preset }: Layout, random: Random): EventNet {
  const algebra = preset ? 'preset' : 'learned';
  return new EventNet({ ...eventNets[architecture], channels, bins, classes: classes.length, n, algebra }, random);
}

/** Rows of so many values each. */
function gathered(values: Float32Array, rows: Int32Array, size: number): Float32Array {
  const result = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    result.set(values.subarray(row * size, (row + 1) * size), i * size);
  });
  return result;
}

/** Mean and deviation of each bin of each channel over the frames of sounds. */
function statisticsOf(
  { channels, window, hop, bins }: Layout,
  sounds: readonly LabelledSound[],
): Pick<SoundDescription, 'mean' | 'deviation'> {
  const rows = channels * bins;
  const [sums, squares] = [new Float64Array(rows), new Float64Array(rows)];
  let count = 0;
  for (const { name, sound } of sounds) {
    if (sound.channels.length !== channels)
      throw new Error(`"${name}" has ${sound.channels.length} channels, expected ${channels}`);
    const frames = frameCount(sound.channels[0]?.length ?? 0, { window, hop });
    if (frames < 1) continue;
    spectrogram(sound, { window, hop, bins }).forEach((value, at) => {
      const row = Math.floor(at / frames);
      sums[row] = (sums[row] as number) + value;
      squares[row] = (squares[row] as number) + value * value;
    });
    count += frames;
  }
  if (count === 0) throw new RangeError(`no sound has a frame of ${window} samples`);
  const mean = Array.from(sums, (sum) => sum / count);
  const deviation = Array.from(squares, (square, row) =>
    Math.max(1e-3, Math.sqrt(Math.max(0, square / count - (mean[row] as number) ** 2))),
  );
  return { mean, deviation };
}
