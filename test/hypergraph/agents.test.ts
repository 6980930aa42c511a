import { describe, expect, test } from 'vitest';
import { parseQuestions } from '../../src/data/index.js';
import {
  AgentTeam,
  type AgentTeam as AgentTeamType,
  ChatError,
  type ChatModel,
  type ChatRequest,
  chain,
  discuss,
  estimateDiscussion,
  everyone,
  isRight,
  lastNumber,
  queryOf,
  SimulatedChatModel,
  SimulatedTeam,
  star,
  topologyOf,
  topologyOfLinks,
  totalTokens,
} from '../../src/hypergraph/index.js';
import { Random } from '../../src/tensor/index.js';

const six = (groups: readonly (readonly number[])[]) => topologyOf(6, groups);
const triples = Array.from({ length: 6 }, (_, i) => [i, (i + 1) % 6, (i + 2) % 6]);

describe('a topology', () => {
  test('members of a group read each other; groups of one and duplicates go', () => {
    const { groups, neighbours } = topologyOf(4, [[2, 0], [0, 2], [3], [0, 1]]);
    expect(groups).toEqual([
      [0, 2],
      [0, 1],
    ]);
    expect(neighbours).toEqual([[1, 2], [0], [0], []]);
    expect(() => topologyOf(2, [[0, 2]])).toThrow('2 is no agent; there are 2, from 0');
  });

  test('a link is read one way', () => {
    expect(
      topologyOfLinks(3, [
        [0, 1],
        [2, 1],
      ]).neighbours,
    ).toEqual([[], [0, 2], []]);
  });
});

describe('the simulated team', () => {
  const team = new SimulatedTeam();

  test('tokens: 1,200 when nobody reads, 4,200 when all do, 2,200 in a chain or a star', () => {
    expect(team.tokens(six([]))).toBe(1200);
    expect(team.tokens(six(everyone(6)))).toBe(4200);
    expect(team.fullTokens).toBe(4200);
    expect(team.tokens(six(chain(6)))).toBe(2200);
    expect(team.tokens(six(star(6, 2)))).toBe(2200);
    expect(team.tokens(six([[0, 1, 2]]))).toBe(1800);
  });

  test('success: the best agent that has all skills, less for each message that is not needed', () => {
    expect(team.success(six([]), queryOf([3]))).toBe(0.97);
    expect(team.success(six([]), queryOf([3, 4]))).toBe(0.2);
    expect(team.success(six([[3, 4]]), queryOf([3, 4]))).toBe(0.97);
    expect(team.success(six([[3, 4, 5]]), queryOf([3, 4]))).toBe(0.97);
    expect(team.success(six([[2, 3, 4, 5]]), queryOf([3, 4]))).toBeCloseTo(0.97 * 0.98, 12);
    expect(
      team.success(
        six([
          [0, 3],
          [0, 4],
        ]),
        queryOf([3, 4]),
      ),
    ).toBeCloseTo(0.97, 12);
    expect(new SimulatedTeam({ focus: 0.9 }).success(six(everyone(6)), queryOf([1]))).toBeCloseTo(0.97 * 0.9 ** 4, 12);
    expect(() => new SimulatedTeam({ focus: 0 })).toThrow('0 < focus ≤ 1, got 0');
  });

  test('fixed topologies over all queries: the exact means that were worked out by hand', () => {
    const subsets = (size: number) =>
      Array.from({ length: 64 }, (_, bits) => [0, 1, 2, 3, 4, 5].filter((i) => (bits >> i) & 1)).filter(
        (own) => own.length === size,
      );
    const mean = (groups: number[][], own = team) =>
      [0.4, 0.3, 0.2, 0.1].reduce((sum, weight, at) => {
        const all = subsets(at + 1);
        return sum + (weight * all.reduce((total, R) => total + own.success(six(groups), queryOf(R)), 0)) / all.length;
      }, 0);
    const wanted = [[], chain(6), star(6), triples, everyone(6)].map((groups) => mean(groups).toFixed(3));
    expect(wanted).toEqual(['0.508', '0.671', '0.939', '0.929', '0.913']);
    expect(team.tokens(six(triples))).toBe(3600);
    const distracted = new SimulatedTeam({ focus: 0.9 });
    expect([star(6), everyone(6)].map((groups) => mean(groups, distracted).toFixed(3))).toEqual(['0.825', '0.711']);
  });

  test('queries: difficulties in their shares, distinct skills, the same for the same seed', () => {
    const queries = team.queries(4000, new Random(1));
    const share = (d: number) => queries.filter(({ skills }) => skills.length === d).length / 4000;
    for (const [at, p] of [0.4, 0.3, 0.2, 0.1].entries()) expect(Math.abs(share(at + 1) - p)).toBeLessThan(0.03);
    expect(queries.every(({ skills }) => new Set(skills).size === skills.length)).toBe(true);
    expect(queryOf([5, 0]).text).toBe('solve with algebra coding');
    expect(team.queries(5, new Random(3))).toEqual(team.queries(5, new Random(3)));
  });
});

