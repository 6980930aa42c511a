// Classifiers of tables, made by `gossamer fit`.

import { loadTable, readBytes } from '../../data/node.js';
import { classesOf, TableModel } from '../../hypernet/index.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = TableModel.load(readBytes(path), path);
  return { predict: async (paths, options) => classifyRows(model, onlyPath(paths), options) };
}

/** The class of each row of a table, and the probability of all classes. */
async function classifyRows(model: TableModel, path: string, { note, ...limit }: PredictOptions): Promise<Predictions> {
  const { encoders } = model.features;
  const categorical = (column: string) => encoders.some(({ kind, name }) => kind === 'category' && name === column);
  const table = await loadTable(path, { categorical, ...limit });
  const probabilities = model.predictProba(table, (column, categories) =>
    note(
      `column "${column}" holds ${categories.slice(0, 5).join(', ')}${categories.length > 5 ? ', …' : ''}, which training did not know`,
    ),
  );
  const count = model.classes.length;
  return {
    columns: ['row', model.target, 'probability', ...model.classes.map((name) => `p(${name})`)],
    rows: Array.from(classesOf(probabilities, count), (code, row) => {
      const own = Array.from(probabilities.subarray(row * count, (row + 1) * count), (p) => p.toFixed(4));
      return [row + 1, model.classes[code] as string, own[code] as string, ...own];
    }),
  };
}
