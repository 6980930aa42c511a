// Interactions of users with items: who read, bought or rated what, from tables of any form.

import { numbersOf } from './columns/numbers.js';
import { timeOf } from './event-tables.js';
import { type NamedArray, type Table, toInts } from './formats/index.js';
import type { TextOptions } from './vertex-rows.js';

/** Users and the items of each, in the order in which they came. */
export interface Interactions {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** Names of the users, in the order of their numbers. */
  readonly users: readonly string[];
  /** Names of the items, in the order of their numbers. */
  readonly items: readonly string[];
  /** User u has items[indptr[u]] … items[indptr[u + 1] − 1]: [users + 1]. */
  readonly indptr: Int32Array;
  /** Items of each user, none twice, by time where it is known, else in the order of the rows. */
  readonly indices: Int32Array;
}

/** Interactions of a set, with a test part where the set has one. */
export interface InteractionSet {
  /** To learn from. */
  readonly train: Interactions;
  /** Published test part, of the same users and items; none for own tables. */
  readonly test?: Interactions;
  /** How the table was read, and what is unusual about it. */
  readonly notes: readonly string[];
}

/** How a table of interactions is read. */
export interface InteractionOptions extends TextOptions {
  /** Least weight, such as a rating, that counts as an interaction. Default: above 0. */
  readonly least?: number;
}

type Role = 'user' | 'item' | 'weight' | 'time';

/** Names of columns in any case of letters. */
const COLUMNS: Readonly<Record<Role, readonly string[]>> = {
  user: ['user', 'user_id', 'userid', 'uid', 'u', 'customer', 'customer_id', 'customerid', 'account', 'visitor'],
  item: [
    ...['item', 'item_id', 'itemid', 'iid', 'i', 'movie', 'movie_id', 'movieid', 'product', 'product_id', 'productid'],
    ...[
      'book',
      'book_id',
      'isbn',
      'asin',
      'artist',
      'artist_id',
      'track',
      'song',
      'article',
      'place',
      'business',
      'sku',
    ],
  ],
  weight: ['weight', 'rating', 'score', 'stars', 'value', 'count', 'quantity', 'plays'],
  time: ['time', 'timestamp', 'ts', 't', 'date', 'datetime', 'unixtime', 'unix_time', 'when', 'created_at'],
};

/** The items of one user. */
export function itemsOf({ indptr, indices }: Pick<Interactions, 'indptr' | 'indices'>, user: number): Int32Array {
  return indices.subarray(indptr[user] as number, indptr[user + 1] as number);
}

/** The same users and items with other lists. */
export function withLists(
  { name, users, items }: Pick<Interactions, 'name' | 'users' | 'items'>,
  lists: readonly ArrayLike<number>[],
): Interactions {
  const indptr = new Int32Array(lists.length + 1);
  lists.forEach((list, user) => {
    indptr[user + 1] = (indptr[user] as number) + list.length;
  });
  const indices = new Int32Array(indptr[lists.length] as number);
  lists.forEach((list, user) => {
    indices.set(list, indptr[user]);
  });
  return { name, users, items, indptr, indices };
}

/**
 * Reads a table with a row for each interaction: a user, an item, and maybe a weight and a time, by
 * the names of the columns; a table without a header whose first row holds numbers alone is read as
 * user, item, weight, time (of three columns the third is a time where its numbers are seconds
 * since 1970). Repeated pairs count once, at their last time. Rows whose weight is below `least`
 * are no interactions; weights are not used beyond that.
 *
 * @throws Error naming the column that is missing, or when no row holds an interaction
 */
