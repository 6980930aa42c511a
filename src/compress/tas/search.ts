// The search of TAS: weights W learn on one half of the training images, widths α and depths β on
// the other, in turns, each step with a fresh sample of the network:
//
//   W ← W − η·∇ CE(half A),   (α, β) ← (α, β) − η′·∇ [CE(half B) + 2·L_cost],
//   L_cost = +log E if F > R,  −log E if F < R − t,  0 otherwise,
//
// with the expected cost E of softmax(α), softmax(β), the cost F of the shape of their largest
// entries, the budget R and t = 5 % of the full cost.

import { type ImageBatch, type ImageDataset, imageBatches, imageHalves } from '../../data/index.js';
import type { NetworkShape } from '../../models/index.js';
import {
  Adam,
  AlternatingOptimizer,
  architectureStep,
  buffer,
  cosine,
  crossEntropy,
  disposeWeights,
  type FitResult,
  fitBilevel,
  followsSteps,
  inference,
  type Layer,
  parameters,
  SGD,
  stateOf,
  type TrainingHooks,
  type Weights,
} from '../../nn/index.js';
import { add, keep, log, multiply, type Random, scope, softmax, type Tensor, zeros } from '../../tensor/index.js';
import { cost } from '../../trace/index.js';
import { type CostTables, costOfShape, expectedCostOf, macTables } from './costs.js';
import { latencyTables } from './latency.js';
import type { Searched, ShapeChoices } from './space.js';
import { TransformableNetwork } from './transformable.js';

/** Options of `searchShape`. */
export interface ShapeSearchOptions extends TrainingHooks {
  /** R: share of the cost of the full network, in (0, 1]. */
  readonly budget: number;
  /**
   * `macs`: multiply-adds, a share of those of the network as given; `latency`: milliseconds of a
   * table of the layers, measured on this machine. Default: `macs`.
   */
  readonly cost?: 'macs' | 'latency';
  /** What is searched. Default: `both`. */
  readonly search?: Searched;
  /** K: widths that a layer samples in a step. Default: 2. */
  readonly samples?: number;
  /** Epochs over the half of the weights. Default: 600, as published for CIFAR. */
  readonly epochs?: number;
  /** Images per step. Default: 256. */
  readonly batchSize?: number;
  /** Rate of the weights' SGD (Nesterov momentum 0.9), with a cosine to 0. Default: 0.1. */
  readonly learningRate?: number;
  /** Rate of the Adam of α and β (β₁ 0.5, β₂ 0.999, L2 decay 1e-3). Default: 1e-3. */
  readonly architectureRate?: number;
  /** Weight decay of the weights. Default: 5e-4. */
  readonly weightDecay?: number;
  /** Weight of the cost loss. Default: 2. */
  readonly costWeight?: number;
  /** t as a share of the full cost. Default: 0.05. */
  readonly tolerance?: number;
  /** τ in the first and, by a cosine, towards the last epoch. Default: 5 to 0.1. */
  readonly temperatures?: readonly [first: number, last: number];
}

/** State of a search after an epoch. */
export interface SearchedEpoch {
  /** F: cost of the shape of the largest logits, over the full cost. */
  readonly cost: number;
  /** E: expected cost, over the full cost. */
  readonly expected: number;
  /** Mean entropy of softmax(α), over that of equal shares. */
  readonly widthEntropy: number;
  /** Mean entropy of softmax(β), over that of equal shares. */
  readonly depthEntropy: number;
}

/** What a search found. */
export interface FoundShape extends Pick<FitResult, 'history' | 'stopped'> {
  /** The widths and depths. */
  readonly shape: NetworkShape;
  /** F of the shape after the last epoch, and of the full network, in the unit of the budget. */
  readonly cost: number;
  /** F of the full network. */
  readonly full: number;
  /** F of the shape of the last epoch before steps of the cost loss alone, see `settled`. */
  readonly costOfSearch: number;
  /**
   * Steps of the cost loss alone that followed the last epoch until F was within the budget and its
   * tolerance.
   */
  readonly settled: number;
  /** The state after each epoch. */
  readonly epochs: readonly SearchedEpoch[];
  /** By layer whose channels cannot change: why. */
  readonly fixed: ReadonlyMap<string, string>;
}

