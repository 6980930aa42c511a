// The baselines of sparse networks beside another system of the library.

import { exampleInput, removeChannels, sparseBaselines, trainOnExamples } from '../../compress/index.js';
import { disposeWeights, heInitialize, stateOf } from '../../nn/index.js';
import { scope } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import type { SubNetworkValues } from './sparse-arms.js';
import { parentOf, type SubNetworkData } from './sparse-sub-networks.js';

/** Channels of the trained parent pruned by magnitude, beside the baselines, in one call. */
export async function prunedStudy(
  data: SubNetworkData,
  values: SubNetworkValues,
  context: RunContext,
): Promise<StudyResults> {
  const { repeats, candidates, searchSet, epochs, batch } = values;
  const [sparsity, random] = [0.9, context.random.split('pruned')];
  const model = parentOf(data, values, random);
  const training = { epochs, batchSize: batch, signal: context.signal };
  const { arms, margins } = await sparseBaselines(model, data, {
    ...{ ...training, sparsity, candidates, searchSet, repeats, random, initialize: heInitialize },
    methods: {
      'pruned channels': async (own, stream) => {
        await trainOnExamples(own, data.train, stream, training);
        scope(() => removeChannels(own, exampleInput(data.train), { ratio: sparsity, roundTo: 1 }));
      },
    },
    onProgress: (done) => context.progress('pruned channels beside the baselines', done),
  });
  disposeWeights(stateOf(model));
  const marginOver = (name: string) => margins.find((own) => own.name === 'pruned channels' && own.over === name);
  const percent = (value: number) => (100 * value).toFixed(2);
  return studyOf(
    {
      title: 'Pruned channels beside the baselines, in one call',
      columns: ['arm', 'parameters', 'accuracy (%)', 'pruned channels ahead by (points)', '95 % interval'],
      rows: arms.map(({ name, parameters: size, score }) => {
        const margin = marginOver(name);
        const cells = margin ? [percent(margin.mean), `${percent(margin.low)} to ${percent(margin.high)}`] : ['', ''];
        return [name, size, percent(score), ...cells];
      }),
      note: `sparseBaselines with 90 % of the nodes off, ${repeats} seeds; the pruned parent was trained for as many epochs before. Intervals are over seeds and test images, both drawn again.`,
    },
    {
      'margin over random': 100 * (marginOver('random')?.mean ?? Number.NaN),
      'margin over random search': 100 * (marginOver('random-search')?.mean ?? Number.NaN),
    },
  );
}
