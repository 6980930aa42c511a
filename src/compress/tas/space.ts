// What a search of widths and depths chooses from, and what each choice costs: read off the trace
// of any network, so that nothing here knows of ResNets but that their shortcuts can be projected.

import {
  addsInput,
  type BlockStage,
  residualBlocksOf,
  shapeSpaceOf,
  traceUntied,
  type WidthGroup,
} from '../../models/index.js';
import { Conv2d, type Layer, Linear, parameters, placesOf } from '../../nn/index.js';
import type { Random, Tensor } from '../../tensor/index.js';
import { type Graph, graphCost } from '../../trace/index.js';

/** Channels that are chosen together, and how many there may be. */
export interface SearchedGroup extends WidthGroup {
  /** Numbers of channels, ascending; all of them last. */
  readonly candidates: readonly number[];
}

/** Blocks of which some may be left out. */
export interface SearchedStage extends BlockStage {
  /** Numbers of blocks, ascending; all of them last. */
  readonly candidates: readonly number[];
  /** Number of the group that each block makes; undefined where its channels are fixed. */
  readonly outputs: readonly (number | undefined)[];
}

/** Where channels come from: a group, or what a stage gives after the blocks that it keeps. */
export interface Source {
  readonly kind: 'group' | 'stage';
  /** Number of the group or stage. */
  readonly at: number;
}

/** Length of an axis of a weight: fixed + Σ count · channels of a source. */
export interface AxisLength {
  readonly fixed: number;
  readonly terms: readonly { readonly source: Source; readonly count: number }[];
}

/** Which block a layer is in. */
export interface BlockPlace {
  /** Number of the stage. */
  readonly stage: number;
  /** Number of the block in it. */
  readonly block: number;
}

/** A layer whose cost follows its channels. */
export interface ProductLayer {
  readonly name: string;
  readonly place: BlockPlace | undefined;
  /** Axes 0 and 1 of its weight. */
  readonly outputs: AxisLength;
  readonly inputs: AxisLength;
  /** Both axes in the full network. */
  readonly full: readonly [outputs: number, inputs: number];
  /** Multiply-adds of one input in the full network. */
  readonly multiplyAdds: number;
  /** Shape of its output in the full network. */
  readonly shape: readonly number[];
  /** The layer itself, which says how it convolves. */
  readonly layer: Conv2d | Linear;
}

/** A shortcut that becomes a projection where channels before and after a block differ. */
export interface Crossing {
  /** Path of the block. */
  readonly name: string;
  readonly place: BlockPlace | undefined;
  readonly input: Source;
  /** Number of the group that the block makes. */
  readonly output: number;
  /** Pixels of the block's map. */
  readonly side: readonly [height: number, width: number];
}

/** All that is searched. */
export interface ShapeChoices {
  /** Widths: layers that share one choice of channels. */
  readonly groups: readonly SearchedGroup[];
  /** Depths. */
  readonly stages: readonly SearchedStage[];
  /** Layers whose multiply-adds depend on the choices. */
  readonly products: readonly ProductLayer[];
  /** Additions of maps whose widths may differ. */
  readonly crossings: readonly Crossing[];
  /** Multiply-adds that no choice changes. */
  readonly constant: number;
  /** By layer whose channels cannot be chosen: why. */
  readonly fixed: ReadonlyMap<string, string>;
}

/** Which choices are searched. */
export type Searched = 'both' | 'width' | 'depth';

/** Widths of C channels: ⌊C·j/10⌋ for j = 3 … 10, each once, at least 1. */
export function widthCandidates(channels: number): number[] {
  const all = Array.from({ length: 8 }, (_, at) => Math.max(1, Math.floor((channels * (at + 3)) / 10)));
  return [...new Set(all)];
}

/** Depths of n blocks: every one up to 3, then 1, 3, 5, … and n itself. */
export function depthCandidates(blocks: number): number[] {
  if (blocks <= 3) return Array.from({ length: blocks }, (_, at) => at + 1);
  const odd = Array.from({ length: Math.ceil(blocks / 2) }, (_, at) => 2 * at + 1);
  return odd.at(-1) === blocks ? odd : [...odd, blocks];
}

/**
 * The search space of a network.
 *
 * @param example one input
 * @throws Error naming the layers and why, where no channel and no block can be left out
 */
export function shapeChoicesOf(
  model: Layer,
  example: Tensor,
  random: Random,
  searched: Searched = 'both',
): ShapeChoices {
  const { groups, stages, fixed } = shapeSpaceOf(model, example, random);
  const identities = residualBlocksOf(model)
    .filter(({ block }) => addsInput(block))
    .map(({ path, block }) => ({ path, last: lastLayerOf(block, path) }));
  const space = traceUntied(model, example, (graph) =>
    readSpace(model, graph, { groups, stages, fixed, searched, identities }),
  );
  const isSearched =
    space.groups.some(({ candidates }) => candidates.length > 1) ||
    space.stages.some(({ candidates }) => candidates.length > 1);
  if (!isSearched) throw new Error(`there is nothing to search: ${reasonsOf(searched, fixed)}`);
  return space;
}

function reasonsOf(searched: Searched, fixed: ReadonlyMap<string, string>): string {
  if (searched === 'depth') return 'the network has no stage of blocks that keep the shape of what they read';
  const reasons = [...fixed].map(([name, reason]) => `the channels of ${name} cannot change (${reason})`);
  return reasons.join('; ') || 'no layer has channels';
}

