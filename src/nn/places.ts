// Where the layers of a module stand.

import { Tensor } from '../tensor/index.js';

/** A field of a module that holds a layer. */
export interface LayerPlace<L> {
  /** Dotted path of the field. */
  readonly name: string;
  /** The object with the field. */
  readonly owner: Record<string, unknown>;
  /** Name of the field in `owner`. */
  readonly key: string;
  /** The layer. */
  readonly layer: L;
}

/** The layers of a kind in a module, at any depth, with the names that their weights begin with. */
export function placesOf<L>(module: object, is: (value: unknown) => value is L): LayerPlace<L>[] {
  const found: LayerPlace<L>[] = [];
  const seen = new Set<object>();
  const visit = (owner: Record<string, unknown>, path: string) => {
    if (seen.has(owner)) return;
    seen.add(owner);
    for (const [key, value] of Object.entries(owner)) {
      if (is(value)) found.push({ name: path + key, owner, key, layer: value });
      else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !(value instanceof Tensor))
        visit(value as Record<string, unknown>, `${path}${key}.`);
    }
  };
  visit(module as Record<string, unknown>, '');
  return found;
}
