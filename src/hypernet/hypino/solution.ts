// Solutions: sums of networks u(x, y) = Σ λᵢ·uᵢ(x, y), evaluated anywhere, saved and loaded.

import { readModelFile, writeModelFile } from '../../data/index.js';
import { type Jet, type JetOrder, jetLength, type Weights } from '../../nn/index.js';
import { multiply, type Random, scope, sum, type Tensor, tensor } from '../../tensor/index.js';
import type { ProblemBox } from './problem-file.js';
import { ModulatedMLP, type ModulatedSizes } from './target.js';

/** One network of a sum: its weights by name, and the factor of its values. */
export interface Member {
  /** Weights by the names of the target. */
  readonly weights: Readonly<Record<string, Float32Array>>;
  /** λ. */
  readonly factor: number;
}

/** Files of solutions. */
export const SOLUTION_MODEL = { system: 'hypino-solution', version: '1', madeBy: 'gossamer solve --save' };

interface Description {
  readonly target: Required<ModulatedSizes>;
  readonly factors: readonly number[];
  readonly box: ProblemBox;
}

/** Points that are evaluated at a time. */
const CHUNK = 4096;

/** A sum of networks of one shape. */
export class Solution {
  /** @throws Error without members, or with weights of other sizes */
  constructor(
    readonly target: ModulatedMLP,
    readonly members: readonly Member[],
  ) {
    if (members.length === 0) throw new Error('Solution: expected at least one network');
    for (const { weights } of members)
      for (const [name, shape] of Object.entries(target.shapes))
        if (weights[name]?.length !== shape.reduce((size, n) => size * n, 1))
          throw new Error(`Solution: weight "${name}" has ${weights[name]?.length} numbers, expected [${shape}]`);
  }

  /** This solution with another network added. */
  plus(member: Member): Solution {
    return new Solution(this.target, [...this.members, member]);
  }

  /** Weights of all networks by name, each [members, …shape]. */
  stacked(): Weights {
    return Object.fromEntries(
      Object.entries(this.target.shapes).map(([name, shape]) => {
        const all = this.members.map(({ weights }) => weights[name] as Float32Array);
        const joined = new Float32Array(all.reduce((size, { length }) => size + length, 0));
        let at = 0;
        for (const values of all) {
          joined.set(values, at);
          at += values.length;
        }
        return [name, tensor(joined).reshape([all.length, ...shape])];
      }),
    );
  }

  /** Factors of the networks [members, 1]. */
  factors(): Tensor {
    return tensor(Float32Array.from(this.members, ({ factor }) => factor)).reshape([-1, 1]);
  }

  /**
   * u and, from order 1 on, u_x and u_y, then u_xx and u_yy, at points of [−1, 1]².
   *
   * @param points x and y of each [count, 2]
   */
  jetsAt(points: Float32Array, order: JetOrder): readonly Float64Array[] {
    const count = points.length / 2;
    const parts = Array.from({ length: jetLength(order) }, () => new Float64Array(count));
    for (let from = 0; from < count; from += CHUNK)
      scope(() => {
        const features = this.target.featuresAt(points.subarray(2 * from, 2 * Math.min(count, from + CHUNK)), order);
        summed(this.target.forward(this.stacked(), features), this.factors()).forEach((part, i) => {
          (parts[i] as Float64Array).set(part.view(), from);
        });
      });
    return parts;
  }

  /** u at points of [−1, 1]² [count, 2]. */
  valuesAt(points: Float32Array): Float64Array {
    return this.jetsAt(points, 0)[0] as Float64Array;
  }

  /** The solution as a file, with the rectangle that [−1, 1]² stands for. */
  save(box: ProblemBox): Uint8Array {
    const { width, latents, frequencies } = this.target;
    const description: Description = {
      target: { width, latents, frequencies },
      factors: this.members.map(({ factor }) => factor),
      box,
    };
    return scope(() => writeModelFile(SOLUTION_MODEL, description, this.stacked()));
  }

  /** Reads a file of `save`. @throws Error when it is another file or damaged */
  static load(bytes: Uint8Array, name = 'solution'): { readonly solution: Solution; readonly box: ProblemBox } {
    return scope(() => {
      const { description, tensors } = readModelFile<Description>(SOLUTION_MODEL, bytes, name);
      const target = new ModulatedMLP(description.target);
      const members = description.factors.map((factor, i) => ({
        factor,
        weights: slicesOf(tensors, i, description.factors.length),
      }));
      return { solution: new Solution(target, members), box: description.box };
    });
  }

  /** A network with Glorot's normal initial values, the usual start of a PINN. */
  static random(target: ModulatedMLP, random: Random): Solution {
    const weights = Object.fromEntries(
      Object.entries(target.shapes).map(([name, [inputs, outputs]]) => {
        const [rows, columns] = [inputs as number, outputs as number];
        const deviation = name.endsWith('.bias') ? 0 : Math.sqrt(2 / (rows + columns));
        return [name, Float32Array.from({ length: rows * columns }, () => deviation * random.gaussian())];
      }),
    );
    return new Solution(target, [{ weights, factor: 1 }]);
  }
}

/** Σ λᵢ·uᵢ of jets [members, count] with factors [members, 1]: [count]. */
export function summed(jet: Jet, factors: Tensor): Jet {
  return jet.map((part) => sum(multiply(part, factors), 0));
}

/** The weights of one of several networks that are stacked along the first axis. */
export function slicesOf(stacked: Weights, at: number, count: number): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(stacked).map(([name, all]) => {
      const size = all.size / count;
      return [name, Float32Array.from(all.view().subarray(at * size, (at + 1) * size))];
    }),
  );
}
