// The seam between tensors and the machines that compute. A device stores buffers and runs named
// kernels over regions of them. The CPU device is synchronous; one that is not (a GPU) queues its
// work and settles it when a result is read.

import type { ArgumentsOf, KernelName } from './cpu/routines/index.js';
import type { Buffer, DType, Region, TypedArray } from './region.js';

/** Where tensors live and kernels run. */
export interface Device {
  readonly name: string;
  /**
   * @throws RangeError unless `bytes` is a whole number, or naming the size asked for and what is
   * in use when memory runs out.
   */
  allocate(bytes: number): Buffer;
  free(buffer: Buffer): void;
  /** Has a buffer freed when JavaScript collects it, unless it is freed before. */
  watch(buffer: Buffer): void;
  write(region: Region, data: TypedArray): void;
  read(region: Region, dtype: DType, length: number): Promise<TypedArray>;
  /** Runs a kernel; its name and arguments mean the same on every device (see `cpu/routines/`). */
  run<Name extends KernelName>(kernel: Name, args: ArgumentsOf<Name>): void;
}

/** A device whose memory the calling thread can see. */
export interface HostDevice extends Device {
  /** The elements in place, to be used before anything else is allocated. */
  peek(region: Region, dtype: DType, length: number): TypedArray;
  /** A live view of device memory: valid until the buffer is freed. */
  view(region: Region, dtype: DType, length: number): TypedArray;
}
