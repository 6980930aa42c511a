// Trees: values nested in plain objects and arrays, as parameters, gradients and results are passed around.

/** A leaf, or arrays and plain objects of trees. */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [key: string]: Tree<Leaf> };

/** The same tree with other leaves. */
export type MapTree<T, From, To> = T extends From
  ? To
  : T extends readonly unknown[]
    ? { [K in keyof T]: MapTree<T[K], From, To> }
    : T extends object
      ? { [K in keyof T]: MapTree<T[K], From, To> }
      : T;

function isBranch(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return (
    Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null
  );
}

/** Every value that is neither an array nor a plain object, in order of keys. */
export function leaves(tree: unknown): unknown[] {
  if (!isBranch(tree)) return [tree];
  return Object.values(tree).flatMap(leaves);
}

/** Applies `change` to each leaf. */
export function mapTree(tree: unknown, change: (leaf: unknown) => unknown): unknown {
  if (!isBranch(tree)) return change(tree);
  if (Array.isArray(tree)) return tree.map((child) => mapTree(child, change));
  return Object.fromEntries(Object.entries(tree).map(([key, child]) => [key, mapTree(child, change)]));
}
