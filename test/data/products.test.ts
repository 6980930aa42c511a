import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  catalogueLines,
  HashedTextEncoder,
  labelsFromTable,
  type ProductTables,
  productCatalogue,
  productsFromTable,
  releasedTables,
  valuesFromTable,
  writeNpy,
} from '../../src/data/index.js';
import { isCatalogue, loadCatalogue, loadNewProducts } from '../../src/data/node.js';

const products = [
  'product,title,description,category,also_view,also_buy',
  'p1,Canvas shoe,"light, for summer",shoes,p2|p9,',
  'p2,Leather shoe,,shoes|leather,p1|p1|p2,p3',
  'p3,Wool hat,warm,,,p1',
].join('\n');
const attributes = 'product,attribute,value\np1,colour,Navy\np1,material,canvas\np2,Colour, navy \np2,colour,navy\n';

const tables = (own: Partial<Record<'products' | 'attributes' | 'values', string>> = {}): ProductTables => ({
  products: productsFromTable(own.products ?? products, 'products.csv'),
  labels: labelsFromTable(own.attributes ?? attributes, 'attributes.csv'),
  ...(own.values !== undefined && { candidates: valuesFromTable(own.values, 'values.csv') }),
});
const lists = (all: readonly Int32Array[]) => all.map((own) => [...own]);

describe('tables of products', () => {
  test('become numbers; spellings of a value are one; entries that are missing are counted', () => {
    const catalogue = productCatalogue(tables({ values: 'attribute,value\ncolour,ochre\nCOLOUR,navy\n' }), 'mine');
    expect(catalogue.texts).toEqual(['Canvas shoe light, for summer', 'Leather shoe', 'Wool hat warm']);
    expect(catalogue.categories).toEqual(['shoes', 'leather']);
    expect(lists(catalogue.categoriesOf)).toEqual([[0], [0, 1], []]);
    expect(lists(catalogue.alsoView)).toEqual([[1], [0], []]);
    expect(lists(catalogue.alsoBuy)).toEqual([[], [2], [0]]);
    expect(catalogue.values).toEqual([
      { attribute: 'colour', value: 'Navy' },
      { attribute: 'material', value: 'canvas' },
      { attribute: 'colour', value: 'ochre' },
    ]);
    expect(lists(catalogue.labels)).toEqual([[0, 1], [0], []]);
    expect(catalogue.notes).toEqual([
      '1 entry of 1 list left out: no such product in the catalogue',
      '3 spellings of values that differ in case or spaces alone, read as the first',
      '1 label given twice',
    ]);
    expect(catalogueLines(catalogue)[1]).toBe('attributes: 2 with 3 values, 1 of them of no product');
  });

  test('columns may come in any order, with tabs, and others beside them', () => {
    const own = productsFromTable('note\tTITLE\tproduct\nx\tA hat\th\n', 'products.tsv');
    expect(own).toEqual([
      { product: 'h', text: 'A hat', categories: [], alsoView: [], alsoBuy: [], where: '"products.tsv", line 2' },
    ]);
  });

  test.each([
    ['a product twice', { products: 'product,title\na,x\na,y' }, '"products.csv", line 3: product "a" is named twice'],
    [
      'a product without words',
      { products: 'product,title\na,--' },
      '"products.csv", line 2: product "a" has no words in its title',
    ],
    ['a product without a name', { products: 'product,title\n,x' }, '"products.csv", line 2: the product has no name'],
    [
      'no column of text',
      { products: 'product,category\na,x' },
      '"products.csv": the header must name title or description; it has product, category',
    ],
    ['no products', { products: 'product,title\n' }, 'catalogue "mine" has no products'],
    [
      'a value of an unknown product',
      { attributes: 'product,attribute,value\np7,colour,navy' },
      '"attributes.csv", line 2: attribute "colour" is of product "p7", which the table of products lacks',
    ],
    [
      'a value without words',
      { attributes: 'product,attribute,value\np1,colour,?' },
      '"attributes.csv", line 2: the value of "colour: ?" has no words',
    ],
    [
      'an attribute without words',
      { attributes: 'product,attribute,value\np1,,red' },
      '"attributes.csv", line 2: the attribute of ": red" has no words',
    ],
    ['no values', { attributes: 'product,attribute,value\n' }, 'catalogue "mine" has no attribute values'],
    [
      'a list that is not closed',
      { products: `product,title,also_view\na,x,['b'` },
      '"products.csv", line 2: the list of also_view is not closed',
    ],
    ['an empty table', { products: '' }, '"products.csv" is empty'],
  ])('%s is refused with its place', (_, own, message) => {
    expect(() => productCatalogue(tables(own), 'mine')).toThrow(message);
  });

  test('the columns of the release: lists in brackets, values with a colon', () => {
    const text = `asin,title&description,category_a,also_view,also_buy,label_text\nB1,A "navy" shoe,"['Shoes', 'Men''s']","['B2']",[],"['Color:navy', ""Fit:slim: 2""]"\nB2,A hat,['Hats'],[],"['B1', 'B7']",[]\n`;
    const catalogue = productCatalogue(releasedTables(text, 'release.csv'), 'release');
    expect(catalogue.values).toEqual([
      { attribute: 'Color', value: 'navy' },
      { attribute: 'Fit', value: 'slim: 2' },
    ]);
    expect(lists(catalogue.labels)).toEqual([[0, 1], []]);
    expect(lists(catalogue.alsoBuy)).toEqual([[], [0]]);
    expect(catalogue.categories).toContain('Hats');
    expect(() => releasedTables(`asin,title&description,label_text\nB1,x,['navy']\n`, 'r.csv')).toThrow(
      '"r.csv", line 2: label "navy" is not attribute:value',
    );
  });
});

