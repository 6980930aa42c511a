// Every kernel that a device must offer, with its named arguments, and how the CPU runs it: which
// loop is cut for threads and what one step of it costs. Costs are rough nanoseconds a step on one
// thread; they decide whether a call is worth waking other threads for.

import type { Execution } from '../execution.js';
import { aggregationRoutines } from './aggregation.js';
import { attentionRoutines } from './attention.js';
import { bitRoutines } from './bits.js';
import { blockExpertRoutines } from './block-experts.js';
import { blockRoutines } from './blocks.js';
import { cellRoutines } from './cells.js';
import { channelRoutines } from './channels.js';
import { convolutionRoutines } from './convolution.js';
import { elementwiseRoutines } from './elementwise.js';
import { int8Routines } from './int8.js';
import { int8MapRoutines } from './int8-maps.js';
import { layoutRoutines } from './layout.js';
import { matmulRoutines } from './matmul.js';
import { neuronRoutines } from './neurons.js';
import { poolRoutines } from './pool.js';
import { randomRoutines } from './random.js';
import { reduceRoutines } from './reduce.js';
import { rowRoutines } from './rows.js';
import { sparseRoutines } from './sparse.js';
import { sparseWindowRoutines } from './sparse-windows.js';
import { treeRoutines } from './trees.js';
import { walkRoutines } from './walks.js';

export const routines = {
  ...elementwiseRoutines,
  ...reduceRoutines,
  ...matmulRoutines,
  ...convolutionRoutines,
  ...aggregationRoutines,
  ...attentionRoutines,
  ...channelRoutines,
  ...cellRoutines,
  ...rowRoutines,
  ...poolRoutines,
  ...layoutRoutines,
  ...sparseRoutines,
  ...sparseWindowRoutines,
  ...int8Routines,
  ...int8MapRoutines,
  ...blockRoutines,
  ...neuronRoutines,
  ...blockExpertRoutines,
  ...bitRoutines,
  ...treeRoutines,
  ...walkRoutines,
  ...randomRoutines,
};

/** Kernels of a device. */
export type KernelName = keyof typeof routines;

/**
 * The named arguments of a device's kernel: regions of memory (null where one may be left out),
 * numbers and tables.
 */
export type ArgumentsOf<Name extends KernelName> = Parameters<(typeof routines)[Name]>[1];

/** Kernels that these arguments suffice for. */
export type KernelsTaking<Arguments> = {
  [Name in KernelName]: Arguments extends ArgumentsOf<Name> ? Name : never;
}[KernelName];

/** Runs a device's kernel. */
export function runRoutine<Name extends KernelName>(run: Execution, kernel: Name, args: ArgumentsOf<Name>): void {
  (routines[kernel] as (run: Execution, args: ArgumentsOf<Name>) => void)(run, args);
}
