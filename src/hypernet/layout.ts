// Weights as one long vector: which stretch of it each named tensor of a target is.

import { parameterOwners, type Weights } from '../nn/index.js';
import { formatShape, reshape, type Shape, sizeOf, slice, type Tensor } from '../tensor/index.js';

export interface LayoutEntry {
  readonly name: string;
  readonly shape: Shape;
  readonly size: number;
  readonly offset: number;
}

/** Named shapes one after another. */
export class Layout {
  readonly entries: readonly LayoutEntry[];
  /** N: numbers in all. */
  readonly size: number;

  /** @throws Error for no entries, or an empty one */
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

  get shapes(): Readonly<Record<string, Shape>> {
    return Object.fromEntries(this.entries.map(({ name, shape }) => [name, shape]));
  }

  /** flat [B, N] → each tensor [B, …shape]. */
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

  /** The weights of one network as a vector [N]. @throws Error listing the names that are missing or unknown */
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

export function requireNames(operation: string, expected: readonly string[], given: readonly string[]): void {
  const missing = expected.filter((name) => !given.includes(name));
  const unexpected = given.filter((name) => !expected.includes(name));
  if (missing.length + unexpected.length === 0) return;
  const parts = [
    ...(missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
    ...(unexpected.length > 0 ? [`unexpected ${unexpected.join(', ')}`] : []),
  ];
  throw new Error(`${operation}: weights do not match: ${parts.join('; ')}`);
}

/**
 * Which parameters of a module are meant: all when left out; names by a glob (`*` within a field, `**` across fields) or a regular expression; those of layers of a class; or what a function says.
 */
export type Selection =
  | string
  | RegExp
  | { readonly layers: abstract new (...args: never[]) => object }
  | ((name: string, tensor: Tensor) => boolean);

/** @throws Error when nothing is selected, with the names there are */
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
