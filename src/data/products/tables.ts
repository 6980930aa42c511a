// Tables of products as people write them, and the CSV of HyperPAVE's release.

import { CsvReader } from '../formats/csv.js';
import type { AttributeValue, LabelRow, ProductRow, ProductTables } from './catalogue.js';

/** A line of a table, by the names of its columns in lower case. */
interface Line {
  readonly where: string;
  /** The field of a column; empty where the table lacks it. */
  field(column: string): string;
}

/**
 * Products with a header `product,title,description,category,also_view,also_buy`, in any order;
 * product and title or description are needed. Categories and lists are separated by `|`, or
 * written as `['a', 'b']`.
 *
 * @throws Error naming the file: a missing column, or the line of a list that is not closed
 */
export function productsFromTable(text: string, name: string): ProductRow[] {
  return linesOf(text, name, ['product'], ['title', 'description']).map((line) => ({
    product: line.field('product'),
    text: [line.field('title'), line.field('description')].filter((part) => part !== '').join(' '),
    categories: listOf(line, 'category'),
    alsoView: listOf(line, 'also_view'),
    alsoBuy: listOf(line, 'also_buy'),
    where: line.where,
  }));
}

/** Known values with a header `product,attribute,value`. @throws Error as `productsFromTable` */
export function labelsFromTable(text: string, name: string): LabelRow[] {
  return linesOf(text, name, ['product', 'attribute', 'value']).map((line) => ({
    product: line.field('product'),
    ...valueOf(line),
  }));
}

/** Values with a header `attribute,value`. @throws Error as `productsFromTable` */
export function valuesFromTable(text: string, name: string): AttributeValue[] {
  return linesOf(text, name, ['attribute', 'value']).map(valueOf);
}

/** Descriptions with a header `category,description`. @throws Error as `productsFromTable` */
export function descriptionsFromTable(text: string, name: string): ReadonlyMap<string, string> {
  const lines = linesOf(text, name, ['category', 'description']);
  return new Map(lines.map((line) => [line.field('category'), line.field('description')]));
}

/** The columns of the release. */
const RELEASED = ['asin', 'title&description', 'category_a', 'also_view', 'also_buy', 'label_text'] as const;

/** Whether a table has the columns of the release. */
export function isReleasedTable(text: string): boolean {
  const end = text.indexOf('\n');
  const header = (end < 0 ? text : text.slice(0, end)).toLowerCase();
  return RELEASED.slice(0, 2).every((column) => header.includes(column));
}

/**
 * Products and their values in the release's one table: `asin`, `title&description`, and lists
 * `category_a`, `also_view`, `also_buy` and `label_text` (`['colour:navy']`) in brackets.
 *
 * @throws Error as `productsFromTable`, or for a label without a colon
 */
export function releasedTables(text: string, name: string): ProductTables {
  const lines = linesOf(text, name, RELEASED.slice(0, 2));
  return {
    products: lines.map((line) => ({
      product: line.field('asin'),
      text: line.field('title&description'),
      categories: listOf(line, 'category_a'),
      alsoView: listOf(line, 'also_view'),
      alsoBuy: listOf(line, 'also_buy'),
      where: line.where,
    })),
    labels: lines.flatMap((line) =>
      listOf(line, 'label_text').map((label) => {
        const colon = label.indexOf(':');
        if (colon < 0) throw new Error(`${line.where}: label "${label}" is not attribute:value`);
        return {
          product: line.field('asin'),
          attribute: label.slice(0, colon),
          value: label.slice(colon + 1),
          where: line.where,
        };
      }),
    ),
  };
}

function valueOf(line: Line): AttributeValue {
  return { attribute: line.field('attribute'), value: line.field('value'), where: line.where };
}

/** The lines of a table that has all the needed columns and one of some others. */
function linesOf(text: string, name: string, needed: readonly string[], anyOf: readonly string[] = []): Line[] {
  const reader = new CsvReader(name);
  const [header, ...rows] = [...reader.push(text.replace(/^\uFEFF/, '')), ...reader.end()];
  const columns = (header?.fields ?? []).map((column) => column.toLowerCase());
  const missing = needed.filter((column) => !columns.includes(column));
  if (anyOf.length > 0 && !anyOf.some((column) => columns.includes(column))) missing.push(anyOf.join(' or '));
  if (missing.length > 0)
    throw new Error(`"${name}": the header must name ${missing.join(', ')}; it has ${columns.join(', ')}`);
  const places = new Map(columns.map((column, at) => [column, at]));
  return rows.map(({ line, fields }) => ({
    where: `"${name}", line ${line}`,
    field: (column) => fields[places.get(column) ?? -1] ?? '',
  }));
}

/** A list separated by bars, or in Python's brackets. @throws Error for an open bracket */
function listOf(line: Line, column: string): string[] {
  const text = line.field(column);
  if (!text.startsWith('[')) return text.split('|').flatMap(nonEmpty);
  if (!text.endsWith(']')) throw new Error(`${line.where}: the list of ${column} is not closed`);
  const inner = text.slice(1, -1);
  const quoted = [...inner.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)];
  if (quoted.length === 0) return inner.split(',').flatMap(nonEmpty);
  return quoted.flatMap(([, single, double]) => nonEmpty((single ?? double ?? '').replace(/\\(.)/g, '$1')));
}

function nonEmpty(text: string): string[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : [trimmed];
}
