// A plan as it is saved: calls of a device's kernels over numbered buffers. The steps, their
// scratch and their tables follow from the calls wherever the plan is loaded.

import {
  bytesPerElement,
  cpu,
  type Program,
  type RecordedArgument,
  type RecordedCall,
  type RecordedRegion,
  type RecordingDevice,
  VIRTUAL,
} from '../../engine/index.js';
import { sizeOf, type Tensor } from '../../tensor/index.js';
import { type BufferUse, CallArguments, type FileBuffer } from './arguments.js';
import { callChecks } from './kernels.js';

/** An input or output: its shape, and where in the buffers it lies. */
export interface Port extends RecordedRegion {
  readonly shape: readonly number[];
  readonly dtype: Tensor['dtype'];
}

/** Calls, buffers and ports of a plan. */
export interface RecordedPlan {
  readonly calls: readonly RecordedCall[];
  readonly buffers: readonly FileBuffer[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

function isRegion(value: RecordedArgument): value is RecordedRegion {
  return typeof value === 'object' && value !== null && 'buffer' in value;
}

/** An argument with its regions replaced. */
function withRegions<T>(value: RecordedArgument, replace: (region: RecordedRegion) => T): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => withRegions(element, replace));
  if (isRegion(value)) return replace(value);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withRegions(part, replace)]));
}

/** Numbers buffers anew, without those that no call or port names, such as scratch. */
export function withoutUnused({ calls, buffers, inputs, outputs }: RecordedPlan): RecordedPlan {
  const kept: FileBuffer[] = [];
  const numbers = new Map<number, number>();
  const renumbered = <R extends RecordedRegion>(region: R): R => {
    const number = numbers.get(region.buffer) ?? kept.push(buffers[region.buffer] as FileBuffer) - 1;
    numbers.set(region.buffer, number);
    return { ...region, buffer: number };
  };
  return {
    calls: calls.map(({ kernel, args }) => ({ kernel, args: withRegions(args, renumbered) as RecordedCall['args'] })),
    inputs: inputs.map(renumbered),
    outputs: outputs.map(renumbered),
    buffers: kept,
  };
}

function checkPort(name: string, { shape, dtype, buffer, byteOffset }: Port, { buffers, reached }: BufferUse): void {
  const fail = (reason: string): never => {
    throw new Error(`plan: ${name} ${reason}`);
  };
  const width = Object.hasOwn(bytesPerElement, dtype)
    ? bytesPerElement[dtype]
    : fail(`has the type ${JSON.stringify(dtype ?? null)}`);
  if (!Array.isArray(shape) || !shape.every((length) => Number.isInteger(length) && length >= 0))
    fail('has an impossible shape');
  if (!Number.isInteger(buffer) || !Number.isInteger(byteOffset)) fail('has no place in a buffer');
  const found = buffers[buffer] ?? fail(`names buffer ${buffer} of ${buffers.length}`);
  const end = byteOffset + sizeOf(shape) * width;
  if (byteOffset < 0 || byteOffset % width !== 0 || !(end <= found.bytes))
    fail(`[${shape.join(', ')}] takes bytes ${byteOffset} to ${end} of a buffer of ${found.bytes}`);
  reached[buffer] = Math.max(reached[buffer] ?? 0, end);
}

/** Bytes beyond what calls reach that a buffer may have. */
const SPARE_BYTES = 64;

/**
 * Checks that every region of every call lies in its buffer, that sizes fit each other, and that
 * nothing but temporaries is written.
 *
 * @throws Error naming the call or port that is impossible.
 */
export function checkPlan({ calls, buffers, inputs, outputs }: RecordedPlan): void {
  const given = inputs.map(({ buffer }) => buffer);
  const use: BufferUse = { buffers, reached: [], inputs: new Set(given), positions: new Map() };
  if (given.some((buffer) => buffers[buffer]?.contents)) throw new Error('plan: an input lies in a constant');
  inputs.forEach((port, i) => {
    checkPort(`input ${i}`, port, use);
  });
  outputs.forEach((port, i) => {
    checkPort(`output ${i}`, port, use);
  });
  if (use.inputs.size < given.length) throw new Error('plan: two inputs lie in one buffer');
  for (const call of calls) {
    const check = callChecks.get(call.kernel);
    if (!check) throw new Error(`plan: the kernel "${call.kernel}" cannot be called from a file`);
    const args = new CallArguments(call, use);
    check(args);
    args.finish();
  }
  buffers.forEach(({ bytes, contents }, i) => {
    if (!contents && bytes > (use.reached[i] ?? 0) + SPARE_BYTES)
      throw new Error(`plan: buffer ${i} has ${bytes} bytes, of which ${use.reached[i] ?? 0} are used`);
  });
}

/** Records the steps of a plan's calls for the current number of threads. */
export function recordCalls({ calls, buffers, inputs, outputs }: RecordedPlan) {
  const numbers: number[] = [];
  let recording: Pick<RecordingDevice, 'calls' | 'buffers'> = { calls: [], buffers: [] };
  const program: Program = cpu.record((device) => {
    recording = device;
    const placed = buffers.map(({ bytes, contents }) =>
      contents ? device.constant(contents) : device.allocate(bytes),
    );
    for (const { address } of placed) numbers.push(address / VIRTUAL - 1);
    for (const { kernel, args } of calls) {
      const regions = withRegions(args, ({ buffer, byteOffset }) => ({ buffer: placed[buffer], byteOffset }));
      runChecked(device, kernel, regions);
    }
  });
  const placedPort = (port: Port): Port => ({ ...port, buffer: numbers[port.buffer] as number });
  const ports = { inputs: inputs.map(placedPort), outputs: outputs.map(placedPort) };
  const recorded: RecordedPlan = { calls: recording.calls, buffers: recording.buffers, ...ports };
  return { program, ...ports, recorded };
}

/** Runs a kernel whose arguments `checkPlan` has read. */
function runChecked(device: RecordingDevice, kernel: string, args: unknown): void {
  (device.run as (this: RecordingDevice, kernel: string, args: unknown) => void).call(device, kernel, args);
}
