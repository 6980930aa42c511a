// Classifiers whose weights follow condition columns, made by `gossamer run mip` on a table.

import { readBytes } from '../../data/node.js';
import { ConditionedTable } from '../../hypernet/index.js';
import { classOfRow, onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';
import { loadRows } from './rows.js';

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
  { note, conditions = {}, ...reading }: PredictOptions,
): Promise<Predictions> {
  const { classes, features, target } = model.description;
  const table = await loadRows(path, features, { ...reading, note });
  const probabilities = model.probabilities(table, { warn: note, fixed: conditions });
  return {
    columns: ['row', target, 'probability', ...classes.map((name) => `p(${name})`)],
    rows: Array.from({ length: table.rows }, (_, row) => {
      const { code, probability, all } = classOfRow(probabilities, classes.length, row);
      return [row + 1, classes[code] as string, probability, ...all];
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
