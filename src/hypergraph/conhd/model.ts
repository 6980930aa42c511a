// CoNHD as a file: weights, names, and the hypergraph that it was trained on, to which new
// hyperedges are joined when it is asked about them.

import { type ModelKind, readModelFile, writeModelFile } from '../../data/index.js';
import { inference, loadState, rowsOf, stateOf } from '../../nn/index.js';
import { applyStatistics, type ColumnStatistics, IncidenceList, IncidenceSampler } from '../../structure/index.js';
import { concatenate, gatherKnownRows, keep, Random, scope, softmax, type Tensor, tensor } from '../../tensor/index.js';
import type { IncidenceInput } from './incidence-network.js';
import { positionsOf } from './inputs.js';
import { CoNHD, type CoNHDOptions } from './network.js';

/** Name and version of the model file. */
export const CONHD_MODEL: ModelKind = { system: 'conhd', version: '1', madeBy: 'gossamer run conhd' };

/** What the file says beside its tensors. */
export interface IncidenceModelDescription {
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Names of the vertices, in the order of the features. */
  readonly vertices: readonly string[];
  /** Layout of the network. */
  readonly options: CoNHDOptions;
}

/** The hypergraph and the inputs of training. */
export interface KnownIncidences {
  readonly incidences: IncidenceList;
  /** Input features [N, F]. */
  readonly features: Tensor;
  /** Centralities [N] each of the positional encoding; none without one. */
  readonly centralities: readonly ArrayLike<number>[];
  /** How given features were standardised; undefined for features made from the hypergraph. */
  readonly statistics?: ColumnStatistics;
}

/** Features of vertices by name, as `featuresFromTable` reads them. */
export interface NamedFeatures {
  readonly vertexNames: readonly string[];
  readonly features: Tensor;
}

/** Classifies the incidences of new hyperedges. */
export class IncidenceModel {
  constructor(
    readonly description: IncidenceModelDescription,
    readonly network: CoNHD,
    readonly known: KnownIncidences,
  ) {}

