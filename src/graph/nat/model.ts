// A trained NAT as a file: its weights, the state of all nodes with their caches, the features of
// the events that the state still asks for, and the names of nodes. It scores pairs by name, and
// takes in further events.

import { type ModelKind, readModelFile, writeModelFile } from '../../data/index.js';
import { inference, loadState, stateOf, type Weights } from '../../nn/index.js';
import { TemporalGraph } from '../../structure/index.js';
import { keep, Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import { EVALUATION_BATCH } from '../temporal/evaluation.js';
import { rowsOrZeros } from '../temporal/event-rows.js';
import { replay, temporalScorer } from '../temporal/training.js';
import { NAT, type ResolvedNATOptions } from './network.js';
import type { StateSnapshot } from './state.js';

/** Name and version of the model file. */
export const NAT_MODEL: ModelKind = { system: 'nat', version: '1', madeBy: 'gossamer run nat' };

/** What a file says beside the weights and the state. */
export interface NATDescription {
  /** Name of each node. */
  readonly nodeNames: readonly string[];
  /** Sizes, units and seed of the network. */
  readonly options: Omit<ResolvedNATOptions, 'nodeFeatures'>;
  /** Features of an event. */
  readonly eventFeatures: number;
  /** Number of events taken in. */
  readonly observed: number;
  /** Time of the last one. */
  readonly lastTime: number;
}

/** Events among named nodes, in order of time. */
export interface NamedEvents {
  /** As many features as in training. */
  readonly graph: TemporalGraph;
  /** Name of each node of the graph. */
  readonly nodeNames: readonly string[];
}

/** Scores pairs of named nodes from the state that NAT keeps of them. */
export class NATModel {
  #network: NAT;
  #nodeNames: readonly string[];
  #lastTime: number;

  /** @param network as it is after `graph` was taken in */
  constructor(network: NAT, { graph, nodeNames }: NamedEvents) {
    this.#network = network;
    this.#nodeNames = nodeNames;
    this.#lastTime = graph.times.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  /** The network with its state. */
  get network(): NAT {
    return this.#network;
  }

  /** Names of the nodes that have had events. */
  get nodeNames(): readonly string[] {
    return this.#nodeNames;
  }

  /**
   * Probability that the two nodes of each pair interact next. The state does not change; a name
   * that is not known is a node without events. The time of the question does not enter.
   */
  predictProba(left: readonly string[], right: readonly string[]): Float32Array {
    const known = new Map(this.#nodeNames.map((name, node) => [name, node]));
    const strange = [...new Set([...left, ...right])].filter((name) => !known.has(name));
    for (const name of strange) known.set(name, known.size);
    const network = strange.length === 0 ? this.#network : this.#grown(known.size);
    const nodes = (names: readonly string[]) => Int32Array.from(names, (name) => known.get(name) as number);
    const [from, to] = [nodes(left), nodes(right)];
    const result = new Float32Array(left.length);
    for (let at = 0; at < left.length; at += 1000)
      scope(() => {
        const logits = network.score(from.subarray(at, at + 1000), to.subarray(at, at + 1000), inference);
        result.set(logits.sigmoid().view(), at);
      });
    return result;
  }

  /** The network with room for more nodes, which have no events. */
  #grown(nodeCount: number): NAT {
    return this.#continued(nodeCount, [], undefined).network;
  }

  /**
   * Takes in further events, in batches.
   *
   * @throws Error when they are earlier than the last event, or have other features than before
   */
  observe({ graph, nodeNames }: NamedEvents, batchSize = EVALUATION_BATCH): void {
    if (graph.eventCount === 0) return;
    const first = graph.times[0] as number;
    if (first < this.#lastTime)
      throw new Error(
        `NATModel.observe: an event at ${first} comes after one at ${this.#lastTime}; events are taken in by time`,
      );
    const names = [...new Set([...this.#nodeNames, ...nodeNames])];
    const index = new Map(names.map((name, node) => [name, node]));
    const nodes = (ends: Int32Array) => ends.map((node) => index.get(nodeNames[node] as string) as number);
    const events = { sources: nodes(graph.sources), targets: nodes(graph.targets), times: graph.times };
    const { network, stream, kept } = this.#continued(names.length, [events], graph.features);
    const numbers = Int32Array.from({ length: graph.eventCount }, (_, i) => kept + i);
    replay(temporalScorer(network), stream, numbers, batchSize);
    this.#network = network;
    this.#nodeNames = names;
    this.#lastTime = graph.times.at(-1) as number;
  }

  /**
   * The network on a stream of the events that its state still asks for, followed by new ones.
   *
   * @returns also that stream, and the number of events kept
   */
  #continued(
    nodeCount: number,
    added: readonly { readonly sources: Int32Array; readonly targets: Int32Array; readonly times: Float64Array }[],
    features: Tensor | undefined,
  ) {
    const { state, features: held, times } = this.#kept();
    const width = held?.shape[1] ?? 0;
    const more = features?.shape[1] ?? 0;
    const [events] = added;
    if (events && width !== more)
      throw new Error(`NATModel.observe: events have ${more} features, those of training have ${width}`);
    const own = new Int32Array(times.length);
    const joined = (a: ArrayLike<number>, b: ArrayLike<number> = []) => [...Array.from(a), ...Array.from(b)];
    const table = Float32Array.from(joined(held?.view() ?? [], features?.view()));
    const count = times.length + (events?.times.length ?? 0);
    const stream = new TemporalGraph(nodeCount, {
      sources: joined(own, events?.sources),
      targets: joined(own, events?.targets),
      times: joined(times, events?.times),
      ...(held && { features: keep(tensor(table, [count, width])) }),
    });
    const { options } = this.#network;
    const { nodeFeatures } = options;
    const rows = Int32Array.from({ length: nodeCount }, (_, v) => (v < (nodeFeatures?.shape[0] ?? 0) ? v : -1));
    const grown = nodeFeatures && keep(rowsOrZeros(nodeFeatures, rows));
    const network = new NAT(stream, new Random(0), { ...options, ...(grown && { nodeFeatures: grown }) });
    loadState(network, stateOf(this.#network));
    network.restore(state);
    return { network, stream, kept: times.length };
  }

  /** The state with its events numbered anew, and their times and features. */
  #kept(): { state: StateSnapshot; times: number[]; features: Tensor | undefined } {
    const state = this.#network.snapshot();
    const timeOf = new Map<number, number>();
    const places = [{ events: state.lastEvents, times: state.lastTimes }, ...state.hops];
    for (const { events, times } of places)
      for (const [at, event] of events.entries()) if (event >= 0) timeOf.set(event, times[at] as number);
    const events = Int32Array.from(timeOf.keys()).sort();
    const numberOf = new Map(Array.from(events, (event, number) => [event, number]));
    const renumber = (own: Int32Array) => own.map((event) => numberOf.get(event) ?? -1);
    const features = this.#network.eventFeatures;
    return {
      state: {
        ...state,
        lastEvents: renumber(state.lastEvents),
        hops: state.hops.map((hop) => ({ ...hop, events: renumber(hop.events) })),
      },
      times: Array.from(events, (event) => timeOf.get(event) as number),
      features: features && keep(rowsOrZeros(features, events)),
    };
  }

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as the data that it was trained on
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    const { state, features } = this.#kept();
    const { nodeFeatures, ...options } = this.#network.options;
    const description: NATDescription = {
      nodeNames: this.#nodeNames,
      options,
      eventFeatures: features?.shape[1] ?? 0,
      observed: state.observed,
      lastTime: this.#lastTime,
    };
    const column = (values: Float32Array | Int32Array | Float64Array) => tensor(values);
    const tensors: Record<string, Tensor> = {
      ...prefixed('weights', stateOf(this.#network)),
      'state.selves': column(state.selves),
      'state.partners': column(state.partners),
      'state.lastEvents': column(state.lastEvents),
      'state.lastTimes': words(state.lastTimes),
      ...(features && { 'events.features': features }),
      ...(nodeFeatures && { 'nodes.features': nodeFeatures }),
    };
    for (const [hop, { keys, events, times, vectors }] of state.hops.entries()) {
      tensors[`state.${hop}.keys`] = column(keys);
      tensors[`state.${hop}.events`] = column(events);
      tensors[`state.${hop}.times`] = words(times);
      tensors[`state.${hop}.vectors`] = column(vectors);
    }
    return writeModelFile(NAT_MODEL, { ...more, ...description }, tensors);
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): NATModel {
    const { description, tensors } = readModelFile<NATDescription>(NAT_MODEL, bytes, name);
    const { nodeNames, options, observed, lastTime } = description;
    const own = (key: string) => {
      const found = tensors[key];
      if (!found) throw new Error(`file "${name}" is damaged: it has no "${key}"`);
      return found;
    };
    const integers = (key: string) => own(key).dataSync<Int32Array>();
    const hops = [1, ...options.slots].map((_, hop) => ({
      keys: integers(`state.${hop}.keys`),
      events: integers(`state.${hop}.events`),
      times: doubles(own(`state.${hop}.times`)),
      vectors: own(`state.${hop}.vectors`).dataSync<Float32Array>(),
    }));
    const state: StateSnapshot = {
      selves: own('state.selves').dataSync<Float32Array>(),
      partners: integers('state.partners'),
      lastEvents: integers('state.lastEvents'),
      lastTimes: doubles(own('state.lastTimes')),
      hops,
      observed,
    };
    const features = tensors['events.features'];
    const nodeFeatures = tensors['nodes.features'];
    const count = features?.shape[0] ?? 0;
    const graph = new TemporalGraph(nodeNames.length, {
      sources: new Int32Array(count),
      targets: new Int32Array(count),
      times: new Float64Array(count).fill(lastTime),
      ...(features && { features: keep(features) }),
    });
    const network = new NAT(graph, new Random(0), {
      ...options,
      ...(nodeFeatures && { nodeFeatures: keep(nodeFeatures) }),
    });
    const weights = Object.entries(tensors).filter(([key]) => key.startsWith('weights.'));
    loadState(network, Object.fromEntries(weights.map(([key, value]) => [key.slice('weights.'.length), value])));
    network.restore(state);
    const model = new NATModel(network, { graph, nodeNames });
    model.#lastTime = lastTime;
    return model;
  }
}

function prefixed(prefix: string, weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, value]) => [`${prefix}.${name}`, value]));
}

/** Doubles as pairs of 32-bit integers: single precision would lose seconds. */
function words(values: Float64Array): Tensor {
  return tensor(new Int32Array(values.buffer, values.byteOffset, 2 * values.length));
}

function doubles(pairs: Tensor): Float64Array {
  return new Float64Array(pairs.dataSync<Int32Array>().slice().buffer);
}
