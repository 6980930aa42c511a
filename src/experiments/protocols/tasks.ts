// Several tasks at once: labels of points of the square [−2, 2]² by rules that may contradict one
// another.

import { Adam, binaryCrossEntropy, inference, type Mode, minimize } from '../../nn/index.js';
import { keep, type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { Scores, Table } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';

/** Whether a point (a, b) is in the class, by task. */
export type Rules = Readonly<Record<string, (a: number, b: number) => boolean>>;

export interface Task {
  readonly name: string;
  /** [n, 2] and [n, 1] */
  readonly train: { readonly x: Tensor; readonly y: Tensor };
  readonly test: { readonly x: Tensor; readonly y: Float32Array };
}

/** Random points of each task, one half to train on and the other to test. */
export function drawTasks(rules: Rules, points: number, random: Random): Task[] {
  return Object.entries(rules).map(([name, rule], t) => {
    const x = random.split(t).uniform([points, 2], -2, 2).dataSync();
    const y = Float32Array.from({ length: points }, (_, i) => Number(rule(x[2 * i] as number, x[2 * i + 1] as number)));
    const half = points >> 1;
    return {
      name,
      train: { x: keep(tensor(x.slice(0, 2 * half), [half, 2])), y: keep(tensor(y.slice(0, half), [half, 1])) },
      test: { x: keep(tensor(x.slice(2 * half), [points - half, 2])), y: y.slice(half) },
    };
  });
}

export function describeTasks(tasks: readonly Task[]): string {
  const size = tasks[0]?.test.y.length ?? 0;
  return `${tasks.length} tasks of ${size} points to train on and as many to test: ${tasks.map(({ name }) => name).join(', ')}`;
}

/** A model that serves all tasks. */
export interface TaskModel<Model extends object> {
  readonly model: Model;
  /** Parameters stored for all tasks. */
  readonly size: number;
  /** [n, 1] of points [n, 2] */
  logits(live: Model, task: number, x: Tensor, mode: Mode): Tensor;
}

/** A trained model of all tasks. */
export interface TrainedTasks {
  readonly size: number;
  logits(task: number, x: Tensor): Tensor;
}

export interface TaskTraining {
  readonly steps: number;
  readonly learningRate?: number;
  /** `turns`: steps cycle through the tasks. `together`: each step sees all tasks. */
  readonly order: 'turns' | 'together';
}

/** Trains a model on all tasks with Adam, each step on all points of the tasks that it sees. */
export function taskMethod<Model extends object>(
  title: string,
  tasks: readonly Task[],
  make: (random: Random) => TaskModel<Model>,
  { steps, learningRate = 5e-3, order }: TaskTraining,
): Method<TrainedTasks> {
  return {
    title,
    async train({ random, hooks }) {
      const { model, size, logits } = make(random);
      const lossOf = (live: Model, t: number, mode: Mode) => {
        const { x, y } = (tasks[t] as Task).train;
        return binaryCrossEntropy(logits(live, t, x, mode), y);
      };
      await minimize(
        model,
        (live, { step, mode }) =>
          order === 'turns'
            ? lossOf(live, step % tasks.length, mode)
            : tasks.map((_, t) => lossOf(live, t, mode)).reduce((sum, loss) => sum.add(loss)),
        { ...hooks, steps, random, optimizer: new Adam({ learningRate }) },
      );
      return { size, logits: (task, x) => logits(model, task, x, inference) };
    },
  };
}

/** Accuracy over the tasks and on the worst of them, in %, and the parameters stored. */
export function taskScores({ size, logits }: TrainedTasks, tasks: readonly Task[]): Scores {
  const accuracies = tasks.map(({ test: { x, y } }, t) =>
    scope(() => {
      const values = logits(t, x).view();
      return (100 * y.filter((label, i) => (values[i] as number) > 0 === label > 0.5).length) / y.length;
    }),
  );
  return {
    accuracy: accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length,
    worst: Math.min(...accuracies),
    parameters: size,
  };
}

/** Predictions on the first 200 test points of each task. */
export function taskPredictions({ logits }: TrainedTasks, tasks: readonly Task[]): Table {
  const rows = tasks.flatMap(({ name, test }, t) => {
    const probabilities = scope(() => logits(t, test.x).sigmoid().dataSync());
    const x = test.x.view();
    return Array.from(test.y.subarray(0, 200), (label, i) => [
      name,
      x[2 * i] as number,
      x[2 * i + 1] as number,
      probabilities[i] as number,
      label,
    ]);
  });
  return { columns: ['task', 'x1', 'x2', 'probability', 'label'], rows };
}
