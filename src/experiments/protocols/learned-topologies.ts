// Policies that learn topologies for the simulated team, all trained and tuned alike.

import {
  type AgentTeam,
  type DecisionOptions,
  GDesigner,
  GDesignerNetwork,
  GroupSketches,
  type Outcome,
  type SimulatedQuery,
  type SketchModel,
  TeamPolicy,
  type Topology,
  TopologyPolicy,
  trainTopology,
} from '../../hypergraph/index.js';
import { multiply, type Random, type Tensor } from '../../tensor/index.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { tuned } from '../parts/tuning.js';
import { BETA, type Planner, type SimulatedTask, simulatedScores } from './simulated-teams.js';

/** What is chosen on validation queries. */
export type TopologySetting = { readonly beta: number; readonly learningRate: number };

/** Options of every training. */
export interface LearnedValues {
  readonly epochs: number;
  readonly batch: number;
  readonly samples: number;
  readonly trials: number;
  readonly learningRate: number;
}

/** What sets an arm apart. */
export interface Arm {
  readonly decision?: DecisionOptions;
  /** Whether the policy sees the query. Default: `seen`. */
  readonly query?: 'seen' | 'hidden';
  readonly credit?: 'sketch' | 'counterfactual';
}

export const HYPERAGENT = 'HyperAgent';
export const COUNTERFACTUAL = 'HyperAgent, counterfactual';
export const PAIRWISE = 'Pairwise';
export const BLIND = 'Query-blind';
export const ALWAYS_K = 'Always k partners';
export const GRAPH = 'G-Designer';

const arms: Readonly<Record<string, Arm>> = {
  [PAIRWISE]: { decision: { form: 'pairs' } },
  [BLIND]: { query: 'hidden' },
  'No refinement': { decision: { refinement: 'without' } },
  [ALWAYS_K]: { decision: { threshold: Number.NEGATIVE_INFINITY } },
  [HYPERAGENT]: {},
  [COUNTERFACTUAL]: { credit: 'counterfactual' },
};

/** Titles of all learned methods. */
export const learnedTitles = [GRAPH, ...Object.keys(arms)];

/** A policy that plans. */
export interface Planned {
  readonly planner: Planner;
  /** The network of HyperAgent's own arms. */
  readonly policy?: TopologyPolicy;
}

/** A training of HyperAgent's policy with some decision; the query may be hidden. */
export async function trainedPolicy(
  task: SimulatedTask,
  values: LearnedValues,
  { decision = {}, query = 'seen', credit = 'sketch' }: Arm,
  setting: TopologySetting,
  run: Pick<MethodRun, 'random' | 'hooks'>,
): Promise<Planned & { readonly policy: TopologyPolicy }> {
  const policy = new TopologyPolicy(task.inputs.features.shape[1] as number, run.random.split('weights'));
  const vectors = (queries: readonly SimulatedQuery[]): Tensor =>
    query === 'seen' ? task.encode(queries) : multiply(task.encode(queries), 0);
  const sketches = (queries: readonly SimulatedQuery[]) =>
    new GroupSketches(policy, task.inputs, vectors(queries), decision);
  await train(sketches(task.train), task, values, setting, run, credit);
  return {
    policy,
    planner: (queries) =>
      sketches(queries)
        .topologies()
        .map((topology) => [topology]),
  };
}

function train(
  model: SketchModel,
  { team, train: queries }: SimulatedTask,
  { epochs, batch, samples }: LearnedValues,
  { beta, learningRate }: TopologySetting,
  { random, hooks }: Pick<MethodRun, 'random' | 'hooks'>,
  credit: 'sketch' | 'counterfactual' = 'sketch',
) {
  // The same topologies are played for the same queries again and again.
  const known = new Map<Topology, (Outcome | undefined)[]>();
  const play = (at: number, topology: Topology) => {
    const own = known.get(topology) ?? [];
    known.set(topology, own);
    own[at] ??= { correct: team.success(topology, queries[at] as SimulatedQuery), tokens: team.tokens(topology) };
    return own[at];
  };
  const options = {
    epochs,
    batch,
    samples,
    beta,
    learningRate,
    fullTokens: team.fullTokens,
    credit,
    checkpointEvery: 100,
    ...hooks,
  };
  return trainTopology(model, queries.length, play, random.split('fit'), options);
}

/** Draws of G-Designer for each query: its links are drawn anew in use. */
const DRAWS = 10;

async function trainedGraph(
  task: SimulatedTask,
  values: LearnedValues,
  setting: TopologySetting,
  run: Pick<MethodRun, 'random' | 'hooks'>,
): Promise<Planned> {
  const network = new GDesignerNetwork(task.inputs.features.shape[1] as number, run.random.split('weights'));
  const roleGraph = task.inputs.anchors;
  const model = (queries: readonly SimulatedQuery[]) =>
    new GDesigner(network, { roles: task.inputs.features, queries: task.encode(queries), roleGraph });
  await train(model(task.train), task, values, setting, run);
  return {
    planner: (queries: readonly SimulatedQuery[], random: Random) => {
      const own = model(queries);
      const draws = Array.from({ length: DRAWS }, (_, at) => own.drawTopologies(random.split(at)));
      return queries.map((_, at) => draws.map((topologies) => topologies[at] as Topology));
    },
  };
}

/** Methods that learn: each tries as many settings on validation queries. */
export function learnedMethods(task: SimulatedTask, values: LearnedValues): readonly Method<Planned>[] {
  const { learningRate } = values;
  const method = (
    title: string,
    settings: readonly TopologySetting[],
    make: (setting: TopologySetting, run: MethodRun, own: LearnedValues) => Promise<Planned>,
  ) =>
    tuned<TopologySetting, Planned>({
      title,
      settings: settings.slice(0, values.trials),
      train: (setting, run) => make(setting, run, values),
      trial: (setting, run) => make(setting, run, { ...values, epochs: Math.ceil(values.epochs / 3) }),
      validation: ({ planner }, run) =>
        simulatedScores(task.team, planner, task.validation, run.random.split('validation')).utility as number,
    });
  return [
    method(GRAPH, settingsAround(5 * learningRate, 50 * learningRate), (setting, run, own) =>
      trainedGraph(task, own, setting, run),
    ),
    ...Object.entries(arms).map(([title, arm]) =>
      method(title, settingsAround(learningRate, 2.5 * learningRate), (setting, run, own) =>
        trainedPolicy(task, own, arm, setting, run),
      ),
    ),
  ];
}

/** The usual setting, then each hyperparameter changed alone, then two together. */
export function settingsAround(learningRate: number, faster: number): TopologySetting[] {
  const usual = { beta: BETA, learningRate };
  return [
    usual,
    { ...usual, beta: 0.8 },
    { ...usual, learningRate: faster },
    { ...usual, beta: 0.3 },
    { beta: 0.8, learningRate: faster },
    { beta: 0.3, learningRate: faster },
  ];
}

/** Most settings that can be tried. */
export const MOST_TRIALS = settingsAround(1, 1).length;

/** The policy of a run as a model file, which answers for new questions. */
export function policyModel(team: AgentTeam, policy: TopologyPolicy): Uint8Array {
  const discussion = { model: 'default', rounds: 3, order: 'turns', temperature: 1, maxTokens: 512 } as const;
  const settings = { discussion: { ...discussion, messageTokens: 150 }, decision: {}, policy: {} };
  return new TeamPolicy(policy, team, settings).save({ data: 'simulated' });
}
