// What stands in the place of norms and blocks while widths and depths are sampled.

import {
  type BatchNorm,
  type Conv2d,
  type Layer,
  type Linear,
  type Mode,
  runSequence,
  type Sequence,
} from '../../nn/index.js';
import { add, multiply, slice, type Tensor } from '../../tensor/index.js';
import { interpolateChannels } from './interpolation.js';
import type { SearchedGroup, SearchedStage } from './space.js';

/** The widths of a group in a pass. */
export interface WidthDraw {
  /** Numbers of the candidates. */
  readonly chosen: readonly number[];
  /** The weight of each [K]; undefined for one alone. */
  readonly weights?: Tensor;
  /** c*: the most channels. */
  readonly most: number;
}

/** What a pass sampled. */
export class Draws {
  readonly widths: WidthDraw[] = [];
  /** Weights of the depths of a stage; or the one depth that is run. */
  readonly depths: (Tensor | number)[] = [];
  /** Channels of what each stage gave. */
  readonly given: number[] = [];
}

/** Mixes the sampled widths of what a layer gives, each through its own norm. */
export class WidthMixture implements Layer {
  readonly #draws: Draws;
  readonly #group: SearchedGroup;
  readonly #at: number;

  /**
   * @param layer what makes the channels, where nothing norms them next
   * @param norms one for each candidate, where the mixture stands for a norm
   */
  constructor(
    draws: Draws,
    group: SearchedGroup,
    at: number,
    readonly layer: Conv2d | Linear | undefined,
    readonly norms: readonly BatchNorm[] | undefined,
  ) {
    this.#draws = draws;
    this.#group = group;
    this.#at = at;
  }

  /** x with the channels of the full network → as many, zeros beyond the widest sample. */
  forward(x: Tensor, mode: Mode, activation: 'none' | 'relu' = 'none'): Tensor {
    const y = this.layer ? this.layer.forward(x) : x;
    const { chosen, weights, most } = this.#draws.widths[this.#at] as WidthDraw;
    const { candidates, channels } = this.#group;
    const mixed = chosen
      .map((candidate, k) => {
        const width = candidates[candidate] as number;
        const own = width === channels ? y : slice(y, null, [0, width]);
        const normed = this.norms?.[candidate]?.forward(own, mode) ?? own;
        const wide = interpolateChannels(normed, most, channels);
        return weights ? multiply(wide, slice(weights, [k, k + 1])) : wide;
      })
      .reduce((a, b) => add(a, b));
    return activation === 'relu' ? mixed.relu() : mixed;
  }
}

/** Mixes what the blocks of a stage give at the depths that may be kept. */
export class DepthMixture {
  readonly #draws: Draws;
  readonly #stage: SearchedStage;
  readonly #at: number;
  readonly #widths: (block: number) => number;

  /** @param widths channels of what each block gives in the present pass */
  constructor(
    draws: Draws,
    stage: SearchedStage,
    at: number,
    readonly blocks: readonly (Layer | Sequence)[],
    widths: (block: number) => number,
  ) {
    this.#draws = draws;
    this.#stage = stage;
    this.#at = at;
    this.#widths = widths;
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const share = this.#draws.depths[this.#at] as Tensor | number;
    const { candidates } = this.#stage;
    const depth = typeof share === 'number' ? share : (candidates.at(-1) as number);
    const given: Tensor[] = [];
    let y = x;
    for (const block of this.blocks.slice(0, depth)) {
      y = runSequence([block], y, mode);
      given.push(y);
    }
    const full = y.shape[1] as number;
    const widthOf = (kept: number) => Math.min(full, this.#widths(kept - 1));
    const kept = typeof share === 'number' ? [share] : candidates;
    const most = Math.max(...kept.map(widthOf));
    this.#draws.given[this.#at] = most;
    if (typeof share === 'number') return y;
    return candidates
      .map((own, at) => {
        const output = given[own - 1] as Tensor;
        const width = widthOf(own);
        const narrow = width === full ? output : slice(output, null, [0, width]);
        return multiply(interpolateChannels(narrow, most, full), slice(share, [at, at + 1]));
      })
      .reduce((a, b) => add(a, b));
  }
}
