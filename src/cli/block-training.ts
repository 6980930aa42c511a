// Training of layers of blocks on the command line: the flags of their losses, and a line on
// sparsity beside that of progress.

import type { Command } from 'commander';
import { BlockSparsity, decoderUsage, type LanguageModelConfig, scheduleFor } from '../lm/index.js';
import type { Decoder } from '../models/index.js';
import type { EpochReport, TrainingHooks } from '../nn/index.js';
import { number } from './arguments.js';
import { percent } from './lm-stats.js';

/** Flags of the losses of blocks. */
export interface BlockFlags {
  readonly chunkSparsity?: number;
  readonly locality?: number;
  readonly steps: number;
}

/** Adds them. */
export function withBlockOptions(command: Command): Command {
  return command
    .option(
      '--chunk-sparsity <k>',
      'with --router relu: weight of the loss that makes chunks of 64 tokens use few blocks; it adapts (default: 0.05)',
      number(0, false),
    )
    .option(
      '--locality <l>',
      'with --router relu: weight of the loss that makes neighbours use the same blocks (default: 0.002)',
      number(0, false),
    );
}

/** The objective of a model with blocks. @throws Error for its flags on another model. */
export function objectiveOf(
  { chunkSparsity, locality, steps }: BlockFlags,
  { blocks }: LanguageModelConfig,
): BlockSparsity | undefined {
  if (!blocks) {
    const given = chunkSparsity !== undefined ? '--chunk-sparsity' : locality !== undefined ? '--locality' : undefined;
    if (given) throw new Error(`${given} needs --experts with --router relu`);
    return undefined;
  }
  return new BlockSparsity({
    ...(chunkSparsity !== undefined && { chunkSparsity }),
    ...(locality !== undefined && { locality }),
    schedule: scheduleFor(steps),
  });
}

/** Sparsity on validation tokens, κ, and blocks that none of them uses. */
export function sparsityOf(
  model: Decoder,
  validation: readonly Int32Array[],
  { kappa }: BlockSparsity,
  length: number,
): string {
  const usage = decoderUsage(model, validation, { length });
  if (!usage) throw new Error('the model has no blocks');
  const blocks = usage.frequencies.reduce((sum, layer) => sum + layer.length, 0);
  const eight = usage.cls(8);
  const chunks = Number.isNaN(eight) ? 'no chunk of 8' : `CLS8 ${percent(eight)}`;
  return `TLS ${percent(usage.tls)}, ${chunks}, κ ${kappa.toPrecision(3)}, ${usage.dead} of ${blocks} blocks dead`;
}

/** Hooks that write a line on sparsity after each line of progress. */
export function withSparsity<Hooks extends Required<TrainingHooks>>(
  hooks: Hooks,
  model: Decoder,
  validation: readonly Int32Array[],
  objective: BlockSparsity,
  length: number,
): Hooks {
  let tenth = 0;
  let seen = objective.factor.updates;
  const onEpoch = (report: EpochReport) => {
    hooks.onEpoch?.(report);
    // Epochs of a checkpoint are reported again, without their weights.
    const { updates } = objective.factor;
    const isTrained = updates !== seen;
    seen = updates;
    const own = Math.floor((10 * report.epoch) / report.epochs);
    const isDue = process.stderr.isTTY || own > tenth;
    tenth = Math.max(tenth, own);
    if (!isDue || !isTrained) return;
    const line = sparsityOf(model, validation, objective, length);
    process.stderr.write(process.stderr.isTTY && report.epoch < report.epochs ? `  ${line}` : `${line}\n`);
  };
  return { ...hooks, onEpoch };
}