export function interactionsFromTable(table: Table, name: string, options: InteractionOptions = {}): InteractionSet {
  const notes: string[] = [];
  const { columns, rows } = headed(table, name, notes);
  const at = (role: Role) => columns.findIndex((column) => COLUMNS[role].includes(column.trim().toLowerCase()));
  const [user, item] = [at('user'), at('item')];
  const missing = [...(user < 0 ? ['user'] : []), ...(item < 0 ? ['item'] : [])];
  if (missing.length > 0)
    throw new Error(
      `"${name}" has no column for the ${missing.join(' and the ')} of its interactions; it has ${columns.join(', ')}: name them user and item`,
    );
  const cell = (row: number, column: number) => (rows[row]?.[column] ?? '').trim();
  const named = Array.from(rows.keys()).filter((row) => cell(row, user) !== '' && cell(row, item) !== '');
  const cells = (role: Role): ColumnCells | undefined => {
    const column = at(role);
    return column < 0
      ? undefined
      : { rows: named, texts: named.map((row) => cell(row, column)), what: `"${name}": column "${columns[column]}"` };
  };
  const weights = numbersIn(cells('weight'), options);
  const times = timesIn(cells('time'), options);
  const { least } = options;
  if (least !== undefined && !weights)
    throw new Error(`"${name}" has no column of weights, such as rating, that could be at least ${least}`);
  const isCounted = (row: number) => {
    const weight = weights?.get(row) as number;
    return !weights || (least === undefined ? weight > 0 : weight >= least);
  };
  const kept = named.filter(isCounted);
  if (named.length < rows.length)
    notes.push(`${rows.length - named.length} rows without a user or an item are left out`);
  if (kept.length < named.length)
    notes.push(
      `${named.length - kept.length} rows are no interactions: their ${columns[at('weight')]} is ${least === undefined ? 'not above 0' : `below ${least}`}`,
    );
  if (kept.length === 0) throw new Error(`"${name}": none of its ${rows.length} rows is an interaction`);
  if (times) kept.sort((a, b) => (times.get(a) as number) - (times.get(b) as number) || a - b);
  const users = new Map<string, number>();
  const items = new Map<string, number>();
  const lists: Set<number>[] = [];
  let repeated = 0;
  for (const row of kept) {
    const own = numberOf(users, cell(row, user));
    const other = numberOf(items, cell(row, item));
    const list = (lists[own] ??= new Set());
    if (list.delete(other)) repeated += 1;
    list.add(other);
  }
  if (repeated > 0) notes.push(`${repeated} repeated pairs count once`);
  const names = { name, users: [...users.keys()], items: [...items.keys()] };
  return {
    train: withLists(
      names,
      lists.map((list) => Int32Array.from(list)),
    ),
    notes,
  };
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const known = numbers.get(name);
  if (known !== undefined) return known;
  numbers.set(name, numbers.size);
  return numbers.size - 1;
}

/** Least value of seconds since 1970 that is taken for a time: the year 1973. */
const EPOCH = 1e8;

/** The table with a header, made up where its first row holds numbers. */
function headed({ columns, rows }: Table, name: string, notes: string[]): Table {
  const isNumber = (cell: string) => cell.trim() !== '' && Number.isFinite(Number(cell));
  if (columns.length < 2 || !columns.every(isNumber)) return { columns, rows };
  if (columns.length > 4)
    throw new Error(`"${name}" has no header and ${columns.length} columns: give it a header user,item,weight,time`);
  const third = columns.length === 3 && Number(columns[2]) >= EPOCH ? 'time' : 'weight';
  const made = ['user', 'item', third, 'time'].slice(0, columns.length);
  notes.push(`the table has no header and is read as ${made.join(', ')}`);
  return { columns: made, rows: [columns, ...rows] };
}

/** Some cells of a column, with the numbers of their rows. */
interface ColumnCells {
  readonly rows: readonly number[];
  readonly texts: readonly string[];
  readonly what: string;
}

/** Numbers by row. @throws Error naming the first cell that is none */
function byRow({ rows, texts, what }: ColumnCells, numbers: readonly number[], expected: string): Map<number, number> {
  const wrong = numbers.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw new Error(`${what} holds "${texts[wrong]}" in row ${(rows[wrong] as number) + 1}, expected ${expected}`);
  return new Map(rows.map((row, at) => [row, numbers[at] as number]));
}

