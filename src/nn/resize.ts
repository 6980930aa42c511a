// Replacing weights by tensors of other shapes, as after channel pruning or on loading a pruned
// checkpoint.

import { keep, type Tensor } from '../tensor/index.js';
import { Conv2d } from './convolution.js';
import { Linear } from './linear.js';
import { stateOf, type Weights, weightSlots } from './module.js';
import { BatchNorm, GroupNorm, LayerNorm, RMSNorm } from './normalization.js';

/**
 * Replaces weights of a module, whose shapes may differ, and updates the channel counts of
 * convolutions, linear and normalisation layers. Depthwise convolutions stay depthwise.
 *
 * @param state parameters and buffers by dotted name; weights not named stay.
 * @throws Error when a name is unknown or a tensor has another number of axes.
 */
export function replaceWeights(module: object, state: Weights): void {
  const known = stateOf(module);
  for (const [name, tensor] of Object.entries(state)) {
    const current = known[name];
    if (!current) throw new Error(`replaceWeights: the module has no weight "${name}"`);
    if (current.rank !== tensor.rank)
      throw new Error(`replaceWeights: weight "${name}" is ${tensor}, expected ${current.rank} axes as ${current}`);
  }
  const owners = new Set<object>();
  for (const { name, owner, key } of weightSlots(module)) {
    const given = state[name];
    if (!given) continue;
    const old = owner[key] as Tensor;
    const tensor = keep(given.clone());
    tensor.role = old.role;
    owner[key] = tensor;
    old.dispose();
    owners.add(owner);
  }
  for (const owner of owners) adapt(owner);
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Sets the channel counts of a layer to the shapes of its weights. */
function adapt(layer: object): void {
  if (layer instanceof Conv2d) {
    const conv = layer as Writable<Conv2d>;
    const [filters, perGroup] = conv.weight.shape as [number, number];
    const { groups = 1 } = conv.options;
    const depthwise = groups > 1 && groups === conv.inChannels && groups === conv.outChannels;
    const newGroups = depthwise ? filters : groups;
    conv.options = { ...conv.options, groups: newGroups };
    conv.inChannels = perGroup * newGroups;
    conv.outChannels = filters;
  } else if (layer instanceof Linear) {
    const linear = layer as Writable<Linear>;
    [linear.outFeatures, linear.inFeatures] = linear.weight.shape as [number, number];
  } else if (layer instanceof BatchNorm || layer instanceof LayerNorm || layer instanceof RMSNorm) {
    (layer as Writable<BatchNorm>).features = layer.weight.size;
  } else if (layer instanceof GroupNorm) {
    const norm = layer as Writable<GroupNorm>;
    const groupSize = norm.features / norm.groups;
    norm.features = norm.weight.size;
    norm.groups = norm.features / groupSize;
  }
}
