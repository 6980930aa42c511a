// The methods that are compared on several tasks: a plain network for each or for all of them, and
// hypernetworks.

import { logitsFor, TaskModel, TaskNetwork, type TaskNetworkOptions, widthOf } from '../../hypernet/index.js';
import { MLP, parameterCount } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { Artifacts } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { type SplitTasks, type TaskMethodModel, type TrainedTasks, taskMethod, taskPredictions } from './tasks.js';

export const OWN = 'a network for each task';
export const SHARED = 'one network for all tasks';
export const ONCE = 'hypernetwork, all at once';
export const CHUNKS = 'hypernetwork, in chunks';

/** What the networks of a comparison share. */
export interface TaskNetworkSettings {
  /** Hidden units of the network for a task. */
  readonly hidden: number;
  readonly steps: number;
  readonly trials: number;
}

const sizesOf = ({ features, data }: SplitTasks, { hidden }: TaskNetworkSettings) =>
  [widthOf(features), hidden, logitsFor(data.classes.length)] as const;

function ownNetworks(tasks: SplitTasks, values: TaskNetworkSettings, random: Random): TaskMethodModel<MLP[]> {
  const model = tasks.tasks.map((_, t) => new MLP(sizesOf(tasks, values), random.split(t)));
  return {
    model,
    size: parameterCount(model),
    logits: (live, x, t, mode) => (live[t] as MLP).forward(x, mode),
  };
}

function sharedNetwork(tasks: SplitTasks, values: TaskNetworkSettings, random: Random): TaskMethodModel<MLP> {
  const model = new MLP(sizesOf(tasks, values), random);
  return { model, size: parameterCount(model), logits: (live, x, _t, mode) => live.forward(x, mode) };
}

const onceOptions = ({ hidden }: TaskNetworkSettings): TaskNetworkOptions => ({ hidden: [hidden] });

function taskNetwork(tasks: SplitTasks, random: Random, own: TaskNetworkOptions): TaskMethodModel<TaskNetwork> {
  const { features, data } = tasks;
  const outputs = logitsFor(data.classes.length);
  const model = new TaskNetwork(data.taskNames.length, widthOf(features), outputs, random, own);
  return { model, size: model.size, logits: (live, x, t, mode) => live.forward(x, t, mode) };
}

/** All four, in the order of their titles. */
export function taskNetworks(tasks: SplitTasks, values: TaskNetworkSettings, random: Random): Method<TrainedTasks>[] {
  const given = { ...values, random };
  const chunked = { ...onceOptions(values), trunk: [16], chunk: 8 };
  return [
    taskMethod(OWN, tasks, (own) => ownNetworks(tasks, values, own), given),
    taskMethod(SHARED, tasks, (own) => sharedNetwork(tasks, values, own), given),
    taskMethod(ONCE, tasks, (own) => taskNetwork(tasks, own, onceOptions(values)), given),
    taskMethod(CHUNKS, tasks, (own) => taskNetwork(tasks, own, chunked), given),
  ];
}

/** The hypernetwork as a file that answers for new rows and new tasks. */
export function taskArtifacts(trained: TrainedTasks, tasks: SplitTasks, values: TaskNetworkSettings): Artifacts {
  const { features, data } = tasks;
  const { classes, taskNames } = data;
  const model = new TaskModel(trained.model as TaskNetwork, {
    features,
    classes,
    taskNames,
    target: 'target',
    options: onceOptions(values),
  });
  return { model: model.save(), predictions: taskPredictions(trained, tasks) };
}
