// Studies of sparse cells: what a search with planted cues chooses, and what sparse kernels gain.

import { searchSparsely, toSparse } from '../../compress/index.js';
import type { ImageDataset, LabelledImages } from '../../data/index.js';
import { secondsInTurns } from '../../engine/index.js';
import { genotypeNetwork, genotypes } from '../../models/index.js';
import {
  BatchNorm2d,
  Conv2d,
  inference,
  type Layer,
  Linear,
  MixedOperator,
  type Mode,
  runSequence,
  stateOf,
} from '../../nn/index.js';
import { globalAveragePool, Random, relu, type Tensor, zeros } from '../../tensor/index.js';
import { compile, type KernelChoice } from '../../trace/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { awaitOnOneThread } from '../parts/threads.js';

const [SIDE, CHANNELS] = [8, 4] as const;
/** Share of the images whose brightness tells their class; stripes always do. */
const HONEST = 0.85;

/** Pictures of two classes: stripes across or down, mostly dark or bright with them. */
export function plantedCues(images: number, random: Random): ImageDataset {
  const size = SIDE ** 2;
  const labels = Int32Array.from({ length: images }, () => random.integer(2));
  const pixels = new Uint8Array(images * size);
  for (const [image, label] of labels.entries()) {
    const isHonest = random.integer(1000) < 1000 * HONEST;
    const level = (label === 1) === isHonest ? 150 : 105;
    for (let at = 0; at < size; at++) {
      const place = label === 1 ? at % SIDE : Math.floor(at / SIDE);
      pixels[image * size + at] = Math.max(
        0,
        Math.min(255, level + (place % 2 === 0 ? 25 : -25) + 8 * random.gaussian()),
      );
    }
  }
  const all: LabelledImages = { count: images, channels: 1, height: SIDE, width: SIDE, pixels, labels };
  return { name: 'planted', classes: ['dark', 'bright'], train: all, test: all, mean: [0.5], deviation: [0.2] };
}

/**
 * One mixed edge: a separable convolution, which sees stripes, or a skip, which sees brightness.
 */
class PlantedEdge implements Layer {
  readonly mixed: MixedOperator;
  readonly lift: Conv2d;
  readonly fc: Linear;

  constructor(random: Random) {
    this.lift = new Conv2d(1, CHANNELS, 1, random);
    const conv = [
      new Conv2d(CHANNELS, CHANNELS, 3, random, { padding: 1, groups: CHANNELS, bias: false }),
      new Conv2d(CHANNELS, CHANNELS, 1, random, { bias: false }),
      new BatchNorm2d(CHANNELS),
      { forward: (x: Tensor) => relu(x) },
    ];
    this.mixed = new MixedOperator({ convolution: conv, skip: [] }, random);
    this.fc = new Linear(CHANNELS, 2, random);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.fc.forward(globalAveragePool(runSequence([this.mixed], this.lift.forward(x), mode)));
  }
}

/** Name under which the study holds the share of searches that chose the convolution. */
export const chosenAt = (keep: number) => `planted, convolution at ${keep}`;

/** Share kept of the sparse search: about a tap a channel. */
export const PLANTED_KEEP = 0.12;

/** Searches on planted cues, dense and sparse, several seeds each. */
export async function plantedStudy(
  { searches, images, epochs }: { readonly searches: number; readonly images: number; readonly epochs: number },
  context: RunContext,
): Promise<StudyResults> {
  const random = context.random.split('planted');
  const rows: (string | number)[][] = [];
  const scores: Record<string, number> = {};
  for (const keep of [1, PLANTED_KEEP]) {
    const shares: number[] = [];
    for (let seed = 0; seed < searches; seed++) {
      const own = random.split(seed);
      const model = new PlantedEdge(own.split('model'));
      await searchSparsely(model, plantedCues(images, own.split('data')), own.split(`search ${keep}`), {
        ...{ keep, batchSize: 16, architectureRate: 0.02 },
        epochs: { pretrain: epochs, prune: Math.ceil(epochs / 2), finetune: epochs },
        learningRates: { pretrain: 0.1, prune: 0.1, finetune: 0.1 },
        ...(context.signal && { signal: context.signal }),
      });
      context.signal?.throwIfAborted();
      shares.push(model.mixed.shares().convolution as number);
    }
    const chosen = shares.filter((share) => share > 0.5).length;
    rows.push([keep, `${chosen} of ${searches}`, shares.map((share) => share.toFixed(2)).join(', ')]);
    scores[chosenAt(keep)] = chosen / searches;
  }
  return studyOf(
    {
      title: 'Search on planted cues',
      columns: ['share kept', 'convolution chosen', 'its share, by seed'],
      rows,
      note: `One edge chooses between a separable 3×3 convolution and a skip. The brightness of a picture tells its class in ${100 * HONEST} %, and a skip sees it; the direction of its stripes always does, and takes several taps.`,
    },
    scores,
  );
}

/** Names of the speed scores. */
export const SPEED = { pointwise: 'sparse kernels, 1×1', network: 'sparse kernels, network' } as const;

/** The published cells for 99 % zeros with 1 % of random weights, dense and on sparse kernels. */
export async function cellSpeedStudy(width: number): Promise<StudyResults> {
  const random = new Random(1);
  const model = genotypeNetwork(genotypes['dass-99'], { channels: 3, width, cells: 8 }, random);
  const sparse = toSparse(model, random);
  sparse.scoreByMagnitude();
  sparse.set(0.01, 'weights');
  sparse.bake();
  const example = zeros([1, 3, 32, 32]);
  return awaitOnOneThread(async () => {
    const choices: KernelChoice[] = [];
    const planOf = (options: Parameters<typeof compile>[2]) =>
      compile((x) => model.forward(x, inference), [example], { weights: stateOf(model), ...options });
    const plans = {
      dense: planOf({ sparse: false }),
      sparse: planOf({ sparse: { choose: 'measured', onChoice: (choice) => choices.push(choice) } }),
    };
    const seconds = await secondsInTurns(
      { dense: () => void plans.dense.run(example), sparse: () => void plans.sparse.run(example) },
      { repeats: 30, warmUp: 3 },
    );
    const pointwise = choices.filter(({ shape, milliseconds }) => milliseconds && shape[2] === 1 && shape[3] === 1);
    const time = (kernel: 'dense' | 'sparse') =>
      pointwise.reduce((sum, { milliseconds }) => sum + (milliseconds?.[kernel] ?? 0), 0);
    const gains = {
      [SPEED.pointwise]: time('dense') / time('sparse'),
      [SPEED.network]: seconds.dense / seconds.sparse,
    };
    for (const plan of Object.values(plans)) plan.dispose();
    return studyOf(
      {
        title: 'Speed of sparse cells',
        columns: ['', 'dense (ms)', '1 % of the weights, sparse kernels (ms)', 'times faster'],
        rows: [
          [
            `${pointwise.length} 1×1 convolutions`,
            time('dense').toFixed(3),
            time('sparse').toFixed(3),
            gains[SPEED.pointwise]?.toFixed(2) ?? '',
          ],
          [
            'network',
            (1000 * seconds.dense).toFixed(3),
            (1000 * seconds.sparse).toFixed(3),
            gains[SPEED.network]?.toFixed(2) ?? '',
          ],
        ],
        note: `The published cells for 99 % zeros, C = ${width}, 8 cells, an image of 3×32×32, one thread. 1×1 convolutions are timed layer by layer, those that could be sparse; the network in turns.`,
      },
      gains,
    );
  });
}
