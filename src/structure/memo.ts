// Memoised values of immutable structures.

const memory = new WeakMap<object, Map<string, unknown>>();

/**
 * The value of `make()` for an owner and a name, computed on first use and kept as long as the
 * owner.
 */
export function memo<T>(owner: object, name: string, make: () => T): T {
  let values = memory.get(owner);
  if (!values) {
    values = new Map();
    memory.set(owner, values);
  }
  if (!values.has(name)) values.set(name, make());
  return values.get(name) as T;
}
