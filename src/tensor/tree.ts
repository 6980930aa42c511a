// Trees: values nested in plain objects and arrays, as parameters, gradients and results are passed
// around.

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
