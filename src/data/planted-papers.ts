// The embedded heterogeneous graph: papers that share words, authors, terms and venues.

import { type PlantedPapersOptions, plantedPapers } from '../structure/index.js';
import type { Random } from '../tensor/index.js';
import { classWords } from './class-words.js';
import { SPLIT_COLUMN } from './column-names.js';
import type { NamedHeteroGraph, NodesOfType } from './named-hetero-graph.js';
import { splitPerClass } from './splits.js';

const OWN_SHARE = 0.25;

/**
 * Planted papers of 4 classes, called `papers`: a paper has up to 10 of 300 words, a quarter of
 * them drawn from a vocabulary of its class; other types have no features. 20 papers of each class
 * train, 30 validate.
 */
export function wordPapers(random: Random, options: PlantedPapersOptions = {}): NamedHeteroGraph {
  const { classes = 4 } = options;
  const { graph, labels } = plantedPapers(random.split('graph'), options);
  const matrix = classWords(labels, OWN_SHARE, random.split('words'));
  const split = splitPerClass(labels, classes, { train: 20, validation: 30 }, random.split('split'));
  const parts = new Array<string | undefined>(labels.length).fill(undefined);
  for (const [part, own] of Object.entries(split)) for (const v of own as Int32Array) parts[v] = part;
  const nodes = new Map(
    graph.types.map((type): [string, NodesOfType] => {
      const count = graph.countOf(type);
      const nodeNames = Array.from({ length: count }, (_, v) => String(v));
      if (type !== 'paper') return [type, { nodeNames, attributes: { rows: count, columns: [] } }];
      const attributes = {
        rows: count,
        columns: [
          { name: 'label', kind: 'category' as const, values: Array.from(labels, String) },
          { name: SPLIT_COLUMN, kind: 'category' as const, values: parts },
        ],
      };
      return [type, { nodeNames, attributes, matrix }];
    }),
  );
  return { name: 'papers', graph, nodes, notes: [] };
}
