// Recommenders, made by `gossamer fit --task recommend`.

import { itemsOf } from '../../data/index.js';
import { loadInteractions, loadRows, readBytes } from '../../data/node.js';
import { Recommender } from '../../recommend/index.js';
import type { Predictions, PredictOptions, Predictor } from './predictor.js';

/** Columns of a table of users to answer for. */
const USERS = ['user', 'user_id', 'userid', 'customer', 'customer_id', 'id'];

export function open(path: string): Predictor {
  const model = Recommender.load(readBytes(path), path);
  return {
    recommends: true,
    predict: (paths, options) => answer(model, path, paths, options),
    describe: () => describe(model),
  };
}

/** Lists for named users, those of a table or of a history, or else for all that are known. */
async function answer(
  model: Recommender,
  path: string,
  [table, more]: readonly string[],
  { users, history, top = 20, note, table: reading }: PredictOptions,
): Promise<Predictions> {
  if (more !== undefined) throw new Error(`a recommender reads one table of users, got "${more}" too`);
  if (table !== undefined && users) throw new Error('users are named by --users or by a table, not by both');
  const given = history === undefined ? new Map<string, string[]>() : await historyIn(history, reading);
  const asked =
    users ??
    (table !== undefined
      ? await usersIn(table, reading)
      : given.size > 0
        ? [...given.keys()]
        : model.description.users);
  const unknown = new Set([...given.values()].flat().filter((item) => !model.knowsItem(item)));
  if (unknown.size > 0)
    note(
      `"${history}" holds ${unknown.size} items that "${path}" does not know, and they are ignored: ${[...unknown].slice(0, 5).join(', ')}`,
    );
  const rows: (string | number)[][] = [];
  const byPopularity: string[] = [];
  const served: string[] = [];
  for (const user of asked) {
    const { by, items } = model.recommend(user, top, given.get(user));
    if (by === 'popularity' && model.description.kind !== 'popularity') byPopularity.push(user);
    if (items.length === 0) served.push(user);
    items.forEach(({ item, score }, at) => {
      rows.push([user, at + 1, item, Number(score.toPrecision(6)), by]);
    });
  }
  if (byPopularity.length > 0)
    note(
      `${byPopularity.length} users are not known to the model and get what is popular: ${byPopularity.slice(0, 5).join(', ')}${model.scorer.scoresOf ? '; --history gives their items' : ''}`,
    );
  if (served.length > 0)
    note(
      `${served.length} users have all ${model.description.items.length} items, and none is left for them: ${served.slice(0, 5).join(', ')}`,
    );
  return { columns: ['user', 'rank', 'item', 'score', 'by'], rows };
}

async function usersIn(path: string, options: PredictOptions['table']): Promise<string[]> {
  // As gossamer fit reads names: a user may be called NA, or 007.
  const { columns, rows } = await loadRows(path, options);
  const at = columns.findIndex((name) => USERS.includes(name.trim().toLowerCase()));
  if (at < 0) throw new Error(`"${path}" has no column "user"; it names the users to answer for`);
  return [...new Set(rows.map((row) => (row[at] ?? '').trim()).filter((name) => name !== ''))];
}

async function historyIn(path: string, options: PredictOptions['table']): Promise<Map<string, string[]>> {
  const { train } = await loadInteractions(path, options);
  return new Map(
    train.users.map((user, at) => [user, Array.from(itemsOf(train, at), (item) => train.items[item] as string)]),
  );
}

const kinds = {
  ...{ lightgcn: 'LightGCN', bpr: 'matrix factorisation by BPR', multvae: 'Mult-VAE', neumf: 'NeuMF' },
  ...{ 'item-knn': 'nearest items', popularity: 'popularity' },
};

function describe({ description, history }: Recommender): string[] {
  const { kind, users, items, trained, options } = description;
  const { stored, entries, scores } = trained;
  const shape = Object.entries(options).map(([name, value]) => `${name} ${value}`);
  const newUsers =
    kind === 'neumf' || kind === 'popularity' ? 'popular items' : 'lists from --history, else popular items';
  return [
    `Recommends items to users by ${kinds[kind]}${shape.length > 0 ? ` (${shape.join(', ')})` : ''}`,
    `Knows       ${users.length} users, ${items.length} items, ${history.indices.length} interactions; items already seen are left out`,
    `New users   ${newUsers}`,
    ...(entries > 0
      ? [`Weights     ${stored} of ${entries} are stored (${((100 * stored) / entries).toFixed(1)} %)`]
      : []),
    `Made of     ${trained.data}`,
    `Scores      ${Object.entries(scores)
      .map(([name, value]) => `${name} ${value.toFixed(3)}`)
      .join(', ')}`,
  ];
}
