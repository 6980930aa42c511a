// Options of `gossamer embed` for the methods that train on a grid, and what they must satisfy.

import type { Communicator } from '../../distributed/index.js';
import type { GraphViteOptions } from '../../embedding/index.js';
import type { Graph } from '../../structure/index.js';

/** Options of the command. */
export interface GraphViteFlags {
  readonly out: string;
  readonly dim: number;
  readonly seed: number;
  readonly form?: GraphViteOptions['form'];
  readonly epochs?: number;
  readonly step?: number | 'auto';
  readonly length?: number;
  readonly p?: number;
  readonly q?: number;
  readonly parts?: number;
  readonly memory?: number;
  readonly resume?: boolean;
  readonly labels?: string;
  readonly update?: string;
  readonly vectors?: string;
}

/** Names of nodes by number, and back. */
export type Names = { readonly count: number; of(node: number): string; find(name: string): number | undefined };
/** A graph with the names of its nodes. */
export type NamedGraph = { readonly graph: Graph; readonly names: Names };

/** Parts where several ranks share them, about. */
const PARTS = 8;

/** The options of the library that flags give; parts are a multiple of the ranks. */
export function optionsOf(flags: GraphViteFlags, ranks = 1): GraphViteOptions {
  const { dim, seed, form, epochs, step, length, p, q } = flags;
  const parts = flags.parts ?? (ranks > 1 ? ranks * Math.max(1, Math.round(PARTS / ranks)) : undefined);
  const given = { form, epochs, step, walkLength: length, p, q, parts };
  return { dim, seed, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** @throws Error naming an option that others, or several ranks, leave no use for */
export function requireHeeded(flags: GraphViteFlags, { size }: Communicator): void {
  if (size > 1 && (flags.memory ?? flags.update) !== undefined)
    throw new Error('under mpirun the parts are shared by the ranks, in memory; leave --memory and --update out');
  if (flags.update === undefined && flags.vectors !== undefined) throw new Error('--vectors is for --update');
  const unheeded = (['labels', 'resume', 'memory', 'parts'] as const).find((name) => flags[name] !== undefined);
  if (flags.update !== undefined && unheeded) throw new Error(`--${unheeded} is not for --update`);
}
