// Shapes: sizes, axes, broadcasting.

/** Sizes of the axes; a scalar has none. */
export type Shape = readonly number[];

/** Sizes and positions in kernels have 32 bits. */
const MAXIMUM_LENGTH = 2 ** 32 - 1;

/**
 * Number of elements of a shape that a caller gave.
 *
 * @throws RangeError naming the operation unless every size is a whole number.
 */
export function checkedSize(operation: string, shape: Shape): number {
  if (!Array.isArray(shape)) throw new TypeError(`${operation}: expected a shape like [2, 3], got ${String(shape)}`);
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis] as number;
    if (!(Number.isInteger(length) && length >= 0 && length <= MAXIMUM_LENGTH))
      throw new RangeError(
        `${operation}: axis ${axis} of shape ${formatShape(shape)} is ${String(length)}; sizes are whole numbers from 0`,
      );
    size *= length;
  }
  return size;
}

/** @throws RangeError naming the argument unless it is a whole number of at least `least`. */
export function requireCount(operation: string, name: string, value: number, least = 0): void {
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new RangeError(`${operation}: ${name} must be a whole number from ${least}, got ${String(value)}`);
}

/** @throws TypeError naming the argument unless it is a number; RangeError for NaN. */
export function requireNumber(operation: string, name: string, value: number): void {
  if (typeof value !== 'number') throw new TypeError(`${operation}: ${name} must be a number, got ${String(value)}`);
  if (Number.isNaN(value)) throw new RangeError(`${operation}: ${name} is NaN`);
}

/** @throws TypeError naming the argument unless it is one of the texts. */
export function requireChoice(operation: string, name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value))
    throw new TypeError(
      `${operation}: ${name} must be ${choices.map((choice) => `'${choice}'`).join(' or ')}, got ${JSON.stringify(value) ?? 'undefined'}`,
    );
}

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** Whether two shapes have the same axes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** `[2, 3]` as people write it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

/** A non-negative axis. @throws RangeError naming the operation. */
export function resolveAxis(operation: string, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank) {
    throw new RangeError(`${operation}: axis ${axis} is out of range for rank ${rank}`);
  }
  return resolved;
}

/** Distinct non-negative axes in ascending order; all axes when none are given. */
export function resolveAxes(operation: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => resolveAxis(operation, axis, rank));
  if (new Set(list).size !== list.length) throw new RangeError(`${operation}: axes [${list.join(', ')}] repeat`);
  return list.sort((a, b) => a - b);
}

/**
 * NumPy's rule: sizes are aligned at the last axis and must be equal or 1.
 *
 * @throws Error naming both shapes.
 */
export function broadcastShapes(operation: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new Error(`${operation}: shapes do not broadcast: ${formatShape(a)} and ${formatShape(b)}`);
    }
    return left === 1 ? right : left;
  });
}

/** Strides of `shape` when read as the larger `target`: 0 along broadcast axes. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const own = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, axis) => {
    const at = axis - missing;
    return at < 0 || shape[at] === 1 ? 0 : (own[at] as number);
  });
}

/** Shape left after reducing `axes` (ascending). */
export function reducedShape(shape: Shape, axes: readonly number[], keepAxes: boolean): number[] {
  return shape.flatMap((length, axis) => (axes.includes(axis) ? (keepAxes ? [1] : []) : [length]));
}
