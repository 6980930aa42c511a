// The layer-level study: networks of three blocks of one kind, with each spatial operation, at
// several widths and expansions, trained alike.

import { exampleOf } from '../../compress/index.js';
import { firstImages, type ImageDataset } from '../../data/index.js';
import { accuracyOn, Bottleneck, projection, trainOnImages } from '../../models/index.js';
import {
  Activation,
  type BlockOperator,
  blockOperator,
  disposeWeights,
  type Layer,
  Linear,
  type Mode,
  runSequence,
  type Sequence,
  stateOf,
} from '../../nn/index.js';
import { globalAveragePool, maxPool2d, type Random, type Tensor } from '../../tensor/index.js';
import { ConvNorm, MetaMobileBlock, searchSpace } from '../../vision/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { noStudies, studyOf } from '../parts/studies.js';
import { timesInTurns } from './image-timings.js';
import { countsOf } from './pf-networks.js';

/** A kind of block at a width, and of inverted ones at an expansion. */
export interface LayerCell {
  readonly kind: 'bottleneck' | 'inverted';
  /** Over the usual widths. */
  readonly width: number;
  /** Hidden channels over channels of an inverted bottleneck. */
  readonly expansion: number;
}

const WIDTHS = [1, 1.5];
const EXPANSIONS = [3, 6];

/** All cells; bottlenecks narrow their channels to a quarter. */
export const layerCells: readonly LayerCell[] = WIDTHS.flatMap((width) => [
  { kind: 'bottleneck', width, expansion: 1 / 4 },
  ...EXPANSIONS.map((expansion) => ({ kind: 'inverted', width, expansion }) as const),
]);

const STRIDES = [1, 2, 2] as const;

/** Layers in order, as one. */
class Steps implements Layer {
  constructor(readonly steps: Sequence) {}

  forward(x: Tensor, mode: Mode): Tensor {
    return runSequence(this.steps, x, mode);
  }
}

/** A stem that halves the map twice or once, three blocks of strides 1, 2 and 2, a linear layer. */
class ThreeBlocks implements Layer {
  readonly stem: ConvNorm;
  readonly blocks: Sequence;
  readonly fc: Linear;

  constructor(
    { kind, width, expansion }: LayerCell,
    operator: BlockOperator,
    { channels, classes }: { readonly channels: number; readonly classes: number },
    random: Random,
  ) {
    const [stem, widths] = kind === 'bottleneck' ? [16, [32, 64, 128]] : [16, [16, 24, 32]];
    let last = Math.round(stem * width);
    this.stem = new ConvNorm(channels, last, random, { kernel: 3 });
    this.blocks = widths.map((own, at) => {
      const [inner, stride] = [last, STRIDES[at] as number];
      last = Math.round(own * width);
      return kind === 'bottleneck'
        ? new Bottleneck(inner, last / Bottleneck.expansion, stride, projection, random, { operator })
        : inverted(inner, last, { operator, stride, expansion }, random);
    });
    this.fc = new Linear(last, classes, random);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const stem = maxPool2d(this.stem.forward(x, mode, 'relu'), 3, { stride: 2, padding: 1 });
    return this.fc.forward(globalAveragePool(runSequence(this.blocks, stem, mode)));
  }
}

/** An inverted bottleneck, with a norm behind a depthwise convolution and none behind a pool. */
function inverted(
  channels: number,
  outChannels: number,
  { operator, stride, expansion }: { operator: BlockOperator; stride: number; expansion: number },
  random: Random,
): MetaMobileBlock {
  const hidden = channels * expansion;
  return new MetaMobileBlock(
    new Steps([new ConvNorm(channels, hidden, random), new Activation('relu6')]),
    new Steps(blockOperator(operator, hidden, random, { stride, activation: 'relu6' })),
    new ConvNorm(hidden, outChannels, random),
    { residual: stride === 1 && channels === outChannels },
  );
}

/** What the study is made with. */
export interface LayerStudyOptions {
  /** Training images; 0 makes no study. */
  readonly layerImages: number;
  readonly layerEpochs: number;
  readonly batch: number;
}

