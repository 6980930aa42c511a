// Questions on pairs of nodes: a network of nodes and a head on the outputs of both ends.

import {
  Adam,
  accuracy,
  crossEntropy,
  Dropout,
  type Features,
  type FitResult,
  fit,
  inference,
  MLP,
  type Mode,
  predictedClasses,
  type SemiSupervisedOptions,
  stoppingOf,
} from '../../nn/index.js';
import type { ArcExamples, ArcTask, Graph } from '../../structure/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  multiply,
  type Random,
  scope,
  softmax,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import type { GraphModule } from '../conv/index.js';

/** Ends of some pairs. */
export type ArcEnds = Pick<ArcExamples, 'sources' | 'targets'>;

/** Layout of the head. */
export interface ArcHeadOptions {
  /**
   * Width of a hidden layer; 0 for a linear head, as MagNet has: its score is a sum over both ends,
   * so that it cannot tell classes whose arcs wind around. Default: that of the outputs.
   */
  readonly hidden?: number;
  /** Dropout probability of what the head reads. Default: 0.5. */
  readonly dropout?: number;
  /** Whether (u, v) and (v, u) have one answer, as links have. Default: false. */
  readonly symmetric?: boolean;
}

/**
 * logits(u, v) = MLP([h_u ‖ h_v]) with h the outputs of a network of nodes: which end comes first
 * matters, so that directions can be told. A symmetric head reads [h_u + h_v ‖ h_u∘h_v].
 */
export class ArcClassifier {
  /** Linear → ReLU → linear, or linear alone. */
  readonly head: MLP;
  readonly #dropout: Dropout;
  readonly #symmetric: boolean;

  /** @param network outputs h [n, width] */
  constructor(
    readonly network: GraphModule,
    readonly width: number,
    classes: number,
    random: Random,
    { hidden = width, dropout = 0.5, symmetric = false }: ArcHeadOptions = {},
  ) {
    this.head = new MLP([2 * width, ...(hidden > 0 ? [hidden] : []), classes], random.split('arc head'));
    this.#dropout = new Dropout(dropout);
    this.#symmetric = symmetric;
  }

  /** Logits of each pair [pairs, classes]. */
  forward(x: Features, graph: Graph, { sources, targets }: ArcEnds, mode: Mode): Tensor {
    const h = this.network.forward(x, graph, mode);
    const [from, to] = [gatherKnownRows(h, tensor(sources)), gatherKnownRows(h, tensor(targets))];
    const ends = concatenate(this.#symmetric ? [add(from, to), multiply(from, to)] : [from, to], 1);
    return this.head.forward(this.#dropout.forward(ends, mode), mode);
  }

  /** Probability of each class of each pair [pairs, classes], row after row. */
  predictProba(x: Features, graph: Graph, ends: ArcEnds): Float32Array {
    return scope(() => softmax(this.forward(x, graph, ends, inference)).dataSync<Float32Array>());
  }
}

/**
 * Trains on the examples of a task with Adam, one step an epoch, and restores the weights of the
 * best epoch by the validation pairs.
 *
 * @param features of the nodes [n, d]
 * @param random stream of dropout
 */
export function trainArcs(
  classifier: ArcClassifier,
  features: Features,
  { graph, train, validation }: Pick<ArcTask, 'graph' | 'train' | 'validation'>,
  random: Random,
  options: SemiSupervisedOptions = {},
): Promise<FitResult> {
  const { epochs = 200, learningRate = 0.01, weightDecay = 5e-4, select = 'accuracy' } = options;
  return fit({
    model: classifier,
    loss: (live: ArcClassifier, _: undefined, mode) =>
      crossEntropy(live.forward(features, graph, train, mode), tensor(train.classes)),
    optimizer: new Adam({ learningRate, weightDecay }),
    epochs,
    random,
    validate: (live: ArcClassifier) => {
      const logits = live.forward(features, graph, validation, inference);
      return select === 'loss'
        ? crossEntropy(logits, tensor(validation.classes)).item()
        : shareRight(logits, validation);
    },
    ...stoppingOf(options),
  });
}

/** Share of pairs that are answered right. */
export function arcAccuracy(
  classifier: ArcClassifier,
  features: Features,
  graph: Graph,
  examples: ArcExamples,
): number {
  return scope(() => shareRight(classifier.forward(features, graph, examples, inference), examples));
}

function shareRight(logits: Tensor, { classes }: ArcExamples): number {
  return accuracy(predictedClasses(logits), classes, Int32Array.from(classes.keys()));
}
