// The topology policy of HyperAgent, learnt from questions with known answers.

import type { Question } from '../../data/index.js';
import { loadQuestions, readJson } from '../../data/node.js';
import {
  AgentTeam,
  addTokens,
  type ChatModel,
  type Discussion,
  type DiscussionSettings,
  discuss,
  isRight,
  noTokens,
  TeamPolicy,
  type TokenCount,
  totalTokens,
  trainTopology,
} from '../../hypergraph/index.js';
import { connect } from '../chat.js';
import type { FitRequest, Fitted } from './learner.js';
import type { hyperagentOptions } from './options.js';

/** Questions that measure what the complete topology costs. */
const CALIBRATION = 2;
/** Tokens of a message before any was seen. */
const GUESSED_MESSAGE = 150;
/** Questions that a dry run shows. */
const SHOWN = 5;

type Request = FitRequest<typeof hyperagentOptions>;
type Asked = Required<Question>;

/** Trains on discussions that are held at the endpoint. */
export async function fitTeam(path: string, request: Request): Promise<Fitted> {
  const team = AgentTeam.from(readJson(path), path);
  const chat: NonNullable<Request['chat']> = request.chat ?? { dryRun: false };
  const questions = answered(chat.data);
  const untrained = untrainedPolicy(team, request);
  if (chat.dryRun) return dryRun(untrained, questions, request);
  const talk = new Discussions(connect(chat), team, untrained.settings.discussion, request);
  const complete = await talk.calibrate(untrained, questions);
  const isResumed = request.hooks.checkpoint?.load() !== undefined;
  const policy = untrained.withDiscussion({ messageTokens: talk.messageTokens });
  const { epochs, batch, samples, learningRate, beta } = request.values;
  const sketches = policy.sketches(questions.map(({ question }) => question));
  const { stopped } = await trainTopology(
    sketches,
    questions.length,
    async (at, topology) => {
      const asked = questions[at] as Asked;
      const { tokens, answer } = await talk.hold(asked.question, topology);
      const right = answer !== undefined && isRight(answer, asked.answer);
      talk.count(right);
      return { correct: Number(right), tokens: totalTokens(addTokens(tokens.agents, tokens.summariser)) };
    },
    request.random.split('fit'),
    { epochs, batch, samples, learningRate, beta, fullTokens: complete, ...request.hooks },
  );
  const groups = sketches.topologies().map((topology) => topology.groups.length);
  const spent = talk.spent;
  return {
    file: () => policy.save({ trained: { questions: questions.length, ...spentJson(spent) } }),
    lines: [
      `${path}: ${team.agents.length} agents, ${questions.length} questions, ${talk.discussions} discussions`,
      `topologies drawn while learning: ${talk.rightShare.toFixed(1)} % right`,
      `groups a question: ${mean(groups).toFixed(2)}; all reading all costs ${Math.round(complete)} tokens`,
      `tokens of the training${isResumed ? ' since it was resumed' : ''}: agents ${spent.agents.prompt} prompt + ${spent.agents.completion} completion, ` +
        `summariser ${spent.summariser.prompt} + ${spent.summariser.completion}`,
      ...(talk.failures > 0 ? [`calls that failed: ${talk.failures}, such as ${talk.lastFailure}`] : []),
      ...(talk.estimated ? ['the server did not count all tokens: they are estimates'] : []),
    ],
    scores: { right: talk.rightShare, groups: mean(groups), completeTokens: complete, ...spentJson(spent) },
    stopped,
  };
}

function untrainedPolicy(team: AgentTeam, { values, random }: Request): TeamPolicy {
  const { partners, threshold, sparsity, anchorWeight } = values;
  const { chatModel, rounds, order, temperature, messageTokens } = values;
  return TeamPolicy.create(team, random.split('weights'), {
    discussion: {
      ...{ model: chatModel, rounds, order, temperature, maxTokens: messageTokens },
      messageTokens: Math.min(GUESSED_MESSAGE, messageTokens),
    },
    decision: { partners, threshold, sparsity, anchorWeight },
    policy: {},
  });
}

