// Metrics that several experiments report, with labels and units.

import type { Metric } from './contract.js';

export const accuracy: Metric = { label: 'accuracy', unit: '%', digits: 1, better: 'larger' };
export const balancedAccuracy: Metric = { label: 'balanced accuracy', unit: '%', digits: 1, better: 'larger' };
export const macroF1: Metric = { label: 'macro-F1', unit: '%', digits: 1, better: 'larger' };
export const microF1: Metric = { label: 'micro-F1', unit: '%', digits: 1, better: 'larger' };
export const averagePrecision: Metric = { label: 'average precision', unit: '%', digits: 1, better: 'larger' };
export const auc: Metric = { label: 'AUC', unit: '%', digits: 1, better: 'larger' };
export const loss: Metric = { label: 'loss', digits: 3, better: 'smaller' };
export const parameters: Metric = { label: 'parameters', digits: 0, better: 'smaller' };
/** Time of training, which `runMethods` measures. */
export const seconds: Metric = { label: 'training', unit: 's', digits: 1, better: 'smaller' };

/** Time of one inference. @param what is asked: `one image` */
export function latency(what: string): Metric {
  return { label: what, unit: 'ms', digits: 3, better: 'smaller' };
}

/** The same metric under another label or with other decimals. */
export function relabelled(metric: Metric, changes: Partial<Metric>): Metric {
  return { ...metric, ...changes };
}
