// A trained RpHGNN as a file: its weights, how features are made, the relations and random streams
// of the pre-computation, and the names of its classes. It answers for the graph of training, the
// same one with new nodes and edges, or another of the same types.

import { type ModelKind, type NamedHeteroGraph, readModelFile, writeModelFile } from '../../data/index.js';
import { featureCount, inference, loadState, stateOf } from '../../nn/index.js';
import { SparseMatrix } from '../../sparse/index.js';
import type { HeteroGraph, Relation } from '../../structure/index.js';
import {
  add,
  concatenate,
  type Key,
  keep,
  matmul,
  Random,
  reshape,
  scope,
  sigmoid,
  softmax,
  type Tensor,
} from '../../tensor/index.js';
import type { TypedFeatures } from '../conv/index.js';
import { type TypedInputs, typedFeatures } from '../typed-inputs.js';
import {
  type CollectionOptions,
  collect,
  collectedGroups,
  type RowGroup,
  type RowGroups,
  takeRowGroups,
  walkCollected,
} from './collect.js';
import { type EncoderOptions, type GroupEncoder, RpHGNN } from './encoder.js';
import { type KnownLabels, propagateLabels } from './labels.js';
import type { GroupShape } from './propagate.js';

/** Name and version of the model file. */
export const RPHGNN_MODEL: ModelKind = { system: 'rphgnn', version: '1', madeBy: 'gossamer fit --model rphgnn' };

/** What a file says beside the weights. */
export interface RpHGNNDescription {
  /** Type of the nodes that are classified. */
  readonly type: string;
  /** The attribute that is predicted. */
  readonly target: string;
  /** Whether nodes have one class or any number of labels. */
  readonly task: 'class' | 'labels';
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** How features are made, of all types. */
  readonly inputs: TypedInputs;
  /** The relations that were given: source, name, target. */
  readonly relations: readonly (readonly [source: string, name: string, target: string])[];
  /** Groups of the pre-computation, in order. */
  readonly groups: readonly GroupShape[];
  /** Options of the pre-computation. */
  readonly collection: CollectionOptions;
  /** Options of the encoder. */
  readonly encoder: EncoderOptions;
  /** Keys of the streams of features (random vectors, `projectTo`) and of the projections. */
  readonly keys: { readonly features: Key; readonly projections: Key };
  /** Known classes by the names of their nodes, where labels are propagated. */
  readonly known?: Readonly<Record<string, number>>;
  /** What it was trained on. */
  readonly trained: {
    readonly data: string;
    readonly nodes: number;
    readonly edges: number;
    readonly labelled: number;
  };
  /** Scores by name, in percent. */
  readonly scores: Readonly<Record<string, number>>;
}

/** The relations of a model in a graph, in the order of training. */
function relationsOf(
  data: NamedHeteroGraph,
  { relations }: RpHGNNDescription,
  note?: (text: string) => void,
): HeteroGraph {
  const { graph, name } = data;
  const isOf = (own: Relation, [source, named, target]: RpHGNNDescription['relations'][number]) =>
    own.source === source && own.name === named && own.target === target;
  const kept = relations.map((wanted) => {
    const found = graph.given.find((own) => isOf(own, wanted));
    if (found) return found;
    throw new Error(
      `"${name}" has no relation "${wanted[1]}" from ${wanted[0]} to ${wanted[2]}, which the model reads; there are ${graph.given.map(({ key }) => `"${key}"`).join(', ')}`,
    );
  });
  for (const own of graph.given)
    if (!kept.includes(own)) note?.(`relation "${own.key}" was not there in training and is left out`);
  return graph.withRelations(kept);
}

/** The part of a description from which inputs follow. */
export type RpHGNNInputs = Pick<RpHGNNDescription, 'type' | 'inputs' | 'collection' | 'keys' | 'known' | 'classes'>;

/** Features of all types, and label features where the model has them. */
function inputsOf(
  data: NamedHeteroGraph,
  { inputs, keys, known, type, classes }: RpHGNNInputs,
  note?: (text: string) => void,
) {
  const features = typedFeatures(inputs, data, new Random(keys.features), note);
  if (!known) return { features };
  const names = data.nodes.get(type)?.nodeNames ?? [];
  const labels = Int32Array.from(names, (name) => (Object.hasOwn(known, name) ? (known[name] as number) : -1));
  const rows = Int32Array.from(labels.keys()).filter((v) => (labels[v] as number) >= 0);
  return { features, labels: { labels, known: rows, classes: classes.length } satisfies KnownLabels };
}

