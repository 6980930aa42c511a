// A seed of MST-compression: the plain binary network, the sweep of λ, the network chosen by it,
// and what stands beside it at as many operations or as short a tree.

import {
  majorityRatio,
  nearestChain,
  networkOperations,
  operationRatios,
  rowsOfLayer,
  type SignRows,
  spanningTree,
  spanningTreeFrom,
  treeBits,
  treeMeasures,
} from '../../compress/index.js';
import { type ImageDataset, imageTensor } from '../../data/index.js';
import type { BinaryNet } from '../../models/index.js';
import { binaryLayers, disposeWeights, inference, stateOf } from '../../nn/index.js';
import { scope, zeros } from '../../tensor/index.js';
import { deployedForm, ImageClassifier } from '../../vision/index.js';
import type { MethodScores, RunContext, Scores, SeedOutcome } from '../parts/contract.js';
import {
  type BinaryData,
  type BinaryTraining,
  chosenRate,
  narrowOptions,
  networkOptions,
  type PartRun,
  sharedEpochs,
  testAccuracy,
  trainArm,
  trainShared,
  trainWhole,
  validationAccuracy,
} from './binary-networks.js';
import { imageArtifacts } from './images.js';

export const PLAIN = 'binary network';
export const CHOSEN = 'trees, λ chosen';
export const FLAT = 'trees, μ = 0';
export const STAR = 'pulled to a star';
export const NARROW = 'narrow binary network';

/** λ of the sweep. */
export const strengths = [0.3, 1, 3, 6, 12] as const;
export const swept = (strength: number): string => `trees, λ = ${strength}`;
/** λ of networks beside the chosen one, over its own. */
const [FLAT_STRENGTHS, STAR_STRENGTHS] = [
  [1, 1.5],
  [0.7, 1.2],
] as const;
/** Points of accuracy that a chosen λ may cost on the images that choose. */
const DROP = 0.5;
/** Deviation of R_op at which two networks count as equally short. */
const EQUAL = 0.05;
/** R_op that the rate of narrow networks is chosen for. */
const USUAL_RATIO = 3.5;

/** The methods of a run, in order. */
export const treeMethods: readonly string[] = [PLAIN, ...strengths.map(swept), CHOSEN, FLAT, STAR, NARROW];

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** A trained network with the scores that its signs have. */
interface Arm {
  readonly model: BinaryNet;
  readonly strength: number;
  readonly scores: Scores & Record<'validation' | 'ratio' | 'depth', number>;
}

/** Operations, bits and depths of a network's trees. */
function treeScores(
  model: BinaryNet,
  data: ImageDataset,
  random: (rows: SignRows) => SignRows,
): Scores & {
  readonly ratio: number;
  readonly depth: number;
} {
  const { channels, height, width } = data.train;
  const example = zeros([1, channels, height, width]);
  const layers = Object.entries(binaryLayers(model)).map(([layer, own]) => {
    const rows = rowsOfLayer(own);
    const tree = spanningTree(rows);
    const chance = random(rows);
    return {
      ...{ layer, rows, tree, ...treeMeasures(rows, tree) },
      chance: treeMeasures(chance, spanningTree(chance)).ratio,
      chain: treeMeasures(rows, nearestChain(rows)).ratio,
      majority: majorityRatio(rows),
      firstDepth: spanningTreeFrom(rows, 0).depth,
    };
  });
  const ratiosBy = (field: 'ratio' | 'chance' | 'chain' | 'majority') =>
    operationRatios(
      networkOperations(
        model,
        example,
        layers.map((own) => ({ ...own, ratio: own[field] })),
      ),
    );
  const { layers: ratio, network } = ratiosBy('ratio');
  const total = (count: (own: (typeof layers)[number]) => number) => layers.reduce((sum, own) => sum + count(own), 0);
  const scores = {
    ...{ ratio, network, chain: ratiosBy('chain').layers, majority: ratiosBy('majority').layers },
    overRandom: ratio / ratiosBy('chance').layers,
    overChain: Math.min(...layers.map((own) => own.ratio / own.chain)),
    distance: total(({ tree }) => tree.total),
    share: 100 * (total(({ tree }) => tree.total) / total(({ direct }) => direct)),
    bits: total(({ direct }) => direct) / total(({ rows, tree }) => treeBits(rows, tree)),
    depth: mean(layers.map(({ tree }) => tree.depth)),
    firstDepth: mean(layers.map(({ firstDepth }) => firstDepth)),
  };
  example.dispose();
  return scores;
}

/** Largest difference of a logit between trees on planes of bits and the network itself. */
function largestDifference(model: BinaryNet, data: ImageDataset): number {
  return scope(() => {
    const some = Int32Array.from({ length: Math.min(64, data.test.count) }, (_, at) => at);
    const images = imageTensor(data.test, some, data);
    const [planes, direct] = [deployedForm(model), model].map((own) => own.forward(images, inference).dataSync());
    return Math.max(...(planes as Float32Array).map((value, at) => Math.abs(value - (direct?.[at] as number))));
  });
}

/** A score of arms at an R_op between theirs, or of one that is near; NaN beyond. */
export function scoreAt(arms: readonly { readonly scores: Scores }[], ratio: number, metric: string): number {
  const points = arms.map(({ scores }) => [scores.ratio as number, scores[metric] as number] as const);
  points.sort((a, b) => a[0] - b[0]);
  const after = points.findIndex(([own]) => own >= ratio);
  if (after > 0) {
    const [[x0, y0], [x1, y1]] = [points[after - 1], points[after]] as [
      readonly [number, number],
      readonly [number, number],
    ];
    return x1 === x0 ? y1 : y0 + ((ratio - x0) / (x1 - x0)) * (y1 - y0);
  }
  const nearest = after === 0 ? points[0] : points.at(-1);
  return nearest && Math.abs(nearest[0] / ratio - 1) <= EQUAL ? nearest[1] : Number.NaN;
}

