// Checkpoints with PyTorch's names into our modules: the same path of fields, in camelCase.

import { loadState, stateOf, type Weights } from '../nn/index.js';

/** Names that differ by more than their case. */
const renamed: Readonly<Record<string, string>> = { running_var: 'runningVariance' };

/** Counters that batch norm keeps there and nobody needs. */
const ignored = /(^|\.)num_batches_tracked$/;

/** `layer1.0.bn1.running_mean` → `layer1.0.bn1.runningMean`. */
export function fromTorchName(name: string): string {
  return name
    .split('.')
    .map((part) => renamed[part] ?? part.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()))
    .join('.');
}

export interface TorchLoadOptions {
  /** Changes names before they are matched, for instance to drop a prefix; undefined leaves a tensor out. */
  readonly rename?: (name: string) => string | undefined;
}

/**
 * Copies a checkpoint with PyTorch's names (read from safetensors, say) into a module.
 *
 * @throws Error naming the weights that are missing, unknown or of another shape, in the checkpoint's own names.
 */
export function loadTorchState(
  module: object,
  checkpoint: Weights,
  { rename = (name) => name }: TorchLoadOptions = {},
): void {
  const state: Record<string, Weights[string]> = {};
  const origins = new Map<string, string>();
  for (const [name, tensor] of Object.entries(checkpoint)) {
    const wanted = rename(name);
    if (wanted === undefined || ignored.test(wanted)) continue;
    const own = fromTorchName(wanted);
    state[own] = tensor;
    origins.set(own, name);
  }
  const known = stateOf(module);
  const unknown = Object.keys(state).filter((name) => !known[name]);
  const missing = Object.keys(known).filter((name) => !state[name]);
  const list = (names: readonly string[]) =>
    `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
  if (unknown.length)
    throw new Error(
      `loadTorchState: the module has no place for ${list(unknown.map((name) => origins.get(name) as string))}`,
    );
  if (missing.length) throw new Error(`loadTorchState: the checkpoint lacks ${list(missing)}`);
  loadState(module, state);
}