/** @throws Error without a file, or when a question has no answer */
function answered(path: string | undefined): readonly Asked[] {
  if (path === undefined)
    throw new Error('hyperagent learns from questions: give --data FILE, lines of {"question": "…", "answer": "…"}');
  return loadQuestions(path).map(({ question, answer }, at) => {
    if (answer === undefined) throw new Error(`"${path}": question ${at + 1} has no answer to learn from`);
    return { question, answer };
  });
}

/** What a training would cost. */
function dryRun(policy: TeamPolicy, questions: readonly Asked[], { values }: Request): Fitted {
  const plans = questions.slice(0, SHOWN).map(({ question }) => ({ question, ...policy.plan(question) }));
  const held = values.epochs * questions.length * values.samples + Math.min(CALIBRATION, questions.length);
  const complete = mean(questions.map(({ question }) => policy.estimate(question, policy.complete).total));
  const { calls } = (plans[0] as (typeof plans)[0]).estimate;
  return {
    lines: [
      ...plans.map(({ question, topology, estimate }) => {
        const groups = policy.team.named(topology.groups).map((group) => group.join('+'));
        return `${question.slice(0, 60)}: ${groups.join('; ') || 'nobody reads another'}, about ${estimate.total} tokens`;
      }),
      `training would hold ${held} discussions of ${calls} calls, of at most about ${Math.round(complete)} tokens each`,
      `in all ${held * calls} calls and at most about ${Math.round(held * complete)} tokens; nothing was asked`,
    ],
    scores: { discussions: held, calls: held * calls, mostTokens: Math.round(held * complete) },
    stopped: 'completed',
  };
}

/** Discussions of one training, and what they cost. */
class Discussions {
  discussions = 0;
  failures = 0;
  lastFailure = '';
  estimated = false;
  spent: { readonly agents: TokenCount; readonly summariser: TokenCount } = { agents: noTokens, summariser: noTokens };
  #played = 0;
  #right = 0;
  #calls = 0;

  constructor(
    readonly chat: ChatModel,
    readonly team: AgentTeam,
    readonly settings: DiscussionSettings,
    readonly request: Request,
  ) {}

  async hold(question: string, topology: TeamPolicy['complete']): Promise<Discussion> {
    const { signal } = this.request.hooks;
    const result = await discuss(this.chat, this.team, question, topology, { ...this.settings, signal });
    const { tokens, failures, estimated } = result;
    this.spent = {
      agents: addTokens(this.spent.agents, tokens.agents),
      summariser: addTokens(this.spent.summariser, tokens.summariser),
    };
    this.discussions += 1;
    this.#calls += this.settings.rounds * this.team.agents.length + 1 - failures.length;
    this.failures += failures.length;
    this.lastFailure = failures.at(-1) ?? this.lastFailure;
    this.estimated ||= estimated;
    return result;
  }

  count(right: boolean): void {
    this.#played += 1;
    this.#right += Number(right);
  }

  get rightShare(): number {
    return (100 * this.#right) / Math.max(1, this.#played);
  }

  /** Mean tokens of a message so far. */
  get messageTokens(): number {
    return Math.ceil(addTokens(this.spent.agents, this.spent.summariser).completion / Math.max(1, this.#calls));
  }

  /** Mean tokens of a discussion in which all read all; also shows that the endpoint answers. */
  async calibrate(policy: TeamPolicy, questions: readonly Asked[]): Promise<number> {
    const held = [];
    for (const { question } of questions.slice(0, CALIBRATION)) held.push(await this.hold(question, policy.complete));
    return mean(held.map(({ tokens }) => totalTokens(addTokens(tokens.agents, tokens.summariser))));
  }
}

function spentJson({ agents, summariser }: Discussions['spent']) {
  return {
    agentPromptTokens: agents.prompt,
    agentCompletionTokens: agents.completion,
    summariserPromptTokens: summariser.prompt,
    summariserCompletionTokens: summariser.completion,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
