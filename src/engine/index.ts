// Floor 1: devices, memory, the thread pool, kernel loading.

import { CpuDevice, type MemoryUse } from './cpu/index.js';
import { environment } from './kernels.js';

export { type Activation, activations } from './activation.js';
export type { MemoryUse } from './cpu/index.js';
export type { LoadedProgram, Program } from './cpu/program.js';
export { type RecordingDevice, type Step, VIRTUAL } from './cpu/recorder.js';
export { type KernelName, sparseTilePixels } from './cpu/routines.js';
export {
  arrayTypes,
  type Buffer,
  bytesPerElement,
  type Device,
  type DType,
  type HostDevice,
  type KernelArgument,
  type Region,
  type TypedArray,
} from './device.js';
export type { FeatureLevel } from './kernels.js';

export { type Background, startBackground } from './threads.js';

/** The device that tensors live on unless told otherwise. */
export const cpu: CpuDevice = await CpuDevice.create();

/** Threads that kernels use, the calling one among them. Results do not depend on it. */
export function setThreads(n: number): void {
  cpu.setThreads(n);
}

export function threads(): number {
  return cpu.threads;
}

/** Tensor memory in use now and at most so far. */
export function memoryUse(): MemoryUse {
  return cpu.memoryUse;
}

export { median, medianSeconds } from './timing.js';
export { eventTurn } from './turn.js';
export { environment };
