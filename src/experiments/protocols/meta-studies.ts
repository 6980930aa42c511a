// What a metanetwork is beside pruning: a bijection, a forward pass, and whether it serves a wider
// network than those that it learnt from.

import {
  adaptedCurve,
  applyMetanetwork,
  graphFeatures,
  type Metanetwork,
  networkGraph,
  weightsOfFeatures,
} from '../../compress/index.js';
import type { ImageDataset } from '../../data/index.js';
import { type Layer, parameterCount, parameters, stateOf } from '../../nn/index.js';
import { Random, scope, zeros } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';
import { baseNetwork, copyOf, type MadeMetanetwork, type MetaRun, normSpread, speedups } from './meta-pruning.js';

export const FORWARD = {
  lost: 'weights that come back otherwise',
  seconds: 'seconds of the feedforward',
} as const;
export const WIDER = 'wider network at 4×, above group L2';

/** Weights of a network that are not bit for bit the same after the way to a graph and back. */
export function lostWeights(model: Layer, data: ImageDataset): number {
  const { channels, height, width } = data.train;
  return scope(() => {
    const graph = networkGraph(model, zeros([1, channels, height, width]));
    const back = weightsOfFeatures(graph, graphFeatures(graph, stateOf(model)));
    return Object.entries(parameters(model)).reduce((lost, [name, weight]) => {
      const own = back[name]?.view();
      return lost + weight.view().reduce((sum, value, i) => sum + Number(!Object.is(value, own?.[i])), 0);
    }, 0);
  });
}

/** The way to a graph and back, and the seconds of the feedforward and of what came before. */
export function forwardStudy(
  { metanetwork, heldOut, epoch, seconds: [networks, meta] }: MadeMetanetwork,
  data: ImageDataset,
  { width, metaEpochs }: MetaRun,
): StudyResults {
  const model = copyOf(heldOut, data, width);
  const lost = lostWeights(model, data);
  const seconds = applyMetanetwork(metanetwork, model, data);
  return studyOf(
    {
      title: 'The metanetwork',
      columns: [
        'weights of a network',
        'come back otherwise',
        'feedforward (s)',
        'data models (s)',
        'meta-training (s)',
        'epoch',
      ],
      rows: [
        [
          ...[parameterCount(model), lost, seconds.toFixed(3), networks.toFixed(0), meta.toFixed(0)],
          `${epoch} of ${metaEpochs}`,
        ],
      ],
      note: 'Two data models are learnt from, a third chooses the epoch; meta-training includes that choice. The feedforward is all that pruning another network takes of the metanetwork.',
    },
    { [FORWARD.lost]: lost, [FORWARD.seconds]: seconds },
  );
}

/** How much wider the other network is. */
const FACTOR = 1.5;
/** Rate of the training before pruning. */
const RATE = 3e-3;

/** A wider network of the same architecture, pruned with the metanetwork and without. */
export async function widerStudy(
  { metanetwork }: MadeMetanetwork,
  { data, final }: { readonly data: ImageDataset; readonly final: ImageDataset },
  values: MetaRun,
  context: Pick<RunContext, 'signal'>,
): Promise<StudyResults> {
  const { adaptEpochs, batch } = values;
  const width = Math.round(FACTOR * values.width);
  const random = new Random(0).split('wider');
  const model = await baseNetwork(data, { ...values, width }, random, context);
  const training = { batchSize: batch, learningRate: RATE, signal: context.signal };
  const curve = (own: Metanetwork | undefined) =>
    adaptedCurve(own, model, data, final.test, random, { speedups, adaptEpochs, training });
  const [plain, changed] = [await curve(undefined), await curve(metanetwork)];
  const spread = normSpread(model, data);
  applyMetanetwork(metanetwork, model, data);
  const percent = (share: number) => (100 * share).toFixed(1);
  return studyOf(
    {
      title: 'A wider network',
      columns: ['', ...speedups.map((speedup) => `${speedup}× (%)`), 'norm spread'],
      rows: [
        ['group L2 norm', ...plain.accuracies.map(percent), spread.toFixed(2)],
        ['metanetwork', ...changed.accuracies.map(percent), normSpread(model, data).toFixed(2)],
      ],
      note: `A network of ${width}, ${2 * width} and ${4 * width} channels, which the metanetwork never saw the like of: test accuracy right after pruning, after ${adaptEpochs} epochs of training before it.`,
    },
    { [WIDER]: 100 * ((changed.accuracies.at(-1) as number) - (plain.accuracies.at(-1) as number)) },
  );
}

/** All of them. */
export async function metaStudies(
  made: MadeMetanetwork,
  own: { readonly data: ImageDataset; readonly final: ImageDataset },
  values: MetaRun,
  context: Pick<RunContext, 'signal'>,
): Promise<StudyResults> {
  return joinStudies(forwardStudy(made, own.data, values), await widerStudy(made, own, values, context));
}
