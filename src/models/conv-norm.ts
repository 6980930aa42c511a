// The building block of convolutional networks: convolution without bias, batch norm, activation.

import { Activation, type ActivationName, BatchNorm2d, Conv2d, kaimingNormal, type Layer } from '../nn/index.js';
import type { ConvolutionOptions, Random } from '../tensor/index.js';

/** A convolution with weights drawn for ReLU networks, by fan-out (He et al. 2015), as the standard implementations do. */
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

export interface ConvNormOptions extends ConvolutionOptions {
  readonly activation?: ActivationName;
  readonly epsilon?: number;
}

/** [convolution, norm, activation] with padding that keeps the size at stride 1; without activation two layers. */
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
