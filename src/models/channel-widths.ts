// Channel counts of a network that can be chosen: those that reach only layers whose weights can be
// cut with them. Shortcuts of residual blocks that add their input as it is do not tie the channels
// of blocks to each other, since a projection can be put in their place.

import {
  BatchNorm,
  Conv2d,
  halved,
  inference,
  type Layer,
  Linear,
  parameters,
  placesOf,
  type Sequence,
  stateOf,
} from '../nn/index.js';
import { type Random, type Tensor, zeros } from '../tensor/index.js';
// Imported by file, since the ONNX reader needs a package that pages lack.
import { type ChannelSlice, dependenciesOf, type PruningGroup } from '../trace/dependencies.js';
import { type Graph, trace } from '../trace/graph.js';
import { heConv } from './conv-norm.js';
import { BasicBlock, Bottleneck, projection, type ResidualBlock } from './resnet.js';

/** Channels that are chosen together. */
export interface WidthGroup {
  /** The first layer that makes them, such as `layer1.0.conv1`. */
  readonly name: string;
  /** How many there are. */
  readonly channels: number;
  /** The slices of weights of each channel, in the order of the channels. */
  readonly slices: readonly (readonly ChannelSlice[])[];
}

/** Which channels of a network can be chosen, and which not. */
export interface ChannelWidths {
  /** The groups, in the order of the network's layers. */
  readonly groups: readonly WidthGroup[];
  /** By layer whose channels stay: why. */
  readonly fixed: ReadonlyMap<string, string>;
}

const isResidual = (value: unknown): value is ResidualBlock =>
  value instanceof BasicBlock || value instanceof Bottleneck;

/** The field of a residual block that holds its shortcut. */
interface Shortcut {
  downsample: Sequence | undefined;
}

/** The last convolution of a residual block, whose output is added to the shortcut. */
export const lastConvOf = (block: ResidualBlock): Conv2d => (block instanceof BasicBlock ? block.conv2 : block.conv3);

/** Residual blocks of plain convolutions, with their paths. */
export function residualBlocksOf(model: object): { readonly path: string; readonly block: ResidualBlock }[] {
  return placesOf(model, isResidual)
    .filter(({ layer }) => layer.conv1 instanceof Conv2d && lastConvOf(layer) instanceof Conv2d)
    .map(({ name, layer }) => ({ path: name, block: layer }));
}

/** Whether a residual block adds its input as it is. */
export const addsInput = ({ downsample }: ResidualBlock): boolean => downsample === undefined;

/**
 * Gives shortcuts that pad channels (option A of small ResNets) weights in place of the zeros, so
 * that channels on both sides can be chosen: means of 2×2 pixels and a 1×1 convolution, as Dong &
 * Yang have them. Other shortcuts stay.
 */
export function untieShortcuts(model: object, random: Random): void {
  for (const { path, block } of residualBlocksOf(model)) {
    const { downsample } = block;
    if (!downsample || Object.keys(stateOf(downsample)).length > 0) continue;
    const [inChannels, outChannels] = [block.conv1.inChannels, lastConvOf(block).outChannels];
    const conv = heConv(inChannels, outChannels, 1, random.split(path));
    (block as Shortcut).downsample = [{ forward: halved }, conv];
  }
}

/** Puts projections where a block adds an input of other channels than it makes. */
export function insertProjections(model: object, random: Random): void {
  for (const { path, block } of residualBlocksOf(model)) {
    const [inChannels, outChannels] = [block.conv1.inChannels, lastConvOf(block).outChannels];
    if (addsInput(block) && inChannels !== outChannels)
      (block as Shortcut).downsample = projection(inChannels, outChannels, 1, random.split(path));
  }
}

/** Runs `body` while shortcuts that add their input as it is add nothing. */
function withoutIdentities<Result>(model: object, body: () => Result): Result {
  const blocks = residualBlocksOf(model).filter(({ block }) => addsInput(block));
  const cut = [{ forward: () => zeros([1, 1, 1, 1]) }];
  for (const { block } of blocks) (block as Shortcut).downsample = cut;
  try {
    return body();
  } finally {
    for (const { block } of blocks) (block as Shortcut).downsample = undefined;
  }
}

/**
 * Traces a network whose residual blocks do not tie their input to their output.
 *
 * @param example an input; only its shape matters
 */
export function traceUntied<Result>(model: Layer, example: Tensor, use: (graph: Graph) => Result): Result {
  return withoutIdentities(model, () => trace((x) => model.forward(x, inference), [example], stateOf(model), use));
}

/** The channels of a traced network that can be chosen, see `traceUntied`. */
export function widthsOf(model: Layer, graph: Graph): ChannelWidths {
  const { groups, fixed: kept } = dependenciesOf(graph);
  const owners = ownersOf(model);
  const order = new Map(Object.keys(parameters(model)).map((name, at) => [name, at]));
  const fixed = new Map([...kept].map(([weight, reason]) => [layerOf(weight), reason]));
  const found: (WidthGroup & { readonly at: number })[] = [];
  for (const group of groups) {
    const makers = makersOf(group, owners);
    const reason = hindranceOf(group, owners);
    const [first] = [...makers].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
    if (first === undefined) continue;
    if (reason !== undefined) for (const name of makers) fixed.set(layerOf(name), reason);
    else if (group.channels.length > 1)
      found.push({
        name: layerOf(first),
        channels: group.channels.length,
        slices: group.channels,
        at: order.get(first) ?? 0,
      });
  }
  found.sort((a, b) => a.at - b.at);
  return { groups: found.map(({ at: _, ...group }) => group), fixed };
}

/** The path of the layer that holds a weight. */
const layerOf = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf('.')));

const isCuttable = (value: unknown): value is Conv2d | Linear | BatchNorm =>
  value instanceof Conv2d || value instanceof Linear || value instanceof BatchNorm;

/** Layers whose channels can be cut, by path. */
const ownersOf = (model: object) => new Map(placesOf(model, isCuttable).map(({ name, layer }) => [name, layer]));

/** Weights of convolutions and linear layers that make the channels of a group. */
function makersOf({ members }: PruningGroup, owners: ReturnType<typeof ownersOf>): string[] {
  return members
    .filter((member) => member.endsWith('.weight:0'))
    .map((member) => member.slice(0, -2))
    .filter((name) => {
      const owner = owners.get(layerOf(name));
      return owner instanceof Linear || (owner instanceof Conv2d && (owner.options.groups ?? 1) === 1);
    });
}

/** Why the first channels of a group cannot stand alone; undefined where they can. */
function hindranceOf({ members, channels }: PruningGroup, owners: ReturnType<typeof ownersOf>): string | undefined {
  const other = members.find((member) => member.endsWith(':0') && !owners.has(layerOf(member)));
  if (other) return `${other.slice(0, -2)} goes with its channels`;
  const moved = channels.some((slices, at) => slices.some(({ axis, index }) => axis === 0 && index !== at));
  return moved ? 'its channels are in several groups of a convolution' : undefined;
}
