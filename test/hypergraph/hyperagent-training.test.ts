import { describe, expect, test } from 'vitest';
import { readSafetensors, writeModelFile } from '../../src/data/index.js';
import {
  AgentTeam,
  chain,
  defaultEncoder,
  GDesigner,
  GDesignerNetwork,
  GroupSketches,
  HYPERAGENT_MODEL,
  type SimulatedQuery,
  SimulatedTeam,
  TeamInputs,
  TeamPolicy,
  type TeamPolicySettings,
  type Topology,
  TopologyPolicy,
  type TopologyTrainingOptions,
  topologyOf,
  trainTopology,
} from '../../src/hypergraph/index.js';
import { parameterCount, parameters, type TrainingState } from '../../src/nn/index.js';
import { disjointHypergraphs, Hypergraph } from '../../src/structure/index.js';
import { Random, tensor } from '../../src/tensor/index.js';

const team = new SimulatedTeam();
const encoder = defaultEncoder();
const random = new Random(0);
const queries = team.queries(80, random.split('train'));
const fresh = team.queries(120, random.split('test'));
const inputs = new TeamInputs(encoder.encode(team.roles), chain(6));
const encoded = (own: readonly SimulatedQuery[]) => encoder.encode(own.map(({ text }) => text));

async function trained(options: Partial<TopologyTrainingOptions> = {}) {
  const policy = new TopologyPolicy(384, random.split('weights'));
  const play = (at: number, topology: Topology) => ({
    correct: team.success(topology, queries[at] as SimulatedQuery),
    tokens: team.tokens(topology),
  });
  const model = new GroupSketches(policy, inputs, encoded(queries));
  const result = await trainTopology(model, queries.length, play, random.split('fit'), {
    epochs: 150,
    fullTokens: team.fullTokens,
    ...options,
  });
  const topologies = new GroupSketches(policy, inputs, encoded(fresh)).topologies();
  return { policy, result, topologies };
}
const weightsOf = (policy: TopologyPolicy) =>
  Object.values(parameters(policy)).map((weight) => [...weight.dataSync<Float32Array>()]);

describe('training', () => {
  test('is the same for the same seed, and after a Ctrl-C in the middle of a play', async () => {
    const short = { epochs: 3, samples: 4 };
    const [one, other] = [await trained(short), await trained(short)];
    expect(other.topologies).toEqual(one.topologies);
    expect(weightsOf(other.policy)).toEqual(weightsOf(one.policy));

    let kept: TrainingState | undefined;
    const copy = (state: TrainingState): TrainingState => ({
      ...state,
      weights: Object.fromEntries(Object.entries(state.weights).map(([name, w]) => [name, w.clone()])),
      optimizer: {
        step: state.optimizer.step,
        tensors: Object.fromEntries(Object.entries(state.optimizer.tensors).map(([name, w]) => [name, w.clone()])),
      },
      history: [...state.history],
    });
    const checkpoint = {
      load: () => kept,
      save: (state: TrainingState) => {
        kept = copy(state);
      },
    };
    const controller = new AbortController();
    const policy = new TopologyPolicy(384, random.split('weights'));
    const model = () => new GroupSketches(policy, inputs, encoded(queries));
    let plays = 0;
    const play = async (at: number, topology: Topology) => {
      if (++plays === 500) controller.abort();
      controller.signal.throwIfAborted();
      return { correct: team.success(topology, queries[at] as SimulatedQuery), tokens: team.tokens(topology) };
    };
    const options = { ...short, fullTokens: team.fullTokens, checkpoint };
    const stream = () => random.split('fit');
    const cut = await trainTopology(model(), 80, play, stream(), { ...options, signal: controller.signal });
    // 80 plays a step: the seventh was cut.
    expect([cut.stopped, kept?.epoch]).toEqual(['aborted', 6]);
    const again = (at: number, topology: Topology) => ({
      correct: team.success(topology, queries[at] as SimulatedQuery),
      tokens: team.tokens(topology),
    });
    expect((await trainTopology(model(), 80, again, stream(), options)).stopped).toBe('completed');
    expect(weightsOf(policy)).toEqual(weightsOf(one.policy));
  });

  test('plays every query as often in each pass, in another order', async () => {
    const model = new GroupSketches(new TopologyPolicy(384, random), inputs, encoded(queries));
    const played: number[] = [];
    const play = (at: number) => {
      played.push(at);
      return { correct: 1, tokens: 0 };
    };
    await trainTopology(model, 50, play, random, { fullTokens: 1, epochs: 2, samples: 2, batch: 20 });
    const passes = [played.slice(0, 100), played.slice(100)];
    const all = Array.from({ length: 100 }, (_, at) => Math.floor(at / 2));
    for (const pass of passes) expect([...pass].sort((a, b) => a - b)).toEqual(all);
    expect(passes[0]).not.toEqual(passes[1]);
  });

  test('ends with the error of a play, and refuses a single sample or no query', async () => {
    const model = new GroupSketches(new TopologyPolicy(384, random), inputs, encoded(queries));
    const failing = () => Promise.reject(new Error('no endpoint'));
    await expect(trainTopology(model, 80, failing, random, { fullTokens: 1 })).rejects.toThrow('no endpoint');
    const none = () => ({ correct: 1, tokens: 0 });
    await expect(trainTopology(model, 80, none, random, { fullTokens: 1, samples: 1 })).rejects.toThrow(
      'at least 2, got 1',
    );
    await expect(trainTopology(model, 0, none, random, { fullTokens: 1 })).rejects.toThrow('no query to train on');
  });
});

