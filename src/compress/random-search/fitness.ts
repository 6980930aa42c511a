// How good a sub-network is before it is trained. What the first layer computes does not depend on
// which nodes are on: its pre-activations are computed once for the search set, and a candidate
// gathers those of its nodes.

import {
  Adam,
  buffers,
  Conv2d,
  cloneWeights,
  disposeWeights,
  gradientsOf,
  inference,
  type Layer,
  Linear,
  type Mode,
  minibatches,
  parameterOwners,
  parameters,
  replaceWeights,
  stateOf,
  training,
  type Weights,
} from '../../nn/index.js';
import {
  convolutionOp,
  gatherRows,
  keep,
  linearOp,
  permute,
  Random,
  reshape,
  scope,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { trace } from '../../trace/index.js';
import { type Examples, meanOf, partsOf } from './examples.js';
import type { KeptNodes, NodeSpace } from './nodes.js';

/** What a candidate is judged by. */
export interface FitnessOptions {
  /**
   * `loss` of the untrained sub-network on the search set; `accuracy` (less the squared error of
   * numbers), negated; `steps`: the loss after some steps of training. Default: `loss`.
   */
  readonly fitness?: 'loss' | 'accuracy' | 'steps';
  /** m: steps of `steps`. Default: 10. */
  readonly steps?: number;
  /** Learning rate of `steps`. Default: 1e-3. */
  readonly learningRate?: number;
  /** Whether inputs of layers are scaled by √(h/k). Default: false. */
  readonly rescale?: boolean;
  /**
   * Whether the first layer's pre-activations are computed once for all candidates, where the
   * network allows it. Default: true.
   */
  readonly shareFirst?: boolean;
}

/** Examples of a step of `steps`. */
const STEP = 128;
/** Elements of the first layer's outputs in a part of the search set, and in all of it. */
const [PART, MOST] = [2 ** 22, 2 ** 28];
/** Elements of the inputs of the search set that are kept. */
const INPUTS = 2 ** 26;

type FirstLayer = (Linear | Conv2d) & { forward(x: Tensor, activation?: 'none' | 'relu'): Tensor };

interface Shared {
  readonly name: string;
  readonly layer: FirstLayer;
  /** Pre-activations of the parts of the search set: [h, n·pixels]. */
  readonly outputs: readonly Tensor[];
  /** Shape of an example's outputs without channels: [] or [height, width]. */
  readonly inner: readonly number[];
}

/**
 * Judges sub-networks of a parent on a search set. While it lives the parent's weights are those of
 * the candidate last judged; `release` puts its own back.
 */
export class InitialFitness {
  readonly #parent: Weights;
  readonly #parts: readonly Int32Array[];
  readonly #shared: Shared | undefined;
  /** Inputs of the parts; none where they would take too much memory. */
  readonly #inputs: readonly Tensor[];

  /**
   * @param set the search set
   * @param random draws of dropout and of steps, the same for every candidate
   */
  constructor(
    readonly model: Layer,
    readonly nodes: NodeSpace,
    readonly set: Examples,
    readonly random: Random,
    readonly options: FitnessOptions = {},
  ) {
    this.#parent = cloneWeights(stateOf(model));
    const { shareFirst = true, fitness = 'loss' } = options;
    const found = shareFirst && fitness !== 'steps' ? this.#firstLayer() : undefined;
    const perExample = found?.perExample ?? PART / 500;
    this.#parts = [...partsOf(set.count, Math.max(1, Math.floor(PART / perExample)))];
    const inputSize = scope(() => set.inputs(Int32Array.of(0)).size);
    this.#inputs = inputSize * set.count <= INPUTS ? this.#parts.map((part) => keep(set.inputs(part))) : [];
    this.#shared = found && perExample * set.count <= MOST ? this.#computeFirst(found) : undefined;
  }

  /** Name of the layer that is computed once; undefined where there is none. */
  get sharedLayer(): string | undefined {
    return this.#shared?.name;
  }

  /** Fitness of a sub-network, the smaller the better. */
  of(kept: KeptNodes): number {
    const { model, nodes, options } = this;
    const { rescale = false, fitness = 'loss' } = options;
    scope(() => {
      if (fitness === 'steps') replaceWeights(model, this.#parent);
      replaceWeights(model, nodes.cut(this.#parent, kept, { rescale, except: this.#shared?.name }));
    });
    if (fitness === 'steps') this.#train();
    // As f32, the type of the loss, so that a kept value is the one that was computed.
    return Math.fround(fitness === 'accuracy' ? -this.#mean(kept, 'scores') : this.#mean(kept, 'loss'));
  }

  /** Puts the parent's weights back, and frees what was computed once. */
  release(): void {
    replaceWeights(this.model, this.#parent);
    disposeWeights(this.#parent);
    for (const tensor of [...(this.#shared?.outputs ?? []), ...this.#inputs]) tensor.dispose();
  }

  #inputsOf(at: number): Tensor {
    return this.#inputs[at] ?? this.set.inputs(this.#parts[at] as Int32Array);
  }

  /** Networks with running statistics are judged by those of the batch, as training sees them. */
  #mode(): Mode {
    const hasStatistics = Object.keys(buffers(this.model)).length > 0;
    return hasStatistics ? training(new Random(this.random.key).split('mode')) : inference;
  }

  #mean(kept: KeptNodes, what: 'loss' | 'scores'): number {
    const { set, model } = this;
    const shared = this.#shared;
    const rows = shared && this.nodes.keptIndices(`${shared.name}.weight`, 0, kept);
    let sum = 0;
    for (const [at, part] of this.#parts.entries())
      sum += scope(() => {
        const outputs = shared ? this.#withFirst(shared, at, rows) : model.forward(this.#inputsOf(at), this.#mode());
        const mean = what === 'loss' ? set.loss(outputs, part).item() : meanOf(set.scores(outputs, part));
        return mean * part.length;
      });
    return sum / set.count;
  }

  /** A forward pass in which the first layer gathers its outputs. */
  #withFirst({ layer, outputs, inner }: Shared, at: number, rows: Int32Array | undefined): Tensor {
    const all = outputs[at] as Tensor;
    const chosen = rows ? gatherRows(all, tensor(rows, [rows.length], 'i32')) : all;
    const shape = [chosen.shape[0] as number, (this.#parts[at] as Int32Array).length, ...inner];
    const own = permute(reshape(chosen, shape), [1, 0, ...inner.map((_, axis) => axis + 2)]);
    return whileForward(
      layer,
      (_: Tensor, activation?: 'none' | 'relu') => (activation === 'relu' ? own.relu() : own),
      () => this.model.forward(this.#inputsOf(at), this.#mode()),
    );
  }

  #train(): void {
    const { model, set, random, options } = this;
    const { steps = 10, learningRate = 1e-3 } = options;
    const optimizer = new Adam({ learningRate });
    let step = 0;
    for (let epoch = 0; step < steps; epoch++)
      for (const batch of minibatches(set.count, Math.min(STEP, set.count), random.split('steps').split(epoch))) {
        if (step++ === steps) return;
        const { loss, gradients } = gradientsOf(model, (live) =>
          set.loss(live.forward(set.inputs(batch), this.#mode()), batch),
        );
        optimizer.update(parameters(model), gradients);
        loss.dispose();
        disposeWeights(gradients);
      }
  }

  /**
   * The first layer with weights, where it reads what does not depend on nodes, is called once, and
   * its weight is used nowhere else.
   */
  #firstLayer(): { readonly name: string; readonly layer: FirstLayer; readonly perExample: number } | undefined {
    const { model, set } = this;
    const state = stateOf(model);
    return scope(() =>
      trace(
        (x) => model.forward(x, inference),
        [set.inputs(Int32Array.of(0))],
        state,
        ({ nodes }) => {
          const first = nodes.find(({ inputs }) => inputs.some(({ origins }) => origins.length > 0));
          if (!first || (first.op !== linearOp && first.op !== convolutionOp)) return undefined;
          const [weight = '', ...others] = first.inputs[1]?.origins ?? [];
          const uses = nodes.filter(({ inputs }) => inputs.some(({ origins }) => origins.includes(weight)));
          const owner = parameterOwners(model).find(({ name }) => name === weight)?.owner;
          if (others.length > 0 || uses.length !== 1 || !isPlain(owner)) return undefined;
          const perExample = first.outputs[0]?.shape.reduce((a, b) => a * b, 1) ?? 0;
          return { name: weight.replace(/\.weight$/, ''), layer: owner, perExample };
        },
      ),
    );
  }

  /** Runs the parent once, or gives up where it does not call the layer exactly once. */
  #computeFirst({ name, layer }: { readonly name: string; readonly layer: FirstLayer }): Shared | undefined {
    const own = layer.forward.bind(layer);
    const outputs: Tensor[] = [];
    let inner: readonly number[] = [];
    for (const at of this.#parts.keys())
      scope(() => {
        const forward = (x: Tensor, activation?: 'none' | 'relu') => {
          const y = own(x);
          const [n = 0, channels = 0, ...pixels] = y.shape;
          inner = pixels;
          const turned = permute(y, [1, 0, ...pixels.map((_, axis) => axis + 2)]);
          outputs.push(keep(reshape(turned, [channels, n * pixels.reduce((a, b) => a * b, 1)])));
          return activation === 'relu' ? y.relu() : y;
        };
        whileForward(layer, forward, () => this.model.forward(this.#inputsOf(at), this.#mode()));
        if (outputs.length !== at + 1 || inner.length > 2)
          throw new Error(`layer "${name}" was to be called once, was ${outputs.length - at} times`);
      });
    return { name, layer, outputs, inner };
  }
}

/** Exactly a linear layer, or a convolution without groups. */
function isPlain(owner: object | undefined): owner is FirstLayer {
  if (owner?.constructor === Linear) return true;
  return owner?.constructor === Conv2d && ((owner as Conv2d).options.groups ?? 1) === 1;
}

/** Runs `body` while a layer computes something else. */
function whileForward<T>(layer: FirstLayer, forward: FirstLayer['forward'], body: () => T): T {
  // Not enumerable, so that the layer's fields stay those that hold weights.
  Object.defineProperty(layer, 'forward', { value: forward, configurable: true, enumerable: false });
  try {
    return body();
  } finally {
    Reflect.deleteProperty(layer, 'forward');
  }
}
