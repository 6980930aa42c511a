// What answers differential equations side by side: the hypernetwork and its refinement, grid
// operators, finite differences, and physics-informed networks from several starts.

import {
  errorsOf,
  FourierOperator,
  families,
  fineTune,
  type GridOperator,
  HyPINO,
  presets,
  type RefinementOptions,
  reptile,
  Solution,
  type Supervision,
  sizeOfModel,
  solveByDifferences,
  solveByNetwork,
  solveByOperator,
  trainGridOperator,
  trainHyPINO,
  UNetOperator,
} from '../../hypernet/index.js';
import { parameterCount, type TrainingHooks } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { RunContext, Scores } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { settingsOf, tuned } from '../parts/tuning.js';
import { type Answer, between, type EquationData, equationScores, median, medianError, onNodes } from './equations.js';

/** Options of the runs on equations. */
export interface EquationOptions {
  readonly steps: number;
  readonly problems: number;
  readonly interior: number;
  readonly boundary: number;
  /** Sizes of HyPINO. */
  readonly size: keyof typeof presets;
  /** Learning rates that each method chooses from. */
  readonly trials: number;
  readonly supervision: Supervision;
  readonly finetune: number;
  readonly polish: number;
  readonly points: number;
  readonly reptile: number;
}

export const HYPINO = 'HyPINO';
export const REFINED = 'HyPINO, refined';
export const PLAIN = 'HyPINO, 10 rounds as published';
export const UNET = 'U-Net';
export const PINO = 'PINO';
export const ZERO = 'u = 0';
export const DIFFERENCES = 'finite differences';
export const SUPERVISED = 'HyPINO, supervised only';
export const PHYSICS = 'HyPINO, physics only';
/** Physics-informed networks by their start. */
export const tunedTitles = { random: 'PINN', reptile: 'PINN from Reptile', hypino: 'PINN from HyPINO' } as const;

/** The usual rate first. */
const rates = [1e-3, 3e-3];

/** Trials have this share of the steps. */
const TRIAL = 1 / 4;

/** A trained method's answers, and its size. */
export interface TrainedSolver<Model = object> {
  readonly answer: Answer;
  readonly model: Model;
  readonly parameters: number;
}

interface Training {
  readonly steps: number;
  readonly learningRate: number;
  readonly random: Random;
  readonly hooks: TrainingHooks;
}

/** A method that chooses its learning rate on validation problems, after a quarter of the steps. */
function byRate<Model>(
  title: string,
  data: EquationData,
  { steps, trials }: EquationOptions,
  context: RunContext,
  train: (training: Training) => Promise<TrainedSolver<Model>>,
): Method<TrainedSolver<Model>> {
  return tuned({
    title,
    settings: settingsOf({ learningRate: rates }, trials, context.random.split('rates')),
    // All problems that choose or score are fixed.
    once: data,
    train: ({ learningRate }, { random, hooks }) => train({ steps, learningRate, random, hooks }),
    trial: ({ learningRate }, { random, hooks }) =>
      train({ steps: Math.ceil(TRIAL * steps), learningRate, random, hooks }),
    validation: ({ answer }) => -medianError(data.validation, answer),
    score: ({ parameters }) => ({ parameters }),
  });
}

/** HyPINO, trained on the family of the data. */
export function hypinoMethod(
  title: string,
  data: EquationData,
  options: EquationOptions,
  supervision: Supervision,
  context: RunContext,
): Method<TrainedSolver<HyPINO>> {
  const { problems, interior, boundary, size } = options;
  return byRate(title, data, options, context, async ({ random, hooks, ...training }) => {
    const model = new HyPINO(presets[size], random.split('model'));
    const batch = { problems, interior, boundary };
    await trainHyPINO(model, random.split('training'), {
      ...training,
      family: data.family,
      supervision,
      batch,
      ...hooks,
    });
    return { model, answer: answersOf(model, { rounds: 0 }), parameters: sizeOfModel(model) };
  });
}

/**
 * The answers of a trained model, refined or not; `left` is told what they miss of each problem.
 */
export const answersOf =
  (model: HyPINO, refinement: RefinementOptions, left: (discrepancy: number) => void = () => undefined): Answer =>
  (problem) => {
    const { solution, discrepancies } = solveByNetwork(model, problem, refinement);
    left(discrepancies[solution.members.length - 1] as number);
    return (points) => solution.valuesAt(points);
  };

/**
 * Scores of a model's answers, with the median of the discrepancy that they leave (see
 * `discrepancyOf`) on the held-out problems and the benchmarks.
 */
export function networkScores(data: EquationData, model: HyPINO, refinement: RefinementOptions): Scores {
  const left: number[] = [];
  const scores = equationScores(
    data,
    answersOf(model, refinement, (own) => left.push(own)),
  );
  return { ...scores, discrepancy: median(left) };
}

/** The refinement of the paper: ten rounds, each added as it is. */
export const asPublished: RefinementOptions = { rounds: 10, step: 1, normalise: false };

/** Pixels a side of the grids that operators read and answer on. */
const OPERATOR_GRID = presets.nano.encoder.grid;