describe('a saved policy', () => {
  const settings: TeamPolicySettings = {
    discussion: { model: 'm', rounds: 3, order: 'turns', temperature: 1, maxTokens: 64, messageTokens: 50 },
    decision: {},
    policy: {},
  };
  const agents = team.roles.map((role, at) => ({ name: `agent-${at}`, role }));
  const questions = fresh.slice(0, 30).map(({ text }) => text);
  const groups = (policy: TeamPolicy) => questions.map((question) => policy.plan(question).topology.groups);

  test('gives the same groups after loading; it has 58 thousand parameters, and no key or transcript', async () => {
    const { policy } = await trained({ epochs: 20 });
    const own = new TeamPolicy(policy, new AgentTeam(agents), settings);
    const bytes = own.save({ trained: { questions: 80 } });
    const loaded = TeamPolicy.load(bytes);
    expect(groups(loaded)).toEqual(groups(own));
    expect(groups(own).some((each) => each.length > 0)).toBe(true);
    expect(parameterCount(policy)).toBe(384 * 64 + 64 + 2 * (64 * 64 + 64) + 3 * 64 * 128 + 128 + 128 + 1);
    expect(bytes.length).toBeLessThan(300_000);
    const { metadata } = readSafetensors(bytes, 'team');
    const description = JSON.parse(metadata.description ?? '{}');
    expect(Object.keys(description).sort()).toEqual(['decision', 'discussion', 'encoder', 'policy', 'team', 'trained']);
    expect(() => TeamPolicy.load(bytes.slice(0, 100))).toThrow();
    for (const broken of [{}, { ...description, encoder: {} }, { ...description, team: [] }, description])
      expect(() => TeamPolicy.load(writeModelFile(HYPERAGENT_MODEL, broken, {}), 'a.st')).toThrow(
        'file "a.st" is damaged',
      );
  });

  test('serves teams with an agent more or less, of other roles', () => {
    const policy = TeamPolicy.create(new AgentTeam(agents), random.split('policy'), settings);
    for (const other of [
      agents.slice(1),
      [...agents, { name: 'seventh', role: 'expert in history' }],
      agents.slice(0, 3),
    ]) {
      const own = TeamPolicy.load(policy.save()).withTeam(new AgentTeam(other));
      const { topology, estimate } = own.plan('solve with algebra');
      expect(topology.agents).toBe(other.length);
      expect(estimate.calls).toBe(3 * other.length + 1);
    }
    expect(() => policy.withTeam(new AgentTeam(agents.slice(0, 2)))).toThrow('a team of 2 has 1 … 1 partners, not 2');
  });

  test('plans within a budget: the least wanted pairs go first, and what no talk exceeds is refused', () => {
    const own = TeamPolicy.create(new AgentTeam(agents), random.split('policy'), settings);
    const bias = own.policy.decoder.head.bias as ReturnType<typeof tensor>;
    bias.assign(tensor([5]));
    const question = 'solve with algebra units';
    const free = own.plan(question);
    const alone = own.estimate(question, topologyOf(6, [])).total;
    expect(free.topology.groups.length).toBeGreaterThan(1);
    let last = free;
    for (const most of [free.estimate.total - 1, alone + 400, alone]) {
      const plan = own.plan(question, most);
      expect(plan.estimate.total).toBeLessThanOrEqual(most);
      expect(plan.estimate.total).toBeLessThan(last.estimate.total);
      last = plan;
    }
    expect(last.topology.groups).toEqual([]);
    expect(own.plan(question, free.estimate.total)).toEqual(free);
    expect(() => own.plan(question, alone - 1)).toThrow(`costs about ${alone} tokens even when no agent reads another`);
  });
});

