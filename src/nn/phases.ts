// Checkpoints of trainings that follow one another, in one store.

import type { CheckpointStore, TrainingState } from './fit.js';
import type { Weights } from './module.js';

/**
 * The checkpoints of the phases of a training, by the names of the phases in order. A phase resumes
 * from its own state alone; one that comes before the stored state runs anew and saves nothing, so
 * that the later state stays.
 */
export function phaseCheckpoints<const Phase extends string>(
  store: CheckpointStore,
  phases: readonly Phase[],
): Readonly<Record<Phase, CheckpointStore>> {
  const stored = store.load();
  const found = phases.findIndex((phase) => stored && isOf(stored, phase));
  const own = (phase: Phase, at: number): CheckpointStore => ({
    load: () => (stored && at === found ? renamed(stored, (name) => name.slice(phase.length + 1)) : undefined),
    save: (state) => {
      if (at >= found) store.save(renamed(state, (name) => `${phase}/${name}`));
    },
  });
  return Object.fromEntries(phases.map((phase, at) => [phase, own(phase, at)])) as Record<Phase, CheckpointStore>;
}

function isOf({ weights }: TrainingState, phase: string): boolean {
  return Object.keys(weights).every((name) => name.startsWith(`${phase}/`));
}

function renamed(state: TrainingState, rename: (name: string) => string): TrainingState {
  const all = (weights: Weights): Weights =>
    Object.fromEntries(Object.entries(weights).map(([name, weight]) => [rename(name), weight]));
  const { best } = state;
  return { ...state, weights: all(state.weights), best: best && { ...best, weights: all(best.weights) } };
}