describe('folders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gossamer-products-'));
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);

  test('need products and attributes; descriptions of categories are encoded in place of names', () => {
    expect(isCatalogue(folder)).toBe(false);
    write('products.csv', products);
    expect(isCatalogue(folder)).toBe(true);
    expect(() => loadCatalogue(folder)).toThrow('holds no attributes.csv');
    write('attributes.csv', attributes);
    write('categories.csv', 'category,description\nshoes,what is worn on feet\n');
    const catalogue = loadCatalogue(folder);
    expect(catalogue.categoryTexts).toEqual(['what is worn on feet', 'leather']);
  });

  test('vectors have a row for each product and each value of values.csv', () => {
    const rows = (count: number) =>
      writeNpy({ shape: [count, 4], values: Float32Array.from({ length: 4 * count }, (_, i) => i + 1) });
    write('products.npy', rows(3));
    expect(() => loadCatalogue(folder)).toThrow('list all of them once in values.csv, which has 0');
    write('values.csv', 'attribute,value\nmaterial,canvas\ncolour,navy\n');
    write('values.npy', rows(3));
    expect(() => loadCatalogue(folder)).toThrow('has shape [3, 4], expected [2, 4]');
    write('values.npy', rows(2));
    const catalogue = loadCatalogue(folder);
    expect(catalogue.values.map(({ value }) => value)).toEqual(['canvas', 'navy']);
    expect(lists(catalogue.labels)).toEqual([[0, 1], [1], []]);
    expect(catalogue.vectors?.products.shape).toEqual([3, 4]);
    write('products.npy', writeNpy({ shape: [3, 4], values: new Float32Array(12).fill(Number.NaN) }));
    expect(() => loadCatalogue(folder)).toThrow('numbers that are not finite');
  });

  test('new products may have vectors beside their table', () => {
    write('new.csv', 'product,title\nn,A hat\n');
    expect(loadNewProducts(join(folder, 'new.csv')).vectors).toBeUndefined();
    write('new.npy', writeNpy({ shape: [1, 4], values: new Float32Array(4) }));
    expect(loadNewProducts(join(folder, 'new.csv')).vectors?.shape).toEqual([1, 4]);
  });
});

test('plain weights of words are ln(texts / df); a text of words that every text has is refused', () => {
  const encoder = new HashedTextEncoder({ dimension: 2048, idf: 'plain' }).fit(['shoe red', 'shoe blue', 'shoe red']);
  const [red, both, blue] = [['red'], ['red blue'], ['blue']].map((texts) =>
    encoder.encode(texts).dataSync<Float32Array>(),
  );
  const dot = (a: Float32Array = new Float32Array(), b: Float32Array = new Float32Array()) =>
    a.reduce((sum, value, k) => sum + value * (b[k] as number), 0);
  // ln(3 / 2) against ln 3, for nearly orthogonal vectors of words.
  expect(dot(both, blue) / dot(both, red)).toBeGreaterThan(2);
  expect(dot(both, blue) / dot(both, red)).toBeLessThan(3.4);
  expect(() => encoder.encode(['shoe'])).toThrow('text "shoe" has no word that tells it from other texts');
});
