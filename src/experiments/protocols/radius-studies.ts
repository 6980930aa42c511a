// What a large radius costs in single precision, what a learnt one keeps, and what it takes.

import { secondsInTurns } from '../../engine/index.js';
import {
  H4G,
  type H4GOptions,
  type RadiusReport,
  radiusReport,
  SWEEP,
  scalingParameters,
  sweepPredictions,
} from '../../graph/index.js';
import { accuracy, BlockScaling, PoincareBall } from '../../nn/index.js';
import { erdosRenyi } from '../../structure/index.js';
import { keep, normalizeRows, type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';
import { encodeSides, KINDS, type TextGraphData, type TransferRun } from './text-graphs.js';
import { trainTransfer, type ZeroShotValues } from './zero-shot.js';

/** Vectors of the mechanism, their width, and the length that their norms lie around. */
const VECTORS = { count: 10_000, width: 48, length: 8, spread: 0.1 } as const;

const columns = ['lift', 'mean radius', 'deviation', 'clipped (%)', 'norms kept', 'distances kept'];
const rowOf = (name: string, { mean, deviation, clipped, norms, distances }: RadiusReport) => [
  name,
  mean.toFixed(2),
  deviation.toFixed(3),
  (100 * clipped).toFixed(1),
  Number.isNaN(norms) ? '–' : norms.toFixed(3),
  Number.isNaN(distances) ? '–' : distances.toFixed(3),
];
const KEPT = '“Kept”: Spearman’s correlation of norms and radii, and of distances before and after.';

/** Vectors of norms 8·exp(0.1·N(0, 1)): lifted as they are, scaled in one step, and in two. */
export function mechanism(random: Random): StudyResults {
  const { count, width, length, spread } = VECTORS;
  return scope(() => {
    const directions = normalizeRows(random.split('directions').normal([count, width]));
    const stream = random.split('norms');
    const norms = Float32Array.from({ length: count }, () => length * Math.exp(spread * stream.gaussian()));
    const u = directions.multiply(tensor(norms, [count, 1]));
    const [ball, scaling] = [new PoincareBall(), new BlockScaling(width)];
    const lifted = ball.exp(u);
    const of = (points: Tensor) => radiusReport({ ball }, u, points);
    const reports = {
      identity: of(lifted),
      contractive: of(ball.exp(scaling.forward(u))),
      twoSteps: of(ball.matrix((x) => scaling.forward(x), lifted)),
    };
    const names = {
      identity: 'S = I',
      contractive: 'contractive S, untrained',
      twoSteps: 'the same S after the lift',
    };
    const scores = Object.entries(reports).flatMap(([name, report]) => [
      [`${name} mean`, report.mean],
      [`${name} deviation`, report.deviation],
      [`${name} clipped`, 100 * report.clipped],
      [`${name} norms`, report.norms],
    ]);
    return studyOf(
      {
        title: 'Vectors of length 8·exp(0.1·N(0, 1)) in single precision',
        columns,
        rows: Object.entries(reports).map(([name, report]) => rowOf(names[name as keyof typeof names], report)),
        note: `${count.toLocaleString('en')} vectors of ${width} numbers, c = 1. ${KEPT}`,
      },
      Object.fromEntries(scores),
    );
  });
}

/**
 * Target nodes under S = I, the untrained and the trained S, and accuracy when all points shrink.
 */
export async function trainedRadii(
  run: TransferRun,
  values: ZeroShotValues,
  context: RunContext,
): Promise<StudyResults> {
  const random = context.random.split('radii');
  const train = (title: string, layout: H4GOptions) =>
    trainTransfer(run, layout, values, values, { random, hooks: { signal: context.hooks(title).signal } });
  const { textFeatures, hops, block, length } = values;
  const untrained = new H4G(textFeatures, random, { hops, block, length });
  const [identity, trained] = [await train('S = I', { scaling: 'none' }), await train('trained S', {})];
  const { target } = run;
  const arms = KINDS.flatMap((kind) => [
    { name: `S = I, ${kind}`, kind, network: identity.networks[kind] },
    { name: `untrained S, ${kind}`, kind, network: untrained },
    { name: `trained S, ${kind}`, kind, network: trained.networks[kind] },
  ]).map(({ name, kind, network }) => {
    const prepared = network.prepare(target.graphs[kind], target.vectors);
    const nodes = Int32Array.from(target.texts.keys());
    const report = scope(() =>
      radiusReport(network, network.nodeTangents(prepared, nodes), network.nodePoints(prepared, nodes)),
    );
    const swept = sweepPredictions(network, prepared, nodes, target.classVectors);
    return { name, report, accuracies: swept.map((predicted) => 100 * accuracy(predicted, target.labels)) };
  });
  return joinStudies(
    studyOf({
      title: 'Radii of target nodes',
      columns,
      rows: arms.map(({ name, report }) => rowOf(name, report)),
      note: `Vectors have length ρ, so that their norms tell nothing here. ${KEPT}`,
      plot: {
        kind: 'histogram',
        title: 'Radii of target nodes',
        x: 'radius',
        points: arms.flatMap(({ name, report }) => Array.from(report.radii, (x) => ({ method: name, x, y: 1 }))),
      },
    }),
    studyOf({
      title: 'Accuracy when all points are scaled, s ⊗ x',
      columns: ['s', ...SWEEP.map((s) => (s === 1 ? '1' : `1/${1 / s}`))],
      rows: arms.map(({ name, accuracies }) => [name, ...accuracies.map((value) => value.toFixed(1))]),
      note: 'Accuracy on the target nodes in %; nodes and class texts are scaled alike, after training.',
      plot: {
        kind: 'line',
        title: 'Accuracy when all points are scaled, s ⊗ x',
        x: 's (logarithmic)',
        y: 'accuracy (%)',
        logarithmic: true,
        points: arms.flatMap(({ name, accuracies }) =>
          accuracies.map((y, i) => ({ method: name, x: SWEEP[i] as number, y })),
        ),
      },
    }),
  );
}

/** Edges, classes and numbers of a text vector of the timed graph. */
const TIMED = { degree: 10, classes: 16, width: 256, rounds: { repeats: 9, warmUp: 2 } } as const;

/** What S adds: parameters, and time of a forward pass from text vectors to similarities. */
export async function overhead(nodes: number, random: Random): Promise<StudyResults> {
  const graph = erdosRenyi(random.split('graph'), nodes, TIMED.degree);
  const texts = keep(random.split('texts').normal([graph.nodeCount, TIMED.width]));
  const classes = keep(random.split('classes').normal([TIMED.classes, TIMED.width]));
  const all = Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
  const arm = (scaling: 'none' | 'contractive') => {
    const network = new H4G(TIMED.width, random, { scaling });
    const run = () => {
      const prepared = network.prepare(graph, texts);
      scope(() => {
        const points = network.points(prepared, all, classes);
        network.similarities(points.nodes, points.texts).view();
      });
      for (const hop of prepared.hops) hop.dispose();
    };
    return { network, run };
  };
  const [identity, scaled] = [arm('none'), arm('contractive')];
  const { without = Number.NaN, withScaling = Number.NaN } = await secondsInTurns(
    { without: identity.run, withScaling: scaled.run },
    TIMED.rounds,
  );
  const added = scalingParameters(scaled.network);
  const ratio = withScaling / without;
  texts.dispose();
  classes.dispose();
  return studyOf(
    {
      title: 'What S takes',
      columns: ['method', 'parameters of S', 'forward pass (ms)'],
      rows: [
        ['S = I', scalingParameters(identity.network), (1000 * without).toFixed(1)],
        ['H4G', added, (1000 * withScaling).toFixed(1)],
      ],
      note: `${graph.nodeCount.toLocaleString('en')} nodes, ${graph.edgeCount.toLocaleString('en')} edges, vectors of ${TIMED.width} numbers, blocks of 8: hops, points and distances to ${TIMED.classes} classes. Taking turns, the least of ${TIMED.rounds.repeats}.`,
    },
    { forwardRatio: ratio, scalingParameters: added, expectedParameters: TIMED.width * 8 + TIMED.width / 8 },
  );
}

/** All studies of a run. */
export async function radiusStudies(
  data: TextGraphData,
  values: ZeroShotValues,
  context: RunContext,
): Promise<StudyResults> {
  const { random, seed } = context;
  const run = encodeSides(data.sidesOf(random.split('data'), seed), values.textFeatures);
  return joinStudies(
    mechanism(random.split('mechanism')),
    await trainedRadii(run, values, context),
    await overhead(values.speedNodes, random.split('overhead')),
  );
}