/** Names of the study's scores: means over the cells of a kind of block. */
export const layerScore = (what: 'accuracy' | 'ms', kind: LayerCell['kind'], operator: BlockOperator): string =>
  `${kind}, ${operator}: ${what}`;

interface LayerResult extends LayerCell {
  readonly operator: BlockOperator;
  readonly parameters: number;
  readonly accuracy: number;
  readonly milliseconds: number;
}

/** Trains every operator in every cell, one seed each; operators of a cell are timed in turns. */
export async function layerStudy(
  data: ImageDataset,
  options: LayerStudyOptions,
  context: RunContext,
  cells: readonly LayerCell[] = layerCells,
): Promise<StudyResults> {
  if (options.layerImages === 0) return noStudies;
  const own = { ...data, train: firstImages(data.train, options.layerImages) };
  const results: LayerResult[] = [];
  for (const [at, cell] of cells.entries()) {
    results.push(...(await cellResults(cell, own, options, context)));
    context.progress('layers', (at + 1) / cells.length);
  }
  const means = (['bottleneck', 'inverted'] as const).flatMap((kind) =>
    searchSpace.flatMap((operator) => {
      const mine = results.filter((result) => result.kind === kind && result.operator === operator);
      if (mine.length === 0) return [];
      const mean = (of: (result: LayerResult) => number) => mine.reduce((sum, one) => sum + of(one), 0) / mine.length;
      return [
        {
          kind,
          operator,
          accuracy: mean((one) => one.accuracy),
          parameters: mean((one) => one.parameters),
          milliseconds: mean((one) => one.milliseconds),
        },
      ];
    }),
  );
  return studyOf(
    {
      title: 'Operations of layers',
      columns: ['block', 'operation', 'accuracy (%)', 'parameters', 'an image (ms)'],
      rows: means.map(({ kind, operator, accuracy, parameters, milliseconds }) => [
        kind,
        operator,
        accuracy.toFixed(2),
        Math.round(parameters),
        milliseconds.toFixed(3),
      ]),
      note: `Networks of three blocks: bottlenecks at widths ${WIDTHS.join(' and ')}, inverted ones at those widths and expansions ${EXPANSIONS.join(' and ')}; means over these. ${own.train.count} images, ${options.layerEpochs} epochs, one seed each; plans on one thread.`,
    },
    Object.fromEntries(
      means.flatMap(({ kind, operator, accuracy, milliseconds }) => [
        [layerScore('accuracy', kind, operator), accuracy],
        [layerScore('ms', kind, operator), milliseconds],
      ]),
    ),
  );
}

async function cellResults(
  cell: LayerCell,
  data: ImageDataset,
  { layerEpochs, batch }: LayerStudyOptions,
  context: RunContext,
): Promise<LayerResult[]> {
  const { kind, width, expansion } = cell;
  const shape = { channels: data.train.channels, classes: data.classes.length };
  const random = context.random.split('layers').split(`${kind} ${width} ${expansion}`);
  const models = new Map<BlockOperator, Layer>();
  for (const operator of searchSpace) {
    context.signal?.throwIfAborted();
    const model = new ThreeBlocks(cell, operator, shape, random.split('model'));
    await trainOnImages(model, data, random.split('fit'), {
      ...{ epochs: layerEpochs, batchSize: batch, learningRate: 3e-3, weightDecay: 0.02, warmUp: 0.1 },
      signal: context.signal,
    });
    context.signal?.throwIfAborted();
    models.set(operator, model);
  }
  const arms = [...models].map(([title, model]) => ({ title, model }));
  const times = await timesInTurns(arms, data, { ms: { batch: 1, threads: 1, repeats: 30 } });
  const example = exampleOf(data);
  const results = [...models].map(([operator, model]) => ({
    ...cell,
    operator,
    parameters: countsOf(model, example).parameters,
    accuracy: 100 * accuracyOn(model, data.test, data),
    milliseconds: times.get(operator)?.ms ?? Number.NaN,
  }));
  example.dispose();
  for (const model of models.values()) disposeWeights(stateOf(model));
  return results;
}
