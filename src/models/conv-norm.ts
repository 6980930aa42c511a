// The building block of convolutional networks: convolution without bias, batch norm, activation.

import { Activation, type ActivationName, BatchNorm2d, Conv2d, kaimingNormal, type Layer } from '../nn/index.js';
import type { ConvolutionOptions, Random } from '../tensor/index.js';

/**
 * A convolution with He initialisation by fan-out (He et al. 2015). `options.bias` defaults to
 * false.
 */
export function heConv(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  random: Random,
  options: ConvolutionOptions & { readonly bias?: boolean } = {},
): Conv2d {
  const conv = new Conv2d(inChannels, outChannels, kernelSize, random, { bias: false, ...options });
  conv.weight.assign(kaimingNormal(random, conv.weight.shape, { mode: 'fan-out' }));
  return conv;
}

/** Options of `convNorm`: those of the convolution, and norm and activation. */
export interface ConvNormOptions extends ConvolutionOptions {
  /** Activation after the norm. Default: `relu`. */
  readonly activation?: ActivationName;
  /** ε of the batch norm. Default: 1e-5. */
  readonly epsilon?: number;
  /** Whether the convolution has a bias too. Default: false. */
  readonly bias?: boolean;
}

/**
 * [convolution, batch norm, activation], or two layers for activation `none`. The default padding
 * (kernelSize − 1) / 2 preserves height and width at stride 1.
 */
export function convNorm(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  random: Random,
  { activation = 'relu', epsilon = 1e-5, ...options }: ConvNormOptions = {},
): Layer[] {
  return [
    heConv(inChannels, outChannels, kernelSize, random, { padding: (kernelSize - 1) / 2, ...options }),
    new BatchNorm2d(outChannels, { epsilon }),
    ...(activation === 'none' ? [] : [new Activation(activation)]),
  ];
}