/** What `readSpace` is told besides the graph. */
interface Found {
  readonly groups: readonly WidthGroup[];
  readonly stages: readonly BlockStage[];
  readonly fixed: ReadonlyMap<string, string>;
  readonly searched: Searched;
  /** Paths of residual blocks that add their input as it is, with the layer that is added to it. */
  readonly identities: readonly { readonly path: string; readonly last: string }[];
}

function readSpace(model: Layer, graph: Graph, found: Found): ShapeChoices {
  const { groups, fixed, searched, identities } = found;
  const weights = parameters(model);
  const axes = new WeightAxes(groups);
  const madeBy = ({ layers, first, paths }: BlockStage) =>
    paths.map((path, at) => lastLayerOf(layers[first + at] as object, path));
  // What joins the maps of several branches has no one width.
  const stages = found.stages.filter((stage) =>
    madeBy(stage).every((name) => weights[`${name}.weight`]?.shape[0] === stage.channels),
  );
  const outputs = stages.map((stage) => madeBy(stage).map((name) => axes.groupMadeBy(name)));
  const placeOf = (name: string): BlockPlace | undefined => {
    for (const [stage, { paths }] of stages.entries()) {
      const block = paths.findIndex((path) => name === path || name.startsWith(`${path}.`));
      if (block >= 0) return { stage, block };
    }
    return undefined;
  };
  /** Layers after a stage that read what its last block makes read what the stage gives. */
  const sourceOf = (group: number, reader: string): Source => {
    const stage = outputs.findIndex((own) => own.at(-1) === group);
    return stage >= 0 && placeOf(reader)?.stage !== stage ? { kind: 'stage', at: stage } : { kind: 'group', at: group };
  };
  const layers = new Map(placesOf(model, isProduct).map(({ name, layer }) => [name, layer]));
  const products: ProductLayer[] = [];
  let constant = 0;
  for (const { name, operation, multiplyAdds, shape } of graphCost(graph, weights).nodes) {
    const weight = weights[`${name}.weight`];
    const layer = layers.get(name);
    if (weight && layer && (operation === 'convolution' || operation === 'linear')) {
      const full = [weight.shape[0] as number, weight.shape[1] as number] as const;
      const [made, read] = full.map((length, axis) => axes.lengthOf(name, axis, length, sourceOf)) as [
        AxisLength,
        AxisLength,
      ];
      products.push({ name, place: placeOf(name), outputs: made, inputs: read, full, multiplyAdds, shape, layer });
    } else constant += multiplyAdds;
  }
  const crossings = identities.flatMap(({ path, last }): Crossing[] => {
    const output = axes.groupMadeBy(last);
    const [input] = products.find(({ name }) => name === `${path}.conv1`)?.inputs.terms ?? [];
    const [, , height, width] = products.find(({ name }) => name === last)?.shape ?? [];
    if (output === undefined || !input || height === undefined || width === undefined) return [];
    return [{ name: path, place: placeOf(path), input: input.source, output, side: [height, width] }];
  });
  const isWidth = searched !== 'depth';
  const isDepth = searched !== 'width';
  return {
    groups: groups.map((group) => ({
      ...group,
      candidates: isWidth ? widthCandidates(group.channels) : [group.channels],
    })),
    stages: stages.map((stage, at) => ({
      ...stage,
      candidates: isDepth ? depthCandidates(stage.blocks) : [stage.blocks],
      outputs: outputs[at] as (number | undefined)[],
    })),
    ...{ products, crossings, constant, fixed },
  };
}

const isProduct = (value: unknown): value is Conv2d | Linear => value instanceof Conv2d || value instanceof Linear;
const isDense = (value: unknown): value is Conv2d => value instanceof Conv2d && (value.options.groups ?? 1) === 1;

/** The layer that makes the channels of a block: its last convolution outside of the shortcut. */
function lastLayerOf(block: object, path: string): string {
  const own = placesOf(block, isDense).filter(({ name }) => !name.startsWith('downsample'));
  return `${path}.${own.at(-1)?.name ?? ''}`;
}

/** Which groups the axes of weights belong to. */
class WeightAxes {
  /** How many places along an axis each group has, by `weight:axis`. */
  readonly #counts = new Map<string, Map<number, number>>();

  constructor(readonly groups: readonly WidthGroup[]) {
    for (const [at, { slices }] of groups.entries())
      for (const { weight, axis } of slices.flat()) {
        const key = `${weight}:${axis}`;
        const own = this.#counts.get(key) ?? new Map<number, number>();
        this.#counts.set(key, own.set(at, (own.get(at) ?? 0) + 1));
      }
  }

  /** Number of the group that a layer makes. */
  groupMadeBy(layer: string): number | undefined {
    const own = this.#counts.get(`${layer}.weight:0`);
    return own?.keys().next().value;
  }

  lengthOf(
    layer: string,
    axis: number,
    length: number,
    sourceOf: (group: number, reader: string) => Source,
  ): AxisLength {
    const own = [...(this.#counts.get(`${layer}.weight:${axis}`) ?? [])];
    const places = own.reduce((sum, [, count]) => sum + count, 0);
    return {
      fixed: length - places,
      terms: own.map(([group, count]) => ({
        source: axis === 0 ? { kind: 'group' as const, at: group } : sourceOf(group, layer),
        count: count / (this.groups[group] as WidthGroup).channels,
      })),
    };
  }
}
