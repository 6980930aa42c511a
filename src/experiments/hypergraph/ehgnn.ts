// EHGNN: where edges carry the information, messages between edges and poolings of edges keep what
// messages and poolings of nodes lose.

import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { accuracy, parameters, seconds } from '../parts/metrics.js';
import { noStudies } from '../parts/studies.js';
import { classSets, edgeClaims, edgeOverall, moleculeSets } from '../protocols/edge-claims.js';
import {
  autoencoderMethods,
  autoencoderTitles,
  classifierMethods,
  classifierTitles,
  DROP,
  describeEdges,
  type EdgeData,
  type EdgeValues,
  edgeData,
  edgeOptions,
  generatedEdgeSets,
  hyperDropFile,
} from '../protocols/edge-learning.js';
import {
  criticTitles,
  type DepthData,
  depthData,
  depthMethods,
  depthSets,
  depthTitles,
  dualStudy,
  generationMethods,
} from '../protocols/edge-studies.js';

const titles: Readonly<Record<EdgeValues['task'], (values: EdgeValues) => readonly string[]>> = {
  classify: classifierTitles,
  reconstruct: () => autoencoderTitles,
  depth: () => depthTitles,
  generate: () => criticTitles,
};

const ofClasses = {
  task: 'classify',
  ones: 'with',
  hidden: 64,
  ratio: 0.8,
  batch: 32,
  learningRate: 2e-3,
  schedule: 'cosine',
} as const;
const ofTypes = { task: 'reconstruct', learningRate: 5e-3, weightDecay: 0 } as const;
const ofMolecules = { ...ofTypes, batch: 64, epochs: 40, schedule: 'cosine' } as const;
const long = { trials: 4, ratios: 'tuned', epochs: 100, hidden: 64, batch: 128 };

export const experiment = defineExperiment({
  options: edgeOptions,
  datasets: [...generatedEdgeSets, ...classSets, ...moleculeSets, ...depthSets],
  ownData:
    'a folder with edges.csv (graph,source,target and attributes), graphs.csv (graph,label) and maybe nodes.csv ' +
    '(graph,node and attributes), or an archive .npz with node_ptr, edge_ptr, edges and graph_label',
  presets: {
    'irrelevant-edges': { trials: 3 },
    'edge-types': { ...ofTypes, graphs: 600, batch: 50, epochs: 40, trials: 3 },
    mutag: { ...ofClasses, epochs: 100 },
    ptc: { ...ofClasses, epochs: 100 },
    proteins: { ...ofClasses, hidden: 32, epochs: 40 },
    nci1: { ...ofClasses, epochs: 6 },
    'imdb-binary': { ...ofClasses, epochs: 6 },
    esol: { ...ofMolecules, epochs: 150, patience: 150 },
    'qm9-12k': { ...ofMolecules, epochs: 100, patience: 100 },
    ...Object.fromEntries(
      depthSets.map((name) => [name, { task: 'depth' as const, epochs: 60, learningRate: 1e-2, patience: 100 }]),
    ),
  },
  reproduction: [
    { data: 'irrelevant-edges', seeds: 3 },
    { data: 'edge-types', seeds: 3 },
    { data: 'esol', seeds: 3 },
    { data: 'qm9-12k', seeds: 3 },
    { data: 'mutag', seeds: 10 },
    { data: 'ptc', seeds: 10 },
    { data: 'proteins', seeds: 5 },
    { data: 'cora', seeds: 3 },
    ...classSets.map((data) => ({ data, seeds: 10, set: long, long: true })),
    {
      data: 'qm9-12k',
      seeds: 2,
      set: { task: 'generate', molecules: 12_000, epochs: 1000, batch: 64, learningRate: 1e-3, hidden: 64 },
      long: true,
    },
  ],
  metrics: {
    accuracy,
    exact: { label: 'exact match', unit: '%', digits: 1, better: 'larger' },
    validity: { label: 'valid', unit: '%', digits: 1, better: 'larger' },
    relevant: { label: 'relevant edges kept', unit: '%', digits: 1, better: 'larger' },
    nodes: { label: 'nodes left', unit: '%', digits: 1, better: 'larger' },
    zero: { label: 'weights at 0', unit: '%', digits: 1, better: 'neither' },
    distance: { label: 'distance of nodes', digits: 3, better: 'larger' },
    distinct: { label: 'valid and distinct', unit: '%', digits: 1, better: 'larger' },
    unique: { label: 'unique', unit: '%', digits: 1, better: 'larger' },
    novel: { label: 'novel', unit: '%', digits: 1, better: 'larger' },
    seconds,
    parameters,
  },
  methods: (values) => titles[values.task](values),
  notes: ({ task, trials, ratio, ratios, clusterRatio }) =>
    ({
      classify: [
        'Where a set has folds, seed s tests fold s, fold s − 1 validates, all other graphs train; the weights of ' +
          'least validation loss are scored once. All methods share layers, width, batch and epochs.',
        trials === 1
          ? `One setting for all: every pooling keeps ${ratio} of the edges or nodes at each of its steps.`
          : `The learning rate${ratios === 'tuned' ? ' and the ratio of a pooling are' : ' is'} the best of ${trials} settings by validation loss, in each seed.`,
      ],
      reconstruct: [
        `Types of edges in, types of edges out, through clusters of ${clusterRatio} of a mean graph's edges; no method ` +
          'sees attributes of nodes but the best guess from the ends. The decoders also have the attention of each ' +
          'edge (of each node), so that this is no bottleneck of the pooled numbers alone.',
      ],
      depth: ['Accuracy of nodes, and the mean of 1 − cos over pairs of 500 nodes after the last hidden layer.'],
      generate: [
        'Valid: one connected molecule whose bonds fit its atoms. Unique: distinct among the valid. Novel: not in the ' +
          'data, among the distinct. Valid and distinct: of 1,000 samples.',
      ],
    })[task],
  load: (source: string, values: EdgeValues): EdgeData | DepthData =>
    values.task === 'depth' ? depthData(source) : edgeData(source, values),
  describe: (data) =>
    'input' in data
      ? describeEdges(data)
      : `${data.set.name}: ${data.set.graph.nodeCount} nodes, ${data.set.graph.edgeCount} edges, ${data.set.classes} classes`,
  async runSeed(loaded, values, context) {
    if (!('input' in loaded)) return runMethods(depthMethods(loaded, values, context.random), context);
    const data = context.seed === 0 ? loaded : (loaded.redrawn?.(context.seed) ?? loaded);
    if (values.task === 'generate') return runMethods(generationMethods(data, values), context);
    if (values.task === 'reconstruct') return runMethods(autoencoderMethods(data, values, context.seed), context);
    const { methods, kept } = await runMethods(classifierMethods(data, values, context.seed), context, { keep: DROP });
    return { methods, ...(kept && { artifacts: () => ({ model: hyperDropFile(data, kept) }) }) };
  },
  studies: (data) => ('input' in data && data.set.name === 'irrelevant-edges' ? dualStudy() : noStudies),
  claims: edgeClaims,
  overall: edgeOverall,
});
