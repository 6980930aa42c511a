// A layer whose operator is still to be chosen: a mixture of candidates by architecture weights.

import { add, multiply, type Random, slice, softmax, type Tensor } from '../tensor/index.js';
import { type Layer, runSequence, type Sequence } from './layer.js';
import { type Mode, parameter, parameterOwners, parameters, type Weights } from './module.js';

/** Deviation of the initial architecture weights. */
const DEVIATION = 1e-3;

/**
 * A mixture of candidate layers, y = Σ over o of softmax(α)_o·o(x), from which a search chooses
 * one (Liu, Simonyan, Yang, "DARTS: Differentiable Architecture Search", ICLR 2019).
 *
 * **Shapes**: those that all candidates share.
 */
export class MixedOperator implements Layer {
  /** α [candidates], first almost equal. */
  alpha: Tensor;
  /** The candidates, in the order of α. */
  readonly candidates: readonly Sequence[];
  /** Names of the candidates, in the order of α. */
  readonly names: readonly string[];

  /** @throws RangeError without a candidate */
  constructor(candidates: Readonly<Record<string, Sequence>>, random: Random) {
    this.names = Object.keys(candidates);
    if (this.names.length === 0) throw new RangeError('MixedOperator: there is no candidate to mix');
    this.candidates = Object.values(candidates);
    this.alpha = parameter(random.normal([this.names.length], 0, DEVIATION));
  }

  /** Σ softmax(α)_o·o(x). */
  forward(x: Tensor, mode: Mode): Tensor {
    const shares = softmax(this.alpha);
    return this.candidates
      .map((candidate, at) => multiply(runSequence(candidate, x, mode), slice(shares, [at, at + 1])))
      .reduce((a, b) => add(a, b));
  }

  /** softmax(α) by candidate. */
  shares(): Readonly<Record<string, number>> {
    const values = softmax(this.alpha);
    const shares = Object.fromEntries(this.names.map((name, at) => [name, values.view()[at] as number]));
    values.dispose();
    return shares;
  }

  /**
   * The candidate of the largest share; the first of equals.
   *
   * @param except names that are not chosen
   * @throws RangeError where none is left
   */
  chosen(except: readonly string[] = []): string {
    const left = Object.entries(this.shares()).filter(([name]) => !except.includes(name));
    const [first] = left;
    if (!first) throw new RangeError(`MixedOperator: no candidate is left of ${this.names.join(', ')}`);
    return left.reduce((best, own) => (own[1] > best[1] ? own : best), first)[0];
  }
}

/**
 * The architecture weights α of all mixed operators of a module, by parameter name. Those that
 * several share appear once, under their first name, as in `parameters`.
 */
export function architectureOf(module: object): Weights {
  const isAlpha = new Set(
    parameterOwners(module).flatMap(({ owner, tensor }) =>
      owner instanceof MixedOperator && owner.alpha === tensor ? [tensor] : [],
    ),
  );
  return Object.fromEntries(Object.entries(parameters(module)).filter(([, tensor]) => isAlpha.has(tensor)));
}
