// Questions with known answers for a team of language models behind HTTP: the comparison that the
// paper makes on GSM8K. It runs where an endpoint is named, never by itself.

import type { Question } from '../../data/index.js';
import { loadQuestionSet } from '../../data/node.js';
import {
  AgentTeam,
  addTokens,
  agentPrompt,
  type ChatModel,
  chain,
  defaultEncoder,
  discuss,
  everyone,
  GDesigner,
  GDesignerNetwork,
  HttpChatModel,
  isRight,
  lastNumber,
  noTokens,
  type Play,
  type SketchModel,
  TeamPolicy,
  type TokenCount,
  type Topology,
  topologyOf,
  totalTokens,
  trainTopology,
} from '../../hypergraph/index.js';
import type { Random } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { count, number, text } from '../parts/options.js';
import { BETA } from './simulated-teams.js';

export const questionOptions = {
  endpoint: text('', 'gsm8k: server of the model in OpenAI’s format; its key is read from GOSSAMER_API_KEY'),
  chatModel: text('default', 'gsm8k: name of the model at the server'),
  trainQuestions: count(40, 'gsm8k: questions of the train file that topologies are learnt on'),
  testQuestions: count(200, 'gsm8k: random questions of the test file'),
  rounds: count(3, 'gsm8k: rounds of a discussion'),
  messageTokens: count(512, 'gsm8k: most tokens of a message'),
  temperature: number(1, 'gsm8k: temperature of the agents', { minimum: 0 }),
} as const;

/** Values of the options. */
export interface QuestionValues {
  readonly endpoint: string;
  readonly chatModel: string;
  readonly trainQuestions: number;
  readonly testQuestions: number;
  readonly rounds: number;
  readonly messageTokens: number;
  readonly temperature: number;
  readonly samples: number;
  readonly learningRate: number;
}

/** What a run on questions needs. */
export interface QuestionTask {
  readonly chat: ChatModel;
  readonly team: AgentTeam;
  readonly train: readonly Required<Question>[];
  readonly test: readonly Required<Question>[];
}

/** Five roles for word problems. */
const team = new AgentTeam([
  { name: 'solver', role: 'A mathematician who solves word problems step by step.' },
  { name: 'programmer', role: 'A programmer who turns a problem into arithmetic and carries it out exactly.' },
  { name: 'analyst', role: 'An analyst who names the quantities, their units and what is asked before computing.' },
  { name: 'inspector', role: 'An inspector who checks the steps and the numbers of others for mistakes.' },
  { name: 'skeptic', role: 'A skeptic who solves the problem another way and compares the results.' },
]);

/** The questions of GSM8K and the endpoint. @throws Error without an endpoint */
export function questionTask(
  values: QuestionValues,
): Omit<QuestionTask, 'train' | 'test'> & ReturnType<typeof loadQuestionSet> {
  if (values.endpoint === '')
    throw new Error(
      'gsm8k is answered by a model of yours: --set endpoint=http://127.0.0.1:8080/v1 --set chatModel=NAME',
    );
  const key = process.env.GOSSAMER_API_KEY;
  return { chat: new HttpChatModel(values.endpoint, key ? { key } : {}), team, ...loadQuestionSet('gsm8k') };
}

/** Random questions of one seed. @throws Error when there are not as many with answers */
export function drawQuestions(
  { chat, team: own, train, test }: ReturnType<typeof questionTask>,
  { trainQuestions, testQuestions }: QuestionValues,
  random: Random,
): QuestionTask {
  const pick = (all: readonly Question[], wanted: number, which: string) => {
    const known = all.flatMap(({ question, answer }) => (answer === undefined ? [] : [{ question, answer }]));
    if (wanted > known.length)
      throw new Error(`gsm8k: ${wanted} ${which} questions asked for, there are ${known.length}`);
    return Array.from(random.split(which).sample(known.length, wanted), (at) => known[at] as Required<Question>);
  };
  return { chat, team: own, train: pick(train, trainQuestions, 'train'), test: pick(test, testQuestions, 'test') };
}

export const SINGLE = 'Single agent';
export const CONSISTENT = 'Self-consistency of 5';
export const TEAM_COMPLETE = 'Complete';
const VOTES = 5;

/** Titles of the methods. */
export const questionTitles = [SINGLE, CONSISTENT, 'Chain', TEAM_COMPLETE, 'G-Designer', 'HyperAgent'];

interface Reply {
  readonly answer: string | undefined;
  readonly agents: TokenCount;
  readonly summariser: TokenCount;
}

/** What answers a question of the test. */
interface Respondent {
  ask(question: string, at: number): Promise<Reply>;
  /** Tokens that its training took. */
  readonly trainingTokens: number;
}

/** The methods; all use one model and the same prompts. */
export function questionMethods(task: QuestionTask, values: QuestionValues): readonly Method<Respondent>[] {
  const always = (topology: Topology) => (run: MethodRun) => respondent(task, values, run, () => topology);
  const agents = task.team.agents.length;
  const methods: Readonly<Record<string, (run: MethodRun) => Respondent | Promise<Respondent>>> = {
    [SINGLE]: (run) => alone(task, values, run, 1, 0),
    [CONSISTENT]: (run) => alone(task, values, run, VOTES, values.temperature),
    Chain: always(topologyOf(agents, chain(agents))),
    [TEAM_COMPLETE]: always(topologyOf(agents, everyone(agents))),
    'G-Designer': (run) => learned(task, values, run, graphOf),
    HyperAgent: (run) => learned(task, values, run, groupsOf),
  };
  return questionTitles.map((title) => ({
    title,
    train: methods[title] as (run: MethodRun) => Respondent | Promise<Respondent>,
    score: (model, run) => questionScores(model, task.test, run),
  }));
}

