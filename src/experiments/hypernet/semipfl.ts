// SemiPFL: users whose rows stay with them, few or none labelled, get a classifier each, beside
// federated averaging and a hypernetwork of classifiers with the same donors' labels.

import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment, type RunContext } from '../parts/contract.js';
import { type Method, type MethodRun, runMethods } from '../parts/methods.js';
import { macroF1, relabelled, seconds } from '../parts/metrics.js';
import { choice, count, number, type OptionValues, text } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { type Setting, settingsOf, tuned } from '../parts/tuning.js';
import {
  describeSensors,
  drawFederation,
  loadSensors,
  type SensorData,
  sensorSets,
} from '../protocols/federated-data.js';
import {
  type AutoencoderSource,
  type ClassifierSettings,
  federatedScores,
  type SemiPFLSettings,
  surely,
  type TrainedFederation,
  trainClassifiers,
  trainSemiPFL,
} from '../protocols/federated-methods.js';
import { ablationStudy, costStudy, hardwareStudy, labelStudy, userStudy } from '../protocols/federated-studies.js';

const options = {
  exchanges: count(400, 'exchanges with users in all, for every method', { smoke: 12 }),
  perRound: count(4, 'users of a round'),
  donors: count(8, 'people whose labelled windows the server holds', { minimum: 3 }),
  labels: number(5, 'labelled windows of a user; a share of its windows below 1', { minimum: 0 }),
  users: count(28, 'users at most', { smoke: 3 }),
  trials: count(2, 'settings tried for each method, on donors that stand in as users', { smoke: 1 }),
  steps: count(100, 'steps of the base models', { smoke: 5 }),
  statistics: choice(['donors', 'user'], 'whose statistics windows are standardised by'),
  studies: choice(['yes', 'no'], 'whether labels, users, devices, parts and costs are studied', { smoke: 'yes' }),
  user: text('user', 'your own table: the column of users'),
  target: text('target', 'your own table: the column of activities'),
};

type Options = OptionValues<typeof options>;
type Run = Evidence<Options>;

const SEMI = 'SemiPFL';
const AVERAGED = 'FedAvg with donors as clients, tuned locally';
const PSEUDO = 'FedAvg with donors and pseudo-labels';
const GLOBAL = 'one autoencoder for all, base models';
const OWN = 'an autoencoder alone, base models';
const rivals = [AVERAGED, PSEUDO, GLOBAL, OWN];
const [DONORS, LOCAL, HYPER] = ['donors only', 'own labels only', 'pFedHN of classifiers'];
/** Donors that stand in as users where settings are chosen. */
const HELD_OUT = 2;
/** Trials have this share of the exchanges. */
const TRIAL = 0.5;

const semiOf = ({ exchanges, perRound, steps }: Options, source: AutoencoderSource, set: Setting): SemiPFLSettings => ({
  ...{ exchanges, perRound, source, learningRate: Number(set.learningRate ?? 1e-3) },
  base: { steps, relevant: Number(set.relevant ?? 0.8) },
  lastEpochs: source === 'global' ? Number(set.lastEpochs ?? 0) : 5,
});

const classifierOf = ({ exchanges, perRound }: Options, of: Partial<ClassifierSettings>): ClassifierSettings => ({
  ...{ exchanges, perRound, server: 'average', donors: true, users: true, objective: 'classify' },
  ...{ tuning: 0, learningRate: 1e-3, ...of },
});

const averaged = { tuning: 20 } as const;
const pseudo = { objective: 'pseudo' } as const;

function methodsOf(data: SensorData, values: Options, context: RunContext): Method<TrainedFederation>[] {
  const draw = (heldOut: number) => drawFederation(data, { ...values, heldOut }, context.random.split('draw'));
  const [all, trial] = [draw(0), draw(HELD_OUT)];
  type Train = (set: Setting, of: typeof all, run: MethodRun, own: Options) => Promise<TrainedFederation>;
  const half = { ...values, exchanges: Math.ceil(TRIAL * values.exchanges) };
  const method = (title: string, grid: Readonly<Record<string, readonly (number | string)[]>>, train: Train) =>
    tuned<Setting, TrainedFederation>({
      title,
      settings: settingsOf(grid, values.trials, context.random.split('settings')),
      train: (set, run) => train(set, all, run, values),
      trial: (set, run) => train(set, trial, run, half),
      // Users that are donors: their test windows are the donors' own.
      validation: (model) => federatedScores(model, { ...trial, users: trial.users.slice(0, HELD_OUT) }).f1 as number,
      score: (model) => federatedScores(model, all),
    });
  const semi = (title: string, source: AutoencoderSource, grid: Readonly<Record<string, readonly number[]>>) =>
    method(title, grid, (set, of, { random, hooks }, own) => trainSemiPFL(of, semiOf(own, source, set), random, hooks));
  const classifier = (
    title: string,
    of: Partial<ClassifierSettings>,
    grid: Readonly<Record<string, readonly number[]>>,
  ) =>
    method(title, grid, (set, drawn, { random, hooks }, own) =>
      trainClassifiers(drawn, classifierOf(own, { ...of, ...(set as Partial<ClassifierSettings>) }), random, hooks),
    );
  const rates = { learningRate: [1e-3, 3e-3] };
  return [
    semi(SEMI, 'hypernetwork', { learningRate: [1e-3, 4e-4] }),
    classifier(AVERAGED, averaged, rates),
    classifier(PSEUDO, pseudo, { confidence: [0.9, 0.8, 0.95] }),
    semi(GLOBAL, 'global', { lastEpochs: [0, 5] }),
    semi(OWN, 'own', { relevant: [0.8, 1] }),
    classifier(DONORS, { users: false }, rates),
    ...(values.labels > 0
      ? [
          classifier(LOCAL, { server: 'none', tuning: 100 }, rates),
          classifier(HYPER, { server: 'hypernetwork', tuning: 5 }, rates),
        ]
      : []),
  ];
}

