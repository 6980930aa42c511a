// Selection of the layers that a recipe prunes.

import { Conv2d, Linear, parameterOwners } from '../nn/index.js';
import type { Tensor } from '../tensor/index.js';

/**
 * Which layers to prune. `pointwise`: 1×1 convolutions. `convolutions`: all except depthwise and
 * grouped ones. `depthwise`: those alone whose filters see one channel each. `linear`: linear
 * layers. `all`: convolutions and linear layers, without depthwise and grouped ones. These leave
 * out the first convolution and the last layer. Or names of layers, where `*` stands for any
 * characters: `features.*.conv.*`.
 */
export type LayerChoice = 'pointwise' | 'convolutions' | 'depthwise' | 'linear' | 'all' | readonly string[];

interface LayerWeight {
  readonly name: string;
  readonly tensor: Tensor;
  readonly kind: 'pointwise' | 'convolution' | 'depthwise' | 'grouped' | 'linear';
}

function weightsOf(model: object): LayerWeight[] {
  return parameterOwners(model).flatMap(({ name, owner, tensor }): LayerWeight[] => {
    if (!name.endsWith('weight')) return [];
    if (owner instanceof Linear) return [{ name, tensor, kind: 'linear' }];
    if (!(owner instanceof Conv2d)) return [];
    const [, inGroup, height, width] = tensor.shape;
    if ((owner.options.groups ?? 1) > 1) return [{ name, tensor, kind: inGroup === 1 ? 'depthwise' : 'grouped' }];
    return [{ name, tensor, kind: height === 1 && width === 1 ? 'pointwise' : 'convolution' }];
  });
}

/**
 * The selected weights by name. The first convolution and the last layer, which are small and
 * sensitive to pruning, are left out unless they are named.
 *
 * @throws Error when no layer matches, listing the model's layers
 */
export function chosenWeights(model: object, choice: LayerChoice = 'pointwise'): Record<string, Tensor> {
  const all = weightsOf(model);
  const [first, last] = [all.find(({ kind }) => kind !== 'linear'), all.at(-1)];
  const inner = all.filter((layer) => layer !== first && layer !== last);
  const byKind = {
    pointwise: ['pointwise'],
    convolutions: ['pointwise', 'convolution'],
    depthwise: ['depthwise'],
    linear: ['linear'],
    all: ['pointwise', 'convolution', 'linear'],
  };
  const chosen =
    typeof choice === 'string'
      ? inner.filter(({ kind }) => byKind[choice].includes(kind))
      : all.filter(({ name }) => choice.some((pattern) => matches(name, pattern)));
  if (chosen.length === 0)
    throw new Error(
      `no layer fits ${JSON.stringify(choice)}; the model has ${all
        .map(({ name, kind }) => `${name.replace(/\.weight$/, '')} (${kind})`)
        .join(', ')}`,
    );
  return Object.fromEntries(chosen.map(({ name, tensor }) => [name, tensor]));
}

/** Whether a pattern, in which `*` stands for any characters, names a layer or its weight. */
export function matches(name: string, pattern: string): boolean {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${source}(\\.weight)?$`).test(name);
}
