// What single columns contribute to predictions of HyperTab.

import { classesOf } from '../tabular/classifier.js';
import { softmaxRows } from '../tabular/ensembles.js';
import type { Rows } from '../tabular/features.js';

/** A trained model whose views can be left out. */
interface Views {
  readonly classes: number;
  /** The features of each view. */
  readonly masks: readonly Int32Array[];
  decisionFunction(x: Rows, views?: Int32Array): Float64Array;
}

/**
 * For each column of the table, how much the probability of the predicted class falls when the
 * views with that column are left out, mean over the rows; for a numeric target the mean absolute
 * change of the standardised value. NaN where every view holds the column.
 */
export function columnDrops(model: Views, x: Rows): Float64Array {
  const columnOf = x.columns ?? Int32Array.from({ length: x.width }, (_, feature) => feature);
  const { classes, masks } = model;
  const whole = outputsOf(model, x);
  const predicted = classes > 1 ? classesOf(whole, classes) : undefined;
  return Float64Array.from({ length: (columnOf.at(-1) ?? -1) + 1 }, (_, column) => {
    const without = Int32Array.from(masks.keys()).filter(
      (view) => !masks[view]?.some((feature) => columnOf[feature] === column),
    );
    if (without.length === 0) return Number.NaN;
    const left = outputsOf(model, x, without);
    let total = 0;
    for (let row = 0; row < x.count; row++) {
      const at = predicted ? row * classes + (predicted[row] as number) : row;
      const fall = (whole[at] as number) - (left[at] as number);
      total += predicted ? fall : Math.abs(fall);
    }
    return total / x.count;
  });
}

function outputsOf(model: Views, x: Rows, views?: Int32Array): Float64Array {
  const outputs = model.decisionFunction(x, views);
  return model.classes > 1 ? softmaxRows(outputs, model.classes) : outputs;
}
