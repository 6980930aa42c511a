// The seam between tensors and the machines that compute. A device stores buffers and runs named kernels over regions of them.
// The CPU device is synchronous; a device that is not (a GPU) queues its work and settles it when a result is read.

import type { KernelName } from './cpu/routines.js';

/** Element types. f32 and i32 compute; the others store. */
export type DType = 'f32' | 'i32' | 'u8' | 'i8';

export type TypedArray = Float32Array | Int32Array | Uint8Array | Int8Array;

/** The typed array that holds elements of a type. */
export const arrayTypes = { f32: Float32Array, i32: Int32Array, u8: Uint8Array, i8: Int8Array } as const;

export const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1, i8: 1 };

/** A block of device memory, shared by the tensors that view it. */
export interface Buffer {
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

/** What a kernel takes: regions (or null for one that is left out) and numbers. */
export type KernelArgument = Region | number | null;

export interface Device {
  readonly name: string;
  /** @throws RangeError naming the size asked for and what is in use when memory runs out. */
  allocate(bytes: number): Buffer;
  free(buffer: Buffer): void;
  write(region: Region, data: TypedArray): void;
  read(region: Region, dtype: DType, length: number): Promise<TypedArray>;
  /** Runs a kernel; its name and arguments mean the same on every device (see `cpu/routines.ts`). */
  run(kernel: KernelName, args: readonly KernelArgument[]): void;
}

/** A device whose memory the calling thread can see. */
export interface HostDevice extends Device {
  /** A live view of device memory: valid until the buffer is freed. */
  view(region: Region, dtype: DType, length: number): TypedArray;
}
