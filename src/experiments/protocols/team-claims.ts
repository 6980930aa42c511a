// What is claimed of learned topologies: on the simulated team, and on GSM8K.

import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { ALWAYS_K, BLIND, COUNTERFACTUAL, GRAPH, HYPERAGENT, PAIRWISE } from './learned-topologies.js';
import { fixedTitles } from './simulated-teams.js';
import { TEAM_COMPLETE } from './team-questions.js';

/** Options that claims depend on. */
interface Options {
  readonly focus: number;
}

type Run = Evidence<Options>;

const { abstract, ours } = claimsOf<Options>();
const LESS = 0.7467;
const usual = ({ focus }: Options) => focus === 0.98;
const distracting = ({ focus }: Options) => focus === 0.9;
const shareOf = (e: Run, method: string, other: string) =>
  e.most((score) => score(method, 'tokens') / score(other, 'tokens'));
/** Methods that are none of HyperAgent's own arms, and know no more than it does. */
const baselines = [...fixedTitles, GRAPH];
const aboveBaselines = (e: Run, metric: 'accuracy' | 'utility') =>
  e.least((score) => score(HYPERAGENT, metric) - Math.max(...baselines.map((method) => score(method, metric))));
const adaptivity = (method: string) => (score: (method: string, metric: string) => number) =>
  score(method, 'easyTokens') / score(method, 'hardTokens');

/** Claims on one run. */
export const teamClaims = [
  ...where({ data: ['simulated'], when: usual }, [
    abstract(
      'superior',
      'Simulated: accuracy above the complete graph’s, least of the seeds (points)',
      atLeast(0),
      (e) => e.leastGain(HYPERAGENT, 'Complete', 'accuracy'),
    ),
    abstract('superior', 'Simulated: tokens as a share of the complete graph’s, most of the seeds', atMost(LESS), (e) =>
      shareOf(e, HYPERAGENT, 'Complete'),
    ),
    abstract('groups', 'Simulated: accuracy above that of pairwise edges, mean (points)', atLeast(0), (e) =>
      e.gain(HYPERAGENT, PAIRWISE, 'accuracy'),
    ),
    abstract('groups', 'Simulated: tokens as a share of those of pairwise edges, mean', atMost(1), (e) =>
      e.ratio(HYPERAGENT, PAIRWISE, 'tokens'),
    ),
    abstract(
      'adaptive',
      'Simulated: tokens of queries of one skill as a share of those of four, most of the seeds',
      below(1),
      (e) => e.most(adaptivity(HYPERAGENT)),
    ),
    ours('Simulated: accuracy above the star’s, least of the seeds (points)', atLeast(0), (e) =>
      e.leastGain(HYPERAGENT, 'Star', 'accuracy'),
    ),
    ours('Simulated: accuracy above the chain’s, least of the seeds (points)', atLeast(20), (e) =>
      e.leastGain(HYPERAGENT, 'Chain', 'accuracy'),
    ),
    ours('Simulated: accuracy above random triples’, least of the seeds (points)', atLeast(10), (e) =>
      e.leastGain(HYPERAGENT, 'Random triples', 'accuracy'),
    ),
    ours('Simulated: tokens of queries of one skill as a share of those of four, most of the seeds', atMost(0.6), (e) =>
      e.most(adaptivity(HYPERAGENT)),
    ),
    ours('Simulated: the same share without sight of the query, least of the seeds', atLeast(0.95), (e) =>
      e.least(adaptivity(BLIND)),
    ),
    ours('Simulated: the same share by the rule of always k partners, least of the seeds', atLeast(0.9), (e) =>
      e.least(adaptivity(ALWAYS_K)),
    ),
  ]),
  ...where({ data: ['simulated'] }, [
    abstract(
      'superior',
      'Simulated: accuracy above that of the best baseline, least of the seeds (points)',
      above(0),
      (e) => aboveBaselines(e, 'accuracy'),
    ),
    abstract('superior', 'Simulated: utility above that of the best baseline, least of the seeds', above(0), (e) =>
      aboveBaselines(e, 'utility'),
    ),
    abstract(
      'adaptive',
      'Simulated: pairs that a query keeps with ζ = 0.5 less those with 0, of policies trained so',
      below(0),
      (e) => e.study('kept 0.5') - e.study('kept 0'),
    ),
    abstract('oneStep', 'Share of a group that one layer over its hyperedge reaches', atLeast(1), (e) =>
      e.study('reach hyperedge'),
    ),
    abstract('oneStep', 'The same over a chain of pairs', below(1), (e) => e.study('reach chain')),
    ours(
      'Simulated: utility with counterfactual credit above the best fixed topology’s, least of the seeds',
      atLeast(0),
      (e) => e.leastGain(COUNTERFACTUAL, 'Best fixed', 'utility'),
    ),
    ours('Simulated: utility with counterfactual credit above that without, mean', above(0), (e) =>
      e.gain(COUNTERFACTUAL, HYPERAGENT, 'utility'),
    ),
  ]),
  ...where({ data: ['simulated'], when: distracting }, [
    ours('Simulated, distracting: accuracy above the star’s, least of the seeds (points)', atLeast(2), (e) =>
      e.leastGain(HYPERAGENT, 'Star', 'accuracy'),
    ),
  ]),
  ...where({ data: ['gsm8k'] }, [
    abstract('gsm8k', 'GSM8K: accuracy, mean (%)', atLeast(95.07), (e) => e.mean(HYPERAGENT, 'accuracy')),
    abstract('gsm8k', 'GSM8K: tokens as a share of the complete graph’s, mean', atMost(LESS), (e) =>
      e.ratio(HYPERAGENT, TEAM_COMPLETE, 'tokens'),
    ),
  ]),
];
