// The tensor: a shape and an element type over a region of device memory. Values never change after
// an operation made them, except those of parameters and running statistics, which optimisers and
// layers update in place.

import {
  arrayTypes,
  type Buffer,
  bytesPerElement,
  cpu,
  type Device,
  type DType,
  type HostDevice,
  type Region,
  type TypedArray,
} from '../engine/index.js';
import type { Chained } from './methods.js';
import { adopt, type Frame, forget, releaseBuffer } from './scope.js';
import { formatShape, type Shape, sizeOf } from './shape.js';

/** Parameters are trained; buffers (running statistics) are kept with them but not trained. */
export type Role = 'parameter' | 'buffer';

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

  /** Wraps a region; use `tensor`, `zeros` … to make one with data. */
  constructor(
    readonly shape: Shape,
    readonly dtype: DType,
    readonly buffer: Buffer,
    readonly byteOffset: number,
    readonly device: Device,
  ) {
    this.size = sizeOf(shape);
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
    return (await this.device.read(this, this.dtype, this.size)) as Values;
  }

  /** A copy of the elements in row-major order, at once: the CPU only. */
  dataSync<Values extends TypedArray = Float32Array>(): Values {
    return this.view<Values>().slice() as Values;
  }

  /**
   * The elements in place, on the CPU: valid until the tensor is disposed. Writing to the view
   * changes the tensor.
   */
  view<Values extends TypedArray = Float32Array>(): Values {
    this.assertAlive('view');
    if (!isHost(this.device))
      throw new Error(`view: ${this} lives on ${this.device.name}, out of reach of this thread; await its data()`);
    return this.device.view(this, this.dtype, this.size) as Values;
  }

  /** The one element of a tensor of size 1. */
  item(): number {
    if (this.size !== 1) throw new Error(`item: expected one element, got shape ${formatShape(this.shape)}`);
    return this.view()[0] as number;
  }

  /** Overwrites the elements. Meant for parameters and buffers between steps. */
  assign(values: Tensor | TypedArray): this {
    const source = values instanceof Tensor ? values.view<TypedArray>() : values;
    if (source.length !== this.size) {
      throw new Error(
        `assign: expected ${this.size} elements for shape ${formatShape(this.shape)}, got ${source.length}`,
      );
    }
    const Values = arrayTypes[this.dtype];
    this.device.write(this, source instanceof Values ? source : new Values(source));
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

function isHost(device: Device): device is HostDevice {
  return 'view' in device;
}

/** A tensor whose elements are not yet written. */
export function emptyTensor(shape: Shape, dtype: DType, device: Device = cpu): Tensor {
  const buffer = device.allocate(Math.max(1, sizeOf(shape)) * bytesPerElement[dtype]);
  return new Tensor(shape, dtype, buffer, 0, device);
}

/** Another tensor over part of the same memory. */
export function viewOf(tensor: Tensor, shape: Shape, elementOffset = 0): Tensor {
  const byteOffset = tensor.byteOffset + elementOffset * bytesPerElement[tensor.dtype];
  return new Tensor(shape, tensor.dtype, tensor.buffer, byteOffset, tensor.device);
}
