// The flat weight vector of a target: the range of each named tensor.

import { parameterOwners, type Weights } from '../nn/index.js';
import { formatShape, reshape, type Shape, sizeOf, slice, type Tensor } from '../tensor/index.js';

/** One tensor of a target in the flat weight vector. */
export interface LayoutEntry {
  /** Parameter name, e.g. `layers.0.weight`. */
  readonly name: string;
  /** Shape of the tensor. */
  readonly shape: Shape;
  /** Number of elements. */
  readonly size: number;
  /** Index of its first element in the flat vector. */
  readonly offset: number;
}

/** Named tensors concatenated into a vector of N weights, each in row-major order. */
export class Layout {
  /** Tensors in order. */
  readonly entries: readonly LayoutEntry[];
  /** N: total number of weights. */
  readonly size: number;

  /** @throws Error when there are no shapes, or a tensor is empty */
  constructor(shapes: Readonly<Record<string, Shape>>) {
    let offset = 0;
    this.entries = Object.entries(shapes).map(([name, shape]) => {
      const size = sizeOf(shape);
      if (size === 0) throw new Error(`hypernet: weight "${name}" is empty: ${formatShape(shape)}`);
      offset += size;
      return { name, shape, size, offset: offset - size };
    });
    this.size = offset;
    if (offset === 0) throw new Error('hypernet: there are no weights to generate');
  }

  /** The layout of all parameters of a module. */
  static of(module: object): Layout {
    return new Layout(Object.fromEntries(parameterOwners(module).map(({ name, tensor: { shape } }) => [name, shape])));
  }

  /** Shape of each tensor by name. */
  get shapes(): Readonly<Record<string, Shape>> {
    return Object.fromEntries(this.entries.map(({ name, shape }) => [name, shape]));
  }

  /**
   * Flat weights [B, N] → tensors by name, each [B, …shape].
   *
   * @throws Error for another shape
   */
  unpack(flat: Tensor): Record<string, Tensor> {
    if (flat.rank !== 2 || flat.shape[1] !== this.size)
      throw new Error(`hypernet: expected generated weights [B, ${this.size}], got ${formatShape(flat.shape)}`);
    const networks = flat.shape[0] as number;
    return Object.fromEntries(
      this.entries.map(({ name, shape, size, offset }) => [
        name,
        reshape(slice(flat, null, [offset, offset + size]), [networks, ...shape]),
      ]),
    );
  }

  /**
   * The weights of one network as a flat vector [N].
   *
   * @throws Error listing names that are missing or unknown, or a tensor of another shape
   */
  pack(weights: Weights): Float32Array {
    requireNames('hypernet', Object.keys(this.shapes), Object.keys(weights));
    const flat = new Float32Array(this.size);
    for (const { name, shape, offset } of this.entries) {
      const weight = weights[name] as Tensor;
      if (weight.shape.join() !== shape.join())
        throw new Error(`hypernet: weight "${name}" is ${weight}, expected f32${formatShape(shape)}`);
      flat.set(weight.view(), offset);
    }
    return flat;
  }
}

/**
 * @param what what the names are of. Default: weights
 * @throws Error listing the names that are missing or unexpected
 */
export function requireNames(
  operation: string,
  expected: readonly string[],
  given: readonly string[],
  what = 'weights',
): void {
  const missing = expected.filter((name) => !given.includes(name));
  const unexpected = given.filter((name) => !expected.includes(name));
  if (missing.length + unexpected.length === 0) return;
  const parts = [
    ...(missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
    ...(unexpected.length > 0 ? [`unexpected ${unexpected.join(', ')}`] : []),
  ];
  throw new Error(`${operation}: ${what} do not match: ${parts.join('; ')}`);
}

/**
 * Selects parameters of a module: by a glob (`*` within a field of the name, `**` across fields) or
 * a regular expression over names, by the class of their layer, or by a predicate.
 */
export type Selection =
  | string
  | RegExp
  | { readonly layers: abstract new (...args: never[]) => object }
  | ((name: string, tensor: Tensor) => boolean);

/**
 * The selected parameters by name (all without a selection); a tensor shared under several names is
 * taken once.
 *
 * @throws Error when nothing is selected, listing the parameter names
 */
export function selectParameters(module: object, selection?: Selection): Record<string, Tensor> {
  const all = parameterOwners(module);
  const seen = new Set<Tensor>();
  const chosen = all.filter(({ name, owner, tensor }) => {
    const fits = matches(selection, name, owner, tensor) && !seen.has(tensor);
    seen.add(tensor);
    return fits;
  });
  if (chosen.length === 0)
    throw new Error(
      `hypernet: the selection fits none of ${all.map(({ name }) => name).join(', ') || 'no parameters'}`,
    );
  return Object.fromEntries(chosen.map(({ name, tensor }) => [name, tensor]));
}

function matches(selection: Selection | undefined, name: string, owner: object, tensor: Tensor): boolean {
  if (selection === undefined) return true;
  if (typeof selection === 'string') return globPattern(selection).test(name);
  if (selection instanceof RegExp) return selection.test(name);
  if (typeof selection === 'function') return selection(name, tensor);
  return owner instanceof selection.layers;
}

function globPattern(glob: string): RegExp {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**', '\0')
    .replaceAll('*', '[^.]*')
    .replaceAll('?', '[^.]')
    .replaceAll('\0', '.*');
  return new RegExp(`^${pattern}$`);
}
