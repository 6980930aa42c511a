// M-SMoE: the experts of a mixture are brought in alignment, grouped by their routing, and merged
// by usage.

import { linearAssignment } from '../../linalg/index.js';
import type { Decoder } from '../../models/index.js';
import { type ExpertActivation, loadState, PRUNED, stateOf, type Weights } from '../../nn/index.js';
import { concatenate, matmul, type Random, reshape, scope, slice, type Tensor, tensor } from '../../tensor/index.js';
import { decoderOf } from '../decoder.js';
import type { LanguageModelConfig } from '../runtime/config.js';
import { type GroupCountOptions, type Grouping, groupCounts, groupExperts, randomGroups } from './grouping.js';
import { type LayerStatistics, rowSimilarity } from './statistics.js';

/** The experts of a layer as plain numbers. */
export interface ExpertWeights {
  /** Up projections [E, f, d], or gates before up projections [E, 2f, d]. */
  readonly up: Float32Array;
  /** Down projections [E, d, f]. */
  readonly down: Float32Array;
}

/** Sizes of the experts of a layer. */
export interface ExpertShape {
  /** Experts E. */
  readonly count: number;
  /** Width d of the model. */
  readonly features: number;
  /** Hidden units f of an expert. */
  readonly hidden: number;
  /** Whether each expert has a gate. */
  readonly gated: boolean;
}

const upRows = ({ hidden, gated }: ExpertShape): number => (gated ? 2 * hidden : hidden);

/** The part of one expert. */
function partOf(values: Float32Array, expert: number, count: number): Float32Array {
  const size = values.length / count;
  return values.subarray(expert * size, (expert + 1) * size);
}

/**
 * The order π of the hidden units of `expert` in which it is nearest to `reference`: it maximises
 * Σᵢ ⟨W₁ref[i], W₁[π(i)]⟩ + ⟨W₂ref[:, i], W₂[:, π(i)]⟩, with a term of the gate where there is one.
 *
 * @param onProgress called with the share of the work that is done
 */
export function alignment(
  weights: ExpertWeights,
  shape: ExpertShape,
  reference: number,
  expert: number,
  onProgress?: (share: number) => void,
): Int32Array {
  const { count, features, hidden } = shape;
  const scores = scope(() => {
    const up = (e: number) => tensor(partOf(weights.up, e, count).slice(), [upRows(shape), features]);
    const down = (e: number) => tensor(partOf(weights.down, e, count).slice(), [features, hidden]);
    const blocks = (x: Tensor) => reshape(x, [-1, hidden, features]);
    const [a, b] = [blocks(up(reference)), blocks(up(expert))];
    const total = new Float64Array(hidden * hidden);
    const add = (products: Tensor) =>
      products.view<Float32Array>().forEach((value, i) => {
        total[i % total.length] = (total[i % total.length] as number) + value;
      });
    add(matmul(a, b, { transposeB: true }));
    add(matmul(down(reference), down(expert), { transposeA: true }));
    return total;
  });
  return linearAssignment(scores, hidden, { maximise: true, ...(onProgress && { onProgress }) });
}

/** Puts the hidden units of an expert in the order π, in place: its function stays. */
export function permute(weights: ExpertWeights, shape: ExpertShape, expert: number, order: Int32Array): void {
  const { count, features, hidden } = shape;
  const [up, down] = [partOf(weights.up, expert, count), partOf(weights.down, expert, count)];
  const [oldUp, oldDown] = [up.slice(), down.slice()];
  order.forEach((from, to) => {
    for (let block = 0; block < upRows(shape); block += hidden)
      up.set(oldUp.subarray((block + from) * features, (block + from + 1) * features), (block + to) * features);
    for (let row = 0; row < features; row++) down[row * hidden + to] = oldDown[row * hidden + from] as number;
  });
}

/**
 * W̄ = Σ wₑ·Wᵉ / Σ wₑ over the members e of each group; plain means where all weights are 0.
 *
 * @param weights wₑ of each expert, such as its usage
 * @returns the experts of the groups
 */
export function mergedExperts(
  experts: ExpertWeights,
  { groups, dominant }: Grouping,
  weights: ArrayLike<number>,
): ExpertWeights {
  const merge = (values: Float32Array) => {
    const size = values.length / groups.length;
    const merged = new Float32Array(dominant.length * size);
    dominant.forEach((_, group) => {
      const members = groups.flatMap((own, e) => (own === group ? [e] : []));
      const total = members.reduce((sum, e) => sum + (weights[e] as number), 0);
      const shares = members.map((e) => (total > 0 ? (weights[e] as number) / total : 1 / members.length));
      for (let i = 0; i < size; i++)
        merged[group * size + i] = members.reduce(
          (sum, e, at) => sum + (shares[at] as number) * (values[e * size + i] as number),
          0,
        );
    });
    return merged;
  };
  return { up: merge(experts.up), down: merge(experts.down) };
}

