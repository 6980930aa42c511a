// Generated users of wearable sensors, whose bodies and devices differ: activities are oscillations
// of six channels, and each user has gains, an orientation, a tempo and noise of its own.
//
//   x[t] = R_u (g_u ⊙ a_c · sin(2π f_c τ_u t / 30 + φ)) + 0.7 · noise

import type { Random } from '../../tensor/index.js';
import type { PrivateRows } from './private-rows.js';

/** Channels: two triples of axes. */
const CHANNELS = 6;
/** Time steps of a window. */
const STEPS = 30;
/** Base frequency of each activity, in turns a window. */
const FREQUENCIES = [1, 1.5, 2, 3, 4];
const AMPLITUDE = 1.5;

/** How much users differ. */
export interface Heterogeneity {
  /** Deviation γ of the logarithm of a channel's gain. */
  readonly gain: number;
  /** Largest angle ω of a user's orientation, in degrees. */
  readonly rotation: number;
  /** Channels of each user that measure nothing. */
  readonly missing: number;
}

/** Levels of heterogeneity. */
export const heterogeneityLevels = {
  mild: { gain: 0.3, rotation: 40, missing: 0 },
  strong: { gain: 0.8, rotation: 180, missing: 1 },
} as const satisfies Readonly<Record<string, Heterogeneity>>;

/** Activities of the generated users. */
export const SENSOR_CLASSES = FREQUENCIES.length;

/** Options of `sensorUsers`. */
export interface SensorOptions {
  /** Deviation of the noise. Default: 0.7. */
  readonly noise?: number;
}

/**
 * Windows of users, every activity equally often and in random order.
 *
 * @param users number of users
 * @param rows windows of each
 * @param random what activities are like depends on its key alone, not on how many users there are
 * @returns rows of 180 numbers (30 steps × 6 channels) with their classes, for each user
 */
export function sensorUsers(
  users: number,
  rows: number,
  level: Heterogeneity,
  random: Random,
  { noise = 0.7 }: SensorOptions = {},
): PrivateRows[] {
  const amplitudes = FREQUENCIES.map((_, c) => direction(random.split('activities').split(c), CHANNELS, AMPLITUDE));
  return Array.from({ length: users }, (_, user) =>
    windowsOf(rows, level, amplitudes, noise, random.split('users').split(user)),
  );
}

function windowsOf(
  rows: number,
  { gain, rotation, missing }: Heterogeneity,
  amplitudes: readonly Float64Array[],
  noise: number,
  random: Random,
): PrivateRows {
  const gains = normals(random.split('gains'), CHANNELS).map((value) => Math.exp(gain * value));
  const draws = random.split('user');
  const tempo = 0.8 + 0.45 * draws.float();
  const turns = [0, 1].map((triple) => rotationOf(random.split(`turn ${triple}`), (rotation * Math.PI) / 180));
  const silent = new Set(random.split('missing').permutation(CHANNELS).subarray(0, missing));
  const labels = Int32Array.from(random.split('order').permutation(rows), (at) => at % FREQUENCIES.length);
  const width = STEPS * CHANNELS;
  const disturbance = normals(random.split('noise'), rows * width);
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const activity = labels[row] as number;
    const phase = 2 * Math.PI * draws.float();
    const signal = Float64Array.from(amplitudes[activity] as Float64Array, (a, j) => a * (gains[j] as number));
    const turned = turns.flatMap((turn, triple) => apply(turn, signal.subarray(3 * triple, 3 * triple + 3)));
    for (let t = 0; t < STEPS; t++) {
      const wave = Math.sin((2 * Math.PI * (FREQUENCIES[activity] as number) * tempo * t) / STEPS + phase);
      for (let j = 0; j < CHANNELS; j++) {
        const at = row * width + t * CHANNELS + j;
        values[at] = silent.has(j) ? 0 : (turned[j] as number) * wave + noise * (disturbance[at] as number);
      }
    }
  }
  return { count: rows, width, values, labels };
}

function normals(random: Random, count: number): Float64Array {
  const drawn = random.normal([count]);
  const values = Float64Array.from(drawn.dataSync<Float32Array>());
  drawn.dispose();
  return values;
}

/** A random vector of some length. */
function direction(random: Random, size: number, length: number): Float64Array {
  const values = normals(random, size);
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return values.map((value) => (length * value) / norm);
}

/** A rotation about a random axis by an angle of at most `most` radians (Rodrigues). */
function rotationOf(random: Random, most: number): readonly (readonly number[])[] {
  const [x, y, z] = direction(random.split('axis'), 3, 1) as unknown as [number, number, number];
  const angle = most * (2 * random.split('angle').float() - 1);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const k = 1 - c;
  return [
    [c + x * x * k, x * y * k - z * s, x * z * k + y * s],
    [y * x * k + z * s, c + y * y * k, y * z * k - x * s],
    [z * x * k - y * s, z * y * k + x * s, c + z * z * k],
  ];
}

function apply(matrix: readonly (readonly number[])[], vector: Float64Array): number[] {
  return matrix.map((row) => row.reduce((sum, value, i) => sum + value * (vector[i] as number), 0));
}
