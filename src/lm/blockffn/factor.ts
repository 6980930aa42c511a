// The adaptive factor of BlockFFN's chunk sparsification.

/** How a factor adapts. */
export interface AdaptiveFactorOptions {
  /** κ₀. Default: 0.05. */
  readonly initial?: number;
  /** Updates with κ₀. Default: 1000. */
  readonly start?: number;
  /** Updates from one change to the next. Default: 100. */
  readonly window?: number;
  /** Least growth when the loss has grown. Default: 1.025. */
  readonly growth?: number;
  /** Largest factor, in κ₀. Default: 4. */
  readonly cap?: number;
}

const defaults: Required<AdaptiveFactorOptions> = { initial: 0.05, start: 1000, window: 100, growth: 1.025, cap: 4 };

/**
 * A factor κ that follows its loss. After `start` updates, at every multiple of `window`, with ρ
 * the mean loss of the last window over that of the window before: κ moves linearly, over the next
 * window, to κ·max(growth, ρ) if ρ > 1, else to κ·ρ, at most to cap·κ₀.
 */
export class AdaptiveFactor {
  /** How it adapts. */
  readonly options: Required<AdaptiveFactorOptions>;
  #updates = 0;
  /** The last change: at which update, from and to which factor. */
  #change: { readonly at: number; readonly from: number; readonly to: number };
  /** Sum of the losses of the current window; mean of the one before. */
  #sum = 0;
  #count = 0;
  #before = Number.NaN;

  constructor(given: AdaptiveFactorOptions = {}) {
    this.options = { ...defaults, ...given };
    const { initial, window } = this.options;
    if (!(initial >= 0 && initial < Infinity)) throw new RangeError(`AdaptiveFactor: κ₀ is ${initial}`);
    if (!(Number.isInteger(window) && window > 0))
      throw new RangeError(`AdaptiveFactor: a window of ${window} updates; it must be a positive integer`);
    this.#change = { at: 0, from: initial, to: initial };
  }

  /** Updates so far. */
  get updates(): number {
    return this.#updates;
  }

  /** κ of the next update. */
  get value(): number {
    const { at, from, to } = this.#change;
    return from + (to - from) * Math.min(1, (this.#updates + 1 - at) / this.options.window);
  }

  /** Counts one update, with the loss that it had. */
  update(loss: number): void {
    const { initial, start, window, growth, cap } = this.options;
    const own = this.value;
    this.#updates += 1;
    this.#sum += loss;
    this.#count += 1;
    if (this.#updates % window !== 0) return;
    const mean = this.#sum / this.#count;
    const ratio = this.#before > 0 ? mean / this.#before : 1;
    this.#before = mean;
    this.#sum = 0;
    this.#count = 0;
    if (this.#updates < start) return;
    const target = own * (ratio > 1 ? Math.max(growth, ratio) : ratio);
    this.#change = { at: this.#updates, from: own, to: Math.min(cap * initial, target) };
  }

  /** Everything that `restore` needs. */
  state(): Float64Array {
    const { at, from, to } = this.#change;
    return Float64Array.of(this.#updates, at, from, to, this.#sum, this.#count, this.#before);
  }

  /** Goes on from a state. */
  restore(state: Float64Array): void {
    const [updates = 0, at = 0, from = 0, to = 0, sum = 0, count = 0, before = Number.NaN] = state;
    this.#updates = updates;
    this.#change = { at, from, to };
    [this.#sum, this.#count, this.#before] = [sum, count, before];
  }
}
