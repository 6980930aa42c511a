// Networks of searched cells (Liu, Simonyan, Yang, "DARTS: Differentiable Architecture Search",
// ICLR 2019): a cell of one type is found once and stacked.
//
// A cell has two inputs, the outputs of the two cells before it. Node i is the sum of an operation
// on each of its incoming edges, and the output the concatenation of all nodes. Reduction cells at
// a third and two thirds of the depth halve the map and double the channels.

import {
  BatchNorm2d,
  buffer,
  Conv2d,
  Dropout,
  type Layer,
  Linear,
  MixedOperator,
  type Mode,
  runSequence,
  type Sequence,
  spatialOperator,
} from '../nn/index.js';
import {
  add,
  concatenate,
  globalAveragePool,
  pad,
  type Random,
  relu,
  slice,
  type Tensor,
  zeros,
} from '../tensor/index.js';
import { type CellOperation, type Genotype, nodesOf, requireGenotype } from './genotype.js';

/** The two types of cells. */
export type CellType = keyof Genotype;

/** Where an edge lies, and what its operation must keep to. */
export interface EdgePlace {
  /** Type of the cell. */
  readonly type: CellType;
  /** Number of the edge in its cell, from 0, nodes in order. */
  readonly edge: number;
  /** Channels in and out. */
  readonly channels: number;
  /** 2 from the inputs of reduction cells, else 1. */
  readonly stride: number;
}

/** Options of networks of cells. */
export interface CellNetworkOptions {
  /** Channels of the images. Default: 1. */
  readonly channels?: number;
  /** Number of classes. Default: 10. */
  readonly classes?: number;
  /** C: channels of the first cells' nodes. Default: 16. */
  readonly width?: number;
  /** Cells in all, at least 3. Default: 8. */
  readonly cells?: number;
}

/** ReLU before a convolution without bias, and batch norm behind it. */
const withRelu: Layer = { forward: (x) => relu(x) };

/** Batch norm; without γ and β to learn where a search compares operations. */
function norm(channels: number, affine: boolean): BatchNorm2d {
  const made = new BatchNorm2d(channels);
  if (!affine) for (const fixed of [made.weight, made.bias]) buffer(fixed);
  return made;
}

/**
 * Halves a map: two 1×1 convolutions of stride 2, one a pixel off, side by side, and batch norm.
 */
export class FactorizedReduce implements Layer {
  /** Reads pixels of even rows and columns. */
  readonly conv1: Conv2d;
  /** Reads pixels of odd ones. */
  readonly conv2: Conv2d;
  /** Norm of both. */
  readonly norm: BatchNorm2d;

  constructor(
    inChannels: number,
    outChannels: number,
    random: Random,
    { affine = true }: { readonly affine?: boolean } = {},
  ) {
    const half = outChannels >> 1;
    const options = { stride: 2, bias: false };
    this.conv1 = new Conv2d(inChannels, half, 1, random, options);
    this.conv2 = new Conv2d(inChannels, outChannels - half, 1, random, options);
    this.norm = norm(outChannels, affine);
  }