function numbersIn(cells: ColumnCells | undefined, { decimal }: TextOptions): Map<number, number> | undefined {
  return cells && byRow(cells, numbersOf(cells.texts, decimal, cells.what), 'a number');
}

function timesIn(cells: ColumnCells | undefined, options: TextOptions): Map<number, number> | undefined {
  if (!cells) return undefined;
  const times = cells.texts.map(timeOf);
  const wrong = times.findIndex((value) => !Number.isFinite(value));
  // Numbers with decimal commas are read in the notation of their column.
  if (wrong >= 0 && /^[\d.,]+$/.test(cells.texts[wrong] as string)) return numbersIn(cells, options);
  return byRow(cells, times, 'a number or an ISO date');
}

/**
 * Reads an archive with train_indptr, train_indices, test_indptr, test_indices and shape, as the
 * split of LightGCN has them; users and items are named by their numbers.
 *
 * @throws Error naming an array that is missing or does not fit
 */
export function interactionsFromArrays(arrays: Readonly<Record<string, NamedArray>>, name: string): InteractionSet {
  const ints = (key: string) => {
    const own = arrays[key];
    if (!own) throw new Error(`"${name}" has no array "${key}"`);
    return toInts(own, `"${name}": ${key}`);
  };
  const [users = 0, items = 0] = ints('shape');
  const names = (count: number) => Array.from({ length: count }, (_, at) => String(at));
  const shared = { name, users: names(users), items: names(items) };
  const part = (key: string): Interactions => {
    const own = { ...shared, indptr: ints(`${key}_indptr`), indices: ints(`${key}_indices`) };
    const fits = own.indptr.length === users + 1 && own.indptr[users] === own.indices.length;
    if (!fits || own.indices.some((item) => item < 0 || item >= items))
      throw new Error(`"${name}": ${key}_indptr and ${key}_indices do not describe ${users} users and ${items} items`);
    return own;
  };
  return { train: part('train'), test: part('test'), notes: [] };
}

/**
 * The first users of a set with the users and items that have at least so many interactions among
 * them, training and test together: the others are removed until none is left.
 *
 * @throws Error for a set without a test part
 */
export function densePart(
  { train, test, notes }: InteractionSet,
  name: string,
  { users, least }: { readonly users: number; readonly least: number },
): InteractionSet {
  if (!test) throw new Error(`densePart: "${train.name}" has no test part`);
  const parts = [train, test];
  const keptUsers = new Uint8Array(train.users.length).fill(1, 0, Math.min(users, train.users.length));
  const keptItems = new Uint8Array(train.items.length).fill(1);
  for (let removed = 1; removed > 0; ) {
    const perUser = new Int32Array(keptUsers.length);
    const perItem = new Int32Array(keptItems.length);
    for (const part of parts)
      for (let user = 0; user < keptUsers.length; user++)
        for (const item of itemsOf(part, user)) {
          if (!keptUsers[user] || !keptItems[item]) continue;
          perUser[user] = (perUser[user] as number) + 1;
          perItem[item] = (perItem[item] as number) + 1;
        }
    removed = 0;
    for (const [kept, counts] of [
      [keptUsers, perUser],
      [keptItems, perItem],
    ] as const)
      for (let at = 0; at < kept.length; at++) {
        if (!kept[at] || (counts[at] as number) >= least) continue;
        kept[at] = 0;
        removed += 1;
      }
  }
  const items = Array.from(keptItems.keys()).filter((item) => keptItems[item]);
  const own = Array.from(keptUsers.keys()).filter((user) => keptUsers[user]);
  const place = new Int32Array(keptItems.length);
  items.forEach((item, at) => {
    place[item] = at;
  });
  const names = {
    name,
    users: own.map((user) => train.users[user] as string),
    items: items.map((item) => train.items[item] as string),
  };
  const [first, second] = parts.map((part) =>
    withLists(
      names,
      own.map((user) =>
        itemsOf(part, user)
          .filter((item) => keptItems[item])
          .map((item) => place[item] as number),
      ),
    ),
  ) as [Interactions, Interactions];
  return { train: first, test: second, notes };
}
