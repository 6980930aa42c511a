// HDHGN: programs as heterogeneous directed hypergraphs of their syntax trees, beside networks of
// trees, graphs and untyped hypergraphs, and bags of tokens.

import { fetchIfMissing } from '../../data/node.js';
import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { accuracy, macroF1, parameters, seconds } from '../parts/metrics.js';
import { loadPrograms, type ProgramData, programSets } from '../protocols/program-data.js';
import {
  GAT,
  GCN,
  HDHGN_TITLE as HDHGN,
  NO_ROLES,
  NO_TYPES,
  PLAIN,
  type ProgramOptions,
  programOptions,
  programTitles,
  runPrograms,
  TBCNN,
  UNIGRAMS,
} from '../protocols/programs.js';

type Run = Evidence<ProgramOptions>;

const { abstract, ours } = claimsOf<ProgramOptions>();
const [ROLES, FIELDS, JAVA] = programSets;

/** Mean accuracy of HDHGN above the best of some methods. */
const aboveBest = (run: Run, methods: readonly string[]) =>
  Math.min(...methods.map((method) => run.gain(HDHGN, method, 'accuracy')));

/** Whether a run compares all methods on anonymised files, as it does unless told otherwise. */
const isCorpus = ({ arms, anonymise }: ProgramOptions) =>
  (arms === 'all' || arms === 'ablations') && anonymise === 'yes';

const claims = [
  ...where({ data: [ROLES] }, [
    ours('Roles: accuracy of HDHGN, least of the seeds (%)', atLeast(95), (e) =>
      e.least((score) => score(HDHGN, 'accuracy')),
    ),
    ours('Roles: accuracy of HDHGN without roles, most of the seeds (%)', atMost(60), (e) =>
      e.most((score) => score(NO_ROLES, 'accuracy')),
    ),
  ]),
  ...where({ data: [FIELDS] }, [
    ours('Fields: accuracy of HDHGN, least of the seeds (%)', atLeast(95), (e) =>
      e.least((score) => score(HDHGN, 'accuracy')),
    ),
    ...[GCN, PLAIN, NO_TYPES].map((method) =>
      ours(`Fields: accuracy of ${method}, most of the seeds (%)`, atMost(40), (e) =>
        e.most((score) => score(method, 'accuracy')),
      ),
    ),
  ]),
  // Of the Java corpus, and of a person's own.
  ...(['full', 'few'] as const).flatMap((setting) =>
    where({ when: (options) => isCorpus(options) && options.setting === setting }, [
      abstract('accuracy', `Corpus, ${setting}: HDHGN above TBCNN (AST-based) (points)`, above(0), (e) =>
        aboveBest(e, [TBCNN]),
      ),
      abstract('accuracy', `Corpus, ${setting}: HDHGN above the best GNN (points)`, above(0), (e) =>
        aboveBest(e, [GCN, GAT]),
      ),
      ours(`Corpus, ${setting}: HDHGN above the best GNN (points)`, atLeast(-4), (e) => aboveBest(e, [GCN, GAT])),
      ours(`Corpus, ${setting}: HDHGN above ridge on 1-grams (points)`, atLeast(0), (e) => aboveBest(e, [UNIGRAMS])),
    ]),
  ),
];

export const experiment = defineExperiment({
  options: programOptions,
  datasets: programSets,
  ownData:
    'a folder with a folder of .py, .java or .ts files for each class, such as Project CodeNet’s Python800, or a table ' +
    'or JSON lines with the columns code and label (language=java)',
  presets: {
    roles: { arms: 'roles', anonymise: 'no', width: 16, layers: 1, epochs: 15, trialEpochs: 15 },
    fields: { arms: 'types', anonymise: 'no', epochs: 15, trials: 1 },
  },
  reproduction: [
    { data: ROLES },
    { data: FIELDS },
    { data: JAVA },
    { data: JAVA, set: { setting: 'few', batch: 8, epochs: 36, trialEpochs: 8 } },
  ],
  metrics: { accuracy, macroF1, seconds, parameters },
  methods: (values) => programTitles(values),
  notes: ({ trials, setting, schedule }) => [
    'Split and weights are drawn anew in each seed, the same for all methods; equal programs are on one side. The best ' +
      'epoch and learning rate (of ridge λ) are chosen on validation programs, the test programs are scored once.',
    ...(schedule === 'cosine'
      ? [
          'The learning rate of every network falls along a cosine: at a constant one the validation accuracy of the ' +
            'attention networks jumps by tens of points between epochs while their training loss falls.',
        ]
      : []),
    `Every method has ${trials} settings to choose from; ${setting === 'few' ? 'few' : 'full'} setting. Names and strings of corpora are replaced (⟨id⟩, ⟨str⟩${setting === 'few' ? ', ⟨num⟩' : ''}), comments dropped.`,
    ...(setting === 'few'
      ? ['All classes have as many training programs, so that the majority is the first of them.']
      : []),
    'GCN, GAT and HGNN⁺ have the embedding, GraphNorm, attention read-out and classifier of HDHGN; TBCNN has its own max pooling and classifier.',
  ],
  async load(source, values: ProgramOptions, onDownload) {
    await fetchIfMissing(source, onDownload);
    return loadPrograms(source, values);
  },
  describe: ({ name, labels, classes, left }: ProgramData) =>
    [`${name}: ${labels.length} programs, ${classes.length} classes`, ...(left ? [left] : [])].join('; '),
  runSeed: (data, values, context) => runPrograms(data, values, context),
  claims,
});
