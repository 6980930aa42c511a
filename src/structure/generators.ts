// Random hypergraphs.

import type { Random } from '../tensor/index.js';
import { Hypergraph } from './hypergraph.js';

/** Hyperedges of uniform sizes in [smallest, largest] over uniformly drawn vertices. */
export function uniformHypergraph(
  vertices: number,
  hyperedges: number,
  [smallest, largest]: readonly [number, number],
  random: Random,
): Hypergraph {
  const lists = Array.from({ length: hyperedges }, () =>
    random.sample(vertices, smallest + random.integer(largest - smallest + 1)),
  );
  return new Hypergraph(vertices, lists);
}

export interface PlantedOptions {
  readonly vertices?: number;
  readonly hyperedges?: number;
  readonly classes?: number;
  readonly features?: number;
  /** Words of each class's vocabulary. */
  readonly classWords?: number;
  /** Words drawn for each vertex. */
  readonly wordsPerVertex?: number;
  /** Probability that a word comes from the vertex's class. */
  readonly wordPurity?: number;
  /** Probability that a member of a hyperedge comes from its class. */
  readonly memberPurity?: number;
}

export interface PlantedHypergraph {
  readonly hypergraph: Hypergraph;
  readonly labels: Int32Array;
  /** Distinct words of each vertex. */
  readonly words: readonly Int32Array[];
  readonly wordCount: number;
}

/**
 * A planted partition with bag-of-words features: class vocabularies, vertices that draw most words at random, and hyperedges of at most 2 + Poisson(2) members
 * mostly of one class. Words alone say little of a class, hyperedges much.
 */
export function plantedHypergraph(random: Random, options: PlantedOptions = {}): PlantedHypergraph {
  const {
    vertices = 2000,
    hyperedges = 1500,
    classes = 5,
    features = 500,
    classWords = 40,
    wordsPerVertex = 12,
    wordPurity = 0.35,
    memberPurity = 0.85,
  } = options;
  const vocabularies = Array.from({ length: classes }, () => random.sample(features, classWords));
  const labels = Int32Array.from({ length: vertices }, () => random.integer(classes));
  const byClass = vocabularies.map((_, c) => Array.from(labels.keys()).filter((v) => labels[v] === c));
  const words = Array.from(labels, (label) => {
    const own = vocabularies[label] as Int32Array;
    const drawn = Array.from({ length: wordsPerVertex }, () =>
      random.float() < wordPurity ? (own[random.integer(classWords)] as number) : random.integer(features),
    );
    return Int32Array.from(new Set(drawn)).sort();
  });
  const lists = Array.from({ length: hyperedges }, () => {
    const peers = byClass[random.integer(classes)] as number[];
    const size = 2 + random.poisson(2);
    const members = Array.from({ length: size }, () =>
      peers.length > 0 && random.float() < memberPurity
        ? (peers[random.integer(peers.length)] as number)
        : random.integer(vertices),
    );
    return [...new Set(members)];
  });
  return { hypergraph: new Hypergraph(vertices, lists), labels, words, wordCount: features };
}
