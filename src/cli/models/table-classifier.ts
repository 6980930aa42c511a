// Models of tables, made by `gossamer fit`.

import type { ColumnTable } from '../../data/index.js';
import { readBytes } from '../../data/node.js';
import { columnDrops, encodeTable, HyperTab, TableModel, tableMethods, unseenNote } from '../../hypernet/index.js';
import { classOfRow, onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';
import { loadRows } from './rows.js';

export function open(path: string): Predictor {
  const model = TableModel.load(readBytes(path), path);
  return {
    predict: async (paths, options) => answerRows(model, onlyPath(paths), options),
    describe: () => descriptionOf(model),
  };
}

function descriptionOf({ method, features, classes, target, options, learner, trained }: TableModel): string[] {
  const columns = features.encoders.map((own) =>
    own.kind === 'category' ? `${own.name} (${own.categories.length} categories)` : own.name,
  );
  const some = (all: readonly string[]) =>
    `${all.slice(0, 12).join(', ')}${all.length > 12 ? `, … (${all.length})` : ''}`;
  const numbers = Object.values(learner.state()).reduce((sum, { size }) => sum + size, 0);
  const listed = (of: object) => Object.entries(of).map(([name, value]) => `${name} ${value}`);
  return [
    classes.length > 0
      ? `Classifies rows by "${target}" (${some(classes)})`
      : `Predicts the number "${target}" of rows`,
    `Method      ${[tableMethods[method].title, ...listed(options)].join(', ')}`,
    `Columns     ${some(columns)}`,
    ...(trained ? [`Trained on  ${trained.data}: ${trained.rows} rows`] : []),
    `Size        ${numbers.toLocaleString('en')} numbers`,
    ...(trained ? [`Scores      ${listed(trained.scores).join(', ')}, means over folds of the comparison`] : []),
  ];
}

/** The class of each row of a table and the probability of all classes, or its number. */
async function answerRows(
  model: TableModel,
  path: string,
  { note, explain = false, ...reading }: PredictOptions,
): Promise<Predictions> {
  const table = await loadRows(path, model.features, { ...reading, note });
  const onUnseen = (column: string, categories: readonly string[]) => note(unseenNote(column, categories));
  if (explain) for (const text of explanations(model, table)) note(text);
  if (model.scale)
    return {
      columns: ['row', model.target],
      rows: Array.from(model.predictValues(table, onUnseen), (value, row) => [row + 1, Number(value.toPrecision(7))]),
    };
  const probabilities = model.predictProba(table, onUnseen);
  const { classes, target } = model;
  return {
    columns: ['row', target, 'probability', ...classes.map((name) => `p(${name})`)],
    rows: Array.from({ length: table.rows }, (_, row) => {
      const { code, probability, all } = classOfRow(probabilities, classes.length, row);
      return [row + 1, classes[code] as string, probability, ...all];
    }),
  };
}

/** What each column contributes, the largest first. @throws Error for models without views */
function explanations({ learner, features }: TableModel, table: ColumnTable): string[] {
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
