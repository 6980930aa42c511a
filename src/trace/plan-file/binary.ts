// What the kernels of binary convolutions read and write.

import type { KernelName } from '../../engine/index.js';
import type { CallArguments } from './arguments.js';
import type { CallCheck } from './check.js';

/** Words of 32 bits in a vector. */
const WORDS = 4;
/** Slices that positions of planes in 32 bits leave room for; a sum takes five at least. */
const [FEWEST, MOST] = [5, 30];

const signPlanes: CallCheck = (a) => {
  const [images, channels, height, width] = ['images', 'channels', 'height', 'width'].map((name) => a.size(name)) as [
    number,
    number,
    number,
    number,
  ];
  const [phases, rows, pitch, vectors] = ['phases', 'rows', 'pitch', 'vectors'].map((name) => a.size(name)) as [
    number,
    number,
    number,
    number,
  ];
  const guard = a.integer('guard', 0);
  if (rows * phases < height || pitch * phases < width) a.fail('has maps that do not fit their cells');
  if (images * rows * pitch > 128 * vectors) a.fail('has cells beyond its vectors');
  a.read('x', images * channels * height * width);
  a.write('bits', WORDS * channels * phases ** 2 * (vectors + 2 * guard));
};

/** Sizes of a convolution of planes, whose shifts must stay within the guards. */
function convolution(a: CallArguments) {
  const [channels, filters, kernel, stride, phases, pitch, vectors] = [
    ...['channels', 'filters', 'kernel', 'stride', 'phases', 'pitch', 'vectors'],
  ].map((name) => a.size(name)) as [number, number, number, number, number, number, number];
  const guard = a.integer('guard', 1);
  if (phases % stride !== 0) a.fail(`has ${phases} phases for a stride of ${stride}`);
  const reach = Math.ceil((kernel - 1) / 2 / phases);
  if (reach * (pitch + 1) + 64 > 128 * guard) a.fail('has taps beyond its guards');
  return { channels, filters, taps: channels * kernel ** 2, phases, vectors, guard, outPhases: (phases / stride) ** 2 };
}

/** A convolution by its lists. */
const planes =
  (more: (a: CallArguments, filters: number) => void): CallCheck =>
  (a) => {
    const { channels, filters, taps, phases, vectors, guard, outPhases } = convolution(a);
    a.integer('slices', FEWEST, MOST);
    a.number('stored');
    const sums = a.flag('sums');
    a.read('bits', WORDS * channels * phases ** 2 * (vectors + 2 * guard));
    const entries = a.segmentEnds('indptr', filters);
    a.indices('offsets', entries, 32 * taps + 1);
    a.indices('parents', filters, 2 * filters, -1);
    a.indices('targets', filters, filters);
    a.read('limits', filters);
    a.read('mask', WORDS * outPhases * vectors);
    a.write('y', sums ? filters * outPhases * 128 * vectors : WORDS * filters * outPhases * (vectors + 2 * guard));
    more(a, filters);
  };

/** Checks of the kernels of binary convolutions. */
export const binaryChecks: Partial<Readonly<Record<KernelName, CallCheck>>> = {
  signPlanes,
  planeTree: planes(() => {}),
  planeLevels: planes((a, filters) => {
    const ends = a.integers('ends', 0, { high: filters });
    if (ends[0] !== 0 || ends.at(-1) !== filters || ends.some((end, i) => end < (ends[i - 1] ?? 0)))
      a.fail('has depths that do not cover its channels');
  }),
};
