// What is claimed of EHGNN on the sets that it is run on.

import { above, atLeast, atMost, claimsOf, type Evidence, meanOver, overallClaimsOf, where } from '../parts/claims.js';
import { wilcoxon } from '../parts/ranks.js';
import {
  CLUSTER,
  DROP,
  DROP_GMT,
  type EdgeValues,
  ENDS,
  GCN,
  GCN_POOL,
  MAJORITY,
  nodePoolings,
  RGCN_POOL,
  TOPK,
} from './edge-learning.js';
import { criticTitles, depthTitle } from './edge-studies.js';

/** Sets of graphs with classes and ten folds. */
export const classSets = ['mutag', 'ptc', 'proteins', 'nci1', 'imdb-binary'];
/** Molecules, whose edges have types. */
export const moleculeSets = ['esol', 'qm9-12k'];

type Run = Evidence<EdgeValues>;
const { abstract, paper, ours } = claimsOf<EdgeValues>();
const baselines = [MAJORITY, ENDS, GCN_POOL, RGCN_POOL];
const leastGain = (e: Run, title: string, others: readonly string[], metric: string) =>
  Math.min(...others.map((other) => e.gain(title, other, metric)));
const aboveBaselines = (e: Run, metric: string) => leastGain(e, CLUSTER, baselines, metric);
const share = (e: Run, title: string) => e.mean(title, 'distinct');
const isTask = (task: EdgeValues['task']) => (values: EdgeValues) => values.task === task;

/** Claims on each run. */
export const edgeClaims = [
  ...where({ data: ['irrelevant-edges'] }, [
    ours('HyperDrop above the same network without pooling (points)', atLeast(-1), (e) =>
      e.gain(DROP, GCN, 'accuracy'),
    ),
    ours('HyperDrop above TopKPool (points)', atLeast(5), (e) => e.gain(DROP, TOPK, 'accuracy')),
    abstract(
      'lossless',
      'Share of relevant edges among those kept by the first drop; a third by chance (%)',
      atLeast(45),
      (e) => e.mean(DROP, 'relevant'),
    ),
    abstract('lossless', 'Nodes that are left after all drops, least of the seeds (%)', atLeast(100), (e) =>
      e.least((score) => score(DROP, 'nodes')),
    ),
    ours('The dual of the dual of a star is the star', atLeast(1), (e) => e.study('inverse')),
    ours('Dual of a star of 100,000 edges (s)', atMost(1), (e) => e.study('dualSeconds')),
    ours('Bytes of its dual for an edge', atMost(64), (e) => e.study('dualBytes')),
  ]),
  ...where({ data: ['edge-types'] }, [
    ours('HyperCluster above GCN with GMPool (points of edge accuracy)', atLeast(8), (e) =>
      e.gain(CLUSTER, GCN_POOL, 'accuracy'),
    ),
    ours('HyperCluster above the majority (points of edge accuracy)', atLeast(10), (e) =>
      e.gain(CLUSTER, MAJORITY, 'accuracy'),
    ),
    paper('HyperCluster above R-GCN with GMPool (points of edge accuracy)', above(0), (e) =>
      e.gain(CLUSTER, RGCN_POOL, 'accuracy'),
    ),
  ]),
  ...where({ data: moleculeSets, when: isTask('reconstruct') }, [
    abstract('representation', 'HyperCluster above every baseline (points of exact match)', atLeast(5), (e) =>
      aboveBaselines(e, 'exact'),
    ),
    paper('HyperCluster above every baseline (points of edge accuracy)', above(0), (e) =>
      aboveBaselines(e, 'accuracy'),
    ),
    paper('HyperCluster above every baseline (points of validity)', above(0), (e) => aboveBaselines(e, 'validity')),
  ]),
  ...where({ data: ['qm9-12k'], when: isTask('generate') }, [
    abstract(
      'generation',
      'EHGNN’s critic above R-GCN’s (points of valid and distinct molecules)',
      atLeast(5),
      (e) => share(e, criticTitles[1] as string) - share(e, criticTitles[0] as string),
    ),
  ]),
  ...where({ data: ['cora'] }, [
    paper('Distance between nodes at 16 layers, with HyperDrop above without', above(0), (e) =>
      e.gain(depthTitle('GCN + HyperDrop', 16), depthTitle('GCN', 16), 'distance'),
    ),
    paper('Accuracy at 16 layers, with HyperDrop above without (points)', above(0), (e) =>
      e.gain(depthTitle('GCN + HyperDrop', 16), depthTitle('GCN', 16), 'accuracy'),
    ),
  ]),
];

const onClasses = (runs: readonly Run[]) => runs.filter(({ data }) => classSets.includes(data));
const better = (run: Run) => Math.max(...[DROP, DROP_GMT].map((title) => run.mean(title, 'accuracy')));

/** Differences to the best pooling of nodes of a set, fold by fold. */
function pairedGains(run: Run): number[] {
  const means = nodePoolings.map((title) => run.mean(title, 'accuracy'));
  const best = run.scores(nodePoolings[means.indexOf(Math.max(...means))] as string, 'accuracy');
  return run.scores(DROP, 'accuracy').map((score, fold) => score - (best[fold] as number));
}

/** One-sided p that paired differences are not above 0. */
function oneSided(differences: readonly number[]): number {
  const half = wilcoxon(differences) / 2;
  return differences.reduce((sum, difference) => sum + difference, 0) > 0 ? half : 1 - half;
}

/** Claims over the sets with classes. */
export const edgeOverall = [
  overallClaimsOf<EdgeValues>().abstract(
    'classification',
    'The better of HyperDrop and HyperDrop + GMT above every pooling of nodes, mean over the sets (points)',
    atLeast(2),
    (runs) =>
      meanOver(
        onClasses(runs),
        (run) => better(run) - Math.max(...nodePoolings.map((own) => run.mean(own, 'accuracy'))),
      ),
  ),
  overallClaimsOf<EdgeValues>().ours(
    'HyperDrop above GCN without pooling, mean over the sets (points)',
    atLeast(-1),
    (runs) => meanOver(onClasses(runs), (run) => run.gain(DROP, GCN, 'accuracy')),
  ),
  overallClaimsOf<EdgeValues>().ours('HyperDrop above TopKPool, mean over the sets (points)', atLeast(0), (runs) =>
    meanOver(onClasses(runs), (run) => run.gain(DROP, TOPK, 'accuracy')),
  ),
  overallClaimsOf<EdgeValues>().ours(
    'HyperDrop above the best pooling of nodes of each set, paired over the folds of all sets (p, Wilcoxon, one-sided)',
    atMost(0.05),
    (runs) => {
      const p = oneSided(onClasses(runs).flatMap(pairedGains));
      return meanOver(onClasses(runs), () => p);
    },
  ),
];
