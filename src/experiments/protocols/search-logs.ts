// The search logs of DyNAS-T: sub-networks of OFA-MobileNetV3 with ImageNet accuracy, multiply-adds
// and parameters as its authors measured them.

import { fitPredictor, GeneSpace, hypervolume, ofaMobileNetV3, predictionQuality } from '../../compress/index.js';
import { readCsv } from '../../data/index.js';
import { findData, readUnpackedText } from '../../data/node.js';
import { median } from '../../engine/index.js';
import { Random } from '../../tensor/index.js';
import type { Scores, StudyResults } from '../parts/contract.js';
import { noStudies, studyOf } from '../parts/studies.js';
import { evaluationsTo, type Trace } from './search-arms.js';

/** A logged sub-network. */
interface LoggedNetwork {
  readonly genome: Int32Array;
  /** The genes as logged, those of layers that are not there among them. */
  readonly all: Int32Array;
  /** %. */
  readonly accuracy: number;
  /** Millions. */
  readonly macs: number;
}

const NAMES = {
  evolution: 'evonsga2_acc_macs',
  concurrent: 'linasnsga2_acc_macs',
  three: 'evounsga3_acc_macs_params',
  evolutionAlone: 'evoga_acc',
  concurrentAlone: 'linasga_acc',
} as const;

type LogName = keyof typeof NAMES;

/** Evaluations after which hypervolumes are compared with our reading of the logs. */
const AT = [50, 100, 200, 300, 500] as const;
/** What was read: hypervolumes in %·millions, best accuracies in %. */
const READ = { evolution: [350, 356, 386, 403, 445], concurrent: [356, 386, 445, 475, 488] } as const;

const space = new GeneSpace(ofaMobileNetV3);

/** Networks of a log in order. @throws Error naming the row that is no sub-network */
export function readSearchLog(text: string, name: string): readonly LoggedNetwork[] {
  const { columns, rows } = readCsv(text, name);
  const [macsAt, accuracyAt] = [columns.indexOf('MACs'), columns.indexOf('Top-1 Acc (%)')];
  return rows.map((row, i) => {
    const list = (key: string) => {
      const found = new RegExp(`'${key}': (\\[[^\\]]*\\])`).exec(row[0] ?? '')?.[1];
      if (found === undefined) throw new Error(`"${name}", row ${i + 1}: no list "${key}"`);
      return JSON.parse(found) as number[];
    };
    const [kernel, expand, depth] = [list('ks'), list('e'), list('d')];
    const { kernel: k, expand: e, depth: d } = ofaMobileNetV3;
    const choices = [
      [kernel, k],
      [expand, e],
      [depth, d],
    ] as const;
    return {
      genome: space.encode({ kernel, expand, depth }),
      all: Int32Array.from(choices.flatMap(([values, group]) => values.map((own) => group?.values.indexOf(own) ?? -1))),
      accuracy: Number(row[accuracyAt]),
      macs: Number(row[macsAt]) / 1e6,
    };
  });
}

/** The logs by name; undefined where they are not among the data sets. */
function searchLogs(): Readonly<Record<LogName, readonly LoggedNetwork[]>> | undefined {
  const paths = Object.entries(NAMES).map(([name, file]) => [name, findData(`dynas/mbnv3w10_${file}.csv`)] as const);
  if (paths.some(([, path]) => path === undefined)) return undefined;
  const entries = paths.map(([name, path = '']) => [name, readSearchLog(readUnpackedText(path), path)]);
  return Object.fromEntries(entries) as Record<LogName, readonly LoggedNetwork[]>;
}

/** Names of what the study of logs measures. */
export const LOGS = {
  off: 'logs, farthest hypervolume from our reading (%)',
  share: "logs, concurrent evaluations for NSGA-II's last hypervolume, share",
  macs: 'logs, τ of multiply-adds',
  macsAll: 'logs, τ of multiply-adds, all genes',
  accuracy: 'logs, τ of accuracy',
} as const;

