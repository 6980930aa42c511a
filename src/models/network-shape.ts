// Networks of other widths and depths than they were made with: any network of convolutions with
// the first so many channels of each layer, and the first so many blocks of each stage.

import { Conv2d, type Layer, Linear, placesOf, replaceWeights, stateOf } from '../nn/index.js';
import { multiply, type Random, scope, type Tensor } from '../tensor/index.js';
import { withoutSlices } from '../trace/pruning/remove.js';
import { insertProjections, traceUntied, untieShortcuts, type WidthGroup, widthsOf } from './channel-widths.js';
import { type BlockStage, stagesOf, truncateStage } from './network-stages.js';

/** Widths and depths of a network. What is not named is as in the network that is shaped. */
export interface NetworkShape {
  /** Number of channels by the first layer that makes them, such as `layer1.0.conv1`. */
  readonly widths: Readonly<Record<string, number>>;
  /** Number of blocks by stage, such as `layer1`. */
  readonly depths: Readonly<Record<string, number>>;
}

/** What can be chosen of a network. */
export interface ShapeSpace {
  /** Channels that are chosen together, in the order of the layers. */
  readonly groups: readonly WidthGroup[];
  /** Stages of which blocks can be left out. */
  readonly stages: readonly BlockStage[];
  /** By layer whose channels cannot be chosen: why. */
  readonly fixed: ReadonlyMap<string, string>;
}

/**
 * What can be chosen of a network. Shortcuts that pad channels get weights, in place, see
 * `untieShortcuts`.
 *
 * @param example an input; only its shape matters
 * @param random initial weights of such shortcuts
 */
export function shapeSpaceOf(model: Layer, example: Tensor, random: Random): ShapeSpace {
  untieShortcuts(model, random.split('shortcuts'));
  const stages = stagesOf(model, example);
  const { groups, fixed } = traceUntied(model, example, (graph) => widthsOf(model, graph));
  return { groups, stages, fixed };
}

/** Options of `applyShape`. */
export interface ApplyShapeOptions {
  /**
   * `new`: initial weights are scaled to the fewer channels, for training from scratch; `kept`: the
   * weights of the channels that stay, as they are. Default: `new`.
   */
  readonly weights?: 'new' | 'kept';
}

/**
 * Cuts a network to a shape, in place: the first channels of each group and the first blocks of
 * each stage stay. Where a residual block would add an input of other channels than it makes, a
 * projection (1×1 convolution and norm) is put in.
 *
 * @param example an input; only its shape matters
 * @param random initial weights of shortcuts and projections
 * @throws Error for a group or stage that the network lacks, RangeError for counts out of range
 */
export function applyShape(
  model: Layer,
  { widths, depths }: NetworkShape,
  example: Tensor,
  random: Random,
  { weights = 'new' }: ApplyShapeOptions = {},
): void {
  const space = shapeSpaceOf(model, example, random);
  requireKnown('stage', depths, new Map(space.stages.map(({ name, blocks }) => [name, blocks])), space.fixed);
  requireKnown('layer', widths, new Map(space.groups.map(({ name, channels }) => [name, channels])), space.fixed);
  for (const stage of space.stages) truncateStage(stage, depths[stage.name] ?? stage.blocks);
  const { groups } = traceUntied(model, example, (graph) => widthsOf(model, graph));
  const removed = groups.flatMap(({ name, channels, slices }) => slices.slice(widths[name] ?? channels).flat());
  const fansBefore = fansOf(model);
  scope(() => replaceWeights(model, withoutSlices(stateOf(model), removed)));
  if (weights === 'new') scope(() => rescale(model, fansBefore));
  insertProjections(model, random.split('projections'));
}

function requireKnown(
  what: string,
  given: Readonly<Record<string, number>>,
  known: ReadonlyMap<string, number>,
  fixed: ReadonlyMap<string, string>,
): void {
  for (const [name, count] of Object.entries(given)) {
    const most = known.get(name);
    const reason = fixed.get(name);
    if (most === undefined)
      throw new Error(
        reason === undefined
          ? `shape: the network has no ${what} "${name}" to choose; it has ${[...known.keys()].join(', ') || 'none'}`
          : `shape: the channels of "${name}" cannot change: ${reason}`,
      );
    if (!(Number.isInteger(count) && count >= 1 && count <= most))
      throw new RangeError(`shape: ${what} "${name}" has 1 to ${most}, got ${count}`);
  }
}

const isWeighted = (value: unknown): value is Conv2d | Linear => value instanceof Conv2d || value instanceof Linear;

/** What sets the initial deviation of each layer: its fan-out, or the fan-in of a linear one. */
function fansOf(model: object): Map<string, number> {
  const fan = (layer: Conv2d | Linear) => layer.weight.shape[layer instanceof Conv2d ? 0 : 1] as number;
  return new Map(placesOf(model, isWeighted).map(({ name, layer }) => [name, fan(layer)]));
}

/** w ← √(fan before / fan)·w: the deviation of a layer that is made with these channels. */
function rescale(model: object, before: ReadonlyMap<string, number>): void {
  const now = fansOf(model);
  for (const { name, layer } of placesOf(model, isWeighted)) {
    const ratio = (before.get(name) ?? 1) / (now.get(name) ?? 1);
    if (ratio !== 1) layer.weight.assign(multiply(layer.weight, Math.sqrt(ratio)));
  }
}

/**
 * Checks a shape that was read from a file.
 *
 * @param name of the file, for errors
 * @throws Error unless it has widths and depths that are whole numbers of at least 1
 */
export function requireShapeRecord(value: unknown, name: string): NetworkShape {
  const isRecord = (own: unknown): own is Record<string, unknown> =>
    typeof own === 'object' && own !== null && !Array.isArray(own);
  if (!isRecord(value)) throw new Error(`"${name}": expected a shape with "widths" and "depths"`);
  for (const field of ['widths', 'depths'] as const) {
    const counts = value[field];
    if (!isRecord(counts)) throw new Error(`"${name}": the shape lacks "${field}", an object of counts by name`);
    const wrong = Object.entries(counts).find(([, count]) => !(Number.isInteger(count) && (count as number) >= 1));
    if (wrong)
      throw new Error(
        `"${name}": "${field}" of ${wrong[0]} must be a whole number of at least 1, got ${JSON.stringify(wrong[1])}`,
      );
  }
  return { widths: value.widths as NetworkShape['widths'], depths: value.depths as NetworkShape['depths'] };
}