const { abstract, ours } = claimsOf<Options>();
const lead = (e: Run, other: string) =>
  surely(e.scores(SEMI, 'f1').map((value, seed) => value - (e.scores(other, 'f1')[seed] as number)));

const claims = [
  ...where<Options>({ when: ({ studies }) => studies === 'yes' }, [
    ours('Uploads in int8: bytes that they save, as a multiple', atLeast(3.5), (e) => e.study('int8')),
  ]),
  ...where({ when: ({ exchanges }) => exchanges >= 200 }, [
    ...where({ data: ['wisdm', 'sensors-strong'] }, [
      abstract('performance', 'Weighted F1 ahead of the best rival, less two standard errors (points)', above(0), (e) =>
        Math.min(...rivals.map((other) => lead(e, other))),
      ),
      ...where({ when: ({ labels }) => labels === 0 }, [
        abstract('unlabelled', 'Without labels: ahead of the donors alone (points)', above(0), (e) =>
          e.gain(SEMI, DONORS, 'f1'),
        ),
        ours('Without labels: ahead of one autoencoder for all (points)', atLeast(5), (e) =>
          e.gain(SEMI, GLOBAL, 'f1'),
        ),
      ]),
      ...where({ when: ({ labels }) => labels > 0 }, [
        ours('With labels: ahead of what a user learns alone (points)', above(0), (e) => e.gain(SEMI, LOCAL, 'f1')),
      ]),
    ]),
    abstract('network', 'Bytes of a user to 95 % of the own F1: least of FedAvg’s, as a multiple', above(1), (e) =>
      e.study('bytesUntil'),
    ),
    abstract('network', 'Bytes of a user in all: least of FedAvg’s, as a multiple', above(1), (e) =>
      e.study('bytesAll'),
    ),
    abstract(
      'computation',
      'Multiply-adds of a user to 95 % of the own F1: least of FedAvg’s, as a multiple',
      above(1),
      (e) => e.study('workUntil'),
    ),
    abstract('computation', 'Multiply-adds of a user in all: least of FedAvg’s, as a multiple', above(1), (e) =>
      e.study('workAll'),
    ),
    abstract('labels', '70 % of the labels against none, less two standard errors (points)', above(0), (e) =>
      e.study('moreLabels'),
    ),
    ours('More labels: the most that a step loses (points, as a gain)', atLeast(-1), (e) => e.study('worstStep')),
    abstract('users', 'All users against five, less two standard errors (points)', above(0), (e) =>
      e.study('moreUsers'),
    ),
    abstract('hardware', 'Three kinds of devices: the most that is lost (points)', atMost(3), (e) =>
      e.study('hardwareLoss'),
    ),
    ours('Ahead of an untrained hypernetwork, less two standard errors (points)', above(0), (e) =>
      e.study('untrained'),
    ),
  ]),
];

export const experiment = defineExperiment({
  options,
  datasets: sensorSets,
  ownData:
    'a table (.csv, .tsv, .parquet …) with a column of users (--set user=…) and one of classes (--set target=…), or a folder with such a table for each user',
  reproduction: [
    ...['wisdm', 'sensors-strong'].flatMap((data) => [
      { data },
      ...[0, 20].map((labels) => ({ data, set: { labels, studies: 'no' as const }, long: data !== 'wisdm' })),
    ]),
    { data: 'sensors-mild', seeds: 2, set: { studies: 'no' } },
  ],
  metrics: {
    f1: { label: 'weighted F1', unit: '%', digits: 1, better: 'larger' },
    worst: { label: 'worst user', unit: '%', digits: 1, better: 'larger' },
    macro: macroF1,
    megabytes: { label: 'MB a user', digits: 2, better: 'smaller' },
    work: { label: '10⁹ multiply-adds a user', digits: 2, better: 'smaller' },
    seconds: relabelled(seconds, { label: 'all users, simulated' }),
  },
  methods: ({ labels }) => [SEMI, ...rivals, DONORS, ...(labels > 0 ? [LOCAL, HYPER] : [])] as string[],
  notes: ({ donors, trials, labels }) => [
    `Simulated on one machine. A seed draws ${donors} donors, whose labels the server holds; all others are users with ${labels} labels each. Of each user and activity the earlier 70 % train, the later windows test; scores are means over all users after the last round.`,
    `Each method chooses one of ${trials} settings on ${HELD_OUT} donors that stand in as users, after half of the exchanges; users choose nothing.`,
  ],
  load: loadSensors,
  describe: describeSensors,
  async runSeed(data, values, context) {
    const { methods } = await runMethods(methodsOf(data, values, context), context);
    return { methods };
  },
  async studies(data, values, context) {
    if (values.studies === 'no') return noStudies;
    const setting = { data, draw: values, semi: semiOf(values, 'hypernetwork', {}), context };
    return joinStudies(
      await labelStudy(setting),
      await userStudy(setting),
      await hardwareStudy(setting),
      await ablationStudy(setting),
      await costStudy(setting, { [AVERAGED]: classifierOf(values, averaged), [PSEUDO]: classifierOf(values, pseudo) }),
    );
  },
  claims,
});
