// The networks that clients train, by a description that a message can hold.

import { crossEntropy, inference, Linear, MLP, type Mode, meanSquaredError, parameterOwners } from '../../nn/index.js';
import { Random, type Tensor, tanh, tensor } from '../../tensor/index.js';
import { Layout } from '../layout.js';

/** An autoencoder or a classifier, as plain data. */
export interface NetworkSpec {
  /** What it is trained for. */
  readonly kind: 'autoencoder' | 'classifier';
  /**
   * Widths. Of an autoencoder from input to code, [d, …, code]; the decoder has them in reverse. Of
   * a classifier [d, …, classes].
   */
  readonly sizes: readonly number[];
  /**
   * Of an autoencoder: `tanh` bounds its output to (−1, 1), which standardised values exceed.
   * Default: `none`.
   */
  readonly outputActivation?: 'none' | 'tanh';
}

/** What may be left out of an autoencoder's description. */
export type AutoencoderOptions = Pick<NetworkSpec, 'outputActivation'>;

/** An autoencoder: ReLU between layers, the last of encoder and decoder linear. */
export class Autoencoder {
  /** d → … → code. */
  readonly encoder: readonly Linear[];
  /** code → … → d. */
  readonly decoder: readonly Linear[];

  constructor(
    sizes: readonly number[],
    random: Random,
    readonly options: AutoencoderOptions = {},
  ) {
    const layers = (widths: readonly number[], label: string) =>
      widths.slice(1).map((width, i) => new Linear(widths[i] as number, width, random.split(label).split(i)));
    this.encoder = layers(sizes, 'encoder');
    this.decoder = layers([...sizes].reverse(), 'decoder');
  }

  /** x [n, d] → codes [n, code]. */
  encode(x: Tensor): Tensor {
    return sequence(this.encoder, x);
  }

  /** x [n, d] → reconstructions [n, d]. */
  forward(x: Tensor): Tensor {
    const y = sequence(this.decoder, this.encode(x));
    return this.options.outputActivation === 'tanh' ? tanh(y) : y;
  }
}

function sequence(layers: readonly Linear[], x: Tensor): Tensor {
  return layers.reduce((y, layer, i) => layer.forward(y, i < layers.length - 1 ? 'relu' : 'none'), x);
}

/** @throws Error when a description is none that can be built */
export function requireSpec({ kind, sizes, outputActivation = 'none' }: NetworkSpec): void {
  const most = 2 ** 20;
  const isSize = (size: unknown) => Number.isInteger(size) && (size as number) >= 1 && (size as number) <= most;
  if (kind !== 'autoencoder' && kind !== 'classifier')
    throw new Error(`network: the kind must be autoencoder or classifier, got "${kind}"`);
  if (!(Array.isArray(sizes) && sizes.length >= 2 && sizes.length <= 32 && sizes.every(isSize)))
    throw new Error(`network: expected two widths or more, each from 1 to ${most}, got [${String(sizes)}]`);
  if (outputActivation !== 'none' && outputActivation !== 'tanh')
    throw new Error(`network: the output activation must be none or tanh, got "${outputActivation}"`);
}

/** A network of a description, with fresh weights. */
export function buildNetwork(spec: NetworkSpec, random: Random): Autoencoder | MLP {
  requireSpec(spec);
  const { kind, sizes } = spec;
  return kind === 'autoencoder' ? new Autoencoder(sizes, random, spec) : new MLP(sizes, random);
}

/** Names and shapes of a network's weights. */
export function layoutOf(spec: NetworkSpec): Layout {
  const owners = parameterOwners(buildNetwork(spec, new Random(0)));
  return new Layout(Object.fromEntries(owners.map(({ name, tensor: { shape } }) => [name, shape])));
}

/** Mean squared reconstruction error of rows x [n, d]. */
export function reconstructionLoss(network: Autoencoder, x: Tensor): Tensor {
  return meanSquaredError(network.forward(x), x);
}

/** Cross-entropy of a classifier on rows x [n, d] with classes. */
export function classificationLoss(network: MLP, x: Tensor, labels: Int32Array, mode: Mode = inference): Tensor {
  return crossEntropy(network.forward(x, mode), tensor(labels));
}

/**
 * Multiply-adds of training on rows for some epochs: forward, and backward to weights and inputs,
 * 3·Σ in·out a row.
 */
export function trainingMultiplyAdds({ kind, sizes }: NetworkSpec, rows: number, epochs: number): number {
  const forward = sizes.slice(1).reduce((sum, width, i) => sum + width * (sizes[i] as number), 0);
  return 3 * rows * epochs * forward * (kind === 'autoencoder' ? 2 : 1);
}