  /** x [n, in, h, w] → [n, out, ⌈h/2⌉, ⌈w/2⌉]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const y = relu(x);
    const [, , height, width] = y.shape as [number, number, number, number];
    // Of an odd side the pixel behind the last one is 0.
    const [down, right] = [height % 2, width % 2];
    const whole =
      down + right === 0
        ? y
        : pad(y, [
            [0, 0],
            [0, 0],
            [0, down],
            [0, right],
          ]);
    const off = slice(whole, null, null, [1, height + down], [1, width + right]);
    return this.norm.forward(concatenate([this.conv1.forward(y), this.conv2.forward(off)], 1), mode);
  }
}

/** ReLU, k×k depthwise and 1×1 convolution, batch norm. */
function separable(
  channels: number,
  kernel: number,
  stride: number,
  dilation: number,
  random: Random,
  affine: boolean,
) {
  const padding = (dilation * (kernel - 1)) / 2;
  return [
    withRelu,
    new Conv2d(channels, channels, kernel, random, { stride, padding, dilation, groups: channels, bias: false }),
    new Conv2d(channels, channels, 1, random, { bias: false }),
    norm(channels, affine),
  ];
}

/**
 * An operation of a cell, [n, c, h, w] → [n, c, ⌈h/stride⌉, ⌈w/stride⌉]. Without `affine`, as in a
 * search, norms learn nothing, and poolings have one behind them.
 */
export function cellOperation(
  name: CellOperation,
  { channels, stride }: Pick<EdgePlace, 'channels' | 'stride'>,
  random: Random,
  affine = true,
): Sequence {
  const pooled = (kind: 'max-pool' | 'average-pool') => [
    spatialOperator(kind, channels, random, { stride }),
    ...(affine ? [] : [norm(channels, false)]),
  ];
  const twice = (kernel: number) => [
    ...separable(channels, kernel, stride, 1, random, affine),
    ...separable(channels, kernel, 1, 1, random, affine),
  ];
  switch (name) {
    case 'none':
      return [{ forward: (x) => zeros([x.shape[0] as number, channels, ...halved(x, stride)]) }];
    case 'max_pool_3x3':
      return pooled('max-pool');
    case 'avg_pool_3x3':
      return pooled('average-pool');
    case 'skip_connect':
      return stride === 1 ? [] : [new FactorizedReduce(channels, channels, random, { affine })];
    case 'sep_conv_3x3':
      return twice(3);
    case 'sep_conv_5x5':
      return twice(5);
    case 'dil_conv_3x3':
      return separable(channels, 3, stride, 2, random, affine);
    case 'dil_conv_5x5':
      return separable(channels, 5, stride, 2, random, affine);
  }
}

const halved = (x: Tensor, stride: number) => x.shape.slice(2).map((side) => Math.ceil(side / stride));

/** An edge of a cell: from an input (0, 1) or a node (2, …), through layers. */
interface Edge {
  readonly input: number;
  readonly layers: Sequence;
}

/** A cell: [n, ·, h, w] twice → [n, nodes·C, h′, w′]. */
class Cell {
  constructor(
    /** Bring the outputs of the cell before the last and of the last to C channels and one size. */
    readonly preprocess: readonly [Sequence, Sequence],
    readonly nodes: readonly (readonly Edge[])[],
  ) {}

  forward(before: Tensor, last: Tensor, mode: Mode): Tensor {
    const states = [before, last].map((x, at) => runSequence(this.preprocess[at as 0 | 1], x, mode));
    for (const edges of this.nodes)
      states.push(
        edges
          .map(({ input, layers }) => runSequence(layers, states[input] as Tensor, mode))
          .reduce((a, b) => add(a, b)),
      );
    return concatenate(states.slice(2), 1);
  }
}

/** What a network is made of: the inputs of each node, and the layers of each edge. */
interface CellParts {
  readonly inputs: (type: CellType) => readonly (readonly number[])[];
  readonly layers: (place: EdgePlace, random: Random) => Sequence;
  readonly affine: boolean;
}

/** Channels of the stem over C. */
const STEM = 3;

/**
 * A stem (3×3 convolution), a stack of cells, the mean of the last map, and a linear classifier.
 */
export class CellNetwork implements Layer {
  /** 3×3 convolution to 3C channels, and batch norm. */
  readonly stem: Sequence;
  /** The cells in order. */
  readonly cells: readonly Cell[];
  /** From the channels of the last cell to the classes. */
  readonly classifier: Linear;

