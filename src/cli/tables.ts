// What commands that read tables have in common.

import { type Command, Option } from 'commander';
import type { DecimalMark } from '../data/index.js';
import type { TableFileOptions } from '../data/node.js';
import { choice, maxBytesOption } from './arguments.js';

/** Flags of reading a table. */
export interface TableFlags {
  readonly delimiter?: string;
  readonly decimal?: DecimalMark;
  readonly dates?: 'day-first' | 'month-first';
  readonly sheet?: string;
  readonly maxBytes?: number;
}

/** Flags of reading a table. */
export const readingOnly = [
  'delimiter',
  'decimal',
  'dates',
  'sheet',
  'maxBytes',
] as const satisfies readonly (keyof TableFlags)[];

/** Flags that hypergraphs and events take, whose tables are text. */
export const readingText = ['delimiter', 'decimal', 'maxBytes'] as const satisfies readonly (keyof TableFlags)[];

/** The forms of tables that commands read. */
export const TABLE_FORMS =
  '.csv, .tsv or .txt (each also .gz), .parquet, .jsonl or .json, .xlsx, .sqlite; - is standard input';

/** Adds the options of reading a table. */
export function withTableOptions(command: Command): Command {
  return command
    .option('--delimiter <character>', 'between fields; found from the text when left out', (text: string) =>
      text === '\\t' || text === 'tab' ? '\t' : text,
    )
    .addOption(
      new Option('--decimal <mark>', 'the mark before decimals, where 1,234 may be either').argParser(choice('.', ',')),
    )
    .addOption(
      new Option('--dates <order>', 'of 3/4/2024: day-first or month-first').argParser(
        choice('day-first', 'month-first'),
      ),
    )
    .option('--sheet <name>', 'the sheet of a workbook, or the table of a database')
    .addOption(maxBytesOption());
}

/** The options of `loadTable`. */
export function tableOptionsOf({ delimiter, decimal, dates, sheet, maxBytes }: TableFlags): TableFileOptions {
  return {
    ...(delimiter !== undefined && { delimiter }),
    ...(decimal !== undefined && { decimal }),
    ...(dates !== undefined && { dayFirst: dates === 'day-first' }),
    ...(sheet !== undefined && { sheet }),
    ...(maxBytes !== undefined && { maxBytes }),
  };
}
