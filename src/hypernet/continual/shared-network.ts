// One network for all tasks: a body, and outputs by the scenario.

import { crossEntropy, Linear } from '../../nn/index.js';
import { concatenate, type Random, type Tensor, tensor } from '../../tensor/index.js';
import { amongAll, likeliest, type Predicted } from './learner.js';
import { TargetBody, type TargetOptions } from './target.js';
import type { Scenario } from './task.js';

/**
 * A network for all tasks. Outputs by scenario: `task` a layer for each, `domain` one layer,
 * `class` the classes of all tasks so far, side by side.
 */
export class SharedNetwork {
  /** All layers but the last. */
  readonly body: TargetBody;
  /** Output layers, in the order of their tasks. */
  readonly heads: Linear[] = [];
  readonly #random: Random;

  constructor(
    readonly scenario: Scenario,
    shape: readonly number[],
    random: Random,
    options: TargetOptions = {},
  ) {
    this.body = new TargetBody(shape, random.split('body'), options);
    this.#random = random;
  }

  /** Makes the outputs of task `at`, unless it shares those of the first. */
  add(classes: number, at: number): void {
    if (this.scenario === 'domain' && at > 0) return;
    this.heads[at] = new Linear(this.body.outFeatures, classes, this.#random.split(`head ${at}`));
  }

  /** The output layers that the loss of task `at` reads. */
  headsFor(at: number): readonly number[] {
    if (this.scenario === 'domain') return [0];
    return this.scenario === 'task' ? [at] : [...this.heads.keys()];
  }

  /** Logits of a task, or of all tasks so far side by side. */
  logits(x: Tensor, at: number): Tensor {
    const features = this.body.forward(x);
    return sideBySide(this.headsFor(at).map((head) => (this.heads[head] as Linear).forward(features)));
  }

  /** The classes of a task among the outputs that its loss reads. */
  outputsOf(labels: Tensor, at: number): Tensor {
    if (this.scenario !== 'class') return labels;
    const before = this.heads.slice(0, at).reduce((total, { outFeatures }) => total + outFeatures, 0);
    return tensor(labels.view<Int32Array>().map((label) => label + before));
  }

  /** Cross-entropy of rows of a task. */
  loss(x: Tensor, labels: Tensor, at: number): Tensor {
    return crossEntropy(this.logits(x, at), this.outputsOf(labels, at));
  }

  /**
   * Classes of rows of one task, or of an unknown one.
   *
   * @throws Error without a task where each has its own outputs
   */
  classify(x: Tensor, task: number | undefined): Predicted {
    if (this.scenario === 'domain') return likeliest(this.logits(x, 0), task ?? -1);
    if (task !== undefined) return likeliest((this.heads[task] as Linear).forward(this.body.forward(x)), task);
    if (this.scenario === 'task')
      throw new Error('continual: each task has outputs of its own; say which task the rows belong to');
    return amongAll(
      this.logits(x, 0),
      this.heads.map(({ outFeatures }) => outFeatures),
    );
  }
}

/** Logits of several output layers as those of one. */
export const sideBySide = (logits: readonly Tensor[]) =>
  logits.length === 1 ? (logits[0] as Tensor) : concatenate(logits, 1);
