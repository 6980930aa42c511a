import { expect, test } from 'vitest';
import {
  chain,
  defaultEncoder,
  everyone,
  GroupSketches,
  type SimulatedQuery,
  SimulatedTeam,
  TeamInputs,
  type Topology,
  TopologyPolicy,
  topologyOf,
  trainTopology,
} from '../../src/hypergraph/index.js';
import { Random } from '../../src/tensor/index.js';

const team = new SimulatedTeam();
const encoder = defaultEncoder();
const random = new Random(0);
const queries = team.queries(80, random.split('train'));
const fresh = team.queries(120, random.split('test'));
const inputs = new TeamInputs(encoder.encode(team.roles), chain(6));

/** What a trained policy earns on fresh queries; with `sight` 0 it reads zeros in their place. */
async function learnt(epochs: number, sight: 0 | 1) {
  const encoded = (own: readonly SimulatedQuery[]) => encoder.encode(own.map(({ text }) => text)).multiply(sight);
  const policy = new TopologyPolicy(384, random.split('weights'));
  const play = (at: number, topology: Topology) => ({
    correct: team.success(topology, queries[at] as SimulatedQuery),
    tokens: team.tokens(topology),
  });
  const model = new GroupSketches(policy, inputs, encoded(queries));
  await trainTopology(model, queries.length, play, random.split('fit'), { epochs, fullTokens: team.fullTokens });
  const topologies = new GroupSketches(policy, inputs, encoded(fresh)).topologies();
  const tokensAt = (d: number) => {
    const own = fresh.flatMap(({ skills }, at) =>
      skills.length === d ? [team.tokens(topologies[at] as Topology)] : [],
    );
    return own.reduce((sum, tokens) => sum + tokens, 0) / own.length;
  };
  const right = fresh.reduce((sum, query, at) => sum + team.success(topologies[at] as Topology, query), 0);
  return { accuracy: right / fresh.length, easy: tokensAt(1), hard: tokensAt(4) };
}

test('a policy learns to give easy queries less talk than hard ones, and answers more than all talking; without sight of the query it cannot', async () => {
  const seeing = await learnt(150, 1);
  expect(seeing.easy / seeing.hard).toBeLessThan(0.6);
  const complete = topologyOf(6, everyone(6));
  const all = fresh.reduce((sum, query) => sum + team.success(complete, query), 0) / fresh.length;
  expect(seeing.accuracy).toBeGreaterThan(all);
  const blind = await learnt(50, 0);
  expect(blind.easy / blind.hard).toBeGreaterThan(0.95);
}, 600_000);