/** The tensors that a model of such inputs trains on, for parts of the nodes. */
export function collectInputs(
  data: NamedHeteroGraph,
  inputs: RpHGNNInputs,
  parts: readonly Int32Array[],
): { readonly parts: RowGroups[]; readonly groups: GroupShape[] } {
  const { graph } = data;
  const { type, collection, keys } = inputs;
  const { features, labels } = inputsOf(data, inputs);
  const collected = collect(graph, features, type, parts, new Random(keys.projections), collection);
  const ofLabels = labels ? propagateLabels(graph, type, labels) : [];
  disposeFeatures(features);
  const byPart = collected.map((own, part) => [...own, ...rowsOfGroups(ofLabels, parts[part] as Int32Array)]);
  for (const { values } of ofLabels) values.dispose();
  const shapes = (byPart[0] as RowGroups).map(({ name, values }) => {
    const [count, , width] = values.shape as [number, number, number];
    return { name, count, width };
  });
  return { parts: byPart, groups: shapes };
}

/** Groups that the pre-computation of inputs makes, without those of labels. */
export function groupsOfInputs(data: NamedHeteroGraph, inputs: RpHGNNInputs): GroupShape[] {
  const { features } = inputsOf(data, { ...inputs, known: undefined } as RpHGNNInputs);
  const groups = collectedGroups(data.graph, features, inputs.type, inputs.collection);
  disposeFeatures(features);
  return groups;
}

function disposeFeatures(features: TypedFeatures): void {
  for (const own of features.values()) if (!(own instanceof SparseMatrix)) own.dispose();
}

function rowsOfGroups(groups: RowGroups, rows: Int32Array): RowGroup[] {
  return scope(() =>
    takeRowGroups(groups, rows).map((values, g) => ({ name: groups[g]?.name as string, values: keep(values.clone()) })),
  );
}

/** Nodes that are classified at a time. */
const PIECE = 4096;

/**
 * Logits of all nodes of the target type [n, classes], filtering each group's tensors while they
 * pass: memory of F tensors a group in place of K.
 */
export function streamedLogits(
  network: RpHGNN,
  graph: HeteroGraph,
  features: TypedFeatures,
  target: string,
  random: Random,
  options: CollectionOptions,
  labels: RowGroups = [],
): Tensor {
  const n = graph.countOf(target);
  const filtered: Tensor[] = [];
  walkCollected(graph, features, target, random, options, (g, at, values) => {
    const { weight, bias } = network.groups[g] as GroupEncoder;
    const before = filtered[g];
    filtered[g] = keep(
      scope(() => {
        const own = values instanceof SparseMatrix ? values.toDense() : values;
        const term = matmul(weight.slice(null, [at, at + 1]), reshape(own, [1, n * featureCount(values)]));
        return add(before ?? reshape(bias, [-1, 1]), term);
      }),
    );
    before?.dispose();
  });
  const first = filtered.length;
  const groups = filtered.map(
    (values, g): RowGroup => ({ name: String(g), values: reshape(values, [values.shape[0] as number, n, -1]) }),
  );
  const all = [
    ...groups,
    ...labels.map(({ name, values }, l) => ({
      name,
      values: keep(scope(() => (network.groups[first + l] as GroupEncoder).filter(values))),
    })),
  ];
  return scope(() => {
    const pieces: Tensor[] = [];
    for (let from = 0; from < n; from += PIECE) {
      const rows = Int32Array.from({ length: Math.min(PIECE, n - from) }, (_, i) => from + i);
      pieces.push(scope(() => network.afterFilters(takeRowGroups(all, rows), inference)));
    }
    for (const { values } of all) values.dispose();
    for (const values of filtered) values.dispose();
    return concatenate(pieces, 0);
  });
}

/** Classifies the nodes of one type of a heterogeneous graph. */
export class RpHGNNModel {
  constructor(
    readonly network: RpHGNN,
    readonly description: RpHGNNDescription,
  ) {}

  /**
   * Probability of each class or label [nodes, classes], row after row. The pre-computation is run
   * on the graph that is given, with the projections of training.
   *
   * @param note called with what of the data is unknown to the model
   * @throws Error naming a relation, type or attribute that is missing
   */
  predictProba(data: NamedHeteroGraph, note?: (text: string) => void): Float32Array {
    const { type, task, collection, keys } = this.description;
    const graph = relationsOf(data, this.description, note);
    if (graph.edgeCount === 0) throw new Error(`"${data.name}" has no edges in the relations that the model reads`);
    return scope(() => {
      const { features, labels } = inputsOf(data, this.description, note);
      const ofLabels = labels ? propagateLabels(graph, type, labels) : [];
      const logits = streamedLogits(
        this.network,
        graph,
        features,
        type,
        new Random(keys.projections),
        collection,
        ofLabels,
      );
      disposeFeatures(features);
      for (const { values } of ofLabels) values.dispose();
      return (task === 'labels' ? sigmoid(logits) : softmax(logits)).dataSync<Float32Array>();
    });
  }

  /** The model as a file. */
  save(): Uint8Array {
    return writeModelFile(RPHGNN_MODEL, this.description, stateOf(this.network));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): RpHGNNModel {
    const { description, tensors } = readModelFile<RpHGNNDescription>(RPHGNN_MODEL, bytes, name);
    const { groups, classes, encoder } = description;
    const network = new RpHGNN(groups, classes.length, new Random(0), encoder);
    loadState(network, tensors);
    return new RpHGNNModel(network, description);
  }
}