/** A U-Net on supervised problems; PINO on both kinds, the equation by finite differences. */
export function operatorMethods(
  data: EquationData,
  options: EquationOptions,
  context: RunContext,
): readonly Method<TrainedSolver>[] {
  const { problems, interior, boundary } = options;
  const batch = { problems, interior, boundary, grid: OPERATOR_GRID };
  const method = (title: string, physics: boolean, make: (random: Random) => GridOperator & object) =>
    byRate<object>(title, data, options, context, async ({ random, hooks, ...training }) => {
      const model = make(random.split('model'));
      const supervision = physics ? options.supervision : 'supervised';
      await trainGridOperator(model, families[data.family], random.split('training'), {
        ...{ ...training, batch, supervision, physics, ...hooks },
      });
      const answer: Answer = (problem) => between(solveByOperator(model, problem, OPERATOR_GRID));
      return { model, answer, parameters: parameterCount(model) };
    });
  return [
    method(UNET, false, (random) => new UNetOperator([12, 32, 96, 224], random)),
    method(PINO, true, (random) => new FourierOperator(24, 10, random)),
  ];
}

/** Nodes a side of the finite differences that stand beside the networks. */
const DIFFERENCE_NODES = 65;

/** Finite differences on the benchmarks, and u = 0 everywhere. */
export function simpleScores(data: EquationData): readonly { readonly method: string; readonly scores: Scores }[] {
  const only = { ...data, held: [] };
  const started = performance.now();
  const byDifferences = equationScores(only, (problem) => between(solveByDifferences(problem, DIFFERENCE_NODES)));
  const milliseconds = (performance.now() - started) / Math.max(1, Object.keys(data.benchmarks).length);
  return [
    { method: DIFFERENCES, scores: { ...byDifferences, milliseconds } },
    { method: ZERO, scores: equationScores(data, () => (points) => new Float64Array(points.length / 2)) },
  ];
}

/** Steps of Adam between two looks at the error. */
const LOOK = 10;

interface TrainedPINN {
  readonly error: number;
  /** Time of the training. */
  readonly seconds: number;
  /** Error by look. */
  readonly course: readonly number[];
}

async function trainedOn(
  data: EquationData,
  name: string,
  start: Solution,
  options: EquationOptions,
  context: RunContext,
): Promise<TrainedPINN> {
  const { problem, reference } = (data.benchmarks as Readonly<Record<string, EquationData['held'][number]>>)[
    name
  ] as EquationData['held'][number];
  const errorOf = (solution: Solution) => errorsOf(reference, onNodes(solution)).relative;
  const course: number[] = [];
  const started = performance.now();
  const { solution } = await fineTune(problem, start, context.random.split(`points of ${name}`), {
    steps: options.finetune,
    polish: options.polish,
    points: options.points,
    signal: context.signal,
    onProgress: (_step, now) => course.push(errorOf(now)),
  });
  return { error: errorOf(solution), seconds: (performance.now() - started) / 1000, course };
}

/**
 * Trains networks on each benchmark from a random start, from Reptile's and from a HyPINO's refined
 * answer, on the same points; of HyPINO's also on how many benchmarks it ends below both others, or
 * within a tenth of the better, and on how many it is sooner at the final error of random starts.
 */
export async function tuningScores(data: EquationData, model: HyPINO, options: EquationOptions, context: RunContext) {
  const random = context.random.split('starts');
  const learnt =
    options.reptile > 0
      ? await reptile(model.target, families[data.family], random.split('reptile'), {
          rounds: options.reptile,
          signal: context.signal,
        })
      : undefined;
  const scores: Record<keyof typeof tunedTitles, Record<string, number>> = { random: {}, reptile: {}, hypino: {} };
  let [won, par, sooner] = [0, 0, 0];
  for (const name of Object.keys(data.benchmarks)) {
    context.progress(tunedTitles.hypino, (won + par) / 7);
    const { problem } = data.benchmarks[name as keyof typeof data.benchmarks] as EquationData['held'][number];
    const fromRandom = await trainedOn(
      data,
      name,
      Solution.random(model.target, random.split('random')),
      options,
      context,
    );
    const fromReptile = learnt && (await trainedOn(data, name, learnt, options, context));
    const fromModel = await trainedOn(data, name, solveByNetwork(model, problem).solution, options, context);
    for (const [start, run] of Object.entries({ random: fromRandom, reptile: fromReptile, hypino: fromModel })) {
      const own = scores[start as keyof typeof scores];
      if (!run) continue;
      own[`tuned_${name}`] = run.error;
      own.seconds = (own.seconds ?? 0) + run.seconds;
    }
    const best = Math.min(fromRandom.error, fromReptile?.error ?? Number.POSITIVE_INFINITY);
    won += Number(fromModel.error < best);
    par += Number(fromModel.error >= best && fromModel.error <= 1.1 * best);
    const reached = fromModel.course.findIndex((error) => error <= fromRandom.error);
    sooner += Number(reached >= 0 && reached * LOOK < options.finetune);
  }
  const rows = Object.entries(tunedTitles).flatMap(([start, method]) => {
    const own = scores[start as keyof typeof scores];
    return Object.keys(own).length > 0 ? [{ method, scores: own as Scores }] : [];
  });
  return rows.map((row) =>
    row.method === tunedTitles.hypino ? { ...row, scores: { ...row.scores, won, par, sooner } } : row,
  );
}
