// Indices that the kernels of a plan follow. Constant ones were checked when they became part of
// it; inputs are checked before each run; of computed ones it must be known that they lie in range,
// as nothing looks at them while the plan runs.

import { type BufferUse, CallArguments, type IndexRange } from './arguments.js';
import type { RecordedPlan } from './recorded.js';

/** How a kernel follows indices. */
interface Following {
  /** The argument that holds them. */
  readonly argument: string;
  /** Least index that may be given: −1 stands for nothing in some operations. */
  readonly low: 0 | -1;
  /** Least index that may be computed, if less: pools find −1 in a window of NaN. */
  readonly lowComputed?: -1;
  readonly count: (a: CallArguments) => number;
  /** How many places they address. */
  readonly places: (a: CallArguments) => number;
}

const inPlanes = {
  argument: 'positions',
  low: 0,
  lowComputed: -1,
  count: (a: CallArguments) => a.size('planes') * a.size('count'),
  places: (a: CallArguments) => a.size('size'),
} as const;

/** Kernels that follow indices. */
const following: ReadonlyMap<string, Following> = new Map<string, Following>([
  ['gatherRows', { argument: 'indices', low: 0, count: (a) => a.size('count'), places: (a) => a.size('rows') }],
  ['scatterAddRows', { argument: 'indices', low: 0, count: (a) => a.size('count'), places: (a) => a.size('rows') }],
  [
    'takeRows',
    { argument: 'positions', low: -1, count: (a) => a.size('rows') * a.size('d'), places: (a) => a.size('sources') },
  ],
  [
    'putRows',
    { argument: 'positions', low: -1, count: (a) => a.size('count') * a.size('d'), places: (a) => a.size('rows') },
  ],
  ['pickPositions', inPlanes],
  ['unpool', inPlanes],
  [
    'spmm',
    {
      argument: 'indices',
      low: 0,
      count: (a) => a.segmentEnds('indptr', a.size('rows')),
      places: (a) => Math.floor(a.bytesBehind('x') / (4 * a.size('d'))),
    },
  ],
]);

/** Integers that lie in [low, high]. */
interface Bounds {
  readonly low: number;
  readonly high: number;
}

const ANY: Bounds = { low: -(2 ** 31), high: 2 ** 31 - 1 };

/** Bounds of a sum, unless it may leave 32 bits. */
function bounded(low: number, high: number): Bounds {
  return low < ANY.low || high > ANY.high ? ANY : { low, high };
}

/** Bounds of results of integers, by kernel. */
const combining: ReadonlyMap<string, (a: Bounds, b: Bounds) => Bounds> = new Map([
  ['maximumInt', (a, b) => ({ low: Math.max(a.low, b.low), high: Math.max(a.high, b.high) })],
  ['minimumInt', (a, b) => ({ low: Math.min(a.low, b.low), high: Math.min(a.high, b.high) })],
  ['addInt', (a, b) => bounded(a.low + b.low, a.high + b.high)],
  ['subtractInt', (a, b) => bounded(a.low - b.high, a.high - b.low)],
]);

/** Kernels that find positions: the argument that gets them, and the last one. */
const finding: ReadonlyMap<string, readonly [target: string, last: (a: CallArguments) => number]> = new Map([
  ['argmax', ['y', (a: CallArguments) => a.size('n') - 1]],
  ['argsort', ['order', (a: CallArguments) => a.size('n') - 1]],
  ['topK', ['positions', (a: CallArguments) => a.size('n') - 1]],
  ['maxPool', ['positions', (a: CallArguments) => a.size('height') * a.size('width') - 1]],
]);

/** The argument that gets integers of which something is known. */
function targetOf(kernel: string): string | undefined {
  if (combining.has(kernel)) return 'c';
  if (kernel === 'copyStrided' || kernel === 'transpose' || kernel === 'fill') return 'y';
  return finding.get(kernel)?.[0];
}

/** What is known of the integers in the buffers of a plan, found where it is asked for. */
class KnownIntegers {
  readonly #writers = new Map<number, CallArguments[]>();
  readonly #known = new Map<number, Bounds>();

  constructor(
    readonly buffers: RecordedPlan['buffers'],
    calls: readonly CallArguments[],
  ) {
    for (const args of calls) {
      const buffer = args.place(targetOf(args.call.kernel) ?? '')?.buffer;
      if (buffer !== undefined) this.#writers.set(buffer, [...(this.#writers.get(buffer) ?? []), args]);
    }
  }

  of(buffer: number | undefined): Bounds {
    if (buffer === undefined) return ANY;
    const known = this.#known.get(buffer);
    if (known) return known;
    // What a buffer is computed from itself could be anything.
    this.#known.set(buffer, ANY);
    const bytes = this.buffers[buffer]?.contents;
    const writers = this.#writers.get(buffer) ?? [];
    const parts = writers.map((args) => this.#written(args));
    const bounds = bytes ? boundsOf(new Int32Array(bytes.slice(0, bytes.length & ~3).buffer)) : union(parts);
    this.#known.set(buffer, bounds);
    return bounds;
  }

  #written(args: CallArguments): Bounds {
    const { kernel } = args.call;
    const source = (name: string) => this.of(args.place(name)?.buffer);
    const combine = combining.get(kernel);
    if (combine) return combine(source('a'), source('b'));
    const last = finding.get(kernel)?.[1](args);
    // A window of NaN has no largest pixel, and position −1.
    if (last !== undefined) return { low: kernel === 'maxPool' ? -1 : 0, high: last };
    if (kernel !== 'fill') return source('x');
    const bits = args.number('bits') | 0;
    return { low: bits, high: bits };
  }
}

function union(parts: readonly Bounds[]): Bounds {
  if (parts.length === 0) return ANY;
  return { low: Math.min(...parts.map(({ low }) => low)), high: Math.max(...parts.map(({ high }) => high)) };
}

function boundsOf(values: Int32Array): Bounds {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high };
}

/**
 * The indices that come with the inputs of a plan, whatever else it calls.
 *
 * @throws Error naming the kernel that follows computed indices which may lie out of range.
 */
export function followedIndices({ calls, buffers, inputs }: RecordedPlan): IndexRange[] {
  const given = new Set(inputs.map(({ buffer }) => buffer));
  const use: BufferUse = { buffers, reached: [], inputs: given, positions: new Map() };
  const found: IndexRange[] = [];
  const all = calls.map((call) => new CallArguments(call, use));
  const known = new KnownIntegers(buffers, all);
  for (const args of all) {
    const follow = following.get(args.call.kernel);
    const region = follow && args.place(follow.argument);
    if (!follow || !region || buffers[region.buffer]?.contents) continue;
    const { low, lowComputed = low } = follow;
    const end = follow.places(args);
    if (given.has(region.buffer)) {
      found.push({ ...region, count: follow.count(args), low, end });
      continue;
    }
    const bounds = known.of(region.buffer);
    if (bounds.low < lowComputed || bounds.high >= end)
      args.fail(
        `follows computed indices that may lie outside ${low}…${end - 1}; limit them by maximum and minimum, or make them an input`,
      );
  }
  return found;
}
