// First-order bilevel training: weights w learn from one half of the data, architecture weights α
// of mixed operators from the other, in turns (Liu, Simonyan, Yang, "DARTS", ICLR 2019).
//
//   α ← α − η_α·∇_α L(w, α; other half)      by Adam
//   w ← w − η_w·∇_w L(w, α; own half)        by SGD with momentum

import { type Random, type Tensor, tensor } from '../tensor/index.js';
import { type FitOptions, type FitResult, fit } from './fit.js';
import { gradientsOf } from './gradients.js';
import { architectureOf } from './mixed-operator.js';
import { disposeWeights, lossWithTerms, type Mode, training, type Weights } from './module.js';
import { Adam, type Optimizer, type OptimizerState, SGD } from './optimizers.js';
import { Clipped } from './wrappers.js';

/**
 * Two optimisers as one: `update` changes the weights alone, `updateArchitecture` α alone. The
 * names of α are given.
 */
export class AlternatingOptimizer implements Optimizer {
  readonly #isArchitecture: ReadonlySet<string>;

  /**
   * @param architectureNames names of the architecture weights
   * @param weights updates all others. Default: SGD, rate 0.025, momentum 0.9, decay 3e-4, with
   * gradients clipped to a norm of 5
   * @param architecture updates α. Default: Adam, rate 3e-4, β 0.5 and 0.999, L2 decay 1e-3
   */
  constructor(
    architectureNames: readonly string[],
    readonly weights: Optimizer = new Clipped(new SGD({ learningRate: 0.025, momentum: 0.9, weightDecay: 3e-4 }), 5),
    readonly architecture: Optimizer = new Adam({ learningRate: 3e-4, beta1: 0.5, beta2: 0.999, weightDecay: 1e-3 }),
  ) {
    this.#isArchitecture = new Set(architectureNames);
  }

  /** A step of the weights; α stays. */
  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    this.weights.update(this.#only(parameters, false), this.#only(gradients, false), rateFactor);
  }

  /** A step of α; the weights stay. */
  updateArchitecture(parameters: Weights, gradients: Weights): void {
    this.architecture.update(this.#only(parameters, true), this.#only(gradients, true));
  }

  state(): OptimizerState {
    const [weights, architecture] = [this.weights.state(), this.architecture.state()];
    return {
      step: weights.step,
      tensors: {
        ...prefixed('weights', weights.tensors),
        ...prefixed('architecture', architecture.tensors),
        // It differs where one optimiser of α serves several trainings of weights.
        [STEP]: tensor([architecture.step]),
      },
    };
  }

  restore({ step, tensors }: OptimizerState): void {
    this.weights.restore({ step, tensors: without('weights', tensors) });
    const own = tensors[STEP]?.item() ?? step;
    this.architecture.restore({ step: own, tensors: without('architecture', tensors) });
  }

  #only(all: Weights, architecture: boolean): Weights {
    return Object.fromEntries(Object.entries(all).filter(([name]) => this.#isArchitecture.has(name) === architecture));
  }
}

/** Name under which the state holds the number of steps of α. */
const STEP = 'architectureStep';

const prefixed = (prefix: string, tensors: Weights): Weights =>
  Object.fromEntries(Object.entries(tensors).map(([name, value]) => [`${prefix}.${name}`, value]));

const without = (prefix: string, tensors: Weights): Weights =>
  Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => name.startsWith(`${prefix}.`))
      .map(([name, value]) => [name.slice(prefix.length + 1), value]),
  );

/** Options of `fitBilevel`: those of `fit`, where `batches` are of the weights' half. */
export interface BilevelOptions<Model extends object, Batch>
  extends Omit<FitOptions<Model, Batch>, 'optimizer' | 'batches'> {
  /** Batches of the half of the weights, an epoch in the order of a stream. */
  readonly batches: (order: Random) => Iterable<Batch>;
  /** Batches of the half of α; it begins anew where it ends before the other. */
  readonly architectureBatches: (order: Random) => Iterable<Batch>;
  /** Default: those of `AlternatingOptimizer`. */
  readonly optimizer?: AlternatingOptimizer;
  /**
   * A step of α on a batch of its half; `own` is the batch of the weights that comes next. Default:
   * `architectureStep`.
   */
  readonly stepArchitecture?: (other: Batch, own: Batch, mode: Mode) => void;
  /** The architecture weights of the model, by parameter name. Default: `architectureOf`. */
  readonly architecture?: (model: Model) => Weights;
}

/**
 * A step of α alone: the gradient of the loss of a batch with respect to the architecture weights.
 *
 * @param alphas the architecture weights. Default: those of mixed operators
 * @returns the loss
 */
export function architectureStep<Model extends object>(
  model: Model,
  loss: (live: Model, mode: Mode) => Tensor,
  optimizer: AlternatingOptimizer,
  mode: Mode,
  alphas: Weights = architectureOf(model),
): number {
  const found = gradientsOf(model, (live) => lossWithTerms(mode, (own) => loss(live, own)), alphas);
  const value = found.loss.item();
  if (Number.isFinite(value)) optimizer.updateArchitecture(alphas, found.gradients);
  found.loss.dispose();
  disposeWeights(found.gradients);
  return value;
}

/**
 * Trains weights and architecture weights in turns: a step of α on a batch of its half, then a step
 * of the weights on a batch of theirs. Checkpoints, interruption and reports are those of `fit`.
 *
 * @throws Error for a model without mixed operators, or what `fit` throws
 */
export function fitBilevel<Model extends object, Batch>(options: BilevelOptions<Model, Batch>): Promise<FitResult> {
  const { model, loss, batches, architectureBatches, stepArchitecture, architecture, ...others } = options;
  const alphas = () => (architecture ?? architectureOf)(model);
  const names = Object.keys(alphas());
  if (names.length === 0) throw new Error('fitBilevel: the model has no MixedOperator, so that nothing is searched');
  const optimizer = options.optimizer ?? new AlternatingOptimizer(names);
  return fit<Model, Batch>({
    ...others,
    ...{ model, loss, optimizer },
    *batches(order) {
      const drawn = endless(() => architectureBatches(order.split('architecture')));
      const draws = order.split('draws');
      let at = 0;
      try {
        for (const batch of batches(order)) {
          const other = drawn.next().value as Batch;
          const mode = training(draws.split(at++));
          if (stepArchitecture) stepArchitecture(other, batch, mode);
          else architectureStep(model, (live, own) => loss(live, other, own), optimizer, mode, alphas());
          yield batch;
        }
      } finally {
        drawn.return(undefined);
      }
    },
  });
}

/** The items of an iterable again and again. */
function* endless<Item>(make: () => Iterable<Item>): Generator<Item> {
  for (;;) {
    let some = false;
    for (const item of make()) {
      some = true;
      yield item;
    }
    if (!some) throw new Error('fitBilevel: the half of the architecture has no batch');
  }
}
