// Counting of digits on canvases by densities, with each context in the same network.

import { heatMap, heatOverlay, type Picture, pictureGrid, writePng } from '../../data/index.js';
import {
  CountModel,
  countErrors,
  DensityCounter,
  densitiesOf,
  tileTensor,
  trainCounter,
} from '../../hypergraph/index.js';
import { parameterCount, SoftHGNN, type SoftHGNNOptions } from '../../nn/index.js';
import { scope } from '../../tensor/index.js';
import type { Artifacts, RunContext, SeedOutcome } from '../parts/contract.js';
import { type MethodRun, runMethods } from '../parts/methods.js';
import { CANVAS, type Canvas, type CanvasData } from './digit-canvases.js';
import {
  armsOf,
  type ContextSetting,
  contextOf,
  contextSettings,
  contextTitles,
  SOFT,
  type TrainedArm,
} from './token-contexts.js';

/** Hyperparameters of counting. */
export interface CountingValues {
  readonly epochs: number;
  readonly batch: number;
  readonly trials: number;
  /** Share of the canvases that a trial trains on. */
  readonly tuning: number;
}

const soft: SoftHGNNOptions = { hyperedges: 8, heads: 8 };
const sparse: SoftHGNNOptions = { hyperedges: 16, heads: 8, selection: { dynamic: 32, k: 16, balance: 0.1 } };

/** The pixels of the counter's input, as canvases are grey. */
const READING = { channels: 1, scale: 1, background: 'black' } as const;
const WIDTHS = [16, 32, 64] as const;

async function trainOn(
  title: (typeof contextTitles)[number],
  data: Pick<CanvasData, 'train' | 'validation' | 'mean' | 'deviation'>,
  { learningRate, nearest }: ContextSetting,
  { epochs, batch }: CountingValues,
  { random, hooks }: MethodRun,
): Promise<TrainedArm<DensityCounter>> {
  const context = contextOf(title, { heads: 4, nearest, soft, sparse });
  const model = new DensityCounter({ widths: WIDTHS }, random.split('model'), { context });
  const options = { tile: CANVAS, epochs, batch, learningRate, ...hooks };
  const { bestMetric } = await trainCounter(model, data, random.split('fit'), options);
  hooks.signal?.throwIfAborted();
  return { model, validation: -(bestMetric ?? Number.POSITIVE_INFINITY) };
}

/** Tunes, trains and scores all arms of a seed from the same initial weights and batches. */
export async function runCounting(data: CanvasData, values: CountingValues, context: RunContext): Promise<SeedOutcome> {
  const fewer = { ...data, train: data.train.slice(0, Math.max(1, Math.round(values.tuning * data.train.length))) };
  const methods = armsOf(contextTitles, {
    settings: (title) => contextSettings(title, values.trials),
    ...{ once: data, whole: data, fewer },
    train: (title, own, setting, run) => trainOn(title, own, setting, values, run),
    score: (model: DensityCounter) => ({
      ...countErrors(densitiesOf(model, data.test, CANVAS, data), data.test),
      parameters: parameterCount(model),
    }),
  });
  const { methods: scored, kept } = await runMethods(methods, context, { stream: 'shared', keep: SOFT });
  return { methods: scored, artifacts: () => artifactsOf((kept as TrainedArm<DensityCounter>).model, data) };
}

/** The model file, the counts of some canvases, and pictures of densities and participation. */
function artifactsOf(network: DensityCounter, data: CanvasData): Artifacts {
  const { mean, deviation, train } = data;
  const things = train.reduce((sum, { points }) => sum + points.length / 2, 0);
  const description = {
    ...{ reading: READING, tile: CANVAS, widths: WIDTHS, context: soft, mean, deviation },
    trained: { data: 'digit-counts', pictures: train.length, things },
  };
  const canvases = data.test.slice(0, 200);
  const densities = densitiesOf(network, canvases, CANVAS, data);
  return {
    model: new CountModel(description, network).save(),
    predictions: {
      columns: ['canvas', 'digits', 'count'],
      rows: canvases.map(({ name, points }, i) => {
        const count = densities[i]?.values.reduce((sum, value) => sum + value, 0) ?? Number.NaN;
        return [name, points.length / 2, count.toFixed(2)];
      }),
    },
    pictures: canvases.slice(0, 4).map((canvas, i) => ({
      name: `canvas-${i}`,
      caption: `${canvas.name}, its density, and who takes part in each of ${soft.hyperedges} hyperedges`,
      png: writePng(
        pictureGrid(
          [
            pictureOf(canvas),
            heatOverlay(pictureOf(canvas), densities[i] as NonNullable<(typeof densities)[number]>),
            ...participationMaps(network, canvas, data),
          ],
          5,
        ),
      ),
    })),
  };
}

function pictureOf({ height, width, planes }: Canvas): Picture {
  return {
    height,
    width,
    pixels: Uint8Array.from({ length: 3 * height * width }, (_, i) => planes[Math.floor(i / 3)] as number),
  };
}

/** A map of participation for each hyperedge. */
function participationMaps(network: DensityCounter, canvas: Canvas, data: CanvasData): Picture[] {
  const { context } = network;
  if (!(context instanceof SoftHGNN)) return [];
  return scope(() => {
    const x = tileTensor([{ picture: canvas, top: 0, left: 0 }], CANVAS, data);
    const { weights } = context.participation(network.features(x));
    const [, used, rows, columns] = weights.shape as [number, number, number, number];
    const values = weights.dataSync<Float32Array>();
    return Array.from({ length: used }, (_, m) =>
      heatMap({ rows, columns, values: values.subarray(m * rows * columns, (m + 1) * rows * columns) }),
    );
  });
}
