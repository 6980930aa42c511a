// SeHGNN (Yang, Yan, Pan, Ye, Fan, "Simple and Efficient Heterogeneous Graph Neural Network", AAAI
// 2023): features averaged along every metapath before training, a projection of each, and
// attention among metapaths.

import { Dropout, LayerNorm, Linear, type Mode, PReLU, parameter } from '../../nn/index.js';
import { spmm } from '../../sparse/index.js';
import type { HeteroGraph } from '../../structure/index.js';
import {
  add,
  matmul,
  multiply,
  type Random,
  reshape,
  scope,
  softmax,
  stack,
  subtract,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import type { TypedFeatures } from '../conv/index.js';
import {
  affine,
  type GroupModule,
  type GroupShape,
  type KnownLabels,
  type RowGroup,
  type RowGroups,
} from '../rphgnn/index.js';
import { type Metapath, metapathDiagonal, metapathName, metapathsTo, walkMetapaths } from './metapath.js';
import { gatherParts } from './parts.js';

/** What SeHGNN computes before training. */
export interface MetapathOptions {
  /** Most relations of a metapath of features. Default: 2. */
  readonly length?: number;
  /** Most relations of a metapath of labels; 0 for none. Default: 2. */
  readonly labelLength?: number;
}

/**
 * Means of features along all metapaths to the target type, and of known labels along those from
 * the type to itself, without what returns to the node: (M·Y − D∘Y) with D the diagonal of M.
 *
 * @param parts nodes of each part, such as training and validation nodes
 * @returns a group of one tensor for each metapath, by part
 */
export function collectMetapaths(
  graph: HeteroGraph,
  features: TypedFeatures,
  target: string,
  parts: readonly Int32Array[],
  labels: KnownLabels,
  { length = 2, labelLength = 2 }: MetapathOptions = {},
): RowGroups[] {
  const paths = metapathsTo(graph, target, length);
  const collected = parts.map((): RowGroup[] => []);
  walkMetapaths(features, paths, (at, values) => {
    const name = metapathName(paths[at] as Metapath, target);
    gatherParts(values, parts).forEach((own, part) => {
      (collected[part] as RowGroup[])[at] = { name, values: own };
    });
  });
  const loops = metapathsTo(graph, target, labelLength).filter((path) => path[0]?.source === target);
  for (const path of loops)
    scope(() => {
      const name = `label ${metapathName(path, target)}`;
      gatherParts(labelMeans(path, labels), parts).forEach((own, part) => {
        collected[part]?.push({ name, values: own });
      });
    });
  return collected;
}

/** M·Y − D∘Y [n, C], with rows of 0 for unknown labels in Y. */
function labelMeans(path: Metapath, { labels, known, classes }: KnownLabels): Tensor {
  const rows = new Float32Array(labels.length * classes);
  for (const v of known) rows[v * classes + (labels[v] as number)] = 1;
  const y = tensor(rows, [labels.length, classes]);
  const means = path.reduce((values, { mean }) => spmm(mean, values), y);
  return subtract(means, multiply(y, tensor(metapathDiagonal(path), [labels.length, 1])));
}

/** Layout of SeHGNN. */
export interface SeHGNNOptions {
  /** Width of the embedding of each metapath. Default: 512. */
  readonly embedding?: number;
  /** Hidden width. Default: 512. */
  readonly hidden?: number;
  /** Dropout probability of the embeddings. Default: 0.5. */
  readonly inputDropout?: number;
  /** Dropout probability after each activation. Default: 0.5. */
  readonly dropout?: number;
  /** Whether the target's own features are added before the classifier. Default: false. */
  readonly residual?: boolean;
}

/** Linear → LayerNorm → PReLU → dropout. */
class NormedLayer {
  readonly linear: Linear;
  readonly norm: LayerNorm;
  readonly activation = new PReLU();
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { dropout = 0.5 }: { readonly dropout?: number } = {},
  ) {
    this.linear = affine(inFeatures, outFeatures, random);
    this.norm = new LayerNorm(outFeatures);
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.#dropout.forward(this.activation.forward(this.norm.forward(this.linear.forward(x))), mode);
  }
}

