// Device memory as kernels and tensors see it: buffers, and regions of them.

import type { Library } from './library.js';

/** Element types. f32 and i32 compute; the others store. */
export type DType = 'f32' | 'i32' | 'u8' | 'i8';

/** The arrays that hold elements in JavaScript. */
export type TypedArray = Float32Array | Int32Array | Uint8Array | Int8Array;

/** The typed array that holds elements of a type. */
export const arrayTypes = { f32: Float32Array, i32: Int32Array, u8: Uint8Array, i8: Int8Array } as const;

/** Bytes that an element of a type takes. */
export const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1, i8: 1 };

/** A block of device memory, shared by the tensors that view it. */
export interface Buffer {
  /** The copy of the library that made it. */
  readonly library: Library;
  /** Where the block lies, in the device's own terms (a byte offset on the CPU). */
  readonly address: number;
  readonly bytes: number;
  /** Tensors that hold it; at 0 the device takes it back. */
  references: number;
}

/** A part of a buffer: what a kernel argument or a tensor points at. */
export interface Region {
  readonly buffer: Buffer;
  readonly byteOffset: number;
}

/** The region that starts `bytes` behind the start of another. */
export function regionAt(region: Region, bytes: number): Region {
  return { buffer: region.buffer, byteOffset: region.byteOffset + bytes };
}