  /**
   * Probability of each class [incidences, classes], row after row, of the incidences of new
   * hyperedges, which join those of training. Vertices that training did not know have the lowest
   * rank in the positional encoding.
   *
   * @param hyperedges the names of the members of each
   * @param nodes features of vertices that training did not know
   * @throws Error for such a vertex without features, or for a model whose inputs are made from the
   * hypergraph alone
   */
  predictProba(hyperedges: readonly (readonly string[])[], nodes?: NamedFeatures): Float32Array {
    const fresh = this.#newVertices(hyperedges, nodes);
    const { incidences } = this.known;
    const numbers = new Map([...this.description.vertices, ...fresh.names].map((name, v) => [name, v]));
    const added = hyperedges.map((members) => members.map((name) => numbers.get(name) as number));
    const joined = join(incidences, numbers.size, added);
    return scope(() => {
      const features = fresh.features ? concatenate([this.known.features, fresh.features], 0) : this.known.features;
      const asked = Int32Array.from(added.keys(), (e) => incidences.hyperedgeCount + e);
      return softmax(this.network.forward(this.#inputOf(joined, features, asked), inference)).dataSync<Float32Array>();
    });
  }

  #inputOf(joined: IncidenceList, features: Tensor, hyperedges: Int32Array): IncidenceInput {
    const { centralities } = this.known;
    const sample = new IncidenceSampler(joined).sample(hyperedges, this.network.reach, new Random(0));
    const padded = centralities.map((own) => {
      const all = new Float64Array(joined.vertexCount);
      all.set(Float64Array.from(own));
      return all;
    });
    const positions = padded.length > 0 ? positionsOf(joined, padded) : undefined;
    return {
      ...sample,
      features: rowsOf(features, sample.vertices),
      ...(positions && { positions: gatherKnownRows(positions, tensor(sample.rows)) }),
    };
  }

  #newVertices(hyperedges: readonly (readonly string[])[], nodes: NamedFeatures | undefined) {
    const known = new Set(this.description.vertices);
    const names = [...new Set(hyperedges.flat())].filter((name) => !known.has(name));
    if (names.length === 0) return { names, features: undefined };
    const { statistics } = this.known;
    if (!statistics)
      throw new Error(
        `the model does not know vertex "${names[0]}": its inputs were made from the hyperedges of training; train with features (nodes.csv) to ask about new vertices`,
      );
    const width = statistics.means.length;
    const found = nodes?.features.shape[1];
    if (nodes && found !== width)
      throw new Error(`the table of nodes has ${found} features a node, the model expects ${width}`);
    const values = nodes?.features.view() ?? new Float32Array(0);
    const rows = new Map(nodes?.vertexNames.map((name, row) => [name, row]));
    const table = new Float32Array(names.length * width);
    names.forEach((name, v) => {
      const row = rows.get(name);
      if (row === undefined)
        throw new Error(`vertex "${name}" is new and has no features; give a table of nodes after the hyperedges`);
      table.set(values.subarray(row * width, (row + 1) * width), v * width);
    });
    applyStatistics(table, statistics);
    return { names, features: tensor(table, [names.length, width]) };
  }

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as the data that it was trained on
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    const { incidences, features, centralities, statistics } = this.known;
    return scope(() =>
      writeModelFile(
        CONHD_MODEL,
        { ...more, ...this.description },
        {
          ...Object.fromEntries(Object.entries(stateOf(this.network)).map(([name, w]) => [`network.${name}`, w])),
          features,
          offsets: tensor(incidences.hyperedges.offsets),
          vertices: tensor(incidences.vertices),
          ...Object.fromEntries(centralities.map((own, c) => [`centralities.${c}`, tensor(Float32Array.from(own))])),
          ...(statistics && { means: tensor(statistics.means), deviations: tensor(statistics.deviations) }),
        },
      ),
    );
  }

  /** @throws Error when the file is of another system or version */
  static load(bytes: Uint8Array, name = 'model'): IncidenceModel {
    const { description, tensors } = readModelFile<IncidenceModelDescription>(CONHD_MODEL, bytes, name);
    const need = (key: string): Tensor => {
      const found = tensors[key];
      if (!found) throw new Error(`file "${name}" has no tensor "${key}"`);
      return found;
    };
    const features = keep(need('features'));
    const [count, width] = features.shape as [number, number];
    const network = new CoNHD(width, description.classes.length, new Random(0), description.options);
    const prefix = 'network.';
    const weights = Object.entries(tensors).filter(([key]) => key.startsWith(prefix));
    loadState(network, Object.fromEntries(weights.map(([key, weight]) => [key.slice(prefix.length), weight])));
    const ints = (key: string) => need(key).dataSync<Int32Array>();
    const centralities = Array.from({ length: description.options.positions ?? 0 }, (_, c) =>
      need(`centralities.${c}`).dataSync<Float32Array>(),
    );
    const statistics = tensors.means && {
      means: tensors.means.dataSync<Float32Array>(),
      deviations: need('deviations').dataSync<Float32Array>(),
    };
    const incidences = new IncidenceList(count, ints('offsets'), ints('vertices'));
    return new IncidenceModel(description, network, {
      incidences,
      features,
      centralities,
      ...(statistics && { statistics }),
    });
  }
}

/** The incidences of a list, then those of more hyperedges. */
function join(known: IncidenceList, vertexCount: number, added: readonly (readonly number[])[]): IncidenceList {
  const offsets = Array.from(known.hyperedges.offsets);
  for (const members of added) offsets.push((offsets.at(-1) as number) + members.length);
  return new IncidenceList(
    vertexCount,
    Int32Array.from(offsets),
    Int32Array.from([...known.vertices, ...added.flat()]),
  );
}
