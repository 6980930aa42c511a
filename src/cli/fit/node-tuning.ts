// The weight of directions, chosen by the nodes or pairs that validate.

import type { OptionTable } from '../../experiments/parts/options.js';
import type { NetworkLayout, NetworkName } from '../../graph/index.js';
import type { FitResult, TrainingHooks } from '../../nn/index.js';
import type { FitRequest } from './learner.js';

/** What is tried: α of Dir-GNN and q of the magnetic Laplacian; the first of the best is taken. */
const tried: Readonly<
  Partial<Record<NetworkName, { readonly key: 'alpha' | 'q'; readonly values: readonly number[] }>>
> = {
  'dir-gcn': { key: 'alpha', values: [0.5, 1, 0, 0.75, 0.25] },
  'dir-sage': { key: 'alpha', values: [0.5, 1, 0, 0.75, 0.25] },
  'dir-gat': { key: 'alpha', values: [0.5, 1, 0, 0.75, 0.25] },
  magnet: { key: 'q', values: [0.25, 0.2, 0.15, 0.1, 0.05, 0] },
  'light-dic': { key: 'q', values: [0.035, 0, 0.1, 0.15, 0.2, 0.25] },
};

/** The layout that was chosen, with lines that tell how. */
export interface ChosenSetting {
  readonly layout: NetworkLayout;
  readonly lines: readonly string[];
  /** Whether Ctrl-C came first. */
  readonly aborted: boolean;
}

/**
 * The layout with the best validation score, where `--set tune=yes` asks for it. Trials keep no
 * checkpoint: they run again when a training resumes.
 *
 * @param score trains a network of a layout and scores it on validation data
 */
export async function chooseSetting(
  name: NetworkName,
  layout: NetworkLayout,
  { values, hooks }: FitRequest<OptionTable>,
  score: (
    layout: NetworkLayout,
    hooks: TrainingHooks,
  ) => Promise<{ readonly score: number; readonly stopped: FitResult['stopped'] }>,
): Promise<ChosenSetting> {
  const space = tried[name];
  if (!space || String(values.tune) !== 'yes') return { layout, lines: [], aborted: false };
  const scored: { readonly value: number; readonly score: number }[] = [];
  for (const value of space.values) {
    const { signal, onEpoch } = hooks;
    const trial = await score({ ...layout, [space.key]: value }, { signal, onEpoch });
    if (trial.stopped === 'aborted') return { layout, lines: [], aborted: true };
    scored.push({ value, score: trial.score });
  }
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a));
  const all = scored.map(({ value, score: own }) => `${value}: ${(100 * own).toFixed(1)} %`).join(', ');
  return {
    layout: { ...layout, [space.key]: best.value },
    lines: [`${space.key} = ${best.value} by validation (${all})`],
    aborted: false,
  };
}