/** How experts are merged; the defaults are M-SMoE. */
export interface MergeOptions extends GroupCountOptions {
  /** m: experts that are left in a layer, on average. */
  readonly experts: number;
  /** Most members of a group. Default: no limit. */
  readonly capacity?: number;
  /**
   * What makes experts alike: `logits` of the router over the calibration text, weights of the
   * `router`, weights of the `experts`, or nothing, by `random` groups. Default: 'logits'.
   */
  readonly basis?: 'logits' | 'router' | 'experts' | 'random';
  /**
   * The expert whose hidden units the others are aligned to: the `first` of the layer, as the
   * authors do, the `dominant` one of their group, or `none`. Default: 'first'.
   */
  readonly alignTo?: 'first' | 'dominant' | 'none';
  /** Weights of the members of a group. Default: 'usage'. */
  readonly weights?: 'usage' | 'uniform';
  /**
   * `merge` merges groups; `replace` keeps only the dominant experts, which serve their groups;
   * `drop` keeps only those, and tokens go to the best that is left. Default: 'merge'.
   */
  readonly members?: 'merge' | 'replace' | 'drop';
  /** Called with the share of the work that is done. */
  readonly onProgress?: (share: number) => void;
}

/** A decoder with merged experts, and how they were merged. */
export interface MergedDecoder {
  /** The decoder; its routers are those of the original. */
  readonly model: Decoder;
  /** The configuration of `model`, with the groups of each layer. */
  readonly config: LanguageModelConfig;
  /** The groups of each layer. */
  readonly groupings: readonly Grouping[];
}

/**
 * A copy of a decoder of plain mixtures with fewer experts. Its router is the old one, and frozen.
 *
 * @param statistics routing of `model` on a calibration text
 * @param random draws random groups, for `basis: 'random'`
 * @throws Error when the decoder has no plain mixtures of experts.
 * @throws RangeError for numbers of experts that do not fit.
 */
export function mergeExperts(
  model: Decoder,
  config: LanguageModelConfig,
  statistics: readonly LayerStatistics[],
  random: Random,
  options: MergeOptions,
): MergedDecoder {
  const shape = expertShape(config);
  const state = stateOf(model);
  const counts = groupCounts(
    statistics.map(({ usage }) => usage),
    options.experts,
    options,
  );
  const weights: Record<string, Tensor> = {};
  const groupings = statistics.map((own, layer): Grouping => {
    const prefix = `model.layers.${layer}.mlp.`;
    const values = (name: string) => state[prefix + name] as Tensor;
    const grouping = groupingOf(own, counts[layer] as number, values, options, random.split(layer));
    const experts = {
      up: values('experts.up').view<Float32Array>().slice(),
      down: values('experts.down').view<Float32Array>().slice(),
    };
    const merged = layerOf(experts, shape, grouping, own.usage, {
      ...options,
      onProgress: (share) => options.onProgress?.((layer + share) / statistics.length),
    });
    const { length } = grouping.dominant;
    weights[`${prefix}experts.up`] = tensor(merged.up, [length, upRows(shape), shape.features]);
    weights[`${prefix}experts.down`] = tensor(merged.down, [length, shape.features, shape.hidden]);
    return grouping;
  });
  const groups = groupings.map((grouping) => (options.members === 'drop' ? dropped(grouping) : grouping.groups));
  return grouped({ ...state, ...weights }, config, groups, groupings, random);
}

/** The decoder of some groups with given weights. */
function grouped(
  weights: Weights,
  config: LanguageModelConfig,
  groups: readonly (readonly number[])[],
  groupings: readonly Grouping[],
  random: Random,
): MergedDecoder {
  const experts = { ...(config.experts as NonNullable<LanguageModelConfig['experts']>), groups };
  const left = { ...config, experts };
  const model = decoderOf(left, random.split('model'));
  loadState(model, weights);
  return { model, config: left, groupings };
}

/**
 * A copy of a decoder of plain mixtures in the form of merged ones, in which each expert is a
 * group.
 */