/** The first agent by itself, its answers put to the vote. */
function alone(
  { chat, team: own }: QuestionTask,
  values: QuestionValues,
  run: MethodRun,
  votes: number,
  temperature: number,
): Respondent {
  return {
    trainingTokens: 0,
    async ask(question) {
      const messages = agentPrompt(own.agents[0] as AgentTeam['agents'][number], question, []);
      const request = { model: values.chatModel, messages, temperature, maxTokens: values.messageTokens };
      const signal = run.hooks.signal;
      const replies = await Promise.all(Array.from({ length: votes }, () => chat.complete({ ...request, signal })));
      return {
        answer: majority(replies.map((reply) => reply.text)),
        agents: addTokens(
          ...replies.map((reply) => ({ prompt: reply.promptTokens, completion: reply.completionTokens })),
        ),
        summariser: noTokens,
      };
    },
  };
}

/** The first text whose last number most texts have. */
export function majority(texts: readonly string[]): string | undefined {
  const votes = (text: string) => texts.filter((other) => lastNumber(other) === lastNumber(text)).length;
  const most = Math.max(...texts.map(votes));
  return texts.find((text) => votes(text) === most);
}

function respondent(
  { chat, team: own }: QuestionTask,
  values: QuestionValues,
  { hooks }: Pick<MethodRun, 'hooks'>,
  topology: (question: string, at: number) => Topology,
  trainingTokens = 0,
): Respondent {
  return {
    trainingTokens,
    async ask(question, at) {
      const { chatModel: model, rounds, temperature, messageTokens: maxTokens } = values;
      const options = { model, rounds, temperature, maxTokens, signal: hooks.signal };
      const { answer, tokens } = await discuss(chat, own, question, topology(question, at), options);
      return { answer, ...tokens };
    },
  };
}

/** A model to train on the train questions, and the topologies that it then gives for others. */
type Learner = (
  task: QuestionTask,
  questions: readonly string[],
  run: MethodRun,
) => { readonly model: SketchModel; plan(questions: readonly string[]): readonly Topology[] };

const groupsOf: Learner = ({ team: own }, questions, { random }) => {
  const discussion = { model: '', rounds: 3, order: 'turns', temperature: 1, maxTokens: 1, messageTokens: 1 } as const;
  const policy = TeamPolicy.create(own, random.split('weights'), { discussion, decision: {}, policy: {} });
  return { model: policy.sketches(questions), plan: (asked) => policy.sketches(asked).topologies() };
};

const graphOf: Learner = ({ team: own }, questions, { random }) => {
  const encoder = defaultEncoder();
  const network = new GDesignerNetwork(encoder.dimension, random.split('weights'));
  const roles = encoder.encode(own.texts);
  const model = (asked: readonly string[]) =>
    new GDesigner(network, { roles, queries: encoder.encode(asked), roleGraph: own.anchors });
  return { model: model(questions), plan: (asked) => model(asked).drawTopologies(random.split('use')) };
};

/** Learns from discussions of the train questions, whose tokens are counted apart. */
async function learned(task: QuestionTask, values: QuestionValues, run: MethodRun, make: Learner): Promise<Respondent> {
  const { model, plan } = make(
    task,
    task.train.map(({ question }) => question),
    run,
  );
  const everybody = topologyOf(task.team.agents.length, everyone(task.team.agents.length));
  let trainingTokens = 0;
  const hold: Play = async (at, topology) => {
    const { question, answer: expected } = task.train[at] as Required<Question>;
    const { answer, agents, summariser } = await respondent(task, values, run, () => topology).ask(question, at);
    const tokens = totalTokens(addTokens(agents, summariser));
    trainingTokens += tokens;
    return { correct: Number(answer !== undefined && isRight(answer, expected)), tokens };
  };
  const { tokens: fullTokens } = await hold(0, everybody, 0);
  await trainTopology(model, task.train.length, hold, run.random.split('fit'), {
    ...{ epochs: 1, batch: 4, samples: values.samples, learningRate: 5 * values.learningRate, beta: BETA, fullTokens },
    signal: run.hooks.signal,
  });
  const topologies = plan(task.test.map(({ question }) => question));
  return respondent(task, values, run, (_, at) => topologies[at] as Topology, trainingTokens);
}

/** Questions that are asked at once. */
const AT_ONCE = 4;

/** Share of right answers with its 95 % interval, and tokens of a question. */
async function questionScores(model: Respondent, test: QuestionTask['test'], run: MethodRun): Promise<Scores> {
  const replies: Reply[] = [];
  let next = 0;
  const work = async () => {
    while (next < test.length) {
      const at = next++;
      replies[at] = await model.ask((test[at] as Required<Question>).question, at);
      run.progress(next / test.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const right = replies.filter(
    ({ answer }, at) => answer !== undefined && isRight(answer, test[at]?.answer ?? ''),
  ).length;
  const p = right / test.length;
  const mean = (of: (reply: Reply) => number) => replies.reduce((sum, reply) => sum + of(reply), 0) / replies.length;
  return {
    accuracy: 100 * p,
    interval: 196 * Math.sqrt((p * (1 - p)) / test.length),
    tokens: mean(({ agents, summariser }) => totalTokens(addTokens(agents, summariser))),
    promptTokens: mean(({ agents }) => agents.prompt),
    completionTokens: mean(({ agents }) => agents.completion),
    summariserTokens: mean(({ summariser }) => totalTokens(summariser)),
    trainingTokens: model.trainingTokens,
  };
}
