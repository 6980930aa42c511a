// Frozen parts of a network: weights that training leaves as they are, and the statistics of norms
// among them.

import type { Tensor } from '../tensor/index.js';
import { weightSlots } from './module.js';

/** A layer with statistics that it follows in training, or takes as they are. */
export interface FixableStatistics {
  /** Whether it normalises by its statistics in training, too, and leaves them alone. */
  fixed: boolean;
}

function canBeFixed(owner: object): owner is FixableStatistics {
  return 'fixed' in owner && typeof owner.fixed === 'boolean';
}

/**
 * Freezes weights of a network by name: they count as buffers, which have no gradient and are saved
 * with the others, and norms that hold some use their running statistics without changing them.
 *
 * @returns what frees them again
 */
export function freeze(module: object, isFrozen: (name: string) => boolean): () => void {
  const undo: (() => void)[] = [];
  for (const { name, owner, key } of weightSlots(module)) {
    if (!isFrozen(name)) continue;
    const weight = owner[key] as Tensor;
    const { role } = weight;
    weight.role = 'buffer';
    undo.push(() => {
      weight.role = role;
    });
    if (!canBeFixed(owner) || owner.fixed) continue;
    owner.fixed = true;
    undo.push(() => {
      owner.fixed = false;
    });
  }
  return () => {
    for (const free of undo.reverse()) free();
  };
}
