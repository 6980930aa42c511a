// LoGAH (Zhou, Knyazev, Jolicoeur-Martineau, Fu 2024): a graph hypernetwork that predicts the
// initial weights of a network from its architecture alone.
//
//   architecture → graph with virtual edges → Graphormer → low-rank decoder → named weights
//
// What is new to earlier graph hypernetworks is the decoder: factors of rank r in place of a block
// that wide layers repeat, so that its size grows linearly with the widest layer, not as its
// square.

import { concatenate, gatherRows, type Random, reshape, slice, type Tensor, tensor } from '../../tensor/index.js';
import { LowRankDecoder, type WeightDecoder } from './decoder.js';
import { type EncodedGraph, encodeGraph } from './encoded-graph.js';
import { GraphEncoder } from './encoder.js';
import { repeated, scaledBiases, scaledGains, scaledWeights, shaped, type WeightScaling } from './finish.js';
import type { ArchitectureGraph } from './graph.js';
import { type LoGAHOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { SizeTable } from './sizes.js';
import { decodedOf, isVectorTarget, type Target, targetsOf } from './targets.js';
import { TilingDecoder } from './tiling.js';

/** A target with its row among the nodes of all graphs. */
interface Placed {
  readonly target: Target;
  readonly graph: number;
  readonly row: number;
}

/**
 * Graph hypernetwork with a low-rank decoder (or, as a baseline, GHN-3's block that is repeated).
 *
 * @throws RangeError for sizes that do not fit
 */
export class LoGAH {
  /** Graph → vectors of its nodes. */
  readonly encoder: GraphEncoder;
  /** Vectors → weights. */
  readonly decoder: WeightDecoder;
  /** Options with their defaults. */
  readonly options: ResolvedOptions;
  readonly #sizes: SizeTable;

  constructor(random: Random, options: LoGAHOptions = {}) {
    const resolved = resolveOptions(options);
    const { classes, kernels, vocabularies, decoder, features, block, kernel } = resolved;
    this.options = resolved;
    this.#sizes = new SizeTable(classes, { kernels, more: vocabularies });
    this.encoder = new GraphEncoder(this.#sizes, resolved, random.split('encoder'));
    this.decoder =
      decoder === 'low-rank'
        ? new LowRankDecoder(resolved, random.split('decoder'))
        : new TilingDecoder({ features, width: block, kernel, classes }, random.split('decoder'));
  }

  /** How weights are scaled. */
  get scaling(): WeightScaling {
    const { scaling, range } = this.options;
    return scaling === 'fan-in' ? { kind: 'fan-in' } : { kind: 'deviation', range };
  }

  /** A graph as the encoder reads it; make it once for a network that is used often. */
  encode(graph: ArchitectureGraph): EncodedGraph {
    return encodeGraph(graph, this.#sizes, this.options.cutoff);
  }

  /**
   * Weights of several networks by name, in the order of their graphs; gradients flow to the
   * hypernetwork. Parameters of one shape are decoded together, those of all networks.
   */
  predict(graphs: readonly EncodedGraph[]): Record<string, Tensor>[] {
    const vectors = concatenate(graphs.map((graph) => this.encoder.forward(graph)));
    const results = graphs.map((): Record<string, Tensor> => ({}));
    for (const group of groupsOf(graphs)) {
      const { target } = group[0] as Placed;
      const x = gatherRows(vectors, tensor(Int32Array.from(group, ({ row }) => row)));
      if (isVectorTarget(target)) this.#vectors(x, group, results);
      else
        rowsOf(this.#weights(x, target), group, (result, { name }, value) => {
          (results[result] as Record<string, Tensor>)[name] = value;
        });
    }
    return results;
  }

  /** Weights [g, …shape] of one shape. */
  #weights(x: Tensor, { shape, kind, classifier }: Target): Tensor {
    const raw = shaped(this.decoder.weights(x, decodedOf(this.decoder, shape), classifier), shape);
    return kind === 'embedding' ? raw : scaledWeights(raw, this.scaling);
  }

  /** Gains from row 0 and biases from row 1; the bias of a norm goes with its gain. */
  #vectors(x: Tensor, group: readonly Placed[], results: Record<string, Tensor>[]): void {
    const { target } = group[0] as Placed;
    const length = target.shape[0] as number;
    const both = this.decoder.vectors(x, this.decoder.decodedLength(length), target.classifier);
    const row = (at: number) =>
      repeated(reshape(slice(both, null, [at, at + 1]), [x.shape[0] as number, -1]), 1, length);
    const put = (values: Tensor, nameOf: (target: Target) => string | undefined) =>
      rowsOf(values, group, (result, own, value) => {
        const name = nameOf(own);
        if (name !== undefined) (results[result] as Record<string, Tensor>)[name] = value;
      });
    if (target.kind === 'gain') put(scaledGains(row(0)), ({ name }) => name);
    put(scaledBiases(row(1)), ({ kind, name, pairedBias }) => (kind === 'gain' ? pairedBias : name));
  }
}

/** Gives each row of [g, …] to its network. */
function rowsOf(
  values: Tensor,
  group: readonly Placed[],
  give: (graph: number, target: Target, value: Tensor) => void,
): void {
  const shape = values.shape.slice(1);
  group.forEach(({ graph, target }, at) => {
    give(graph, target, reshape(slice(values, [at, at + 1]), shape));
  });
}

/** Targets of all graphs that are decoded and scaled alike. */
function groupsOf(graphs: readonly EncodedGraph[]): Placed[][] {
  const groups = new Map<string, Placed[]>();
  let first = 0;
  graphs.forEach(({ graph }, number) => {
    for (const target of targetsOf(graph)) {
      const key = [target.kind, target.classifier, ...target.shape].join();
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      group.push({ target, graph: number, row: first + target.node });
    }
    first += graph.nodes.length;
  });
  return [...groups.values()];
}
