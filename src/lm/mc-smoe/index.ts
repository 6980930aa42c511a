// MC-SMoE: the experts of a trained mixture merged, then compressed, with hints from its routing
// (Li, Zhang, Yadav, Sung, Cheng, Bansal, Chen: Merge, Then Compress: Demystify Efficient SMoE with
// Hints from Its Routing Policy, ICLR 2024).
//
// Merge: hidden units of all experts are aligned (a linear assignment), the most used experts of a
// layer found groups, the others join the group of the most similar router output, and a group
// becomes W̄ = Σ uₑWᵉ/Σ uₑ with usages u. The router keeps its outputs and is frozen.
// Compress: each matrix becomes L·R + S, S loses rows of small |s·∂L/∂s|.
// After each step the model recovers: L = λ·CE + λ_kd·KL(teacher ‖ student).

import type { Decoder } from '../../models/index.js';
import { phaseCheckpoints } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { LanguageModelConfig } from '../runtime/config.js';
import { decomposeExperts } from './low-rank.js';
import { expertShape, type MergeOptions, mergeExperts, unmerged } from './merge.js';
import { type RecoveryOptions, recover, windowTask } from './recover.js';
import { type CalibrationOptions, decoderStatistics, type LayerStatistics } from './statistics.js';

export {
  type Components,
  type Footprint,
  footprint,
  type SwitchCompression,
  type SwitchShape,
  switchParameters,
} from './footprint.js';
export { type GroupCountOptions, type Grouping, type GroupingOptions, groupCounts, groupExperts } from './grouping.js';
export {
  compactState,
  decompose,
  decomposeExperts,
  keptShare,
  type LowRankParts,
  pruningThreshold,
  RowPruned,
  type RowSchedule,
  rankOfShare,
  type ScoredRow,
  stableRank,
} from './low-rank.js';
export {
  alignment,
  type ExpertShape,
  type ExpertWeights,
  keepMostUsed,
  type MergedDecoder,
  type MergeOptions,
  mergedExperts,
  mergeExperts,
  permute,
  unmerged,
} from './merge.js';
export { type RecoveryOptions, type RecoveryTask, recover, windowTask } from './recover.js';
export {
  type CalibrationOptions,
  decoderStatistics,
  type LayerStatistics,
  routingStatistics,
  rowSimilarity,
} from './statistics.js';

/** What `compressExperts` does; the defaults are MC-SMoE at the paper's rank and rows. */
export interface CompressExpertsOptions extends Omit<MergeOptions, 'experts'>, CalibrationOptions {
  /**
   * m: experts left in a layer, on average. Default: all, of which matrices are then compressed.
   */
  readonly experts?: number;
  /** Rank of each matrix; no compression after merging when left out. */
  readonly rank?: number;
  /** Share of the rows of S that stays. Default: 0.1. */
  readonly rows?: number;
  /** Windows of a step of recovery. Default: 16. */
  readonly batch?: number;
  /** Recovery after each of the two steps; none for `false`. Default: 400 steps each. */
  readonly recovery?: Omit<RecoveryOptions, 'prune'> | false;
}

/** A compressed decoder with its configuration. */
export interface CompressedDecoder {
  /** The decoder; `compactState` gives the weights to save where its experts are low-rank. */
  readonly model: Decoder;
  /** The configuration of `model`. */
  readonly config: LanguageModelConfig;
  /** Routing of the original on the calibration text, by layer. */
  readonly statistics: readonly LayerStatistics[];
  /** Whether all recovery ended, or was stopped by the signal. */
  readonly ended: boolean;
}

/**
 * Merges the experts of a trained decoder, then compresses them; `model` stays as it is. While it
 * trains, S is dense: the student then takes more memory than what is saved in the end.
 *
 * @param model a decoder of plain mixtures, in f32
 * @param tokens training text, for calibration and recovery
 * @throws Error when the decoder has no plain mixtures, or when the text is too short.
 */
export async function compressExperts(
  model: Decoder,
  config: LanguageModelConfig,
  tokens: Int32Array,
  random: Random,
  options: CompressExpertsOptions,
): Promise<CompressedDecoder> {
  const { experts, rank, rows = 0.1, recovery = {}, length = 64, batch = 16 } = options;
  if (experts === undefined && rank === undefined)
    throw new RangeError('compressExperts: give a number of experts, a rank, or both');
  const { features, hidden } = expertShape(config);
  if (rank !== undefined && !(rank >= 1 && rank <= Math.min(features, hidden)))
    throw new RangeError(`compressExperts: the rank must be from 1 to ${Math.min(features, hidden)}, got ${rank}`);
  const statistics = decoderStatistics(model, tokens, random.split('calibration'), options);
  const merged =
    experts === undefined
      ? unmerged(model, config, random.split('merge'))
      : mergeExperts(model, config, statistics, random.split('merge'), { ...options, experts });
  const task = windowTask(tokens, { batch, length });
  const { checkpoint = undefined } = recovery || {};
  const checkpoints = checkpoint && phaseCheckpoints(checkpoint, ['merged', 'compressed']);
  let ended = true;
  const run = async (student: Decoder, name: 'merged' | 'compressed', prune?: RecoveryOptions['prune']) => {
    if (recovery === false || !ended) return;
    const own = { ...recovery, checkpoint: checkpoints?.[name], ...(prune && { prune }) };
    ended = (await recover(student, model, task, random.split(name), own)).stopped !== 'aborted';
  };
  if (experts !== undefined) await run(merged.model, 'merged');
  if (rank === undefined) return { ...merged, statistics, ended };
  const low = decomposeExperts(merged.model, merged.config, rank, random.split('decompose'));
  await run(low.model, 'compressed', { rows });
  return { ...low, statistics, ended };
}