const specialists = (team: SimulatedTeam): AgentTeamType =>
  new AgentTeam(team.roles.map((role, i) => ({ name: `agent-${i}`, role })));
const settings = { model: 'simulated', rounds: 2, order: 'rounds' } as const;

describe('a discussion', () => {
  const team = new SimulatedTeam();
  const chat = new SimulatedChatModel(team);

  test('of the simulated team costs the tokens and has the success of the closed forms, the summariser apart', async () => {
    for (const groups of [
      [],
      chain(6),
      star(6),
      triples,
      everyone(6),
      [
        [0, 1, 2],
        [2, 5],
      ],
    ])
      for (const query of [queryOf([0]), queryOf([1, 2]), queryOf([0, 2, 5]), queryOf([0, 1, 4, 5])]) {
        const topology = six(groups);
        const { tokens, answer } = await discuss(chat, specialists(team), query.text, topology, settings);
        expect(totalTokens(tokens.agents)).toBe(team.tokens(topology));
        expect(tokens.summariser).toEqual({ prompt: 600, completion: 100 });
        expect(lastNumber(answer ?? '')).toBeCloseTo(team.success(topology, query), 12);
      }
  });

  /** A model that records its requests. */
  class Recorder implements ChatModel {
    readonly requests: ChatRequest[] = [];
    constructor(readonly reply: (request: ChatRequest, at: number) => string) {}
    async complete(request: ChatRequest) {
      this.requests.push(request);
      return { text: this.reply(request, this.requests.length - 1), promptTokens: 10, completionTokens: 1 };
    }
  }
  const trio = new AgentTeam([
    { name: 'a', role: 'solver', model: 'own', tools: ['a calculator'] },
    { name: 'b', role: 'checker' },
    { name: 'c', role: 'writer' },
  ]);
  const prompts = (recorder: Recorder) => recorder.requests.map(({ messages }) => messages.at(-1)?.content ?? '');

  test('in turns: each agent reads what its group said last, the summariser reads all', async () => {
    const recorder = new Recorder((_, at) => `said ${at}`);
    const pair = topologyOf(3, [[0, 1]]);
    const { tokens, messages } = await discuss(recorder, trio, 'What?', pair, { model: 'm', rounds: 2, maxTokens: 7 });
    expect(recorder.requests.map(({ model }) => model)).toEqual(['own', 'm', 'm', 'own', 'm', 'm', 'm']);
    expect(recorder.requests.map(({ temperature }) => temperature)).toEqual([1, 1, 1, 1, 1, 1, 0]);
    expect(recorder.requests.every(({ maxTokens }) => maxTokens === 7)).toBe(true);
    const heard = prompts(recorder).map((text) => [...text.matchAll(/said (\d)/g)].map((match) => Number(match[1])));
    expect(heard).toEqual([[], [0], [], [1], [3], [], [3, 4, 5]]);
    expect(messages).toEqual(['said 3', 'said 4', 'said 5']);
    expect(tokens).toEqual({ agents: { prompt: 60, completion: 6 }, summariser: { prompt: 10, completion: 1 } });
    expect(recorder.requests[0]?.messages[0]?.content).toContain('- a calculator');
  });

  test('in rounds: each agent reads the round before', async () => {
    const recorder = new Recorder((_, at) => `said ${at}`);
    await discuss(recorder, trio, 'What?', topologyOf(3, [[0, 1]]), { model: 'm', rounds: 2, order: 'rounds' });
    const heard = prompts(recorder).map((text) => [...text.matchAll(/said (\d)/g)].map((match) => Number(match[1])));
    expect(heard).toEqual([[], [], [], [1], [0], [], [3, 4, 5]]);
  });

  test('an agent whose call fails has no message, and others are told', async () => {
    const recorder = new Recorder((_, at) => {
      if (at === 0) throw new ChatError('failed', 'status 500');
      return `said ${at}`;
    });
    const result = await discuss(recorder, trio, 'What?', topologyOf(3, [[0, 1]]), { model: 'm', rounds: 1 });
    expect(result.failures).toEqual(['a: status 500']);
    expect(result.messages).toEqual([undefined, 'said 1', 'said 2']);
    expect(prompts(recorder)[1]).toContain('[a]\n(no message)');
    expect(result.answer).toBe('said 3');
    expect(totalTokens(result.tokens.agents)).toBe(22);
  });

  test('a summariser that fails gives no answer; an endpoint that refuses, or is silent, ends it', async () => {
    const failing = (when: (at: number) => boolean, kind: 'failed' | 'refused') =>
      new Recorder((_, at) => {
        if (when(at)) throw new ChatError(kind, 'no');
        return 'yes';
      });
    const ask = (chatModel: ChatModel) =>
      discuss(chatModel, trio, 'What?', topologyOf(3, []), { model: 'm', rounds: 1 });
    expect((await ask(failing((at) => at === 3, 'failed'))).answer).toBeUndefined();
    await expect(ask(failing((at) => at === 1, 'refused'))).rejects.toThrow('no');
    await expect(ask(failing(() => true, 'failed'))).rejects.toThrow('no call succeeded: a: no');
  });

  test('an estimate counts the calls, and the messages that are read in each round', () => {
    const estimate = (groups: number[][], order: 'turns' | 'rounds') =>
      estimateDiscussion(trio, 'What?', topologyOf(3, groups), { rounds: 2, order, messageTokens: 100 });
    expect(estimate([], 'turns').calls).toBe(7);
    expect(estimate([], 'turns').agents.completion).toBe(600);
    expect(estimate([], 'turns').summariser.completion).toBe(100);
    expect(estimate([], 'turns').summariser.prompt).toBeGreaterThan(300);
    expect(estimate([[0, 1]], 'rounds').total - estimate([], 'rounds').total).toBe(200);
    expect(estimate([[0, 1]], 'turns').total - estimate([], 'turns').total).toBe(300);
  });
});

