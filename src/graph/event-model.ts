// A NAT for events of people's own: with the columns of features and how they are scaled, and the
// nodes that were targets, among which the likely partners of a node are looked for.

import { type EventTable, readModelFile } from '../data/index.js';
import { applyStatistics, type ColumnStatistics, standardizeTable, TemporalGraph } from '../structure/index.js';
import { keep, tensor } from '../tensor/index.js';
import { NAT_MODEL, type NATDescription, NATModel } from './nat/index.js';

/** What the file says beside the network and its state. */
export interface EventTraining {
  /** Columns of the features of events, in order. */
  readonly features?: readonly string[];
  /** Mean and deviation of each. */
  readonly scaling?: { readonly means: readonly number[]; readonly deviations: readonly number[] };
  /** Names of the nodes that were targets; all nodes when left out. */
  readonly targets?: readonly string[];
  /** Name of the data. */
  readonly data?: string;
  /** Number of events that the network was trained and tested on. */
  readonly events?: number;
  /** Scores in % by name. */
  readonly scores?: Readonly<Record<string, number>>;
}

/**
 * Events whose features have mean 0 and deviation 1 over some of them.
 *
 * @param train those whose mean and deviation count
 */
export function scaledEvents(
  graph: TemporalGraph,
  train: Int32Array,
): { graph: TemporalGraph; scaling: ColumnStatistics | undefined } {
  if (!graph.features) return { graph, scaling: undefined };
  const table = Float32Array.from(graph.features.dataSync());
  const scaling = standardizeTable(table, graph.features.shape[1] as number, train);
  return { graph: withFeatures(graph, table), scaling };
}

function withFeatures(graph: TemporalGraph, table: Float32Array): TemporalGraph {
  const { nodeCount, sources, targets, times, eventCount } = graph;
  const features = keep(tensor(table, [eventCount, table.length / eventCount]));
  return new TemporalGraph(nodeCount, { sources, targets, times, features });
}

/** Scores pairs by name, finds partners, and takes in further events. */
export class EventModel {
  #training: EventTraining;
  #lastTime: number;

  /** @param lastTime time of the last event that the model has taken in */
  constructor(
    readonly model: NATModel,
    training: EventTraining,
    lastTime: number,
  ) {
    this.#training = training;
    this.#lastTime = lastTime;
  }

  /** Time of the last event that the model has taken in. */
  get lastTime(): number {
    return this.#lastTime;
  }

  /** What the model was trained on, with the targets that it has seen since. */
  get training(): EventTraining {
    return this.#training;
  }

  /**
   * The most likely partners of some nodes, the best first, out of the nodes that were targets.
   *
   * @param count partners of each node at most
   */
  partners(sources: readonly string[], count: number): { source: string; target: string; probability: number }[] {
    const targets = this.#training.targets ?? this.model.nodeNames;
    return sources.flatMap((source) => {
      const others = targets.filter((target) => target !== source);
      const probabilities = this.model.predictProba(
        others.map(() => source),
        others,
      );
      const order = Array.from(others.keys()).sort(
        (a, b) => (probabilities[b] as number) - (probabilities[a] as number) || a - b,
      );
      return order
        .slice(0, count)
        .map((at) => ({ source, target: others[at] as string, probability: probabilities[at] as number }));
    });
  }

  /**
   * Takes in further events, whose features are scaled as in training.
   *
   * @throws Error when they are earlier than the last event, or have other columns of features
   */
  observe({ graph, nodeNames, featureNames }: EventTable): void {
    const { features = [], scaling, targets } = this.#training;
    if (featureNames.join('\n') !== features.join('\n'))
      throw new Error(
        `events have the features ${featureNames.join(', ') || 'none'}, those of training had ${features.join(', ') || 'none'}`,
      );
    let own = graph;
    if (scaling && graph.features) {
      const table = Float32Array.from(graph.features.dataSync());
      const { means, deviations } = scaling;
      applyStatistics(table, { means: Float32Array.from(means), deviations: Float32Array.from(deviations) });
      own = withFeatures(graph, table);
    }
    this.model.observe({ graph: own, nodeNames });
    const more = Array.from(graph.targets, (node) => nodeNames[node] as string);
    this.#lastTime = graph.times.at(-1) ?? this.#lastTime;
    if (targets) this.#training = { ...this.#training, targets: [...new Set([...targets, ...more])] };
  }

  /** The model as a file, which `NATModel.load` reads too. */
  save(): Uint8Array {
    return this.model.save({ ...this.#training });
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): EventModel {
    const { description } = readModelFile<EventTraining & NATDescription>(NAT_MODEL, bytes, name);
    const { features, scaling, targets, data, events, scores, lastTime } = description;
    const training = {
      ...(features && { features }),
      ...(scaling && { scaling }),
      ...(targets && { targets }),
      ...(data !== undefined && { data }),
      ...(events !== undefined && { events }),
      ...(scores && { scores }),
    };
    return new EventModel(NATModel.load(bytes, name), training, lastTime);
  }
}

/** The median time between consecutive events of a node; 1 where there is none. */
export function usualInterval({ sources, targets, times, eventCount, nodeCount }: TemporalGraph): number {
  const last = new Float64Array(nodeCount).fill(Number.NaN);
  const gaps: number[] = [];
  for (let e = 0; e < eventCount; e++)
    for (const node of new Set([sources[e] as number, targets[e] as number])) {
      const gap = (times[e] as number) - (last[node] as number);
      if (gap > 0) gaps.push(gap);
      last[node] = times[e] as number;
    }
  gaps.sort((a, b) => a - b);
  return gaps[gaps.length >> 1] ?? 1;
}
