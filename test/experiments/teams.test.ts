import { describe, expect, test } from 'vitest';
import { experiment } from '../../src/experiments/hypergraph/hyperagent.js';
import { runMethods } from '../../src/experiments/parts/methods.js';
import { resolveOptions } from '../../src/experiments/parts/options.js';
import {
  bestPairs,
  fixedPlanners,
  oracleGroups,
  type Planner,
  simulatedScores,
  simulatedTask,
} from '../../src/experiments/protocols/simulated-teams.js';
import {
  drawQuestions,
  majority,
  type QuestionValues,
  questionMethods,
  questionTitles,
} from '../../src/experiments/protocols/team-questions.js';
import {
  AgentTeam,
  type ChatRequest,
  decide,
  groupMatrix,
  pairsOf,
  queryOf,
  SimulatedTeam,
  type Topology,
  topologyOf,
} from '../../src/hypergraph/index.js';
import { Random } from '../../src/tensor/index.js';
import { context } from './context.js';

const team = new SimulatedTeam();
const worth = (topology: Topology, skills: number[]) =>
  team.success(topology, queryOf(skills)) - (0.5 * team.tokens(topology)) / 4200;
/** Calls back with each of the 2¹⁵ sketches of six agents. */
function everySketch(visit: (chosen: number[]) => void): void {
  for (let bits = 0; bits < 2 ** 15; bits++) visit(Array.from({ length: 15 }, (_, at) => (bits >> at) & 1));
}

describe('topologies of the simulated team', () => {
  test('the oracle of groups is the best that any sketch is grouped into, at each difficulty', () => {
    const needs = [[1], [1, 4], [0, 2, 5], [1, 2, 3, 5]];
    const best = needs.map(() => Number.NEGATIVE_INFINITY);
    const anchors = groupMatrix([], 6);
    everySketch((chosen) => {
      const topology = decide(chosen, 6, anchors, { refinement: 'without' });
      needs.forEach((skills, at) => {
        best[at] = Math.max(best[at] as number, worth(topology, skills));
      });
    });
    const found = needs.map((skills) => worth(oracleGroups(team, queryOf(skills)), skills));
    expect(found).toEqual(best);
  });

  test('the best fixed topology is that of all sets of pairs; the oracle of pairs is ahead of it', () => {
    const task = simulatedTask({ focus: 0.98, trainQueries: 12, validationQueries: 1, testQueries: 1 }, new Random(3));
    const mean = (topologies: (skills: readonly number[]) => Topology) =>
      task.train.reduce((sum, { skills }) => sum + worth(topologies(skills), [...skills]), 0) / task.train.length;
    let best = Number.NEGATIVE_INFINITY;
    const pairs = pairsOf(6);
    everySketch((chosen) => {
      const topology = topologyOf(
        6,
        pairs.filter((_, at) => chosen[at] === 1),
      );
      best = Math.max(
        best,
        mean(() => topology),
      );
    });
    const found = topologyOf(6, bestPairs(team, task.train));
    expect(mean(() => found)).toBeCloseTo(best, 9);
    const oracle = fixedPlanners(task)['Oracle, pairs']?.()(task.train, new Random(0));
    expect(
      task.train.reduce((sum, { skills }, at) => sum + worth(oracle?.[at]?.[0] as Topology, [...skills]), 0) / 12,
    ).toBeGreaterThan(best);
  });

  test('scores are means over queries and draws, tokens also by difficulty', () => {
    const [none, all] = [topologyOf(6, []), topologyOf(6, [[0, 1, 2, 3, 4, 5]])];
    const queries = [queryOf([0]), queryOf([0, 1, 2, 3])];
    const scores = simulatedScores(team, () => [[none], [none, all]], queries, new Random(0));
    expect(scores.easyTokens).toBe(1200);
    expect(scores.hardTokens).toBe(2700);
    expect(scores.tokens).toBe(1950);
    const correct = (0.97 + (0.2 + 0.97 * 0.98) / 2) / 2;
    expect(scores.accuracy).toBeCloseTo(100 * correct, 9);
    expect(scores.utility).toBeCloseTo(correct - (0.5 * 1950) / 4200, 9);
  });

  test('random triples cost what three groups of three do', () => {
    const task = simulatedTask({ focus: 0.98, trainQueries: 2, validationQueries: 1, testQueries: 400 }, new Random(3));
    const planner = fixedPlanners(task)['Random triples']?.() as Planner;
    const { tokens } = simulatedScores(team, planner, task.test, new Random(1));
    expect(Math.abs((tokens as number) - (1200 + 3000 * (1 - 0.8 ** 3)))).toBeLessThan(40);
  });
});

