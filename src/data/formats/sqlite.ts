// SQLite databases as tables of text, by the package sql.js.

import type { Table } from './csv.js';

/** Which table of a database. */
export interface SqliteOptions {
  /** Name of a table or view. Default: the only one. */
  readonly sheet?: string;
}

/**
 * Reads a table of an SQLite database, 64-bit integers exactly.
 *
 * @throws Error naming the file when it is no database, has no such table, several to choose from
 * or blobs; or when sql.js is not installed.
 */
export async function readSqlite(bytes: Uint8Array, name: string, { sheet }: SqliteOptions = {}): Promise<Table> {
  const { default: open } = await import('sql.js').catch(() => {
    throw new Error('reading SQLite databases needs the package "sql.js": npm install sql.js');
  });
  const { Database } = await open();
  const database = new Database(bytes);
  try {
    const found = tablesOf(database);
    const only = found.length === 1 ? found[0] : undefined;
    const table = sheet ?? only;
    if (table === undefined || !found.includes(table))
      throw new Error(
        `"${name}" has ${sheet === undefined ? 'no one table' : `no table "${sheet}"`}; its tables are ${found.join(', ') || 'none'}${sheet === undefined && found.length > 1 ? ': name one (--sheet)' : ''}`,
      );
    return rowsOf(database, table, name);
  } catch (error) {
    if ((error as Error).message.startsWith(`"${name}"`)) throw error;
    throw new Error(`"${name}" cannot be read as an SQLite database: ${(error as Error).message}`);
  } finally {
    database.close();
  }
}

type Database = import('sql.js').Database;

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

function tablesOf(database: Database): string[] {
  const [result] = database.exec(
    "select name from sqlite_master where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\' order by name",
  );
  return (result?.values ?? []).map(([table]) => String(table));
}

function rowsOf(database: Database, table: string, name: string): Table {
  const statement = database.prepare(`select * from ${quoted(table)}`);
  try {
    const columns = statement.getColumnNames();
    const rows: string[][] = [];
    while (statement.step()) {
      const values = exactValues(statement);
      rows.push(
        values.map((value, i) => {
          if (value instanceof Uint8Array) throw new Error(`"${name}" holds bytes in column "${columns[i]}"`);
          return value === null || value === undefined ? '' : String(value);
        }),
      );
    }
    return { columns, rows };
  } finally {
    statement.free();
  }
}

/** The values of a row, integers as BigInt, which the types of sql.js leave out. */
function exactValues(statement: import('sql.js').Statement): unknown[] {
  const { get } = statement as unknown as { get(values: undefined, how: { useBigInt: boolean }): unknown[] };
  return get.call(statement, undefined, { useBigInt: true });
}