  /** Use `genotypeNetwork` or `mixedNetwork`. @throws RangeError for fewer than three cells */
  constructor(
    { inputs, layers, affine }: CellParts,
    { channels = 1, classes = 10, width = 16, cells = 8 }: CellNetworkOptions,
    random: Random,
  ) {
    if (!(Number.isInteger(cells) && cells >= 3))
      throw new RangeError(`CellNetwork: two reductions and a normal cell need at least 3 cells, got ${cells}`);
    if (!(Number.isInteger(width) && width >= 2))
      throw new RangeError(`CellNetwork: the width must be an integer of at least 2, got ${width}`);
    const first = STEM * width;
    this.stem = [new Conv2d(channels, first, 3, random, { padding: 1, bias: false }), new BatchNorm2d(first)];
    let [before, last, own, wasReduced] = [first, first, width, false];
    const made: Cell[] = [];
    for (let at = 0; at < cells; at++) {
      const isReduced = at === Math.floor(cells / 3) || at === Math.floor((2 * cells) / 3);
      const type = isReduced ? 'reduce' : 'normal';
      if (isReduced) own *= 2;
      const to = own;
      const project = (from: number) => [withRelu, new Conv2d(from, to, 1, random, { bias: false }), norm(to, affine)];
      const preprocess = [
        wasReduced ? [new FactorizedReduce(before, to, random, { affine })] : project(before),
        project(last),
      ] as const;
      let edge = 0;
      const nodes = inputs(type).map((froms) =>
        froms.map((input) => {
          const stride = isReduced && input < 2 ? 2 : 1;
          return { input, layers: layers({ type, edge: edge++, channels: to, stride }, random) };
        }),
      );
      made.push(new Cell([...preprocess], nodes));
      [before, last, wasReduced] = [last, nodes.length * to, isReduced];
    }
    this.cells = made;
    this.classifier = new Linear(last, classes, random);
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const stem = runSequence(this.stem, x, mode);
    let [before, last] = [stem, stem];
    for (const cell of this.cells) [before, last] = [last, cell.forward(before, last, mode)];
    return this.classifier.forward(globalAveragePool(last));
  }
}

/**
 * The network of found cells, with random weights.
 *
 * @throws Error for a genotype that is none, RangeError as `CellNetwork` does
 */
export function genotypeNetwork(genotype: Genotype, options: CellNetworkOptions, random: Random): CellNetwork {
  const { normal, reduce } = requireGenotype(genotype);
  const genes = { normal, reduce };
  return new CellNetwork(
    {
      inputs: (type) => nodesOf(genes[type]).map((pair) => pair.map(([, input]) => input)),
      layers: ({ type, edge, ...place }, own) =>
        cellOperation((genes[type][edge] as readonly [CellOperation, number])[0], place, own),
      affine: true,
    },
    options,
    random,
  );
}

/** A search space of cells. */
export interface CellSpace {
  /** Intermediate nodes of a cell. Default: 4. */
  readonly nodes?: number;
  /** What edges choose from. Default: all `cellOperations`. */
  readonly operations: readonly CellOperation[];
  /** Dropout of skip connections during a search, against cells of skips alone. Default: 0. */
  readonly skipDropout?: number;
}

/** A network in which all operations of all edges are mixed. */
export interface MixedNetwork {
  /** The network, to be trained with its α. */
  readonly network: CellNetwork;
  /** The mixtures of the first cell of each type by edge; other cells share their α. */
  readonly edges: Readonly<Record<CellType, readonly MixedOperator[]>>;
}

/**
 * The network of a search: every node has an edge from each input and node before it, every edge
 * mixes all operations, and all cells of a type share α.
 *
 * @throws RangeError without a node or an operation other than `none`
 */
export function mixedNetwork(
  { nodes = 4, operations, skipDropout = 0 }: CellSpace,
  options: CellNetworkOptions,
  random: Random,
): MixedNetwork {
  if (!(Number.isInteger(nodes) && nodes >= 1))
    throw new RangeError(`mixedNetwork: expected 1 node or more, got ${nodes}`);
  if (!operations.some((name) => name !== 'none'))
    throw new RangeError('mixedNetwork: there is no operation but "none" to choose');
  const edges: Record<CellType, MixedOperator[]> = { normal: [], reduce: [] };
  const candidate = (name: CellOperation, place: EdgePlace, own: Random): Sequence => {
    const layers = cellOperation(name, place, own, false);
    return name === 'skip_connect' && skipDropout > 0 ? [...layers, new Dropout(skipDropout)] : layers;
  };
  const network = new CellNetwork(
    {
      inputs: () => Array.from({ length: nodes }, (_, node) => Array.from({ length: node + 2 }, (_, input) => input)),
      layers: (place, own) => {
        const named = operations.map((name) => [name, candidate(name, place, own)] as const);
        const mixed = new MixedOperator(Object.fromEntries(named), own);
        const first = edges[place.type][place.edge];
        if (first) {
          mixed.alpha.dispose();
          mixed.alpha = first.alpha;
        } else edges[place.type].push(mixed);
        return [mixed];
      },
      affine: false,
    },
    options,
    random,
  );
  return { network, edges };
}