const nearestTo = (arms: readonly Arm[], ratio: number): Arm =>
  arms.reduce((best, arm) =>
    Math.abs(Math.log(arm.scores.ratio / ratio)) < Math.abs(Math.log(best.scores.ratio / ratio)) ? arm : best,
  );

/**
 * The shortest trees among networks that lose no more than so many points on the images that
 * choose.
 */
function shortest(arms: readonly Arm[], plain: Arm, drop: number): Arm | undefined {
  const good = arms.filter(({ scores }) => scores.validation >= plain.scores.validation - drop);
  return good.length > 0 ? good.reduce((a, b) => (b.scores.ratio > a.scores.ratio ? b : a)) : undefined;
}

/** Trains all arms of a seed. */
export async function runTrees(own: BinaryData, values: BinaryTraining, context: RunContext): Promise<SeedOutcome> {
  const { data } = own;
  const { signal } = context;
  const random = context.random.split('shared');
  const chance = context.random.split('chance');
  const signs = (rows: SignRows): SignRows => ({
    ...rows,
    values: chance.uniform([rows.channels, rows.length], -1, 1).dataSync(),
  });
  const partOf = (title: string, epochs = 0): PartRun => ({
    random,
    signal,
    onEpoch: (report) =>
      context.onEpoch(title, { ...report, epoch: report.epoch + epochs, epochs: report.epochs + epochs }),
  });
  const rate = await chosenRate(PLAIN, networkOptions(data, values.width), own, values, signal);
  const base = await trainShared(own, values, rate, partOf(PLAIN));
  const branch = async (title: string, strength: number, pull: { centring?: number; towards?: 'star' } = {}) => {
    const shared = sharedEpochs(values.epochs);
    const model = await trainArm(base, own, values, rate, { strength, ...pull }, partOf(title, shared));
    const scores = { validation: validationAccuracy(model, own), ...treeScores(model, data, signs) };
    return { model, strength, scores };
  };
  const branches = async (title: string, own: readonly number[], pull?: Parameters<typeof branch>[2]) => {
    const arms: Arm[] = [];
    for (const strength of own) arms.push(await branch(title, strength, pull));
    return arms;
  };
  const plain = await branch(PLAIN, 0);
  const sweep: Arm[] = [];
  for (const strength of strengths) sweep.push(await branch(swept(strength), strength));
  const chosen = shortest(sweep, plain, DROP) ?? (sweep[0] as Arm);
  const { ratio } = chosen.scores;
  const flat = await branches(
    FLAT,
    FLAT_STRENGTHS.map((factor) => factor * chosen.strength),
    { centring: 0 },
  );
  const star = await branches(
    STAR,
    STAR_STRENGTHS.map((factor) => factor * chosen.strength),
    { towards: 'star' },
  );
  const narrowFor = (target: number) => {
    const { binary } = scope(() => {
      const { channels, height, width } = data.train;
      return networkOperations(base, zeros([1, channels, height, width]), []);
    });
    return narrowOptions(data, values.width, binary / target);
  };
  const narrowRate = await chosenRate(NARROW, narrowFor(USUAL_RATIO), own, values, signal);
  const narrow = await trainWhole(narrowFor(ratio), own, values, narrowRate, partOf(NARROW));
  const starArm = nearestTo(star, ratio);
  const tested = (model: BinaryNet) => ({ accuracy: testAccuracy(model, own) });
  const methods: MethodScores[] = [
    {
      method: PLAIN,
      scores: { ...plain.scores, ...tested(plain.model) },
      tuning: { trials: values.trials, setting: { learningRate: rate } },
    },
    ...sweep.map(({ strength, scores }) => ({ method: swept(strength), scores })),
    {
      method: CHOSEN,
      scores: {
        ...chosen.scores,
        ...tested(chosen.model),
        strength: chosen.strength,
        exact: largestDifference(chosen.model, data),
        withinPoint: shortest(sweep, plain, 1)?.scores.ratio ?? 1,
      },
    },
    {
      method: FLAT,
      scores: { ...nearestTo(flat, ratio).scores, depthThere: scoreAt(flat, ratio, 'depth') },
    },
    { method: STAR, scores: { ...starArm.scores, ...tested(starArm.model) } },
    {
      method: NARROW,
      scores: { validation: validationAccuracy(narrow, own), ...tested(narrow) },
      tuning: { trials: values.trials, setting: { learningRate: narrowRate } },
    },
  ];
  const kept = chosen.model;
  for (const { model } of [plain, ...sweep, ...flat, ...star]) if (model !== kept) disposeWeights(stateOf(model));
  for (const model of [base, narrow]) disposeWeights(stateOf(model));
  return {
    methods,
    artifacts: () => imageArtifacts(classifierOf(kept, own, values.width), { ...data, test: own.test }),
  };
}

/** The chosen network as a model file. */
function classifierOf(model: BinaryNet, { data }: BinaryData, width: number): ImageClassifier {
  const { channels, height, width: imageWidth } = data.train;
  const { classes, mean: average, deviation } = data;
  const architecture = height >= 32 ? 'binary-net-deep' : 'binary-net';
  const description = { architecture, classes, channels, height, width: imageWidth, mean: average, deviation };
  return new ImageClassifier({ ...description, settings: { percent: 100 * width } }, model);
}
