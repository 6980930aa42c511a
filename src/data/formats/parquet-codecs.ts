// How the pages of Parquet files are decompressed.

import { gunzipSync } from 'fflate';
import { decompress as unzstd } from 'fzstd';
import { unsnappy } from './snappy.js';

/** A way of compressing pages. */
export interface Codec {
  /** Its name in hyparquet. */
  readonly name: 'SNAPPY' | 'GZIP' | 'ZSTD';
  /** The page's bytes, at most `size` of them. */
  decompress(content: Uint8Array, size: number): Uint8Array;
}

/** Codecs by Parquet's number. */
export const codecs: Readonly<Record<number, Codec>> = {
  1: { name: 'SNAPPY', decompress: unsnappy },
  2: { name: 'GZIP', decompress: (content, size) => gunzipSync(content, { out: new Uint8Array(size) }) },
  6: { name: 'ZSTD', decompress: (content, size) => unzstd(content, new Uint8Array(size)) },
};
