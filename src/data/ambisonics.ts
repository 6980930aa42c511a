// Generated sounds of a first-order ambisonic microphone.

import type { Random } from '../tensor/index.js';
import type { LabelledSound, SoundEvent, SoundSet } from './sounds.js';

/** Kinds of events of `ambisonicSounds`. */
export const ambisonicClasses = [
  ...['rising chirp', 'falling chirp', 'low tone', 'middle tone', 'high tone'],
  ...['noise burst', 'clicks', 'beating noise'],
] as const;

/** Samples a second, and seconds, of generated sounds. */
const [RATE, SECONDS] = [8000, 2];
/** Most events in a generated sound at one time. */
const MOST_EVENTS = 3;
const HARMONICS = 4;

/** Samples of an event of a kind, at full scale. */
function eventOf(label: number, samples: number, random: Random): Float64Array {
  const pitch = 0.8 + 0.4 * random.float();
  const noise = Float64Array.from({ length: samples }, () => random.gaussian() / 3);
  const at = (i: number) => i / RATE;
  const share = (i: number) => i / samples;
  const tone = (base: number) => (i: number) => {
    let sum = 0;
    for (let k = 1; k <= HARMONICS; k++) sum += Math.sin(2 * Math.PI * base * pitch * k * at(i)) / k;
    return sum / 2;
  };
  const length = samples / RATE;
  const chirp = (from: number, to: number) => (i: number) =>
    Math.sin(2 * Math.PI * pitch * (from * at(i) + ((to - from) * at(i) ** 2) / (2 * length)));
  const gap = Math.round(RATE / (25 * pitch));
  const kinds: readonly ((i: number) => number)[] = [
    chirp(300, 2400),
    chirp(2400, 300),
    tone(180),
    tone(350),
    tone(680),
    (i) => (noise[i] as number) * (1 - share(i)),
    (i) => (i % gap < 8 ? 1 - (i % gap) / 8 : 0),
    (i) => (noise[i] as number) * (0.5 + 0.5 * Math.sin(2 * Math.PI * 12 * pitch * at(i))),
  ];
  const shape = kinds[label] as (i: number) => number;
  const ramp = Math.min(samples / 2, 0.02 * RATE);
  return Float64Array.from({ length: samples }, (_, i) => shape(i) * Math.min(1, i / ramp, (samples - i) / ramp));
}

/**
 * Generated sounds of 2 s at 8 kHz as a first-order ambisonic microphone would record them: one to
 * three events of 0.2 to 0.8 s, each of eight kinds, from a random direction (θ, φ), which reaches
 * the four channels by W = 1/√2, X = cos θ·cos φ, Y = sin θ·cos φ, Z = sin φ; and noise of 10 to
 * 20 dB below in each channel by itself.
 */
export function ambisonicSounds(count: number, random: Random): SoundSet {
  const length = RATE * SECONDS;
  const sounds = Array.from({ length: count }, (_, clip): LabelledSound => {
    const own = random.split(clip);
    const channels = Array.from({ length: 4 }, () => new Float32Array(length));
    const number = 1 + Math.floor(MOST_EVENTS * own.float());
    const events = Array.from({ length: number }, (): SoundEvent => {
      const label = Math.floor(ambisonicClasses.length * own.float());
      const samples = Math.round(RATE * (0.2 + 0.6 * own.float()));
      const first = Math.floor((length - samples) * own.float());
      const theta = 2 * Math.PI * own.float();
      const phi = Math.asin(2 * own.float() - 1);
      const gains = [Math.SQRT1_2, Math.cos(theta) * Math.cos(phi), Math.sin(theta) * Math.cos(phi), Math.sin(phi)];
      eventOf(label, samples, own).forEach((value, i) => {
        gains.forEach((gain, c) => {
          const channel = channels[c] as Float32Array;
          channel[first + i] = (channel[first + i] as number) + 0.3 * gain * value;
        });
      });
      return { label, start: first / RATE, end: (first + samples) / RATE };
    });
    const power = channels.reduce((sum, values) => sum + values.reduce((own, v) => own + v * v, 0), 0) / (4 * length);
    const noise = Math.sqrt(power * 10 ** (-(10 + 10 * own.float()) / 10));
    for (const values of channels)
      for (let i = 0; i < length; i++) values[i] = (values[i] as number) + noise * own.gaussian();
    return { name: `clip ${clip}`, sound: { rate: RATE, channels }, events };
  });
  return { name: 'ambisonics', whole: false, classes: ambisonicClasses, sounds };
}
