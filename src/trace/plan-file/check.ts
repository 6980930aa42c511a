// What checks of kernels share.

import { activations } from '../../engine/index.js';
import type { CallArguments } from './arguments.js';

/** Reads every argument of a call. @throws Error when one is impossible. */
export type CallCheck = (a: CallArguments) => void;

/** The code of an activation. */
export function readActivation(a: CallArguments): void {
  a.integer('activation', 0, Object.keys(activations).length - 1);
}
