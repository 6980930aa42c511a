// NAT: joint neighbourhoods kept in caches of fixed size predict links better than
// representations alone and than heuristics, at constant cost an event.

import {
  commonNeighbours,
  destinationDegree,
  edgeBank,
  NAT,
  natScorer,
  type TemporalScorer,
  trainTemporal,
} from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import { atLeast, claimsOf, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { type Method, runMethods } from '../parts/methods.js';
import { choice, count, type OptionValues, rate } from '../parts/options.js';
import { scoringStudy } from '../protocols/link-speed.js';
import {
  describeLinks,
  heuristicMethod,
  type LinkModel,
  type LinkTask,
  linkMetrics,
  linkOptions,
  linkScores,
  linkSets,
  linkTask,
  loadLinks,
} from '../protocols/links.js';

const options = {
  ...linkOptions,
  epochs: count(6, 'epochs at most', { smoke: 2 }),
  learningRate: rate(1e-3, "Adam's learning rate"),
  near: count(32, 'slots of the 1-hop cache', { smoke: 16 }),
  far: count(16, 'slots of the 2-hop cache', { smoke: 8 }),
  aggregate: choice(['sum', 'attention'], 'how joint neighbours are pooled'),
  timeUnit: rate(3600, 'times are divided by it: an hour of seconds'),
};

type Options = OptionValues<typeof options>;

const BANK = 'EdgeBank';
const COMMON = 'common neighbours';
const OFF = 'NAT without caches';
const ONE = 'NAT, one hop';
const TWO = 'NAT, two hops';

const heuristics: Readonly<Record<string, (graph: TemporalGraph) => TemporalScorer>> = {
  [BANK]: edgeBank,
  [COMMON]: commonNeighbours,
  degree: destinationDegree,
};

function natMethod(title: string, slots: readonly number[], task: LinkTask, values: Options): Method<LinkModel> {
  const { epochs, learningRate, aggregate, timeUnit } = values;
  const { graph, split, batch } = task;
  return {
    title,
    async train({ random, hooks }) {
      const model = new NAT(graph, random, { slots, aggregate, timeUnit });
      const training = { epochs, learningRate, batchSize: batch, ...hooks };
      const { seen } = await trainTemporal(model, graph, split, random, training);
      return { scorer: natScorer(model), seen, parameters: parameterCount(model) };
    },
  };
}

const { abstract, ours } = claimsOf<Options>();
const real = linkSets.filter((name) => name !== 'triadic');

const claims = [
  ...where({ data: ['triadic'] }, [
    ours('One hop above no caches (points of average precision)', atLeast(10), (e) => e.gain(ONE, OFF, 'ap')),
    ours('One hop above common neighbours (points of average precision)', atLeast(2), (e) => e.gain(ONE, COMMON, 'ap')),
    ours('Events scored a second: times those of features from sampled walks', atLeast(4), (e) => e.study('walkRatio')),
    ours('Events scored a second: times those of node memories', atLeast(1), (e) => e.study('memoryRatio')),
  ]),
  ...where({ data: ['collegemsg', 'wikipedia'] }, [
    ours('One hop above no caches (points of average precision)', atLeast(8), (e) => e.gain(ONE, OFF, 'ap')),
    ours('One hop above EdgeBank (points of average precision)', atLeast(2), (e) => e.gain(ONE, BANK, 'ap')),
  ]),
  ...where({ data: real }, [
    abstract('jointSpeed', 'Events scored a second: times those of features from sampled walks', atLeast(4.1), (e) =>
      e.study('walkRatio'),
    ),
    abstract('speed', 'Events scored a second: times those of node memories', atLeast(1.6), (e) =>
      e.study('memoryRatio'),
    ),
  ]),
];

const untrained = 'of the baselines that it names, walks and memories are timed alone, not trained';

export const experiment = defineExperiment({
  options,
  datasets: linkSets,
  ownData: 'a table (.csv, .tsv, also .gz) with columns source, target and t',
  presets: { triadic: { events: 6000, timeUnit: 1 } },
  reproduction: [
    { data: 'triadic', seeds: 2 },
    { data: 'collegemsg', set: { epochs: 4 } },
    { data: 'collegemsg', set: { epochs: 4, setting: 'inductive' } },
    { data: 'wikipedia', set: { epochs: 4 } },
  ],
  metrics: linkMetrics,
  methods: () => [...Object.keys(heuristics), OFF, ONE, TWO],
  notes: ({ batch, setting }) => [
    'Each event is told from one with a random destination seen before; all methods see the stream in batches of ' +
      `${batch}, whose events they take in after scoring them. Average precision and AUC are means over batches.`,
    setting === 'inductive'
      ? 'Inductive: every test event has a node that training never saw.'
      : 'Transductive: the last 15 % of the events, whose nodes may be old or new.',
  ],
  load: loadLinks,
  describe: describeLinks,
  async runSeed(data, values, context) {
    const task = linkTask(data, values, context.random);
    const { near, far } = values;
    const { methods } = await runMethods<LinkModel>(
      [
        ...Object.entries(heuristics).map(([title, create]) => heuristicMethod(title, create, task)),
        natMethod(OFF, [], task, values),
        natMethod(ONE, [near], task, values),
        natMethod(TWO, [near, far], task, values),
      ],
      context,
      { score: (model) => linkScores(model, task, context.random.split('test')) },
    );
    return { methods };
  },
  studies: ({ graph }, { near, batch }, { random }) => scoringStudy(graph, random, { slots: [near], batch }),
  claims,
  unmeasured: { transductive: untrained, inductive: untrained },
});
