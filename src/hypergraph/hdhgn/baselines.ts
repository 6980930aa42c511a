// Networks of programs beside HDHGN: GCN and GAT on the pairs of parent and child, HGNN⁺ on the
// hypergraph without kinds, types and directions, and TBCNN on the tree. All but TBCNN have HDHGN's
// embedding, normalisation, read-out and classifier.

import { GraphNorm, inference, Linear, type Mode } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { disjointHypergraphs, type HeterogeneousHypergraph, Hypergraph, memo } from '../../structure/index.js';
import { add, elu, keep, type Random, type Tensor, tanh, tensor } from '../../tensor/index.js';
import { CliqueGATConv, CliqueGCNConv, HGNNPlusConv, type HypergraphConv } from '../conv/index.js';
import { type ProgramBatch, parentsOf } from './batch.js';
import {
  AttentionReadOut,
  MaxReadOut,
  ProgramClassifier,
  ProgramHead,
  type ProgramLayer,
  type ProgramSizes,
  type ProgramWidths,
  ValueEmbedding,
} from './classifier.js';
import { presets } from './network.js';

/** Networks that HDHGN is compared with. */
export const programBaselines = ['gcn', 'gat', 'hgnn+', 'tbcnn'] as const;

/** Name of a baseline. */
export type ProgramBaseline = (typeof programBaselines)[number];

/** Layout of a baseline. */
export interface BaselineOptions extends Partial<ProgramWidths> {
  /** Number of layers. Default: 2. */
  readonly layers?: number;
}

/** An untrained baseline. */
export function programBaseline(
  kind: ProgramBaseline,
  sizes: ProgramSizes,
  random: Random,
  options: BaselineOptions = {},
): ProgramClassifier {
  const widths = { ...presets.small, ...options };
  const { width, heads } = widths;
  const embedding = new ValueEmbedding(sizes.values, width, random.split('values'));
  const layers = Array.from({ length: widths.layers }, (_, at): ProgramLayer => {
    const stream = random.split(`layer ${at}`);
    if (kind === 'tbcnn') return new TreeConvolution(width, stream);
    if (kind === 'hgnn+') return new Normalized(new HGNNPlusConv(width, width, stream), untyped, width);
    const conv =
      kind === 'gcn' ? new CliqueGCNConv(width, width, stream) : new CliqueGATConv(width, width, stream, { heads });
    return new Normalized(conv, pairsOf, width);
  });
  if (kind === 'tbcnn')
    return new ProgramClassifier(embedding, layers, new MaxReadOut(), new Perceptron(widths, sizes.classes, random));
  const readOut = new AttentionReadOut(widths, random.split('read-out'));
  return new ProgramClassifier(
    embedding,
    layers,
    readOut,
    new ProgramHead(widths, sizes.classes, random.split('head')),
  );
}

/** x ← ELU(GraphNorm(conv(x))). */
class Normalized implements ProgramLayer {
  readonly norm: GraphNorm;

  constructor(
    readonly conv: HypergraphConv,
    readonly structureOf: (batch: ProgramBatch) => Hypergraph,
    width: number,
  ) {
    this.norm = new GraphNorm(width);
  }

  forward(x: Tensor, batch: ProgramBatch): Tensor {
    return elu(this.norm.forward(this.conv.forward(x, this.structureOf(batch)), batch.vertices));
  }
}

const untyped = ({ union }: ProgramBatch) => union.hypergraph;

/** The pairs of parent and child. */
function pairsOf({ union, parts }: ProgramBatch): Hypergraph {
  return memo(union, 'pairs', () => disjointHypergraphs(parts.map(pairsOfProgram)).hypergraph);
}

function pairsOfProgram(structure: HeterogeneousHypergraph): Hypergraph {
  return memo(structure, 'pairs', () => {
    const pairs: [number, number][] = [];
    parentsOf(structure).forEach((parent, v) => {
      if (parent >= 0) pairs.push([parent, v]);
    });
    return new Hypergraph(structure.vertexCount, pairs);
  });
}

/**
 * A layer of TBCNN (Mou et al., AAAI 2016): over the window of a node p and its n children cᵢ,
 * y = tanh(W_t x_p + Σᵢ (ηᵢʳ W_r + ηᵢˡ W_l) x_cᵢ + b), ηᵢʳ = (i − 1)/(n − 1), or ½ for an only
 * child, ηᵢˡ = 1 − ηᵢʳ.
 */
export class TreeConvolution implements ProgramLayer {
  /** W_t and b. */
  readonly top: Linear;
  /** W_l. */
  readonly left: Linear;
  /** W_r. */
  readonly right: Linear;

  constructor(width: number, random: Random) {
    this.top = new Linear(width, width, random.split('top'));
    this.left = new Linear(width, width, random.split('left'), { bias: false });
    this.right = new Linear(width, width, random.split('right'), { bias: false });
  }

  forward(x: Tensor, batch: ProgramBatch): Tensor {
    const { left, right } = childWeights(batch);
    const children = add(spmm(left, this.left.forward(x)), spmm(right, this.right.forward(x)));
    return tanh(add(this.top.forward(x), children));
  }
}

/** ηˡ and ηʳ of children as matrices [N, N]. */
function childWeights(batch: ProgramBatch): { readonly left: SparseMatrix; readonly right: SparseMatrix } {
  return memo(batch.union, 'child weights', () => {
    const parents = parentsOf(batch.union);
    const count = parents.length;
    const children = new Int32Array(count);
    for (const parent of parents) if (parent >= 0) children[parent] = (children[parent] as number) + 1;
    const seen = new Int32Array(count);
    const rows: number[] = [];
    const columns: number[] = [];
    const shares: number[] = [];
    parents.forEach((parent, v) => {
      if (parent < 0) return;
      const [n, i] = [children[parent] as number, seen[parent] as number];
      seen[parent] = i + 1;
      rows.push(parent);
      columns.push(v);
      shares.push(n === 1 ? 0.5 : i / (n - 1));
    });
    const right = SparseMatrix.fromCoordinates(count, count, rows, columns, shares);
    const values = right.values as Tensor;
    keep(values);
    const left = new SparseMatrix(
      right.pattern,
      keep(tensor(values.dataSync<Float32Array>().map((share) => 1 - share))),
    );
    return { left, right };
  });
}

/** TBCNN's classifier: linear → ReLU → linear. */
class Perceptron {
  readonly first: Linear;
  readonly last: Linear;

  constructor({ width, hidden }: ProgramWidths, classes: number, random: Random) {
    this.first = new Linear(width, hidden, random.split('first'));
    this.last = new Linear(hidden, classes, random.split('last'));
  }

  forward(x: Tensor, _mode: Mode = inference): Tensor {
    return this.last.forward(this.first.forward(x, 'relu'));
  }
}