/** Published settings of the search on CIFAR. */
export const shapeSearchDefaults = {
  samples: 2,
  epochs: 600,
  batchSize: 256,
  learningRate: 0.1,
  architectureRate: 1e-3,
  weightDecay: 5e-4,
  costWeight: 2,
  tolerance: 0.05,
  temperatures: [5, 0.1],
} as const;

/**
 * Settings of a search of some hundred steps: logits that move ten times as fast, batches of 32
 * with the rate of weights that goes with them.
 */
export const shortSearch = { batchSize: 32, learningRate: 0.02, architectureRate: 1e-2 } as const;

/** Most steps of the cost loss alone after the last epoch. */
const MOST_SETTLING = 5000;
/** Times that these steps may jump over the tolerance. */
const MOST_JUMPS = 20;
/** Costs are in millions for the logarithm, which changes the loss by a constant. */
const UNIT = { macs: 1e-6, latency: 1 } as const;

/** A search: its network, tables and budget. */
class ShapeSearch {
  readonly network: TransformableNetwork;
  readonly tables: CostTables;
  /** Cost of the full network: of the one given, shortcuts without weights among them. */
  readonly full: number;
  /** R. */
  readonly budget: number;
  readonly #none = keep(zeros([1]));
  readonly #options: ShapeSearchOptions;

