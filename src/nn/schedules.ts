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
