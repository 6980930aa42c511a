// Learning-rate schedules: the multiple of the optimiser's rate at a step, counted from 0.

export type Schedule = (step: number) => number;

export function constant(): Schedule {
  return () => 1;
}

/** Multiplies by `factor` at each multiple of `every` steps. */
export function stepDecay(every: number, factor = 0.1): Schedule {
  return (step) => factor ** Math.floor(step / every);
}

/** Half a cosine from 1 down to `floor` over `steps`, then `floor` (Loshchilov & Hutter 2017). */
export function cosine(steps: number, floor = 0): Schedule {
  return (step) => floor + ((1 - floor) * (1 + Math.cos(Math.PI * Math.min(step / steps, 1)))) / 2;
}

/** Rises linearly to 1 over the first `steps`, then follows `after`, which counts from the end of the rise. */
export function warmUp(steps: number, after: Schedule = constant()): Schedule {
  return (step) => (step < steps ? (step + 1) / steps : after(step - steps));
}
