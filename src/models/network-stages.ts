// Stages of a network: consecutive blocks of which all but the first keep the shape of what they
// read, so that blocks can be left out from the end.

import {
  Activation,
  BatchNorm2d,
  Conv2d,
  Dropout,
  inference,
  type Layer,
  Linear,
  type Mode,
  placesOf,
  runSequence,
  type Sequence,
  stateOf,
} from '../nn/index.js';
import { scope, Tensor } from '../tensor/index.js';

/** Blocks of a list of layers. */
export interface BlockStage {
  /** Path of the list, with the number of the first block where the list has other layers too. */
  readonly name: string;
  /** The list. */
  readonly layers: (Layer | Sequence)[];
  /** Number of the first block in it. */
  readonly first: number;
  /** Number of blocks. */
  readonly blocks: number;
  /** Path of each block, such as `layer1.0`. */
  readonly paths: readonly string[];
  /** Channels of what each of them gives. */
  readonly channels: number;
}

/** What takes the place of a block that is left out. */
export const nothing: Layer = { forward: (x) => x };

const isMixing = (value: unknown): value is Conv2d => value instanceof Conv2d && (value.options.groups ?? 1) === 1;
const isLeaf = (value: object) =>
  [Conv2d, Linear, BatchNorm2d, Activation, Dropout].some((kind) => value instanceof kind);

/** Whether a layer, or a flat list of layers, is a block: a convolution in it mixes channels. */
function isBlock(value: Layer | Sequence): boolean {
  if (Array.isArray(value)) return value.every((own) => 'forward' in own) && value.some(isMixing);
  return !isLeaf(value) && placesOf(value, isMixing).length > 0;
}

/** Whether two blocks are of one kind. */
function isAlike(a: Layer | Sequence, b: Layer | Sequence): boolean {
  return a.constructor === b.constructor && (!Array.isArray(a) || a.length === (b as Sequence).length);
}

/** A list of layers in a module, with its path. */
interface LayerList {
  readonly path: string;
  readonly layers: (Layer | Sequence)[];
}

/** The lists of layers of a module, the outer before the inner ones. */
function listsOf(module: object): LayerList[] {
  const found: LayerList[] = [];
  const seen = new Set<object>();
  const visit = (owner: object, path: string) => {
    if (seen.has(owner)) return;
    seen.add(owner);
    if (Array.isArray(owner) && owner.length > 1 && owner.every((own) => typeof own === 'object' && own !== null))
      found.push({ path, layers: owner });
    for (const [key, value] of Object.entries(owner))
      if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !(value instanceof Tensor))
        visit(value, path === '' ? key : `${path}.${key}`);
  };
  visit(module, '');
  return found;
}

/**
 * Puts a layer in the place of one in a list, or in a list of its own in the place of a list.
 *
 * @param run is given what the layer would be given, and the layer as a function
 * @returns what undoes it
 */
export function wrapInList(
  layers: (Layer | Sequence)[],
  at: number,
  run: (x: Tensor, inner: (x: Tensor) => Tensor, mode: Mode) => Tensor,
): () => void {
  const own = layers[at] as Layer | Sequence;
  const wrapped: Layer = {
    forward: (x, ...others) =>
      run(x, (y) => ('forward' in own ? own.forward(y, ...others) : runSequence(own, y, ...others)), ...others),
  };
  layers[at] = 'forward' in own ? wrapped : [wrapped];
  return () => {
    layers[at] = own;
  };
}

/**
 * The blocks that read what the block before them in their list gives, and give it its shape, when
 * the network runs; with the channels of that.
 */
function keepersOf(model: Layer, lists: readonly LayerList[], example: Tensor): Map<Layer | Sequence, number> {
  const keepers = new Map<Layer | Sequence, number>();
  const given = new Map<Layer | Sequence, Tensor>();
  const undo = lists.flatMap(({ layers }) =>
    [...layers].flatMap((own, at, all) => {
      if (!isBlock(own)) return [];
      return wrapInList(layers, at, (x, inner) => {
        const y = inner(x);
        const before = all[at - 1];
        if (before && given.get(before) === x && y.shape.join() === x.shape.join())
          keepers.set(own, y.shape[1] as number);
        given.set(own, y);
        return y;
      });
    }),
  );
  try {
    scope(() => model.forward(example, inference));
  } finally {
    for (const restore of undo.reverse()) restore();
  }
  return keepers;
}

/**
 * The stages of a network, of two blocks or more. A block is a module, or a flat list of layers,
 * with a convolution; all blocks of a stage are of one kind. Stages inside of blocks do not count.
 *
 * @param example an input of the network, on which it is run once
 */
export function stagesOf(model: Layer, example: Tensor): BlockStage[] {
  const lists = listsOf(model);
  const keepers = keepersOf(model, lists, example);
  const taken = new Set<string>();
  const stages: BlockStage[] = [];
  for (const { path, layers } of lists) {
    if ([...taken].some((own) => path === own || path.startsWith(`${own}.`))) continue;
    for (let first = 0; first < layers.length; ) {
      const head = layers[first] as Layer | Sequence;
      let end = first + 1;
      const next = () => layers[end] as Layer | Sequence;
      if (isBlock(head)) while (end < layers.length && keepers.has(next()) && isAlike(head, next())) end++;
      const blocks = end - first;
      if (blocks > 1) {
        const paths = Array.from({ length: blocks }, (_, at) => `${path}.${first + at}`);
        for (const own of paths) taken.add(own);
        const name = blocks === layers.length ? path : `${path}.${first}`;
        const channels = keepers.get(layers[first + 1] as Layer | Sequence) as number;
        stages.push({ name, layers, first, blocks, paths, channels });
      }
      first = end;
    }
  }
  return stages;
}

/** Replaces the blocks of a stage after the first `depth` by nothing, and frees their weights. */
export function truncateStage({ layers, first, blocks }: BlockStage, depth: number): void {
  for (let at = first + depth; at < first + blocks; at++) {
    for (const weight of Object.values(stateOf(layers[at] as object))) weight.dispose();
    layers[at] = nothing;
  }
}
