// One hypernetwork for several tasks: each task has an embedding, from which the weights of an MLP
// for that task are generated. A new task is added by an embedding alone.

import { inference, MLP, type Mode, parameterCount } from '../nn/index.js';
import type { Random, Tensor } from '../tensor/index.js';
import { TaskCondition, VectorCondition } from './condition.js';
import { once } from './generator.js';
import { Hypernet } from './hypernet.js';
import { chunks } from './part-generators.js';
import { mlpTrunk } from './trunk.js';

/** Options of `TaskNetwork`; plain data, kept in model files. */
export interface TaskNetworkOptions {
  /** Hidden widths of the generated MLP. Default: [16]. */
  readonly hidden?: readonly number[];
  /** Dimension of a task's embedding. Default: 4. */
  readonly embedding?: number;
  /** Widths of the hypernetwork. Default: [32]. */
  readonly trunk?: readonly number[];
  /** Weights in a chunk; 0 generates all at once. Default: 0. */
  readonly chunk?: number;
}

/**
 * MLPs for several tasks, generated from the embeddings of the tasks: Θ_t = H(e_t; Φ), ŷ = F(x;
 * Θ_t).
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 */
export class TaskNetwork {
  /** e_t: an embedding for each task. */
  readonly tasks: TaskCondition;
  /** H with the MLP that it generates. */
  readonly hypernet: Hypernet<MLP>;

  constructor(
    tasks: number,
    readonly inFeatures: number,
    readonly outFeatures: number,
    random: Random,
    { hidden = [16], embedding = 4, trunk = [32], chunk = 0 }: TaskNetworkOptions = {},
  ) {
    this.tasks = new TaskCondition(tasks, embedding, random.split('tasks'));
    const target = new MLP([inFeatures, ...hidden, outFeatures], random.split('target'));
    this.hypernet = new Hypernet(target, new VectorCondition(embedding), random.split('hypernet'), {
      trunk: mlpTrunk(trunk),
      generator: chunk > 0 ? chunks(chunk, 4) : once(),
    });
  }

  /** Number of stored parameters: Φ and the embeddings. */
  get size(): number {
    return parameterCount(this);
  }

  /**
   * Logits of one task.
   *
   * @throws RangeError naming an unknown task
   */
  forward(x: Tensor, task: number, mode: Mode = inference): Tensor {
    return this.apply(this.tasks.forward([task]), x, mode);
  }

  /** Logits of the task with an embedding [1, d]. */
  apply(embedding: Tensor, x: Tensor, mode: Mode = inference): Tensor {
    return this.hypernet.run(embedding, x, (live, own) => live.forward(own, mode), mode);
  }
}
