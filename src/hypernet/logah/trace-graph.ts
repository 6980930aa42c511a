// From a traced forward pass to a computational graph.
//
// Operations with parameters become a node for each parameter, norms one node for both; activations
// and layout are left out, what flows through them is joined to what follows. An operation that
// joins branches stays a node if more than one branch arrives.

import { inference, type Mode, parameters, stateOf } from '../../nn/index.js';
import type { Tensor } from '../../tensor/index.js';
import { trace } from '../../trace/index.js';
import { GraphBuilder } from './builder.js';
import type { ArchitectureGraph } from './graph.js';
import { operationRules } from './operations.js';
import type { Primitive } from './primitives.js';

/** Options of `architectureGraph`. */
export interface ArchitectureOptions {
  /**
   * What operations are that the builder does not know, by their name in the trace: a primitive, or
   * `bridge` for those that leave no node. Default: none.
   */
  readonly operations?: Readonly<Record<string, Primitive | 'bridge'>>;
}

/** A module that the builder can trace: forward from tensors to tensors. */
export interface TraceableModule {
  /** The forward pass; the last argument is the mode of inference. */
  forward(...inputs: never[]): unknown;
}

/**
 * The computational graph of a module, by tracing its forward pass on example inputs.
 *
 * @example architectureGraph(new ResNet(…), [zeros([1, 3, 32, 32])])
 * @param inputs example arguments of `forward`; the mode is added
 * @throws Error for an operation that is not known, naming it and how to register it, and for a
 * recurrent network
 */
export function architectureGraph(
  module: TraceableModule,
  inputs: readonly Tensor[],
  options: ArchitectureOptions = {},
): ArchitectureGraph {
  const run = (...given: Tensor[]) => (module.forward as (...all: (Tensor | Mode)[]) => unknown)(...given, inference);
  const own = parameters(module);
  return trace(run, inputs, stateOf(module), (graph) => {
    return new GraphBuilder(own, operationRules, options.operations).build(graph);
  });
}
