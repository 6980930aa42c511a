// H4G: classes that no training graph has, from their names alone, at a radius in hyperbolic space
// that is learnt.

import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { parameters, seconds } from '../parts/metrics.js';
import type { OptionValues } from '../parts/options.js';
import { radiusStudies } from '../protocols/radius-studies.js';
import { encodeSides, KINDS, type Kind, loadTextGraphs, textGraphSets } from '../protocols/text-graphs.js';
import {
  BLOCKS,
  baselineTitles,
  CLIP,
  IDENTITY,
  OURS,
  SCALAR,
  TEXT,
  zeroShotMethods,
  zeroShotMetrics,
  zeroShotOptions,
  zeroShotPredictions,
  zeroShotScores,
  zeroShotTitles,
} from '../protocols/zero-shot.js';

type Run = Evidence<OptionValues<typeof zeroShotOptions>>;

const { abstract, ours } = claimsOf<OptionValues<typeof zeroShotOptions>>();

/** Gain over the best baseline in % of it. */
const relativeGain = (kind: Kind) => (e: Run) =>
  100 * (e.mean(OURS, kind) / Math.max(...baselineTitles.map((title) => e.mean(title, kind))) - 1);
const bounds = { homophilic: 8.4, heterophilic: 12.8 } as const;
const names = { 'hier-tag': 'hier-tag', r8: 'R8' } as const;
const study = (name: string) => (e: Run) => e.study(name);

const claims = [
  ...Object.entries(names).flatMap(([data, title]) =>
    where(
      { data: [data] },
      KINDS.map((kind) =>
        abstract(
          'performance',
          `${title}, ${kind}: accuracy of H4G above the best baseline (% of it)`,
          atLeast(bounds[kind]),
          relativeGain(kind),
        ),
      ),
    ),
  ),
  ...where({ data: ['hier-tag'] }, [
    abstract('abstraction', 'Vectors of length about 8, S = I: clipped (%)', atLeast(98), study('identity clipped')),
    abstract('abstraction', 'the same: deviation of radii', atMost(0.05), study('identity deviation')),
    abstract('abstraction', 'the same: correlation of norms and radii', atMost(0.2), study('identity norms')),
    abstract(
      'restores',
      'Contractive S, untrained: correlation of norms and radii',
      atLeast(0.999),
      study('contractive norms'),
    ),
    abstract('restores', 'the same: clipped (%)', atMost(0), study('contractive clipped')),
    abstract('restores', 'Nearest target nodes of one class: H4G above S = I (points)', atLeast(0), (e) =>
      e.gain(OURS, IDENTITY, 'fine'),
    ),
    abstract('global', 'Nearest target nodes of one field: H4G above S = I (points)', atLeast(-1), (e) =>
      e.gain(OURS, IDENTITY, 'coarse'),
    ),
    abstract('overhead', 'Time of a forward pass over that of S = I', atMost(1.1), study('forwardRatio')),
    ours('Contractive S, untrained: mean radius off 8', atMost(0.2), (e) => Math.abs(e.study('contractive mean') - 8)),
    ours('S after the lift: correlation of norms and radii', atMost(0.2), study('twoSteps norms')),
    ours(
      'Parameters of S over d·b + d/b',
      atMost(1),
      (e) => e.study('scalingParameters') / e.study('expectedParameters'),
    ),
    ours('Homophilic: H4G above text alone (points)', atLeast(15), (e) => e.gain(OURS, TEXT, 'homophilic')),
    ours('Homophilic: H4G above S = I (points)', atLeast(-2), (e) => e.gain(OURS, IDENTITY, 'homophilic')),
    ours('Heterophilic: H4G above S = I (points)', atLeast(-2), (e) => e.gain(OURS, IDENTITY, 'heterophilic')),
  ]),
  ...where({ data: ['r8'] }, [
    ours('R8, homophilic: H4G above text alone (points)', above(0), (e) => e.gain(OURS, TEXT, 'homophilic')),
  ]),
];

export const experiment = defineExperiment({
  options: zeroShotOptions,
  datasets: textGraphSets,
  ownData: 'gossamer fit FOLDER --model h4g for graphs of your own',
  presets: { r8: { textFeatures: 128 } },
  reproduction: [
    { data: 'hier-tag', seeds: 5 },
    { data: 'r8', seeds: 3 },
  ],
  metrics: { ...zeroShotMetrics, seconds, parameters },
  methods: () => zeroShotTitles,
  notes: ({ trials }) => [
    'Target classes are unseen: they are told by their texts alone, and no target text, edge or label takes part in training or in a choice. Each target node is scored once; accuracy on a graph whose edges mostly join a class, and on one whose edges mostly do not.',
    `Trained methods have the same encoder, pairs and ${trials === 1 ? 'one setting' : `${trials} settings`} of learning rate and temperature; setting and epoch are chosen on validation classes.`,
    `“${CLIP}” is GraphCLIP’s loss with gated hops; “${SCALAR}” shrinks without blocks, “${BLOCKS}” has blocks without hyperbolic space.`,
    'That H4G keeps up with S = I is no evidence for H4G: S = I would pass it too.',
    'Of R8 at most 200 texts a class take part, in three rotations of the classes; edges are generated.',
  ],
  load: (source, { sourceNodes }) => loadTextGraphs(source, sourceNodes),
  describe: ({ description }) => description,
  async runSeed(data, values, context) {
    const run = encodeSides(data.sidesOf(context.random.split('data'), context.seed), values.textFeatures);
    const { methods, kept } = await runMethods(zeroShotMethods(run, values), context, {
      score: (model) => zeroShotScores(model, run),
      keep: OURS,
    });
    return { methods, artifacts: () => (kept ? { predictions: zeroShotPredictions(kept, run) } : {}) };
  },
  studies: radiusStudies,
  claims,
});
