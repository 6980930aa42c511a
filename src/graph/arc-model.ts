// Questions on pairs of nodes of a person's own graph, arcs or links, as a model that answers for
// the graph of training, the same graph with new nodes and arcs, or another one.

import { type AttributedGraph, type ModelKind, readModelFile, writeModelFile } from '../data/index.js';
import { loadState, stateOf } from '../nn/index.js';
import type { ArcQuestion } from '../structure/index.js';
import { Random, scope } from '../tensor/index.js';
import { Symmetrised } from './conv/index.js';
import { ArcClassifier, type ArcEnds } from './heads/index.js';
import type { NetworkDescription } from './network-description.js';
import type { NetworkLayout, NodeNetwork } from './network-layout.js';
import { featuresOf } from './node-inputs.js';
import { type NetworkName, nodeNetworks } from './node-networks.js';
import { requireNetwork, requirePlaces } from './places.js';

/** Name and version of the model file. */
export const ARC_CLASSIFIER: ModelKind = {
  system: 'arc-classifier',
  version: '1',
  madeBy: 'gossamer fit --task direction',
};

/** What a file says beside the weights. */
export interface ArcDescription extends NetworkDescription {
  /** What is asked of a pair. */
  readonly question: ArcQuestion;
  /** Names of the answers. */
  readonly classes: readonly string[];
  /** Width of the outputs of a node that the head reads. */
  readonly width: number;
  /** What it was trained on. */
  readonly trained: { readonly data: string; readonly nodes: number; readonly edges: number; readonly pairs: number };
}

/**
 * A network with a head on pairs of nodes. A network that does not tell directions apart reads the
 * underlying undirected graph; one that has a representation of its own gives that to the head,
 * with the dropout that its classifier would have.
 *
 * @param sizes `width`: outputs of other networks
 * @param question of links, the head gives both orders of a pair one answer
 */
export function arcClassifier(
  name: NetworkName,
  { inFeatures, width, classes }: { readonly inFeatures: number; readonly width: number; readonly classes: number },
  random: Random,
  layout: NetworkLayout,
  question: ArcQuestion = 'direction',
): ArcClassifier {
  const { create, represent, reads }: NodeNetwork = nodeNetworks[name];
  const symmetric = question === 'links';
  if (represent) {
    const own = represent(inFeatures, random.split('network'), layout);
    const { dropout } = layout;
    const head = { symmetric, ...(dropout !== undefined && { dropout }) };
    return new ArcClassifier(own.network, own.width, classes, random, head);
  }
  const network = create(inFeatures, width, random.split('network'), layout);
  const reader = reads.directions || symmetric ? network : new Symmetrised(network);
  return new ArcClassifier(reader, width, classes, random, { symmetric });
}

/** Answers questions on pairs of nodes. */
export class ArcModel {
  constructor(
    readonly classifier: ArcClassifier,
    readonly description: ArcDescription,
  ) {}

  /**
   * Probability of each answer of each pair [pairs, classes], row after row.
   *
   * @param note called with what of the data is unknown to the model
   * @throws Error naming attributes that are missing, or nodes of another graph than the model
   * knows
   */
  predictProba(data: AttributedGraph, ends: ArcEnds, note?: (text: string) => void): Float32Array {
    requirePlaces(this.description.places, data);
    return scope(() => this.classifier.predictProba(featuresOf(this.description.inputs, data, note), data.graph, ends));
  }

  /** The model as a file. */
  save(): Uint8Array {
    return writeModelFile(ARC_CLASSIFIER, this.description, stateOf(this.classifier));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): ArcModel {
    const { description, tensors } = readModelFile<ArcDescription>(ARC_CLASSIFIER, bytes, name);
    const { network, layout, inFeatures, width, classes, question } = description;
    requireNetwork(network, name);
    const sizes = { inFeatures, width, classes: classes.length };
    const classifier = arcClassifier(network, sizes, new Random(0), layout, question);
    loadState(classifier, tensors);
    return new ArcModel(classifier, description);
  }
}