/** Draws of training networks whose median τ counts. */
const DRAWS = 5;
/** Networks that a predictor learns from, and those that it is asked for. */
const [TRAINED, ASKED] = [100, 300];

/** Hypervolumes of the logs against evaluations, and ranks of predictors. */
export function searchLogStudy(): StudyResults {
  const logs = searchLogs();
  if (!logs) return noStudies;
  const trace = (name: LogName): Trace => logs[name].map(({ accuracy, macs }) => [-accuracy, macs]);
  const first = [...trace('evolution').slice(0, 50), ...trace('concurrent').slice(0, 50)];
  const reference = [0, 1].map((m) => Math.max(...first.map((point) => point[m] as number)));
  const volumes = (name: 'evolution' | 'concurrent') =>
    AT.map((count) => hypervolume(trace(name).slice(0, count), reference));
  const table = { evolution: volumes('evolution'), concurrent: volumes('concurrent') };
  const off = (['evolution', 'concurrent'] as const).flatMap((name) =>
    table[name].map((volume, i) => 100 * Math.abs(volume / (READ[name][i] as number) - 1)),
  );
  const last = hypervolume(trace('evolution'), reference);
  const passed = evaluationsTo(trace('concurrent'), last, reference);
  const scores: Scores = {
    [LOGS.off]: Math.max(...off),
    [LOGS.share]: passed / logs.evolution.length,
    ...ranksOf(logs),
  };
  return studyOf(
    {
      title: 'Search logs of OFA-MobileNetV3 on ImageNet (DyNAS-T)',
      columns: ['hypervolume after', ...AT.map(String), 'all'],
      rows: [
        ['NSGA-II', ...table.evolution.map((own) => own.toFixed(0)), last.toFixed(0)],
        [
          'LINAS',
          ...table.concurrent.map((own) => own.toFixed(0)),
          hypervolume(trace('concurrent'), reference).toFixed(0),
        ],
      ],
      note: `%·millions of multiply-adds, down to the worst of both first populations. LINAS passes NSGA-II's last value at evaluation ${passed} of ${logs.evolution.length}. Ridge regression on ${TRAINED} networks of all logs ranks ${ASKED} others with τ ${scores[LOGS.macs]?.toFixed(3)} for multiply-adds (${scores[LOGS.macsAll]?.toFixed(3)} from all genes, those of layers that are not there among them) and ${scores[LOGS.accuracy]?.toFixed(3)} for accuracy; medians of ${DRAWS} draws.`,
    },
    scores,
  );
}

/** Kendall's τ of ridge regression, medians over draws. */
function ranksOf(logs: Readonly<Record<LogName, readonly LoggedNetwork[]>>): Scores {
  const distinct = [
    ...new Map(
      Object.values(logs)
        .flat()
        .map((network) => [space.key(network.genome), network]),
    ).values(),
  ];
  const draw = (metric: 'macs' | 'accuracy', genes: (network: LoggedNetwork) => Int32Array, seed: number) => {
    const random = new Random(seed).split('logs');
    const order = Array.from(random.permutation(distinct.length), (i) => distinct[i] as LoggedNetwork);
    const [train, test] = [order.slice(0, TRAINED), order.slice(TRAINED, TRAINED + ASKED)];
    const fitted = fitPredictor(
      space.genes,
      train.map(genes),
      train.map((own) => own[metric]),
      random,
      {
        kinds: ['ridge'],
      },
    );
    return predictionQuality(
      fitted.predict(test.map(genes)),
      test.map((own) => own[metric]),
    ).kendall;
  };
  const middle = (...[metric, genes]: [Parameters<typeof draw>[0], Parameters<typeof draw>[1]]) =>
    median(Array.from({ length: DRAWS }, (_, seed) => draw(metric, genes, seed)));
  const active = ({ genome }: LoggedNetwork) => space.features(genome);
  return {
    [LOGS.macs]: middle('macs', active),
    [LOGS.macsAll]: middle('macs', ({ all }) => all),
    [LOGS.accuracy]: middle('accuracy', active),
  };
}
