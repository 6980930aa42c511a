// What a step costs: time and memory of arms in turns.

import { memoryUse, secondsInTurns, type TurnsOptions, withOwnPeak } from '../../engine/index.js';

/** Costs by arm. */
export interface StepCosts<Arm extends string> {
  readonly seconds: Readonly<Record<Arm, number>>;
  /** Most bytes of tensors beyond those that were there before. */
  readonly bytes: Readonly<Record<Arm, number>>;
}

/** Most bytes and seconds of each arm, see `secondsInTurns`. */
export async function costsInTurns<Arm extends string>(
  arms: Readonly<Record<Arm, () => void>>,
  options: TurnsOptions,
): Promise<StepCosts<Arm>> {
  const bytes: [string, number][] = [];
  for (const [arm, body] of Object.entries(arms) as [Arm, () => void][]) {
    const before = memoryUse().bytes;
    bytes.push([arm, (await withOwnPeak(body)).peakBytes - before]);
  }
  return { bytes: Object.fromEntries(bytes) as Record<Arm, number>, seconds: await secondsInTurns(arms, options) };
}
