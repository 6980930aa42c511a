// Catalogues of products in folders and files.

import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { keep, type Tensor, tensor } from '../../tensor/index.js';
import { openBytes, readBytes, readText } from '../files.js';
import { readNpy } from '../formats/npy.js';
import { isFolder, tableIn } from '../graph-folder.js';
import { type AttributeValue, type ProductCatalogue, type ProductRow, productCatalogue } from './catalogue.js';
import {
  descriptionsFromTable,
  isReleasedTable,
  labelsFromTable,
  productsFromTable,
  releasedTables,
  valuesFromTable,
} from './tables.js';

/** Whether a path holds a catalogue: a folder with products, or a table of the release. */
export function isCatalogue(path: string): boolean {
  if (isFolder(path)) return tableIn(path, 'products') !== undefined;
  return /\.(csv|tsv)$/i.test(path) && existsSync(path) && isReleasedTable(headOf(path));
}

/** The longest header that is looked at. */
const HEAD = 4096;

function headOf(path: string): string {
  const file = openBytes(path);
  try {
    const bytes = new Uint8Array(Math.min(HEAD, file.size));
    file.read(bytes, 0);
    return new TextDecoder().decode(bytes);
  } finally {
    file.close();
  }
}

/**
 * Reads a folder of `products`, `attributes`, maybe `values` (values that no product may have yet)
 * and `categories` (their descriptions), each .csv or .tsv, or one table with the columns of
 * HyperPAVE's release. products.npy and values.npy hold vectors in place of the texts', in the
 * order of the rows of products and values.
 *
 * @throws Error naming the file and the line of what is wrong
 */
export function loadCatalogue(path: string): ProductCatalogue {
  const name = basename(resolve(path));
  if (!isFolder(path)) return productCatalogue(releasedTables(readText(path), path), name);
  const read = <T>(table: string, parse: (text: string, file: string) => T): T | undefined => {
    const file = tableIn(path, table, ['.csv', '.tsv']);
    return file === undefined ? undefined : parse(readText(file), file);
  };
  const products = read('products', productsFromTable);
  const labels = read('attributes', labelsFromTable);
  if (!products) throw new Error(`folder "${path}" holds no products.csv (or .tsv)`);
  if (!labels)
    throw new Error(`folder "${path}" holds no attributes.csv (or .tsv): product,attribute,value as far as known`);
  const candidates = read('values', valuesFromTable);
  const descriptions = read('categories', descriptionsFromTable);
  const vectors = existsSync(join(path, 'products.npy'));
  // With vectors, values.csv numbers the values, so that its rows are those of values.npy.
  const tables = { products, labels, ...(candidates && { candidates }), ...(descriptions && { descriptions }) };
  const catalogue = productCatalogue(tables, name, vectors ? 'candidates' : 'labels');
  return vectors ? withVectors(catalogue, path, candidates?.length ?? 0) : catalogue;
}

function withVectors(catalogue: ProductCatalogue, folder: string, candidates: number): ProductCatalogue {
  const products = loadVectors(join(folder, 'products.npy'), catalogue.productNames.length);
  const path = join(folder, 'values.npy');
  if (catalogue.values.length !== candidates)
    throw new Error(
      `"${path}" needs a row for each of the ${catalogue.values.length} values: list all of them once in values.csv, which has ${candidates}`,
    );
  return { ...catalogue, vectors: { products, values: loadVectors(path, candidates, products.shape[1]) } };
}

/**
 * Vectors of rows in a .npy file.
 *
 * @throws Error unless it has `rows` rows, of `width` finite numbers where that is given
 */
export function loadVectors(path: string, rows: number, width?: number): Tensor {
  const { shape, values } = readNpy(readBytes(path), path);
  if (shape.length !== 2 || shape[0] !== rows || (width !== undefined && shape[1] !== width))
    throw new Error(`"${path}" has shape [${shape.join(', ')}], expected [${rows}, ${width ?? 'd'}]`);
  const numbers = Float32Array.from(values as ArrayLike<number>);
  if (!numbers.every(Number.isFinite)) throw new Error(`"${path}" holds numbers that are not finite`);
  return keep(tensor(numbers, shape));
}

/** New products, and vectors beside the table where there are some. */
export interface NewProducts {
  /** Rows of the table. */
  readonly products: readonly ProductRow[];
  /** A row for each product [products, d]. */
  readonly vectors?: Tensor;
}

/** New values, and vectors beside the table where there are some. */
export interface NewValues {
  /** Rows of the table. */
  readonly values: readonly AttributeValue[];
  /** A row for each value [values, d]. */
  readonly vectors?: Tensor;
}

/** Products of a table; `new.npy` beside `new.csv` holds vectors. @throws as `loadCatalogue` */
export function loadNewProducts(path: string): NewProducts {
  const text = readText(path);
  const products = isReleasedTable(text) ? releasedTables(text, path).products : productsFromTable(text, path);
  return { products, ...vectorsBeside(path, products.length) };
}

/** Values of a table; `new.npy` beside `new.csv` holds their vectors. @throws as `loadCatalogue` */
export function loadNewValues(path: string): NewValues {
  const values = valuesFromTable(readText(path), path);
  return { values, ...vectorsBeside(path, values.length) };
}

function vectorsBeside(path: string, rows: number): { readonly vectors?: Tensor } {
  const file = join(dirname(path), `${basename(path).replace(/\.[^.]*$/, '')}.npy`);
  return existsSync(file) ? { vectors: loadVectors(file, rows) } : {};
}