describe('questions to a team of models', () => {
  const values: QuestionValues = {
    ...{ endpoint: '', chatModel: 'm', trainQuestions: 3, testQuestions: 5, rounds: 2, messageTokens: 9 },
    ...{ temperature: 0.7, samples: 2, learningRate: 2e-3 },
  };
  const numbered = (count: number, from: number) =>
    Array.from({ length: count }, (_, n) => ({ question: `Twice ${from + n}?`, answer: `#### ${2 * (from + n)}` }));
  const own = new AgentTeam(['a', 'b', 'c'].map((name) => ({ name, role: `solver ${name}` })));

  test('every method has its calls, its temperature and its tokens; training is counted apart, on other questions', async () => {
    const requests: ChatRequest[] = [];
    const chat = {
      complete: async (request: ChatRequest) => {
        requests.push(request);
        const n = Number(/Twice (\d+)/.exec(request.messages.at(-1)?.content ?? '')?.[1]);
        return { text: `Answer: ${n % 5 === 0 ? 1 : 2 * n}`, promptTokens: 10, completionTokens: 2 };
      },
    };
    const task = drawQuestions(
      { chat, team: own, train: numbered(9, 100), test: numbered(5, 1) },
      values,
      new Random(1),
    );
    expect(task.train.length).toBe(3);
    expect(() => drawQuestions({ chat, team: own, train: [], test: [] }, values, new Random(1))).toThrow(
      '3 train questions asked for, there are 0',
    );
    const { methods } = await runMethods(questionMethods(task, values), context(0));
    expect(methods.map(({ method }) => method)).toEqual(questionTitles);
    const [single, votes, chained, complete, graph, groups] = methods.map(({ scores }) => scores);
    for (const scores of [single, votes, chained, complete, graph, groups]) {
      expect(scores?.accuracy).toBe(80);
      expect(scores?.interval).toBeCloseTo(196 * Math.sqrt((0.8 * 0.2) / 5), 9);
    }
    expect([single?.tokens, votes?.tokens]).toEqual([12, 60]);
    for (const scores of [chained, complete, graph, groups]) {
      expect([scores?.tokens, scores?.promptTokens, scores?.completionTokens]).toEqual([84, 60, 12]);
      expect(scores?.summariserTokens).toBe(12);
    }
    // One discussion in which all read all, then two samples of three questions.
    expect([graph?.trainingTokens, groups?.trainingTokens]).toEqual([7 * 84, 7 * 84]);
    expect([single, votes, chained, complete].map((scores) => scores?.trainingTokens)).toEqual([0, 0, 0, 0]);
    expect(requests.length).toBe(5 + 25 + 4 * 5 * 7 + 2 * 7 * 7);
    expect(requests[0]?.temperature).toBe(0);
    expect(requests.slice(5, 30).every(({ temperature }) => temperature === 0.7)).toBe(true);
  });

  test('votes go by the last number; the first of the most frequent is taken', () => {
    expect(majority(['is 3', 'is 4', 'so 4.0', 'none'])).toBe('is 4');
    expect(majority(['a', '1', '2'])).toBe('a');
  });

  test('need an endpoint, and data that are known', () => {
    const load =
      (source: string, ...assignments: string[]) =>
      () =>
        experiment.load(
          source,
          resolveOptions(experiment.options, { preset: experiment.presets?.[source] ?? {}, assignments }),
        );
    expect(load('gsm8k')).toThrow('gsm8k is answered by a model of yours: --set endpoint=');
    expect(load('mine/')).toThrow('"mine/" is not known here; there are simulated and gsm8k');
    expect(load('simulated', 'team=models')).toThrow('team=models does not fit simulated');
  });
});
