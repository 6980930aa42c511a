// PyTorch checkpoints: the same dotted names, in camelCase.

import { loadState, stateOf, type Weights } from '../nn/index.js';

/** Fields whose names differ by more than their case. */
const renamed: Readonly<Record<string, string>> = { running_var: 'runningVariance' };

/** Batch counters of batch norm, which are not weights. */
const ignored = /(^|\.)num_batches_tracked$/;

/** PyTorch's name of a weight as ours: `layer1.0.bn1.running_mean` → `layer1.0.bn1.runningMean`. */
export function fromTorchName(name: string): string {
  return name
    .split('.')
    .map((part) => renamed[part] ?? part.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()))
    .join('.');
}

/** Options of `loadTorchState`. */
export interface TorchLoadOptions {
  /**
   * Maps checkpoint names before they are matched, for instance to strip a prefix; undefined skips
   * the tensor.
   */
  readonly rename?: (name: string) => string | undefined;
}

/**
 * Copies a checkpoint with PyTorch's names (from safetensors, say) into a module's parameters and
 * buffers.
 *
 * @throws Error naming the weights that are missing, unknown or of another shape, in the
 * checkpoint's own names.
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
