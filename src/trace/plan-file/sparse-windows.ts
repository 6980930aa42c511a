// What the kernels of sparse filters read and write for their arguments: no entry may lead outside
// of the padded planes.

import { depthwisePlanes, paddedPlanes } from '../../engine/index.js';
import type { CallArguments } from './arguments.js';
import { type CallCheck, readActivation } from './check.js';
import { convolutionElements } from './convolutions.js';

/**
 * Offsets in bytes within planes of `size` elements, so that whole tiles of every row lie inside.
 */
function readOffsets(a: CallArguments, count: number, bytes: number, size: number, last: number): void {
  for (const offset of a.constantInts('offsets', count))
    if (offset < 0 || offset % bytes !== 0 || offset / bytes + last > size)
      a.fail(`has the offset ${offset} for planes of ${size * bytes} bytes`);
}

function readScales(a: CallArguments, rows: number): void {
  a.read('scale', rows);
  for (const name of ['inverse', 'least', 'most']) a.number(name);
}

/** Checks of blocks of `height` rows; an entry is a pair in int8. */
function windows(heights: readonly number[], int8: boolean): CallCheck {
  return (a) => {
    const { sizes, depthwise, filters, channels, input, output } = convolutionElements(a);
    const height = a.size('height');
    if (!heights.includes(height)) a.fail(`has blocks of ${height} rows`);
    if (sizes.images !== 1 || sizes.groups !== 1) a.fail('takes one image and one group at a time');
    if (depthwise) a.fail('takes no depthwise filters');
    a.number('stored');
    const entries = a.segmentEnds('indptr', Math.ceil(filters / height));
    const planes = paddedPlanes(sizes);
    readOffsets(a, int8 ? 2 * entries : entries, int8 ? 2 : 4, channels * planes.size, planes.reach);
    if (int8) readScales(a, filters);
    a.read('values', entries * height * (int8 ? 2 : 1), int8 ? 1 : 4);
    a.optionalRead('bias', filters);
    a.read('x', input);
    a.write('y', output);
    readActivation(a);
  };
}

/** Checks of depthwise filters in groups of `height` channels. */
function taps(int8: boolean): CallCheck {
  return (a) => {
    const { sizes, channels, input, output } = convolutionElements(a);
    const height = a.size('height');
    if (sizes.images !== 1 || sizes.groups !== channels || sizes.filters !== channels)
      a.fail('takes one image at a time and a filter for each channel');
    a.number('stored');
    const entries = a.segmentEnds('indptr', Math.ceil(channels / height));
    const planes = depthwisePlanes(sizes);
    readOffsets(a, int8 ? 2 * entries : entries, int8 ? 2 : 4, planes.size, planes.reach);
    if (int8) readScales(a, channels);
    a.read('values', entries * height * (int8 ? 2 : 1), int8 ? 1 : 4);
    a.optionalRead('bias', channels);
    a.read('x', input);
    a.write('y', output);
    readActivation(a);
  };
}

/** Checks of products with a single pixel. */
function vector(heights: readonly number[], int8: boolean): CallCheck {
  return (a) => {
    const [rows, columns] = [a.size('rows'), a.size('columns')];
    const height = int8 ? 4 : a.size('height');
    if (!heights.includes(height)) a.fail(`has blocks of ${height} rows`);
    a.number('stored');
    const entries = a.segmentEnds('indptr', Math.ceil(rows / height));
    readOffsets(a, int8 ? 2 * entries : entries, int8 ? 2 : 4, columns, 1);
    if (int8) readScales(a, rows);
    a.read('values', entries * height * (int8 ? 2 : 1), int8 ? 1 : 4);
    a.optionalRead('bias', rows);
    a.read('x', columns);
    a.write('y', rows);
    readActivation(a);
  };
}

export const sparseWindowChecks = {
  sparseWindows: windows([1, 2, 4, 8], false),
  sparseWindowsInt8: windows([2, 4], true),
  sparseTaps: taps(false),
  sparseTapsInt8: taps(true),
  sparseVector: vector([4, 8], false),
  sparseVectorInt8: vector([4], true),
} as const;
