// Values derived from an immutable structure, computed once.

const memory = new WeakMap<object, Map<string, unknown>>();

export function memo<T>(owner: object, name: string, make: () => T): T {
  let values = memory.get(owner);
  if (!values) {
    values = new Map();
    memory.set(owner, values);
  }
  if (!values.has(name)) values.set(name, make());
  return values.get(name) as T;
}
