// Learning-rate schedules.

/** Factor of the optimiser's learning rate at a step, counted from 0. */
export type Schedule = (step: number) => number;

/** The factor 1 at every step. */
export function constant(): Schedule {
  return () => 1;
}

/**
 * factor^⌊step / every⌋: multiplies the learning rate by `factor` every `every` steps. Default
 * factor: 0.1.
 */
export function stepDecay(every: number, factor = 0.1): Schedule {
  return (step) => factor ** Math.floor(step / every);
}

/** factor^k with k the number of `steps` that are over. Default factor: 0.1. */
export function milestones(steps: readonly number[], factor = 0.1): Schedule {
  return (step) => factor ** steps.filter((at) => at <= step).length;
}

/**
 * Cosine decay from 1 to `floor` over `steps` steps, then `floor` (Loshchilov & Hutter 2017).
 * Default floor: 0.
 */
export function cosine(steps: number, floor = 0): Schedule {
  return (step) => floor + ((1 - floor) * (1 + Math.cos(Math.PI * Math.min(step / steps, 1)))) / 2;
}

/**
 * Linear warm-up to 1 over the first `steps` steps, then `after`, whose steps count from the end of
 * the warm-up. Default: constant.
 */
export function warmUp(steps: number, after: Schedule = constant()): Schedule {
  return (step) => (step < steps ? (step + 1) / steps : after(step - steps));
}

/**
 * Linear warm-up over a share of all steps, one step at least, then cosine decay to 0. Default
 * share: 0.05.
 */
export function warmUpCosine(steps: number, share = 0.05): Schedule {
  const rising = Math.max(1, Math.round(share * steps));
  return warmUp(rising, cosine(Math.max(1, steps - rising)));
}

/** Linear warm-up over `rising` of `steps` steps, then linear decay to 0. */
export function warmUpLinear(steps: number, rising: number): Schedule {
  const falling = Math.max(1, steps - rising);
  return warmUp(rising, (step) => Math.max(0, 1 - step / falling));
}

/** Options of `ReduceOnPlateau`. */
export interface PlateauOptions {
  /** Epochs without a better metric that are waited for. Default: 10. */
  readonly patience?: number;
  /** What the learning rate is multiplied by then. Default: 0.1. */
  readonly by?: number;
  /** Whether a larger or a smaller metric is better. Default: `smaller`. */
  readonly better?: 'larger' | 'smaller';
  /** A metric is better when it passes the best by more than this share of it. Default: 1e-4. */
  readonly tolerance?: number;
}

/**
 * Lowers the learning rate when a metric has not become better for more than `patience` epochs, as
 * PyTorch's ReduceLROnPlateau. `see` takes the metric of each epoch, `factor` is of the next step.
 *
 * @throws RangeError unless the patience is an integer from 0 on, and 0 < by < 1
 */
export class ReduceOnPlateau {
  /** Factor of the learning rate at the next step. */
  factor = 1;
  readonly #options: Required<PlateauOptions>;
  #best: number;
  #since = 0;

  constructor({ patience = 10, by = 0.1, better = 'smaller', tolerance = 1e-4 }: PlateauOptions = {}) {
    if (!(Number.isInteger(patience) && patience >= 0))
      throw new RangeError(`ReduceOnPlateau: patience must be an integer from 0 on, got ${patience}`);
    if (!(by > 0 && by < 1)) throw new RangeError(`ReduceOnPlateau: by must lie between 0 and 1, got ${by}`);
    this.#options = { patience, by, better, tolerance };
    this.#best = better === 'smaller' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** Takes the metric of an epoch. */
  see(metric: number): void {
    const { patience, by, better, tolerance } = this.#options;
    const isBetter =
      better === 'smaller' ? metric < this.#best * (1 - tolerance) : metric > this.#best * (1 + tolerance);
    if (isBetter) this.#best = metric;
    this.#since = isBetter ? 0 : this.#since + 1;
    if (this.#since <= patience) return;
    this.factor *= by;
    this.#since = 0;
  }
}
