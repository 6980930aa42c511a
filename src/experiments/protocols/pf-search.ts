// The search study: what a search chooses for each block, and how the found networks do beside
// random ones and those of one operation, all trained from new weights alike.

import { firstImages, type ImageDataset } from '../../data/index.js';
import { accuracyOn, trainOnImages } from '../../models/index.js';
import { type BlockOperator, disposeWeights, stateOf } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { nanoStrides, PfNano, type SearchedBlock, searchOperators, searchSpace } from '../../vision/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { noStudies, studyOf } from '../parts/studies.js';

/** What the study is made with. */
export interface SearchStudyOptions {
  /** Training images; 0 makes no study. */
  readonly searchImages: number;
  readonly searchEpochs: number;
  /** Searches, each with a seed of its own. */
  readonly searches: number;
  /** Networks of uniformly drawn operations. */
  readonly draws: number;
  readonly epochs: number;
  readonly batch: number;
}

/** Scores of the study. */
export const SEARCH = {
  share: 'search, share without parameters',
  found: 'search, accuracy of the found networks',
  random: 'search, accuracy of random networks',
} as const;

const withoutParameters: readonly string[] = ['max-pool', 'average-pool', 'none'];

/** The operations of a network whose blocks of stride 1 have these; the others have max pooling. */
const filled = (own: (block: number) => BlockOperator): BlockOperator[] =>
  nanoStrides.map((stride, block) => (stride === 1 ? own(block) : 'max-pool'));

/** Searches with several seeds, then trains what was found, random networks and pure ones. */
export async function searchStudy(
  data: ImageDataset,
  options: SearchStudyOptions,
  context: RunContext,
): Promise<StudyResults> {
  const { searchImages, searchEpochs, searches, draws, batch } = options;
  if (searchImages === 0) return noStudies;
  const own = { ...data, train: firstImages(data.train, searchImages) };
  const random = context.random.split('search');
  const nets = searches + draws + 2;
  let done = 0;
  const score = async (operators: readonly BlockOperator[], stream: Random) => {
    const accuracy = await trainedAccuracy(operators, own, options, stream, context);
    context.progress('search', ++done / nets);
    return accuracy;
  };
  const rows: { title: string; operators: readonly BlockOperator[]; accuracy: number }[] = [];
  const chosen: SearchedBlock[] = [];
  for (let seed = 0; seed < searches; seed++) {
    const stream = random.split('found').split(seed);
    const found = await searchOperators(own, stream, {
      ...{ epochs: searchEpochs, batchSize: batch, signal: context.signal },
    });
    context.signal?.throwIfAborted();
    chosen.push(...found.searched);
    const { operators } = found;
    rows.push({ title: `found, seed ${seed}`, operators, accuracy: await score(operators, stream.split('train')) });
  }
  for (let draw = 0; draw < draws; draw++) {
    const stream = random.split('random').split(draw);
    const operators = filled(() => searchSpace[stream.integer(searchSpace.length)] as BlockOperator);
    rows.push({ title: `random, draw ${draw}`, operators, accuracy: await score(operators, stream.split('train')) });
  }
  for (const operator of ['convolution', 'max-pool'] as const) {
    const operators = filled(() => operator);
    const accuracy = await score(operators, random.split(operator));
    rows.push({ title: operator, operators, accuracy });
  }
  const mean = (prefix: string) => {
    const own = rows.filter(({ title }) => title.startsWith(prefix));
    return own.reduce((sum, { accuracy }) => sum + accuracy, 0) / own.length;
  };
  return studyOf(
    {
      title: 'Search of operations',
      columns: ['network', ...nanoStrides.map((stride, at) => `block ${at + 1}, stride ${stride}`), 'accuracy (%)'],
      rows: rows.map(({ title, operators, accuracy }) => [title, ...operators, accuracy.toFixed(2)]),
      note: `Blocks of stride 1 are searched, each by itself, on ${own.train.count} images (half for weights, half for architecture weights) for ${searchEpochs} epochs; blocks of stride 2 have max pooling in all networks. Then all are trained alike on these images for ${options.epochs} epochs. The search reads no test image. ${shareText(chosen)}`,
    },
    { [SEARCH.share]: shareOf(chosen), [SEARCH.found]: mean('found'), [SEARCH.random]: mean('random') },
  );
}

const shareOf = (chosen: readonly SearchedBlock[]) =>
  chosen.filter(({ operator }) => withoutParameters.includes(operator)).length / chosen.length;

const shareText = (chosen: readonly SearchedBlock[]) =>
  `Chosen: ${searchSpace.map((name) => `${name} ${chosen.filter(({ operator }) => operator === name).length}`).join(', ')} of ${chosen.length}.`;

async function trainedAccuracy(
  operator: readonly BlockOperator[],
  data: ImageDataset,
  { epochs, batch }: SearchStudyOptions,
  random: Random,
  { signal }: RunContext,
): Promise<number> {
  const { channels } = data.train;
  const model = new PfNano(random.split('model'), { channels, classes: data.classes.length, operator });
  await trainOnImages(model, data, random.split('fit'), {
    ...{ epochs, batchSize: batch, learningRate: 3e-3, weightDecay: 0.02, warmUp: 0.1, signal },
  });
  signal?.throwIfAborted();
  const accuracy = 100 * accuracyOn(model, data.test, data);
  disposeWeights(stateOf(model));
  return accuracy;
}
