// Modules of Node that are used where they exist, without an import that browsers would have to
// resolve.

interface NodeModules {
  'node:async_hooks': typeof import('node:async_hooks');
  'node:worker_threads': typeof import('node:worker_threads');
  'node:os': typeof import('node:os');
}

/** A module of Node; undefined in a browser. */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name) as NodeModules[Name] | undefined;
}