  constructor(model: Layer, example: Tensor, options: ShapeSearchOptions, random: Random) {
    const { budget, cost: unit = 'macs', search, samples = shapeSearchDefaults.samples } = options;
    if (!(budget > 0 && budget <= 1))
      throw new RangeError(`the budget is a share of the cost of the full network in (0, 1], got ${budget}`);
    const given = multiplyAddsOf(model, example);
    this.#options = options;
    this.network = new TransformableNetwork(model, example, random, { samples, ...(search && { search }) });
    try {
      const { space } = this.network;
      this.tables = unit === 'macs' ? macTables(space) : latencyTables(space);
      this.full = unit === 'macs' ? given : costOfShape(space, this.tables, { widths: {}, depths: {} });
      this.budget = budget * this.full;
      const least = costOfShape(space, this.tables, narrowest(space));
      if (least > this.budget)
        throw new Error(
          `no sub-network meets a budget of ${budget}: the smallest costs ${(least / this.full).toFixed(3)} of the full network in ${unit === 'macs' ? 'multiply-adds' : 'milliseconds'}`,
        );
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** F. */
  cost(): number {
    return costOfShape(this.network.space, this.tables, this.network.shape());
  }

  /** E. */
  expected(): Tensor {
    return expectedCostOf(this.network.space, this.tables, this.network.logits(this.#none));
  }

  /** The sign of the cost loss: whether the shape is to shrink, to grow or to stay. */
  direction(): 1 | -1 | 0 {
    const { tolerance = shapeSearchDefaults.tolerance } = this.#options;
    return costDirection(this.cost(), this.budget, tolerance * this.full);
  }

  /** L_cost times its weight; undefined where it is 0. */
  loss(): Tensor | undefined {
    const sign = this.direction();
    const { costWeight = shapeSearchDefaults.costWeight } = this.#options;
    if (sign === 0 || costWeight === 0) return undefined;
    return multiply(log(multiply(this.expected(), UNIT[this.tables.unit])), sign * costWeight);
  }

  epoch(): SearchedEpoch {
    return scope(() => ({
      cost: this.cost() / this.full,
      expected: this.expected().item() / this.full,
      widthEntropy: meanEntropy(Object.values(this.network.alpha)),
      depthEntropy: meanEntropy(Object.values(this.network.beta)),
    }));
  }

  release(): void {
    this.network.release();
    this.#none.dispose();
  }
}

/** +1 above the budget, −1 below it by more than the tolerance, 0 between. */
export function costDirection(found: number, budget: number, tolerance: number): 1 | -1 | 0 {
  if (found > budget) return 1;
  return found < budget - tolerance ? -1 : 0;
}

function multiplyAddsOf(model: Layer, example: Tensor): number {
  return cost((x) => model.forward(x, inference), [example], parameters(model)).multiplyAdds;
}

/** The least widths and depths. */
export function narrowest({ groups, stages }: Pick<ShapeChoices, 'groups' | 'stages'>): NetworkShape {
  return {
    widths: Object.fromEntries(groups.map(({ name, candidates }) => [name, candidates[0] as number])),
    depths: Object.fromEntries(stages.map(({ name, candidates }) => [name, candidates[0] as number])),
  };
}

/** Mean of −Σ p·log p / log m over rows of m logits; 0 without a row. */
function meanEntropy(rows: readonly Tensor[]): number {
  const each = rows.map((row) => {
    const shares = softmax(row).dataSync<Float32Array>();
    return -shares.reduce((sum, own) => sum + own * Math.log(Math.max(own, 1e-30)), 0) / Math.log(row.size);
  });
  return each.reduce((sum, own) => sum + own, 0) / Math.max(1, each.length);
}

/** τ(e) = last + (first − last)·(1 + cos(π e/E))/2. */
export function temperatureAt(
  epoch: number,
  epochs: number,
  [first, last]: readonly [number, number] = shapeSearchDefaults.temperatures,
): number {
  return last + ((first - last) * (1 + Math.cos((Math.PI * epoch) / epochs))) / 2;
}

/** The state of a search that a checkpoint keeps besides the weights: a row an epoch. */
class SearchLog {
  /** [epochs, 4], and how many rows are filled. */
  rows: Tensor;
  filled: Tensor;

  constructor(epochs: number) {
    this.rows = buffer(zeros([Math.max(1, epochs), 4]));
    this.filled = buffer(zeros([1]));
  }

  get epoch(): number {
    return this.filled.item();
  }

  write({ cost: found, expected, widthEntropy, depthEntropy }: SearchedEpoch): void {
    const rows = this.rows.view();
    rows.set([found, expected, widthEntropy, depthEntropy], 4 * this.epoch);
    this.filled.assign(Float32Array.of(this.epoch + 1));
  }

  read(): SearchedEpoch[] {
    const rows = this.rows.dataSync<Float32Array>();
    return Array.from({ length: this.epoch }, (_, at) => {
      const [found = 0, expected = 0, widthEntropy = 0, depthEntropy = 0] = rows.subarray(4 * at, 4 * at + 4);
      return { cost: found, expected, widthEntropy, depthEntropy };
    });
  }
}

/** What is trained: the network, and the log that a checkpoint keeps with it. */
interface Searching {
  readonly network: TransformableNetwork;
  readonly log: SearchLog;
}

/**
 * Searches widths and depths of a classifier on its training images; no test image is read. The
 * model's weights take part and are changed; its layers are whole again in the end. Train what was
 * found from new weights: `applyShape` and `distilled`.
 *
 * @param model of convolutions, whatever its architecture; shortcuts that pad channels get weights
 * @throws RangeError for a budget outside (0, 1], or fewer than four training images; Error where
 * no sub-network meets the budget, or nothing can be searched, naming the layers
 */
export async function searchShape(
  model: Layer,
  data: ImageDataset,
  random: Random,
  options: ShapeSearchOptions,
): Promise<FoundShape> {
  const { train } = data;
  if (train.count < 4)
    throw new RangeError(`a search needs at least 4 training images, two in each half; got ${train.count}`);
  if (followsSteps(model))
    throw new Error('searchShape: this network changes along its training, so that no search can train it');
  const example = zeros([1, train.channels, train.height, train.width]);
  const search = new ShapeSearch(model, example, options, random.split('architecture'));
  const { epochs = shapeSearchDefaults.epochs } = options;
  const searching: Searching = { network: search.network, log: new SearchLog(epochs) };
  try {
    const { history, stopped } = await alternate(search, searching, data, random, options);
    const costOfSearch = search.cost();
    const { settled, shape } =
      stopped === 'completed' && options.costWeight !== 0
        ? settle(search, options)
        : { settled: 0, shape: search.network.shape() };
    const found = costOfShape(search.network.space, search.tables, shape);
    return {
      ...{ shape, cost: found, full: search.full, costOfSearch, settled },
      ...{ epochs: searching.log.read(), fixed: search.network.space.fixed, history, stopped },
    };
  } finally {
    search.release();
    disposeWeights(stateOf(searching.log));
    example.dispose();
  }
}

/** α and β by their names in what is trained. */
const rowsOf = (network: TransformableNetwork): Weights =>
  Object.fromEntries(Object.entries(network.architecture()).map(([name, row]) => [`network.${name}`, row]));

async function alternate(
  search: ShapeSearch,
  model: Searching,
  data: ImageDataset,
  random: Random,
  options: ShapeSearchOptions,
): Promise<Pick<FitResult, 'history' | 'stopped'>> {
  const given = { ...shapeSearchDefaults, ...options };
  const { epochs, batchSize, learningRate, architectureRate, weightDecay, temperatures } = given;
  const [own, other] = imageHalves(data.train, random.split('halves'));
  const { network, log: kept } = model;
  const architecture = () => rowsOf(network);
  const optimizer = new AlternatingOptimizer(
    Object.keys(architecture()),
    new SGD({ learningRate, momentum: 0.9, nesterov: true, weightDecay }),
    new Adam({ learningRate: architectureRate, beta1: 0.5, beta2: 0.999, weightDecay: 1e-3 }),
  );
  const lossOf = (
    { network: live }: Searching,
    { images, labels }: ImageBatch,
    mode: Parameters<Layer['forward']>[1],
  ) => crossEntropy(live.forward(images, mode), labels);
  return fitBilevel<Searching, ImageBatch>({
    ...{ model, epochs, optimizer, architecture, random: random.split('search'), loss: lossOf },
    schedule: cosine(epochs * Math.ceil(own.count / batchSize)),
    *batches(order) {
      network.temperature = temperatureAt(kept.epoch, epochs, temperatures);
      yield* imageBatches(own, data, batchSize, order);
      kept.write(search.epoch());
    },
    architectureBatches: (order) => imageBatches(other, data, batchSize, order),
    stepArchitecture: (batch, _, mode) =>
      architectureStep(
        model,
        (live, ownMode) => {
          const loss = search.loss();
          const entropy = lossOf(live, batch, ownMode);
          return loss ? add(entropy, loss) : entropy;
        },
        optimizer,
        mode,
        architecture(),
      ),
    ...(options.signal && { signal: options.signal }),
    ...(options.checkpoint && { checkpoint: options.checkpoint }),
    ...(options.onEpoch && { onEpoch: options.onEpoch }),
  });
}

/**
 * Steps of the cost loss alone, ten times as short, until the shape is within the budget and its
 * tolerance. Where shapes jump over both again and again, the dearest one below the budget counts.
 *
 * @throws Error where the budget is not met
 */
function settle(
  search: ShapeSearch,
  { architectureRate = shapeSearchDefaults.architectureRate }: ShapeSearchOptions,
): { readonly settled: number; readonly shape: NetworkShape } {
  const { network } = search;
  const optimizer = new AlternatingOptimizer(
    Object.keys(rowsOf(network)),
    undefined,
    new Adam({ learningRate: architectureRate / 10, beta1: 0.5, beta2: 0.999 }),
  );
  let best: { readonly shape: NetworkShape; readonly cost: number } | undefined;
  let [before, jumps]: [number | undefined, number] = [undefined, 0];
  for (let settled = 0; settled < MOST_SETTLING; settled++) {
    const [sign, own] = [search.direction(), search.cost()];
    if (sign !== 1 && own > (best?.cost ?? 0)) best = { shape: network.shape(), cost: own };
    if (before !== undefined && sign !== before) jumps += 1;
    if (best && (sign === 0 || jumps > MOST_JUMPS)) return { settled, shape: best.shape };
    before = sign;
    scope(() => {
      architectureStep({ network }, () => search.loss() ?? zeros([]), optimizer, inference, rowsOf(network));
    });
  }
  if (!best) throw new Error('the search did not get below the budget; give a larger budget, or more epochs');
  return { settled: MOST_SETTLING, shape: best.shape };
}
