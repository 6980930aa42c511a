// Classifiers whose weights follow condition columns, made by `gossamer run mip` on a table.

import { loadTable, readBytes } from '../../data/node.js';
import { ConditionedTable } from '../../hypernet/index.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = ConditionedTable.load(readBytes(path), path);
  return {
    conditions: Object.keys(model.ranges),
    predict: async (paths, options) => classifyRows(model, onlyPath(paths), options),
    describe: () => descriptionOf(model),
  };
}

/** The class of each row of a table under its conditions, and the probability of all classes. */
async function classifyRows(
  model: ConditionedTable,
  path: string,
  { note, conditions = {}, maxBytes }: PredictOptions,
): Promise<Predictions> {
  const { classes, features, target } = model.description;
  const categorical = (column: string) =>
    features.encoders.some(({ kind, name }) => kind === 'category' && name === column);
  const table = await loadTable(path, { categorical, ...(maxBytes !== undefined && { maxBytes }) });
  const probabilities = model.probabilities(table, { warn: note, fixed: conditions });
  const count = classes.length;
  return {
    columns: ['row', target, 'probability', ...classes.map((name) => `p(${name})`)],
    rows: Array.from({ length: table.rows }, (_, row) => {
      const own = Array.from(probabilities.subarray(row * count, (row + 1) * count));
      const best = own.indexOf(Math.max(...own));
      const shown = own.map((p) => p.toFixed(4));
      return [row + 1, classes[best] as string, shown[best] as string, ...shown];
    }),
  };
}

function descriptionOf({ description, hypernet, ranges }: ConditionedTable): string[] {
  const { classes, features, target, hidden, parametrization } = description;
  return [
    `Classifies ${target} (${classes.join(', ')}) by ${features.encoders.map(({ name }) => name).join(', ')}`,
    `Network       ${hidden.join('-')} hidden, ${hypernet.layout.size} weights generated (${parametrization})`,
    ...Object.entries(ranges).map(([name, [low, high]]) => `Condition     ${name}: ${low} … ${high}`),
  ];
}
