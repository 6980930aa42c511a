// Multiply-adds of what runs, without capturing a graph: for computations whose inputs are not
// tensors, such as those on graphs.

import { type Op, observe } from '../tensor/index.js';

/** What `countMultiplyAdds` found. */
export interface Counted<Result> {
  /** What the body gave. */
  readonly result: Result;
  /** Sum over all operations that it applied. */
  readonly multiplyAdds: number;
  /** Names of the operations whose multiply-adds are not known, each once. */
  readonly uncounted: readonly string[];
}

/** Runs a synchronous body and counts the multiply-adds of the operations that it applies. */
export function countMultiplyAdds<Result>(body: () => Result): Counted<Result> {
  let multiplyAdds = 0;
  const uncounted = new Set<string>();
  const result = observe(
    {
      record(op: Op<never>, inputs, outputs, attributes) {
        const { multiplyAdds: rule, name } = op as Op<unknown>;
        if (rule === 0) return;
        if (typeof rule !== 'function') uncounted.add(name);
        else
          multiplyAdds += rule(
            inputs.map(({ shape }) => shape),
            outputs[0]?.shape ?? [],
            attributes,
          );
      },
    },
    body,
  );
  return { result, multiplyAdds, uncounted: [...uncounted] };
}
