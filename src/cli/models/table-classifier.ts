// Models of tables, made by `gossamer fit`.

import { loadTable, readBytes } from '../../data/node.js';
import { classesOf, columnDrops, encodeTable, HyperTab, TableModel } from '../../hypernet/index.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = TableModel.load(readBytes(path), path);
  return { predict: async (paths, options) => answerRows(model, onlyPath(paths), options) };
}

/** The class of each row of a table and the probability of all classes, or its number. */
async function answerRows(
  model: TableModel,
  path: string,
  { note, explain = false, maxBytes }: PredictOptions,
): Promise<Predictions> {
  const { encoders } = model.features;
  const categorical = (column: string) => encoders.some(({ kind, name }) => kind === 'category' && name === column);
  const table = await loadTable(path, { categorical, ...(maxBytes !== undefined && { maxBytes }) });
  const onUnseen = (column: string, categories: readonly string[]) =>
    note(
      `column "${column}" holds ${categories.slice(0, 5).join(', ')}${categories.length > 5 ? ', …' : ''}, which training did not know`,
    );
  if (explain) for (const text of explanations(model, table)) note(text);
  if (model.scale)
    return {
      columns: ['row', model.target],
      rows: Array.from(model.predictValues(table, onUnseen), (value, row) => [row + 1, Number(value.toPrecision(7))]),
    };
  const probabilities = model.predictProba(table, onUnseen);
  const count = model.classes.length;
  return {
    columns: ['row', model.target, 'probability', ...model.classes.map((name) => `p(${name})`)],
    rows: Array.from(classesOf(probabilities, count), (code, row) => {
      const own = Array.from(probabilities.subarray(row * count, (row + 1) * count), (p) => p.toFixed(4));
      return [row + 1, model.classes[code] as string, own[code] as string, ...own];
    }),
  };
}

/** What each column contributes, the largest first. @throws Error for models without views */
function explanations({ learner, features }: TableModel, table: Awaited<ReturnType<typeof loadTable>>): string[] {
  if (!(learner instanceof HyperTab))
    throw new Error(
      '--explain leaves out views of HyperTab; the model is of another method (gossamer fit --model hypertab)',
    );
  const drops = columnDrops(learner, encodeTable(features, table));
  const what = learner.classes > 1 ? 'the probability of the predicted class falls by' : 'the value moves by';
  const unit = learner.classes > 1 ? '' : ' deviations';
  return Array.from(drops.keys())
    .sort((a, b) => (drops[b] || 0) - (drops[a] || 0))
    .map((column) => {
      const name = features.encoders[column]?.name;
      const drop = drops[column] as number;
      return Number.isNaN(drop)
        ? `column "${name}" is in every view`
        : `without column "${name}" ${what} ${drop.toFixed(4)}${unit}`;
    });
}
