// The tensor: a shape and an element type over a region of device memory. Values never change after
// an operation made them, except those of parameters and running statistics, which optimisers and
// layers update in place.

import {
  type Buffer,
  bytesPerElement,
  cpu,
  type Device,
  type DType,
  type HostDevice,
  type Region,
  refuseForeign,
  type TypedArray,
} from '../engine/index.js';
import { elementsOf, requireKnownType } from './elements.js';
import type { Frame } from './frames.js';
import type { Chained } from './methods.js';
import { noteRead } from './reads.js';
import { adopt, forget, releaseBuffer } from './scope.js';
import { checkedSize, formatShape, type Shape } from './shape.js';

/** Parameters are trained; buffers (running statistics) are kept with them but not trained. */
export type Role = 'parameter' | 'buffer';

/** Names the tensor that a live view keeps from being collected. */
const OWNER = Symbol('tensor');

/** The operations as methods: see `methods.ts`. */
export interface Tensor extends Chained {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: methods.ts puts every method of the interface on the prototype
export class Tensor implements Region {
  /** Number of elements. */
  readonly size: number;
  /** Set for tensors that belong to a module: scopes leave them alone. */
  role: Role | undefined;
  /** The scope that frees it, kept by scopes. */
  frame: Frame | undefined;
  #disposed = false;
  /** The view that was given out, which later calls give again. */
  #values: TypedArray | undefined;

  /**
   * Wraps a region; use `tensor`, `zeros` … to make one with data.
   *
   * @throws RangeError unless the sizes are whole numbers and the region lies within its buffer.
   */
  constructor(
    readonly shape: Shape,
    readonly dtype: DType,
    readonly buffer: Buffer,
    readonly byteOffset: number,
    readonly device: Device,
  ) {
    this.size = checkedSize('tensor', shape);
    const bytes = bytesPerElement[dtype];
    if (bytes === undefined) requireKnownType('tensor', dtype);
    if (!(byteOffset >= 0 && byteOffset % bytes === 0 && byteOffset + this.size * bytes <= buffer.bytes))
      throw new RangeError(
        `tensor: ${dtype}${formatShape(shape)} at byte ${byteOffset} does not lie within a buffer of ${buffer.bytes} bytes`,
      );
    buffer.references += 1;
    adopt(this);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Whether the memory was given back: any further use throws. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * A copy of the elements in row-major order, of the array type that fits `dtype`. Works on every
   * device.
   */
  async data<Values extends TypedArray = Float32Array>(): Promise<Values> {
    this.assertAlive('data');
    noteRead(this, 'data');
    return (await this.device.read(this, this.dtype, this.size)) as Values;
  }

  /** A copy of the elements in row-major order, at once: the CPU only. */
  dataSync<Values extends TypedArray = Float32Array>(): Values {
    noteRead(this, 'dataSync');
    return this.peek('dataSync').slice() as Values;
  }

  /**
   * The elements in place, on the CPU: valid until the tensor is disposed, whatever else is
   * allocated; the view keeps the tensor from being collected, a `subarray` of the view does not.
   * Writing to the view changes the tensor.
   */
  view<Values extends TypedArray = Float32Array>(): Values {
    const host = this.host('view');
    noteRead(this, 'view');
    // A view of memory that moved when it grew is detached, and empty.
    if (this.#values?.length !== this.size) this.#values = host.view(this, this.dtype, this.size);
    const values = this.#values as Values;
    // A scope holds its tensors; one that left its scope is held by the view from then on.
    if (!this.frame && !Object.hasOwn(values, OWNER)) Object.defineProperty(values, OWNER, { value: this });
    return values;
  }

  /**
   * The elements in place, to be read before anything else is allocated; cheaper than `view`. For
   * checks that a plan repeats: traces are not told.
   *
   * @internal
   */
  peek(operation: string): TypedArray {
    return this.host(operation).peek(this, this.dtype, this.size);
  }

  private host(operation: string): HostDevice {
    this.assertAlive(operation);
    if (!isHost(this.device))
      throw new Error(
        `${operation}: ${this} lives on ${this.device.name}, out of reach of this thread; await its data()`,
      );
    return this.device;
  }

  /** The one element of a tensor of size 1. */
  item(): number {
    if (this.size !== 1) throw new Error(`item: expected one element, got shape ${formatShape(this.shape)}`);
    noteRead(this, 'item');
    return this.peek('item')[0] as number;
  }

  /**
   * Overwrites the elements. Meant for parameters and buffers between steps.
   *
   * @throws RangeError for values that the element type does not have; TypeError for what is no
   * array of numbers; Error unless there are as many as the tensor has.
   */
  assign(values: Tensor | TypedArray): this {
    this.assertAlive('assign');
    const source = elementsOf('assign', elementsGiven('assign', values), this.dtype);
    if (source.length !== this.size) {
      throw new Error(
        `assign: expected ${this.size} elements for shape ${formatShape(this.shape)}, got ${source.length}`,
      );
    }
    this.device.write(this, source);
    return this;
  }

  /** A copy in memory of its own, outside the gradient tapes. */
  clone(): Tensor {
    return emptyTensor(this.shape, this.dtype, this.device).assign(this);
  }

  /** Gives the memory back now. Scopes do this; calling it by hand is rarely needed. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    forget(this);
    releaseBuffer(this.buffer, this.device);
  }

  /** @throws Error naming the operation when the tensor was disposed. */
  assertAlive(operation: string): void {
    if (this.#disposed)
      throw new Error(
        `${operation}: tensor of shape ${formatShape(this.shape)} was disposed: return it from its scope() or keep() it`,
      );
  }

  toString(): string {
    return `Tensor(${this.dtype}${formatShape(this.shape)})`;
  }
}

/** The elements of a tensor of this copy of the library, or what else was given. */
function elementsGiven(operation: string, values: Tensor | TypedArray): TypedArray {
  if (values instanceof Tensor) return values.peek(operation);
  refuseForeign(operation, values);
  return values;
}

/**
 * @throws Error naming both copies for a tensor of another copy of the library; TypeError for
 * anything else that is no tensor.
 */
export function requireTensor(operation: string, value: unknown): asserts value is Tensor {
  if (value instanceof Tensor) return;
  refuseForeign(operation, value);
  throw new TypeError(`${operation}: expected a tensor, got ${String(value)}`);
}

function isHost(device: Device): device is HostDevice {
  return 'view' in device;
}

/**
 * A tensor whose elements are not yet written.
 *
 * @param operation what errors name
 * @throws RangeError for a shape of anything but whole numbers; TypeError for an unknown element
 * type.
 */
export function emptyTensor(
  shape: Shape,
  dtype: DType,
  device: Device = cpu,
  operation: string = 'emptyTensor',
): Tensor {
  const size = checkedSize(operation, shape);
  requireKnownType(operation, dtype);
  const buffer = device.allocate(Math.max(1, size) * bytesPerElement[dtype]);
  return new Tensor(shape.slice(), dtype, buffer, 0, device);
}

/** Another tensor over part of the same memory. */
export function viewOf(tensor: Tensor, shape: Shape, elementOffset = 0): Tensor {
  const byteOffset = tensor.byteOffset + elementOffset * bytesPerElement[tensor.dtype];
  return new Tensor(shape, tensor.dtype, tensor.buffer, byteOffset, tensor.device);
}
