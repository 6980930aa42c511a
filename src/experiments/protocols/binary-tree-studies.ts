// What random signs give, and how fast trees are evaluated: studies beside the training.

import {
  channelStar,
  filtersOf,
  majorityRatio,
  nearestChain,
  orderTimes,
  type SignRows,
  spanningTree,
  spanningTreeFrom,
  treeMeasures,
} from '../../compress/index.js';
import { availableThreads } from '../../engine/index.js';
import { Random } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { joinStudies, noStudies, studyOf } from '../parts/studies.js';
import { awaitOnOneThread, withThreads } from '../parts/threads.js';

/** Channels and weights of a channel. */
const shapes = [
  [64, 288],
  [64, 576],
  [128, 576],
] as const;

/** Scores of the studies. */
export const TIMES = {
  share: 'speed-up over R_op, least',
  rows: 'times faster than packed rows, least',
  levels: 'time by depths over that of the tree from channel 0',
} as const;

function randomRows(channels: number, length: number, random: Random): SignRows {
  return { channels, length, values: random.uniform([channels, length], -1, 1).dataSync() };
}

/** Operations of random signs, which ratios of trained networks are read against. */
export function randomStudy(samples: number): StudyResults {
  const random = new Random(0).split('random signs');
  const table = shapes.map(([channels, length]) => {
    const all = Array.from({ length: samples }, () => {
      const rows = randomRows(channels, length, random);
      const tree = spanningTree(rows);
      const [chain, star] = [nearestChain(rows), channelStar(rows)].map((order) => treeMeasures(rows, order).ratio);
      const own = treeMeasures(rows, tree);
      const depths = Array.from({ length: channels }, (_, root) => spanningTreeFrom(rows, root).depth);
      return [
        ...[own.ratio, chain, majorityRatio(rows), star, own.bitsRatio, tree.depth, depths[0], Math.max(...depths)],
      ] as number[];
    });
    const means = (all[0] as number[]).map((_, at) => all.reduce((sum, row) => sum + (row[at] as number), 0) / samples);
    return { channels, length, means };
  });
  return studyOf({
    title: 'Random signs',
    note: `Means of ${samples} samples. R_op of orders of channels: near 2.2 it shows nothing.`,
    columns: [
      ...['N×L', 'tree', 'chain', 'star, majority', 'star, best channel', 'R_bits'],
      ...['depth, best root', 'from channel 0', 'worst root'],
    ],
    rows: table.map(({ channels, length, means }) => [
      `${channels}×${length}`,
      ...means.slice(0, 5).map((value) => value.toFixed(2)),
      ...means.slice(5).map((value) => value.toFixed(1)),
    ]),
  });
}

/** Signs whose channels differ from one before them in a share of their places. */
function plantedRows(channels: number, length: number, share: number, random: Random): SignRows {
  const values = Float32Array.from(randomRows(channels, length, random).values);
  for (let channel = 1; channel < channels; channel++) {
    const parent = Math.floor(random.float() * channel);
    const places = random.permutation(length).subarray(0, Math.round(share * length));
    values.copyWithin(channel * length, parent * length, (parent + 1) * length);
    for (const place of places) values[channel * length + place] = -(values[channel * length + place] as number);
  }
  return { values, channels, length };
}

/** Share of differing weights of planted trees: an R_op near 3.6, as training reaches. */
const PLANTED = 0.27;
/** Images and side of maps of 4096 pixels, and side of those of less than 128. */
const [IMAGES, LARGE, SMALL] = [4, 32, 8];

/** Times of layers on one thread: along the tree, in full, and packed row by row. */
async function layerStudy(): Promise<StudyResults> {
  const random = new Random(0).split('planted');
  const rows: (readonly (string | number)[])[] = [];
  const [shares, overRows]: [number[], number[]] = [[], []];
  for (const [channels, length] of [...shapes, [128, 1152] as const]) {
    const own = plantedRows(channels, length, PLANTED, random);
    const tree = spanningTree(own);
    const { ratio } = treeMeasures(own, tree);
    const weight = filtersOf({ shape: [channels, length / 9, 3, 3], values: own.values });
    const orders = { direct: { codes: new Int32Array(channels).fill(-1) }, tree: { codes: tree.codes } };
    const times = await awaitOnOneThread(() =>
      orderTimes(weight, orders, { images: IMAGES, side: LARGE, repeats: 25 }),
    );
    weight.dispose();
    shares.push(times.direct / times.tree / ratio);
    overRows.push(times.rows / times.tree);
    rows.push([
      `${channels}×${length}`,
      ratio.toFixed(2),
      ...[times.tree, times.direct, times.rows].map((time) => time.toFixed(3)),
      ...[times.direct / times.tree, times.direct / times.tree / ratio, times.rows / times.tree].map((value) =>
        value.toFixed(2),
      ),
    ]);
  }
  return studyOf(
    {
      title: 'Time of a layer, ms',
      note: 'Planted trees; 4 maps of 32×32 on one thread, signs at the end. Packed rows lie ready: their windows are not timed.',
      columns: ['N×L', 'R_op', 'tree', 'direct', 'packed rows', 'direct/tree', 'over R_op', 'rows/tree'],
      rows,
    },
    { [TIMES.share]: Math.min(...shares), [TIMES.rows]: Math.min(...overRows) },
  );
}

/**
 * Time of channels side by side by depths, on two threads: of the chosen root and of channel 0. On
 * one thread nothing is side by side, and there is no study.
 */
export async function levelStudy(available = availableThreads()): Promise<StudyResults> {
  const threads = 2;
  if (available < threads) return noStudies;
  const random = new Random(0).split('levels');
  const rows: (readonly (string | number)[])[] = [];
  const [chosen, first]: [number[], number[]] = [[], []];
  for (const [channels, length] of [...shapes, [256, 2304] as const]) {
    const own = randomRows(channels, length, random);
    const [best, from] = [spanningTree(own), spanningTreeFrom(own, 0)];
    const weight = filtersOf({ shape: [channels, length / 9, 3, 3], values: own.values });
    const schedule = 'levels' as const;
    const times = await withThreads(threads, () =>
      orderTimes(
        weight,
        {
          best: { codes: best.codes, schedule },
          first: { codes: from.codes, schedule },
          pixels: { codes: best.codes },
        },
        { side: SMALL, repeats: 40 },
      ),
    );
    weight.dispose();
    chosen.push(times.best);
    first.push(times.first);
    rows.push([
      ...[`${channels}×${length}`, best.depth, from.depth],
      ...[times.best, times.first, times.pixels].map((time) => time.toFixed(3)),
      (times.best / times.first).toFixed(2),
    ]);
  }
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return studyOf(
    {
      title: `Channels of one depth side by side, ${threads} threads, ms`,
      note: 'Random signs; 64 pixels, which are one vector, so that pixels leave nothing to share. One thread: all channels on one.',
      columns: ['N×L', 'depth', 'depth from 0', 'chosen root', 'from channel 0', 'one thread', 'chosen/0'],
      rows,
    },
    { [TIMES.levels]: sum(chosen) / sum(first) },
  );
}

/** All studies. @param times whether layers are timed */
export async function treeStudies(samples: number, times: boolean): Promise<StudyResults> {
  const random = randomStudy(samples);
  return times ? joinStudies(random, await layerStudy(), await levelStudy()) : joinStudies(random, noStudies);
}
