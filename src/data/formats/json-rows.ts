// Tables as JSON: lines with an object each, or one array of objects.

import type { Table } from './csv.js';

/**
 * Reads JSON lines or an array of objects as a table; a key that an object lacks is an empty field.
 *
 * @throws Error naming the line or element that is no object, or holds a nested value.
 */
export function readJsonRows(text: string, name: string): Table {
  const found = /^\s*\[/.test(text) ? elements(text, name) : lines(text, name);
  const columns = [...new Set(found.flatMap(({ record }) => Object.keys(record)))];
  return {
    columns,
    rows: found.map(({ where, record }) => columns.map((column) => fieldOf(record[column], where, column))),
  };
}

interface Found {
  /** The file and the place in it, for errors. */
  readonly where: string;
  readonly record: Readonly<Record<string, unknown>>;
}

function elements(text: string, name: string): Found[] {
  const all = parsed(text, `"${name}"`) as unknown[];
  return all.map((value, i) => found(value, `"${name}", element ${i + 1}`));
}

function lines(text: string, name: string): Found[] {
  return text.split('\n').flatMap((line, i) => {
    const where = `"${name}", line ${i + 1}`;
    return line.trim() === '' ? [] : [found(parsed(line, where), where)];
  });
}

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${where} is not JSON: ${(error as Error).message}`);
  }
}

function found(value: unknown, where: string): Found {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${where} must be an object, with a value for each column`);
  return { where, record: value as Found['record'] };
}

function fieldOf(value: unknown, where: string, column: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') throw new Error(`${where}: "${column}" holds a nested value`);
  return String(value);
}
