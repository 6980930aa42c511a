// HyperAgent: which groups of agents talk is learnt per query, so that easy queries cost little and
// hard ones get the talk they need. On a simulated team; on GSM8K where a model is at hand.

import { AgentTeam, SKILLS } from '../../hypergraph/index.js';
import { defineExperiment, type RunContext } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { accuracy, relabelled, seconds } from '../parts/metrics.js';
import { choice, type OptionValues } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import {
  HYPERAGENT,
  learnedMethods,
  learnedTitles,
  type Planned,
  policyModel,
} from '../protocols/learned-topologies.js';
import {
  fixedPlanners,
  fixedTitles,
  oracleTitles,
  simulatedOptions,
  simulatedScores,
  simulatedTask,
} from '../protocols/simulated-teams.js';
import { teamClaims } from '../protocols/team-claims.js';
import {
  drawQuestions,
  questionMethods,
  questionOptions,
  questionTask,
  questionTitles,
} from '../protocols/team-questions.js';
import { reachStudy, sparsityStudy } from '../protocols/team-studies.js';

const options = {
  ...simulatedOptions,
  team: choice(['simulated', 'models'], 'who answers: closed forms, or a model at the endpoint; follows from the data'),
  ...questionOptions,
};

type Options = OptionValues<typeof options>;
/** The option that goes with GSM8K. */
const MODELS = { team: 'models' } as const;

type Data = { readonly name: 'simulated' } | ({ readonly name: 'gsm8k' } & ReturnType<typeof questionTask>);

async function runSimulated(values: Options, context: RunContext) {
  const task = simulatedTask(values, context.random.split('queries'));
  const fixed = Object.entries(fixedPlanners(task)).map(([title, make]) => ({
    title,
    train: (): Planned => ({ planner: make() }),
  }));
  const order = new Map([...fixed, ...learnedMethods(task, values)].map((method) => [method.title, method]));
  const methods = titles(values).flatMap((title) => order.get(title) ?? []);
  const { methods: scores, kept } = await runMethods(methods, context, {
    score: ({ planner }, { random }) => simulatedScores(task.team, planner, task.test, random.split('test')),
    keep: HYPERAGENT,
  });
  const team = new AgentTeam(task.team.roles.map((role, at) => ({ name: SKILLS[at] as string, role })));
  return {
    methods: scores,
    artifacts: () => (kept?.policy ? { model: policyModel(team, kept.policy) } : {}),
  };
}

function titles({ team }: Pick<Options, 'team'>): readonly string[] {
  return team === 'models' ? questionTitles : [...fixedTitles, ...learnedTitles, ...oracleTitles];
}

const tokens = { label: 'tokens a query', digits: 0, better: 'smaller' } as const;

export const experiment = defineExperiment({
  options,
  datasets: ['simulated', 'gsm8k'],
  ownData: 'questions of your own, by gossamer fit --model hyperagent',
  presets: { gsm8k: MODELS },
  reproduction: [{ data: 'simulated' }, { data: 'simulated', set: { focus: 0.9 } }],
  metrics: {
    accuracy,
    tokens,
    utility: { label: 'utility', digits: 3, better: 'larger' },
    easyTokens: relabelled(tokens, { label: 'tokens, one skill' }),
    hardTokens: relabelled(tokens, { label: 'tokens, four skills' }),
    interval: { label: '95 % interval ±', unit: 'points', digits: 1, better: 'neither' },
    promptTokens: relabelled(tokens, { label: 'agents’ prompts' }),
    completionTokens: relabelled(tokens, { label: 'agents’ messages' }),
    summariserTokens: relabelled(tokens, { label: 'summariser' }),
    trainingTokens: { label: 'tokens of training', digits: 0, better: 'neither' },
    seconds,
  },
  methods: titles,
  notes: ({ team, focus, trials }) =>
    team === 'models'
      ? [
          'One model and the same prompts for all methods; the interval is of a share among the questions. Tokens of training are apart.',
        ]
      : [
          `Simulated: six specialists, success and tokens in closed form; no language model is behind any figure. A message that is not needed leaves ${focus} of the success, which is assumed.`,
          'Utility is accuracy less half the share of the complete topology’s tokens. "Best fixed" is the best of all 2¹⁵ sets of pairs on the training queries. "Oracle" knows the skills of each query.',
          `Each learned method tries ${trials} settings of β and the learning rate with a third of the passes, chosen by utility on validation queries; δ is 0.5. G-Designer and random triples are means over ten draws; G-Designer’s links are read one way.`,
          'Counterfactual credit plays each sketch once more for each pair, fifteen times as often.',
        ],
  load: (source: string, values: Options): Data => {
    if (source !== 'simulated' && source !== 'gsm8k')
      throw new Error(`"${source}" is not known here; there are simulated and gsm8k`);
    const { team } = source === 'gsm8k' ? MODELS : ({ team: 'simulated' } as const);
    if (values.team !== team) throw new Error(`team=${values.team} does not fit ${source}; leave it out`);
    return source === 'gsm8k' ? { name: source, ...questionTask(values) } : { name: source };
  },
  describe: (data) =>
    data.name === 'simulated'
      ? `simulated team of ${SKILLS.length} agents`
      : `GSM8K: ${data.train.length} and ${data.test.length} questions`,
  async runSeed(data, values, context) {
    if (data.name === 'simulated') return runSimulated(values, context);
    return runMethods(questionMethods(drawQuestions(data, values, context.random.split('questions')), values), context);
  },
  studies: async (data, values, context) =>
    data.name === 'simulated' ? joinStudies(reachStudy(), await sparsityStudy(values, context)) : noStudies,
  claims: teamClaims,
});
