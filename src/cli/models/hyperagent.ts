// Teams of HyperAgent, made by `gossamer fit --model hyperagent`: questions in, answers out.

import type { Question } from '../../data/index.js';
import { interruptSignal, loadQuestions, readBytes, readJson } from '../../data/node.js';
import {
  AgentTeam,
  type Discussion,
  discuss,
  finalText,
  HYPERAGENT_MODEL,
  isRight,
  type Plan,
  TeamPolicy,
  totalTokens,
} from '../../hypergraph/index.js';
import { parameterCount } from '../../nn/index.js';
import { connect } from '../chat.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

/** Questions that are discussed at once; calls wait for each other within `--parallel`. */
const AT_ONCE = 4;
const INTERRUPTED = 130;

export function open(path: string): Predictor {
  const saved = TeamPolicy.load(readBytes(path), path);
  return {
    talks: true,
    describe: () => describe(saved),
    reads: [],
    predict: (paths, options) => answer(saved, onlyPath(paths), options),
  };
}

function describe(policy: TeamPolicy): string[] {
  const { team, settings } = policy;
  const { model, rounds, order, messageTokens } = settings.discussion;
  return [
    `topology policy of ${HYPERAGENT_MODEL.system}: which of ${team.agents.length} agents read each other, by question`,
    ...team.agents.map(({ name, role, model: own }) => `  ${name}${own ? ` (${own})` : ''}: ${role}`),
    `anchors      ${
      team
        .named(team.anchors)
        .map((group) => group.join('+'))
        .join('; ') || 'none'
    }`,
    `discussion   ${rounds} rounds (${order}), then a summariser; model "${model}"; about ${messageTokens} tokens a message`,
    `policy       ${parameterCount(policy.policy).toLocaleString('en')} parameters; no key and no transcript is kept`,
    'other agents: gossamer predict FILE questions.jsonl --agents other.json --endpoint URL',
  ];
}

async function answer(saved: TeamPolicy, path: string, options: PredictOptions): Promise<Predictions> {
  const flags = options.talk ?? { dryRun: false };
  const questions = loadQuestions(path);
  const team = flags.agents === undefined ? saved.team : AgentTeam.from(readJson(flags.agents), flags.agents);
  const policy = saved.withTeam(team).withDiscussion(flags.chatModel === undefined ? {} : { model: flags.chatModel });
  const plans = questions.map(({ question }) => policy.plan(question, flags.maxTokens));
  return flags.dryRun ? planned(policy, questions, plans) : discussed(policy, questions, plans, options);
}

const groupsOf = (policy: TeamPolicy, { topology }: Plan) =>
  policy.team
    .named(topology.groups)
    .map((group) => group.join('+'))
    .join('; ') || 'none';

/** What would be asked. */
function planned(policy: TeamPolicy, questions: readonly Question[], plans: readonly Plan[]): Predictions {
  return {
    columns: ['question', 'groups', 'calls', 'agent tokens (estimate)', 'summariser tokens (estimate)'],
    rows: plans.map((plan, at) => {
      const { calls, agents, summariser } = plan.estimate;
      const tokens = [totalTokens(agents), totalTokens(summariser)] as const;
      return [questions[at]?.question ?? '', groupsOf(policy, plan), calls, ...tokens];
    }),
  };
}

/** Answers so far, when Ctrl-C or a refusal ends the discussions early. */
async function discussed(
  policy: TeamPolicy,
  questions: readonly Question[],
  plans: readonly Plan[],
  { talk = { dryRun: false }, note }: PredictOptions,
): Promise<Predictions> {
  const chat = connect(talk);
  const { signal, release } = interruptSignal();
  const held: (Discussion | undefined)[] = questions.map(() => undefined);
  let [next, ended] = [0, undefined as Error | undefined];
  const work = async () => {
    while (next < questions.length && !ended) {
      const at = next++;
      const { question } = questions[at] as Question;
      const options = { ...policy.settings.discussion, signal };
      try {
        held[at] = await discuss(chat, policy.team, question, (plans[at] as Plan).topology, options);
      } catch (error) {
        ended ??= error as Error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  release();
  const done = held.filter((own) => own !== undefined);
  if (ended && done.length === 0) throw ended;
  if (ended) {
    process.exitCode = signal.aborted ? INTERRUPTED : 2;
    note(
      `ended early: ${signal.aborted ? 'interrupted' : ended.message}; ${done.length} of ${questions.length} answered`,
    );
  }
  noteTotals(questions, held, note);
  return {
    columns: [
      ...['question', 'answer', 'expected', 'right', 'groups', 'agent prompt tokens', 'agent completion tokens'],
      ...['summariser prompt tokens', 'summariser completion tokens'],
    ],
    rows: held.flatMap((own, at) => (own ? [rowOf(policy, questions[at] as Question, plans[at] as Plan, own)] : [])),
  };
}

function rowOf(policy: TeamPolicy, { question, answer: expected }: Question, plan: Plan, own: Discussion) {
  const { agents, summariser } = own.tokens;
  return [
    question,
    own.answer === undefined ? '' : printable(finalText(own.answer)),
    expected ?? '',
    expected === undefined ? '' : String(isAnswered(own, expected)),
    groupsOf(policy, plan),
    ...[agents.prompt, agents.completion, summariser.prompt, summariser.completion],
  ];
}

function isAnswered({ answer: said }: Discussion, expected: string): boolean {
  return said !== undefined && isRight(said, expected);
}

/** Replies are foreign text: control characters must not reach a terminal. */
function printable(text: string): string {
  return text.replace(/\p{C}+/gu, ' ');
}

function noteTotals(
  questions: readonly Question[],
  held: readonly (Discussion | undefined)[],
  note: (text: string) => void,
): void {
  const pairs = held.flatMap((own, at) => (own ? [{ own, expected: questions[at]?.answer }] : []));
  const known = pairs.flatMap(({ own, expected }) => (expected === undefined ? [] : [isAnswered(own, expected)]));
  const failures = pairs.flatMap(({ own }) => own.failures);
  const sum = (of: (own: Discussion) => number) => pairs.reduce((total, { own }) => total + of(own), 0);
  if (known.length > 0) note(`${known.filter(Boolean).length} of ${known.length} right`);
  note(
    `tokens: agents ${sum(({ tokens }) => tokens.agents.prompt)} prompt + ${sum(({ tokens }) => tokens.agents.completion)} completion, ` +
      `summariser ${sum(({ tokens }) => tokens.summariser.prompt)} + ${sum(({ tokens }) => tokens.summariser.completion)}`,
  );
  if (pairs.some(({ own }) => own.estimated)) note('the server did not count all tokens: they are estimates');
  if (failures.length > 0) note(`${failures.length} calls failed, such as ${failures[0]}`);
}