describe('G-Designer, the ancestor', () => {
  const roles = encoder.encode(team.roles);
  const own = new GDesigner(new GDesignerNetwork(384, new Random(4)), {
    roles,
    queries: encoded(fresh),
    roleGraph: chain(6),
  });

  test('scores lie between −1 and 1 and reach both, per query', () => {
    const logits = own.network
      .forward(
        new Random(1).normal([12, 768]),
        disjointHypergraphs([0, 1].map(() => new Hypergraph(6, chain(6)))).hypergraph,
        2,
      )
      .dataSync<Float32Array>();
    for (const at of [0, 1]) {
      const values = logits.slice(36 * at, 36 * at + 36);
      expect([Math.min(...values), Math.max(...values)]).toEqual([expect.closeTo(-1, 5), expect.closeTo(1, 5)]);
    }
  });

  test('links are drawn by their probability, and never close a cycle', () => {
    for (let seed = 0; seed < 30; seed++) {
      const uniform = new Random(seed).uniform([own.choices]).dataSync<Float32Array>();
      const { chosen, open, topology } = own.draw(new Float32Array(own.choices), uniform);
      const order: number[] = [];
      for (let pass = 0; pass < 6; pass++)
        topology.neighbours.forEach((from, to) => {
          if (!order.includes(to) && from.every((other) => order.includes(other))) order.push(to);
        });
      expect(order.length).toBe(6);
      chosen.forEach((value, at) => {
        expect(value).toBe(open?.[at] === 1 && (uniform[at] as number) < 0.5 ? 1 : 0);
      });
    }
    const all = own.draw(new Float32Array(own.choices).fill(50), new Float32Array(own.choices).fill(0.5));
    expect(all.topology.neighbours.map((from) => from.length)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('forty agents are drawn without a cycle too, and all links that close none are open', () => {
    const agents = 40;
    const many = new GDesigner(new GDesignerNetwork(4, new Random(5)), {
      ...{ roles: new Random(6).normal([agents, 4]), queries: new Random(7).normal([1, 4]) },
      roleGraph: chain(agents),
    });
    const all = many.draw(new Float32Array(many.choices).fill(50), new Float32Array(many.choices).fill(0.5));
    expect(all.topology.neighbours.map((from) => from.length)).toEqual(Array.from({ length: agents }, (_, v) => v));
    const uniform = new Random(8).uniform([many.choices]).dataSync<Float32Array>();
    const { chosen, open, topology } = many.draw(new Float32Array(many.choices).fill(-3), uniform);
    // An open link is one that no chain of the links chosen before it runs against.
    const links = Array.from({ length: agents * (agents - 1) }, (_, at) => {
      const [from, rest] = [Math.floor(at / (agents - 1)), at % (agents - 1)];
      return [from, rest + Number(rest >= from)] as const;
    });
    const heard: number[][] = Array.from({ length: agents }, () => []);
    links.forEach(([from, to], at) => {
      const [seen, stack] = [new Set([to]), [to]];
      for (let v = stack.pop(); v !== undefined; v = stack.pop())
        for (const w of heard[v] as number[]) if (!seen.has(w)) seen.add(w) && stack.push(w);
      expect(open?.[at]).toBe(Number(!seen.has(from)));
      if (chosen[at] === 1) heard[from]?.push(to);
    });
    expect(topology.neighbours.flat().length).toBe(chosen.reduce((sum, value) => sum + value, 0));
  });
});
