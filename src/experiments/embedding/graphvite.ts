// GraphVite: pairs are drawn while others train, in a grid of blocks that share no rows; vectors as
// good as those of LINE and DeepWalk on as many pairs, in less time.

import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { choice, count } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { describeEmbeddingGraph, loadEmbeddingGraph } from '../protocols/embeddings.js';
import { gridClaims, labelledNetworks } from '../protocols/grid-claims.js';
import { gridMethod, gridMethodOptions, gridMethods, gridMetrics, gridTask } from '../protocols/grid-methods.js';
import { budgetStudy, bufferStudy, rateStudy, timeToQuality } from '../protocols/grid-studies.js';

const options = {
  ...gridMethodOptions,
  studies: choice(['all', 'quality', 'none'], 'studies of speed and memory, or of time to quality alone', {
    smoke: 'all',
  }),
  speedEdges: count(1_000_000, 'edges of the graph in the studies of speed', { smoke: 8000, minimum: 4000 }),
  speedPairs: count(3_000_000, 'pairs of each measurement of speed', { smoke: 40_000, minimum: 20_000 }),
};

export const experiment = defineExperiment({
  options,
  datasets: ['blocks', ...labelledNetworks],
  ownData:
    'an edge list (.csv, .tsv, .txt, .gz, .parquet), a folder with edges.csv and labels.csv, or a .npz archive with edges [E, 2] and labels',
  reproduction: [
    { data: 'blocks', seeds: 1, set: { pairs: 3_000_000 } },
    { data: 'ppi', seeds: 3, set: { studies: 'quality' } },
    { data: 'wikipedia-pos', seeds: 2, set: { studies: 'quality' } },
    { data: 'blogcatalog', seeds: 1, set: { studies: 'quality' } },
    ...labelledNetworks.map((data) => ({ data, seeds: 3, set: { studies: 'quality', pairs: 60_000_000 }, long: true })),
  ],
  metrics: gridMetrics,
  methods: (values) => gridMethods(values).map(({ title }) => title),
  notes: (values) => [
    `Vectors of the whole graph without labels, ${values.pairs.toLocaleString('en')} pairs and ${values.dim} columns for each method but FastRP. A linear layer with bias (full-batch descent, rate 1, momentum 0.9, decay 2e-5, at most ${values.probe} steps) learns from a tenth, or half, of the labelled nodes; each other node gets as many labels as it truly has. Means of ${values.splits} splits a seed.`,
    `Each method has ${values.trials} settings, all trained; of every split one is chosen on halves of its own tenth. GraphVite tries the step, LINE its order and negatives, DeepWalk window and negatives, node2vec p, q and window, FastRP β and α₄. Seconds are of one setting.`,
    'Links: AUC of V·C for GraphVite, of V·V for the others, whose contexts are not part of their result; usual settings, a tenth of the edges held out.',
  ],
  load: loadEmbeddingGraph,
  describe: describeEmbeddingGraph,
  async runSeed(data, values, context) {
    const task = gridTask(data, values, context.random);
    return runMethods(
      gridMethods(values).map((method) => gridMethod(method, task, values)),
      context,
    );
  },
  async studies(data, values) {
    if (values.studies === 'none') return noStudies;
    const quality = data.labels ? await timeToQuality(data, values) : noStudies;
    if (values.studies === 'quality') return quality;
    return joinStudies(quality, await rateStudy(values), await bufferStudy(values), await budgetStudy(values));
  },
  claims: gridClaims,
  unmeasured: {
    minute: 'no machine with 4 GPUs: the study of pairs a second derives the time of these epochs on this one',
    hours: 'likewise, and the graph does not fit',
  },
});
