// Floor 1: devices, memory, the thread pool, kernel loading.

import { CpuDevice, type MemoryUse } from './cpu/index.js';
import { environment } from './kernels.js';
import { PLANNED_SHARE } from './limits.js';

export { type Activation, activations } from './activation.js';
export { nodeModule } from './builtin.js';
export type { MemoryUse } from './cpu/index.js';
export type { LoadedProgram, Program } from './cpu/program.js';
export {
  type RecordedArgument,
  type RecordedCall,
  type RecordedRegion,
  type RecordingDevice,
  type Step,
  VIRTUAL,
} from './cpu/recorder.js';
export type { AttentionSizes } from './cpu/routines/attention.js';
export { sparseTilePixels } from './cpu/routines/channels.js';
export type { ConvolutionSizes } from './cpu/routines/convolution-passes.js';
export type { BroadcastArguments, Four } from './cpu/routines/elementwise.js';
export type { ArgumentsOf, KernelName, KernelsTaking } from './cpu/routines/index.js';
export type { Int8Geometry } from './cpu/routines/int8.js';
export type { Six, StridedBox } from './cpu/routines/layout.js';
export type { Samples, Windows } from './cpu/routines/pool.js';
export { rowBlock } from './cpu/routines/rows.js';
export { depthwisePlanes, paddedPlanes, tapPlaces } from './cpu/routines/sparse-windows.js';
export type { Device, HostDevice } from './device.js';
export type { FeatureLevel } from './kernels.js';
export { type Library, library, refuseForeign } from './library.js';
export {
  arrayTypes,
  type Buffer,
  bytesPerElement,
  type DType,
  type Region,
  regionAt,
  type TypedArray,
} from './region.js';

export { availableThreads, type Background, startBackground } from './threads.js';

/** The device that tensors live on by default. */
export const cpu: CpuDevice = await CpuDevice.create();

/** Threads that kernels use, the calling one among them. Results do not depend on it. */
export function setThreads(n: number): void {
  cpu.setThreads(n);
}

/**
 * Threads that kernels use, the calling one among them. Where workers cannot start (a page's
 * Content-Security-Policy may forbid them) they are not counted once a kernel has needed them.
 */
export function threads(): number {
  return cpu.threads;
}

/**
 * Runs a synchronous body in which tensors have shapes and no values: they take no memory and
 * kernels do nothing, so that the largest network can be made and counted at once. What is read of
 * its tensors is 0, scalars that were assigned and tensors of one value aside. The tensors are of
 * no use after it.
 *
 * @throws Error when the body is asynchronous
 */
export function shapesOnly<Result>(body: () => Result): Result {
  return cpu.shapesOnly(body);
}

/** Whether tensors have shapes and no values just now, for code that would compute some. */
export function isShapesOnly(): boolean {
  return cpu.isShapesOnly;
}

/** Tensor memory in use now, and the peak so far. */
export function memoryUse(): MemoryUse {
  return cpu.memoryUse;
}

/** Runs `body` and tells the most bytes of tensors that were in use at once while it ran. */
export function withOwnPeak<Result>(
  body: () => Result | Promise<Result>,
): Promise<{ readonly result: Result; readonly peakBytes: number }> {
  return cpu.withOwnPeak(body);
}

/**
 * Bytes of tensors that a job may plan to hold: three quarters of what this host offers, 3 GiB of 4
 * by default. What is larger (vectors of a large graph, weights of a large model) is kept elsewhere
 * and brought in by parts.
 */
export function tensorMemoryBudget(): number {
  return PLANNED_SHARE * cpu.memoryLimit;
}

export { median, medianSeconds, secondsInTurns, type TurnsOptions } from './timing.js';
export { eventTurn, pause } from './turn.js';
export { environment };
