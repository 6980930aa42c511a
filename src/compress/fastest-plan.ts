// The fastest plan of a network: which layers run on sparse kernels, and whether on int8 ones.

import type { ImageDataset } from '../data/index.js';
import { inference, type Layer, stateOf } from '../nn/index.js';
import { type CompileOptions, compile, type KernelChoice, type Plan } from '../trace/index.js';
import { exampleOf, latency } from './footprint.js';

/**
 * The fastest plan of a network, for a batch of one image. In int8 plans the sparse layers read and
 * write floats, with conversions at their borders; a mixed plan is taken only if it is measured to
 * be faster than the dense int8 one.
 *
 * @param int8 calibration; none runs on floats
 */
export function fastestPlan(
  model: Layer,
  data: ImageDataset,
  int8: CompileOptions['int8'],
): { readonly plan: Plan; readonly layers: readonly KernelChoice[] } {
  const example = exampleOf(data);
  const layers: KernelChoice[] = [];
  const planWith = (sparse: CompileOptions['sparse']) =>
    compile((x) => model.forward(x, inference), [example], {
      weights: stateOf(model),
      ...(sparse !== undefined && { sparse }),
      ...(int8 && { int8 }),
    });
  const mixed = planWith({ choose: 'measured', onChoice: (choice) => layers.push(choice) });
  if (!int8 || !layers.some(({ kernel }) => kernel === 'sparse')) return { plan: mixed, layers };
  const dense = planWith(false);
  if (latency(mixed, example) <= latency(dense, example)) return { plan: mixed, layers };
  const reason = 'dense int8: the whole network is faster than with sparse layers';
  return {
    plan: dense,
    layers: layers.map((layer) => (layer.kernel === 'sparse' ? { ...layer, kernel: 'dense', reason } : layer)),
  };
}