describe('a team', () => {
  const from = (value: unknown) => () => AgentTeam.from(value, 'agents.json');
  const [a, b] = [
    { name: 'a', role: 'solver' },
    { name: 'b', role: 'checker' },
  ];

  test('is read from JSON, and written as it was', () => {
    const value = { agents: [a, { ...b, model: 'm', tools: ['search'] }], anchors: [['b', 'a']] };
    const team = AgentTeam.from(value, 'agents.json');
    expect(team.anchors).toEqual([[1, 0]]);
    expect(team.texts).toEqual(['solver', 'm checker search']);
    expect(JSON.parse(JSON.stringify(team))).toEqual(value);
    expect(AgentTeam.from([a, b], 'agents.json').anchors).toEqual([[0, 1]]);
  });

  test('is refused with the reason', () => {
    expect(from([a])).toThrow('"agents.json": a team has at least 2 agents, got 1');
    expect(from([a, a])).toThrow('two agents are named "a"');
    expect(from([a, { name: 'b', role: ' . ' }])).toThrow('agent "b" has an empty role');
    expect(from([a, { name: 'b' }])).toThrow('agent "b" has no role');
    expect(from([a, { role: 'x' }])).toThrow('agent 2 has no name');
    expect(from([a, { ...b, tools: [1] }])).toThrow('agent "b": tools is no list of texts');
    expect(from({ agents: [a, b], anchors: [['a', 'z']] })).toThrow('an anchor names "z", who is no agent');
    expect(from({ agents: [a, b], anchors: [['a']] })).toThrow('joins fewer than 2 agents');
    expect(from({ agents: [a, b], anchors: ['a'] })).toThrow('anchors are lists of names');
    expect(from({})).toThrow('has no list "agents"');
    expect(from(null)).toThrow('has no list "agents"');
  });
});

describe('answers', () => {
  test('numbers are equal as numbers, after commas, currencies and signs', () => {
    expect(isRight('So 3 + 4 = 7.\nAnswer: $1,234.50', '1234.5')).toBe(true);
    expect(isRight('It is −7', '-7')).toBe(true);
    expect(isRight('Answer: 18 dollars.', 'Some work <<9*2=18>>\n#### 18')).toBe(true);
    expect(isRight('Answer: 18.0', '#### 18')).toBe(true);
    expect(isRight('Answer: 19', '#### 18')).toBe(false);
    expect(isRight('no number', '#### 18')).toBe(false);
    expect(lastNumber('from 2-3 days: 1,000')).toBe(1000);
    expect(lastNumber('5-3')).toBe(3);
  });

  test('other answers are equal as texts', () => {
    expect(isRight('I weighed it.\nAnswer: **Paris**.', 'paris')).toBe(true);
    expect(isRight('The end\n Option B ', 'option b')).toBe(true);
    expect(isRight('Answer: Rome', 'paris')).toBe(false);
  });

  test('questions are lines of JSON', () => {
    expect(parseQuestions('{"question":"a?","answer":3}\n\n{"question":"b?"}\n', 't')).toEqual([
      { question: 'a?', answer: '3' },
      { question: 'b?' },
    ]);
    expect(() => parseQuestions('{"question":"a?"}\nnot json', 't.jsonl')).toThrow('"t.jsonl", line 2 is not JSON');
    expect(() => parseQuestions('[]', 't.jsonl')).toThrow('"t.jsonl", line 1 has no "question"');
    expect(() => parseQuestions('null', 't.jsonl')).toThrow('line 1 has no "question"');
    expect(() => parseQuestions('{"question":"a?","answer":[]}', 't.jsonl')).toThrow('line 1: "answer" is no text');
    expect(() => parseQuestions('\n', 't.jsonl')).toThrow('"t.jsonl" has no question');
  });
});
