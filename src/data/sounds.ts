// Labelled sounds, and their spectrograms.

import { fft, scope, type Tensor, tensor } from '../tensor/index.js';
import type { Sound } from './formats/wav.js';

/** An event of a kind, from a time to another. */
export interface SoundEvent {
  /** Number of its kind. */
  readonly label: number;
  /** In seconds. */
  readonly start: number;
  /** In seconds. */
  readonly end: number;
}

/** A sound with the events in it. */
export interface LabelledSound {
  /** Name of the file. */
  readonly name: string;
  /** The sound. */
  readonly sound: Sound;
  /** Events, which may overlap. */
  readonly events: readonly SoundEvent[];
}

/** Sounds of one rate and one number of channels. */
export interface SoundSet {
  /** Name of the folder, or of the set. */
  readonly name: string;
  /** Whether each sound as a whole is of one class. */
  readonly whole: boolean;
  /** Names of the kinds of events. */
  readonly classes: readonly string[];
  /** The sounds. */
  readonly sounds: readonly LabelledSound[];
}

/** Length of a sound in seconds. */
export function secondsOf({ rate, channels }: Sound): number {
  return (channels[0]?.length ?? 0) / rate;
}

/** Lines on sounds: how many, of what length, and how many of each class or kind of event. */
export function soundProfileLines({ name, whole, classes, sounds }: SoundSet): string[] {
  const [first] = sounds;
  const seconds = sounds.reduce((sum, { sound }) => sum + secondsOf(sound), 0);
  const count = (label: number) =>
    sounds.reduce((sum, { events }) => sum + events.filter((own) => own.label === label).length, 0);
  const kinds = classes.map((own, label) => `${own}: ${count(label)}`);
  return [
    `${name}: ${sounds.length} sounds of ${first?.sound.channels.length ?? 0} channels at ${first?.sound.rate ?? 0} Hz, ${seconds.toFixed(1)} s in all`,
    `${whole ? 'classes' : 'events '}     ${kinds.join(', ')}`,
  ];
}

/** Zero crossings of the kernel on each side. */
const CROSSINGS = 16;

/**
 * A sound at another rate: each sample is a sum over its neighbours by a sinc in a Hann window, cut
 * off at half of the lower rate.
 *
 * @throws RangeError unless the rate is positive
 */
export function resampled(sound: Sound, rate: number): Sound {
  if (!(rate > 0)) throw new RangeError(`resampled: the rate must be positive, got ${rate}`);
  if (rate === sound.rate) return sound;
  const step = sound.rate / rate;
  const cut = Math.min(1, 1 / step);
  const reach = CROSSINGS / cut;
  const kernel = (x: number) => {
    if (x === 0) return cut;
    const angle = Math.PI * cut * x;
    return ((cut * Math.sin(angle)) / angle) * (0.5 + 0.5 * Math.cos((Math.PI * x) / reach));
  };
  const channels = sound.channels.map((values) =>
    Float32Array.from({ length: Math.max(1, Math.round(values.length / step)) }, (_, i) => {
      const at = i * step;
      let sum = 0;
      const last = Math.min(values.length - 1, Math.floor(at + reach));
      for (let j = Math.max(0, Math.ceil(at - reach)); j <= last; j++) sum += (values[j] as number) * kernel(at - j);
      return sum;
    }),
  );
  return { rate, channels };
}

/** How spectrograms are made. */
export interface SpectrogramOptions {
  /** Samples of a frame, an even number. Default: 512. */
  readonly window?: number;
  /** Samples from one frame to the next. Default: 256. */
  readonly hop?: number;
  /** Bins of frequency, which divide half of the window. Default: 128. */
  readonly bins?: number;
}

/** Frames that a sound of some samples has. */
export function frameCount(samples: number, { window = 512, hop = 256 }: SpectrogramOptions = {}): number {
  return Math.max(0, Math.floor((samples - window) / hop) + 1);
}

/** Added to magnitudes before the logarithm. */
const FLOOR = 1e-3;

/**
 * Spectrogram log(10⁻³ + |STFT|) with a Hann window; magnitudes of neighbouring frequencies are
 * averaged to the number of bins, without the highest one.
 *
 * @returns values [channels, bins, frames]
 * @throws RangeError for a sound shorter than a frame, or bins that do not divide
 */
export function spectrogram({ channels }: Sound, options: SpectrogramOptions = {}): Float32Array {
  const { window = 512, hop = 256, bins = 128 } = options;
  const half = window / 2;
  if (!Number.isInteger(half) || half < 1 || half % bins !== 0 || !(hop >= 1))
    throw new RangeError(`spectrogram: ${bins} bins must divide half of the window, ${window} samples`);
  const samples = channels[0]?.length ?? 0;
  const frames = frameCount(samples, options);
  if (frames < 1) throw new RangeError(`spectrogram: ${samples} samples are fewer than a frame of ${window}`);
  const rows = new Float32Array(channels.length * frames * window);
  const hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  channels.forEach((values, c) => {
    for (let frame = 0; frame < frames; frame++)
      for (let i = 0; i < window; i++)
        rows[(c * frames + frame) * window + i] = (hann[i] as number) * (values[frame * hop + i] as number);
  });
  const { re, im } = scope(() => fft(tensor(rows, [channels.length * frames, window])));
  const [real, imaginary] = [re.view(), im.view()];
  const each = half / bins;
  const result = new Float32Array(channels.length * bins * frames);
  for (let row = 0; row < channels.length * frames; row++)
    for (let bin = 0; bin < bins; bin++) {
      let sum = 0;
      for (let k = bin * each; k < (bin + 1) * each; k++)
        sum += Math.hypot(real[row * window + k] as number, imaginary[row * window + k] as number);
      const [c, frame] = [Math.floor(row / frames), row % frames];
      result[(c * bins + bin) * frames + frame] = Math.log(FLOOR + sum / each);
    }
  disposeAll(re, im);
  return result;
}

function disposeAll(...tensors: readonly Tensor[]): void {
  for (const one of tensors) one.dispose();
}