export function unmerged(model: Decoder, config: LanguageModelConfig, random: Random): MergedDecoder {
  const { count } = expertShape(config);
  const each = Array.from({ length: count }, (_, e) => e);
  const groupings = Array.from({ length: config.layers }, () => ({ groups: each, dominant: each }));
  return grouped(
    stateOf(model),
    config,
    groupings.map(({ groups }) => groups),
    groupings,
    random,
  );
}

/**
 * A copy of a decoder in the form of merged ones, of whose experts only the most used stay: tokens
 * then go to the best router output that is left (task-specific pruning: Chen et al. 2022).
 *
 * @param usage usage of each router output, by layer; that of pruned ones is not read
 * @param counts experts that stay in each layer
 */
export function keepMostUsed(
  model: Decoder,
  config: LanguageModelConfig,
  usage: readonly ArrayLike<number>[],
  counts: readonly number[],
  random: Random,
): MergedDecoder {
  const all = config.experts?.groups;
  if (!all) throw new Error('keepMostUsed: give the decoder in the form of merged ones, as unmerged makes it');
  const state: Record<string, Tensor> = { ...stateOf(model) };
  const groupings = all.map((groups, layer): Grouping => {
    const own = usage[layer] as ArrayLike<number>;
    const alive = groups.flatMap((group, e) => (group === PRUNED ? [] : [e]));
    const dominant = alive.sort((a, b) => (own[b] as number) - (own[a] as number)).slice(0, counts[layer]);
    for (const role of ['up', 'down'] as const) {
      const name = `model.layers.${layer}.mlp.experts.${role}`;
      const rows = dominant.map((e) => {
        const group = groups[e] as number;
        return slice(state[name] as Tensor, [group, group + 1]);
      });
      state[name] = concatenate(rows);
    }
    return { groups: groups.map((_, e) => dominant.indexOf(e)), dominant };
  });
  return grouped(
    state,
    config,
    groupings.map(({ groups }) => groups),
    groupings,
    random,
  );
}

/** @throws Error when a decoder has no plain mixtures. */
export function expertShape({ experts, features, hidden, activation }: LanguageModelConfig): ExpertShape {
  if (!experts) throw new Error('the model has no mixtures of experts to merge; its layers are dense');
  if (experts.zeroComputation) throw new Error('experts of MoE++ cannot be merged; plain mixtures can');
  if (experts.groups) throw new Error('the experts of the model are merged already');
  return { count: experts.count, features, hidden, gated: hasGate(activation) };
}

const hasGate = (activation: ExpertActivation | undefined): boolean => activation !== 'relu2';

function groupingOf(
  statistics: LayerStatistics,
  count: number,
  values: (name: string) => Tensor,
  { basis = 'logits', capacity }: MergeOptions,
  random: Random,
): Grouping {
  const size = statistics.usage.length;
  if (count === size) return { groups: [...statistics.usage.keys()], dominant: [...statistics.usage.keys()] };
  if (basis === 'random') return randomGroups(size, count, random);
  const similarity =
    basis === 'logits'
      ? statistics.similarity
      : rowSimilarity(basis === 'router' ? values('router.weight') : reshape(values('experts.up'), [size, -1]));
  return groupExperts({ ...statistics, similarity }, count, capacity === undefined ? {} : { capacity });
}

/** The experts of the groups of a layer; aligns `experts` in place. */
function layerOf(
  experts: ExpertWeights,
  shape: ExpertShape,
  grouping: Grouping,
  usage: Float64Array,
  { alignTo = 'first', weights = 'usage', members = 'merge', onProgress }: MergeOptions,
): ExpertWeights {
  const { groups, dominant } = grouping;
  if (members !== 'merge')
    return mergedExperts(
      experts,
      grouping,
      groups.map((group, e) => Number(dominant[group] === e)),
    );
  const { count } = shape;
  const merges = dominant.length < count;
  for (let expert = 0; expert < count && merges; expert++) {
    const reference = alignTo === 'first' ? 0 : (dominant[groups[expert] as number] as number);
    if (alignTo !== 'none' && reference !== expert)
      permute(
        experts,
        shape,
        expert,
        alignment(experts, shape, reference, expert, (share) => onProgress?.((expert + share) / count)),
      );
  }
  return mergedExperts(experts, grouping, weights === 'usage' ? usage : usage.map(() => 1));
}

/** Groups in which only the dominant experts are left. */
const dropped = ({ groups, dominant }: Grouping): number[] =>
  groups.map((group, e) => (dominant[group] === e ? group : -1));
