// Personal models of SemiPFL, made by `gossamer fit --model semipfl` or `gossamer federated join`.

import { loadUserTable, readBytes } from '../../data/node.js';
import { SemiPFLModel, usersOfTable } from '../../hypernet/index.js';
import { classOfRow, onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = SemiPFLModel.load(readBytes(path), path);
  return {
    predict: async (paths, options) => answerRows(model, onlyPath(paths), options),
    describe: () => descriptionOf(model),
  };
}

function descriptionOf({ description, users, serverPart }: SemiPFLModel): string[] {
  const { classes, columns, window, target, donors, simulated, scores } = description;
  const [first] = users.values();
  const scored = Object.entries(scores).map(([name, value]) => `${name} ${value.toFixed(1)} %`);
  const some = columns.length > 12 ? `${columns.slice(0, 12).join(', ')}, … (${columns.length})` : columns.join(', ');
  return [
    `Classifies ${window > 1 ? `windows of ${window} rows` : 'rows'} of a user by "${target}" (${classes.join(', ')})`,
    `Users       ${[...users.keys()].slice(0, 12).join(', ')}${users.size > 12 ? `, … (${users.size})` : ''}`,
    `Columns     ${some}`,
    `Donors      ${donors.length}${serverPart ? ', whose rows are in the file for users who come later' : ''}`,
    `Size        ${(first?.size ?? 0).toLocaleString('en')} numbers a user`,
    `Federation  ${simulated ? 'simulated on one machine' : 'over HTTP'}`,
    ...(scored.length > 0 ? [`Scores      ${scored.join(', ')}, on later rows of users with labels`] : []),
  ];
}

/** The class of each row, or window, by the model of its user. */
async function answerRows(
  model: SemiPFLModel,
  path: string,
  { note, table: options }: PredictOptions,
): Promise<Predictions> {
  const { columns, classes, target, window, step, user } = model.description;
  const table = await loadUserTable(path, user, {
    ...options,
    ...(user !== undefined && { categorical: (name: string) => name === user }),
  });
  const has = (name: string | undefined) => table.columns.some((own) => own.name === name);
  const { users } = usersOfTable(table, {
    ...{ columns, classes, window, step },
    ...(user !== undefined && has(user) && { user }),
    ...(has(target) && { target }),
  });
  const rows: { readonly row: number; readonly fields: readonly string[] }[] = [];
  for (const { name, rows: own, starts } of users) {
    const personal = await model.modelFor(name, own, note);
    const probabilities = personal.predictProba(own.values);
    starts.forEach((row, i) => {
      const { code, probability, all } = classOfRow(probabilities, classes.length, i);
      rows.push({ row, fields: [name, classes[code] as string, probability, ...all] });
    });
  }
  return {
    columns: ['row', 'user', target, 'probability', ...classes.map((name) => `p(${name})`)],
    rows: rows.sort((a, b) => a.row - b.row).map(({ row, fields }) => [row + 1, ...fields]),
  };
}