/** What is learnt of one metapath. */
class Channel {
  readonly embedding: Linear;
  readonly layers: readonly NormedLayer[];
  readonly #dropout: Dropout;

  constructor(
    width: number,
    random: Random,
    { embedding = 512, hidden = 512, inputDropout = 0.5, dropout = 0.5 }: SeHGNNOptions = {},
  ) {
    this.embedding = new Linear(width, embedding, random.split('embedding'), { bias: false });
    this.embedding.weight = parameter(random.split('embedding').uniform([embedding, width], -0.5, 0.5));
    this.layers = [embedding, hidden].map((own, l) => new NormedLayer(own, hidden, random.split(l), { dropout }));
    this.#dropout = new Dropout(inputDropout);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const start = this.#dropout.forward(this.embedding.forward(x), mode);
    return this.layers.reduce((h, layer) => layer.forward(h, mode), start);
  }
}

/**
 * Channels h_p of metapaths p, fused by attention and classified:
 *
 * β_pq = softmax_q(q_p·k_q/√(h/4)),  h'_p = h_p + γ·Σ_q β_pq·v_q with γ from 0,
 * logits = MLP(Linear(h'_1 ‖ … ‖ h'_P) + residual)
 */
export class SeHGNN implements GroupModule {
  /** One of each metapath. */
  readonly channels: readonly Channel[];
  /** q, of width h/4. */
  readonly query: Linear;
  /** k, of width h/4. */
  readonly key: Linear;
  /** v. */
  readonly value: Linear;
  /** γ [1]. */
  gamma: Tensor;
  /** On all channels side by side. */
  readonly joined: Linear;
  /** On the target's own features; undefined without the option. */
  readonly residual: Linear | undefined;
  /** Hidden layer of the classifier. */
  readonly task: NormedLayer;
  /** Classifier. */
  readonly head: Linear;
  readonly #activation = new PReLU();
  readonly #dropout: Dropout;

  /** @param shapes a group of one tensor for each metapath, the target's own features first */
  constructor(shapes: readonly GroupShape[], classes: number, random: Random, options: SeHGNNOptions = {}) {
    const all = { embedding: 512, hidden: 512, inputDropout: 0.5, dropout: 0.5, residual: false, ...options };
    const { hidden } = all;
    const narrow = Math.max(1, hidden >> 2);
    this.channels = shapes.map(({ width }, p) => new Channel(width, random.split(p), all));
    this.query = affine(hidden, narrow, random.split('query'));
    this.key = affine(hidden, narrow, random.split('key'));
    this.value = affine(hidden, hidden, random.split('value'));
    this.gamma = parameter(zeros([1]));
    this.joined = affine(hidden * shapes.length, hidden, random.split('joined'));
    if (all.residual) this.residual = affine(shapes[0]?.width as number, hidden, random.split('residual'));
    this.task = new NormedLayer(hidden, hidden, random.split('task'), all);
    this.head = affine(hidden, classes, random.split('head'));
    this.#dropout = new Dropout(all.dropout);
  }

  forward(groups: readonly Tensor[], mode: Mode): Tensor {
    const rows = groups.map((x) => reshape(x, [x.shape[1] as number, -1]));
    const h = stack(
      rows.map((x, p) => (this.channels[p] as Channel).forward(x, mode)),
      1,
    ); // (b, P, hidden)
    const [query, key] = [this.query.forward(h), this.key.forward(h)];
    const scores = multiply(matmul(query, key, { transposeB: true }), 1 / Math.sqrt(query.shape[2] as number));
    const mixed = add(h, multiply(matmul(softmax(scores), this.value.forward(h)), this.gamma));
    const joined = this.joined.forward(reshape(mixed, [h.shape[0] as number, -1]));
    const fused = this.residual ? add(joined, this.residual.forward(rows[0] as Tensor)) : joined;
    const activated = this.#dropout.forward(this.#activation.forward(fused), mode);
    return this.head.forward(this.task.forward(activated, mode));
  }
}
