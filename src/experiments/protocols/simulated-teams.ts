// Topologies for a simulated team: queries, fixed topologies, and what a topology earns. Every
// figure is of the closed forms of `SimulatedTeam`, and labelled "simulated".

import {
  chain,
  decide,
  defaultEncoder,
  everyone,
  groupMatrix,
  pairsOf,
  type SimulatedQuery,
  SimulatedTeam,
  star,
  TeamInputs,
  type Topology,
  topologyOf,
  utilityOf,
} from '../../hypergraph/index.js';
import type { Random, Tensor } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import { count, rate, share } from '../parts/options.js';

/** β of every score; what training uses is tuned. */
export const BETA = 0.5;

export const simulatedOptions = {
  focus: share(0.98, 'what a message that is not needed leaves of the success', { minimum: 0.01 }),
  trainQueries: count(80, 'queries that topologies are learnt on', { smoke: 24, minimum: 2 }),
  validationQueries: count(40, 'queries that settings are chosen on', { smoke: 12 }),
  testQueries: count(400, 'queries that are scored', { smoke: 60 }),
  epochs: count(150, 'passes over the queries; a trial has a third of them', { smoke: 4 }),
  batch: count(20, 'queries of a step', { smoke: 12 }),
  samples: count(10, 'sketches of a query', { minimum: 2 }),
  trials: count(4, 'settings tried for each learned method on validation queries', { smoke: 1, maximum: 6 }),
  learningRate: rate(2e-3, "Adam's usual learning rate"),
} as const;

/** Queries of one seed, and the vectors that policies read. */
export interface SimulatedTask {
  readonly team: SimulatedTeam;
  readonly train: readonly SimulatedQuery[];
  readonly validation: readonly SimulatedQuery[];
  readonly test: readonly SimulatedQuery[];
  /** Vectors of the roles [N, D], and the anchors. */
  readonly inputs: TeamInputs;
  /** Vectors of the texts of queries [Q, D]. */
  encode(queries: readonly SimulatedQuery[]): Tensor;
}

type Values = {
  readonly focus: number;
  readonly trainQueries: number;
  readonly validationQueries: number;
  readonly testQueries: number;
};

/** The queries of a seed. */
export function simulatedTask(values: Values, random: Random): SimulatedTask {
  const team = new SimulatedTeam({ focus: values.focus });
  const encoder = defaultEncoder();
  return {
    team,
    train: team.queries(values.trainQueries, random.split('train')),
    validation: team.queries(values.validationQueries, random.split('validation')),
    test: team.queries(values.testQueries, random.split('test')),
    inputs: new TeamInputs(encoder.encode(team.roles), chain(team.agents)),
    encode: (queries) => encoder.encode(queries.map(({ text }) => text)),
  };
}

/** Plans topologies: one or more draws for each query. */
export type Planner = (queries: readonly SimulatedQuery[], random: Random) => readonly (readonly Topology[])[];

/** Means over queries, and over the draws of each. */
export function simulatedScores(
  team: SimulatedTeam,
  planner: Planner,
  queries: readonly SimulatedQuery[],
  random: Random,
): Scores {
  const plans = planner(queries, random);
  const played = queries.map((query, at) => {
    const draws = plans[at] as readonly Topology[];
    return {
      difficulty: query.skills.length,
      correct: mean(draws.map((topology) => team.success(topology, query))),
      tokens: mean(draws.map((topology) => team.tokens(topology))),
    };
  });
  const tokensAt = (d: number) => mean(played.filter(({ difficulty }) => difficulty === d).map(({ tokens }) => tokens));
  const [correct, tokens] = [mean(played.map((own) => own.correct)), mean(played.map((own) => own.tokens))];
  return {
    accuracy: 100 * correct,
    tokens,
    utility: utilityOf({ correct, tokens }, BETA, team.fullTokens),
    easyTokens: tokensAt(1),
    hardTokens: tokensAt(4),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The same topology for every query. */
function fixed(team: SimulatedTeam, groups: readonly (readonly number[])[]): Planner {
  const topology = topologyOf(team.agents, groups);
  return (queries) => queries.map(() => [topology]);
}

const RANDOM_TRIPLES = 3;
const DRAWS = 10;

/** Topologies that nothing is learnt for. */
export function fixedPlanners({
  team,
  train,
}: Pick<SimulatedTask, 'team' | 'train'>): Readonly<Record<string, () => Planner>> {
  const n = team.agents;
  const triples = Array.from({ length: n }, (_, i) => [i, (i + 1) % n, (i + 2) % n]);
  return {
    None: () => fixed(team, []),
    Chain: () => fixed(team, chain(n)),
    Star: () => fixed(team, star(n)),
    Triples: () => fixed(team, triples),
    Complete: () => fixed(team, everyone(n)),
    'Random triples': () => (queries, random) =>
      queries.map(() =>
        Array.from({ length: DRAWS }, () =>
          topologyOf(
            n,
            Array.from({ length: RANDOM_TRIPLES }, () => [...random.sample(n, 3)]),
          ),
        ),
      ),
    'Best fixed': () => fixed(team, bestPairs(team, train)),
    'Oracle, groups': () => (queries) => queries.map((query) => [oracleGroups(team, query)]),
    'Oracle, pairs': () => (queries) => queries.map(({ skills }) => [topologyOf(n, spokes(skills))]),
  };
}

export const fixedTitles = ['None', 'Chain', 'Star', 'Triples', 'Complete', 'Random triples', 'Best fixed'];
export const oracleTitles = ['Oracle, groups', 'Oracle, pairs'];

/** Of all 2^15 sets of pairs the one of the best utility on some queries. */
export function bestPairs(team: SimulatedTeam, queries: readonly SimulatedQuery[]): readonly (readonly number[])[] {
  const pairs = pairsOf(team.agents);
  const distinct = new Map<string, { readonly query: SimulatedQuery; weight: number }>();
  for (const query of queries) {
    const known = distinct.get(query.text);
    if (known) known.weight += 1 / queries.length;
    else distinct.set(query.text, { query, weight: 1 / queries.length });
  }
  let best = { utility: Number.NEGATIVE_INFINITY, groups: [] as readonly (readonly number[])[] };
  for (let bits = 0; bits < 2 ** pairs.length; bits++) {
    const groups = pairs.filter((_, at) => (bits >> at) & 1);
    const topology = topologyOf(team.agents, groups);
    const tokens = team.tokens(topology);
    if (utilityOf({ correct: 1, tokens }, BETA, team.fullTokens) <= best.utility) continue;
    let correct = 0;
    for (const { query, weight } of distinct.values()) correct += weight * team.success(topology, query);
    const utility = utilityOf({ correct, tokens }, BETA, team.fullTokens);
    if (utility > best.utility) best = { utility, groups };
  }
  return best.groups;
}

/** Pairs of the first of some agents with each other one: the fewest that bring all to one. */
function spokes(skills: readonly number[]): number[][] {
  return skills.slice(1).map((other) => [skills[0] as number, other]);
}

/** The best topology that grouping with two partners can give: groups from the spokes. */
export function oracleGroups(team: SimulatedTeam, { skills }: SimulatedQuery): Topology {
  const wanted = new Set(spokes(skills).map(String));
  const chosen = pairsOf(team.agents).map((pair) => Number(wanted.has(String(pair))));
  return decide(chosen, team.agents, groupMatrix([], team.agents), { refinement: 'without' });
}
