import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generatedCatalogue, readCsv, writeCsv } from '../../src/data/index.js';
import { loadNewProducts, loadOnnxTextEncoder } from '../../src/data/node.js';
import { ProductModel } from '../../src/hypergraph/index.js';
import { Random } from '../../src/tensor/index.js';
import { wordTokenizer, wordVectorModel } from '../data/sentence-models.js';
import { commandIn, main } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-pave-'));
const path = (name: string) => join(folder, name);

const gossamer = commandIn(folder);

const catalogue = generatedCatalogue(new Random(1), { products: 120 });
const columns = ['product', 'title', 'category', 'also_view', 'also_buy'];
const line = (p: number) => [
  catalogue.productNames[p] as string,
  catalogue.texts[p] as string,
  Array.from(catalogue.categoriesOf[p] as Int32Array, (c) => catalogue.categories[c]).join('|'),
  Array.from(catalogue.alsoView[p] as Int32Array, (q) => `p${q}`).join('|'),
  Array.from(catalogue.alsoBuy[p] as Int32Array, (q) => `p${q}`).join('|'),
];
const [known, fresh] = [Array.from({ length: 110 }, (_, p) => p), Array.from({ length: 10 }, (_, p) => 110 + p)];
mkdirSync(path('shop'));
writeFileSync(path('shop/products.csv'), writeCsv(columns, known.map(line)));
const labels = known.flatMap((p) =>
  Array.from(catalogue.labels[p] as Int32Array, (value) => {
    const { attribute, value: text } = catalogue.values[value] as (typeof catalogue.values)[number];
    return [`p${p}`, attribute, text];
  }),
);
writeFileSync(path('shop/attributes.csv'), writeCsv(['product', 'attribute', 'value'], labels));
writeFileSync(path('new.csv'), writeCsv(columns, fresh.map(line)));
writeFileSync(path('values.csv'), 'attribute,value\ncolour,ochre\n');

describe.skipIf(!existsSync(main))('gossamer on catalogues (needs a build)', () => {
  test('fit, info and predict', () => {
    const fitted = gossamer(
      'fit',
      'shop',
      '--model',
      'hyperpave',
      '--set',
      'epochs=5',
      '--set',
      'features=32',
      '-o',
      'pave.safetensors',
    );
    expect([fitted.status, fitted.stdout]).toEqual([
      0,
      expect.stringMatching(
        /shop: 110 products, 110 with values; 5 categories, \d+ values\n\d+ held-out values of \d+ products: mean average precision/,
      ),
    ]);
    expect(fitted.stderr).toContain('left out: no such product in the catalogue');
    expect(gossamer('info', 'pave.safetensors').stdout).toContain('hyperedges: user; width 32');
    expect(gossamer('info', 'shop').stdout).toContain('110 products in 5 categories');
    const predicted = gossamer(
      'predict',
      'pave.safetensors',
      'new.csv',
      '--values',
      'values.csv',
      '--top',
      '5',
      '-o',
      'out.csv',
    );
    expect([predicted.status, predicted.stdout]).toEqual([0, '']);
    const own = gossamer('predict', 'pave.safetensors', 'new.csv', '--values', 'values.csv', '--top', '5').stdout;
    const { columns: heads, rows } = readCsv(own);
    expect(heads).toEqual(['product', 'attribute', 'value', 'probability', 'evidence 1', 'evidence 2', 'evidence 3']);
    expect(rows).toHaveLength(50);
    expect(rows.every((row) => Number(row[3]) > 0 && Number(row[3]) < 1)).toBe(true);
    expect(rows.some((row) => /^(text|product p\d+) \(\d+ %\)$/.test(row[4] as string))).toBe(true);
    const all = readCsv(gossamer('predict', 'pave.safetensors', 'new.csv', '--within-category').stdout);
    expect(all.columns).toEqual(heads);
  }, 120_000);

  test('texts by a sentence model in ONNX, which new products are read by too', () => {
    const words = [...new Set(catalogue.texts.flatMap((text) => text.toLowerCase().match(/\w+/g) ?? []))];
    for (const [name, seed] of [
      ['own', 1],
      ['other', 2],
    ] as const) {
      mkdirSync(path(name), { recursive: true });
      writeFileSync(path(`${name}/model.onnx`), wordVectorModel(words.length, 24, seed));
      writeFileSync(path(`${name}/tokenizer.json`), JSON.stringify(wordTokenizer(words)));
    }
    const set = ['--set', 'epochs=5', '--set', 'features=16'];
    const fit = (...more: string[]) => gossamer('fit', 'shop', '--model', 'hyperpave', ...set, ...more);
    expect(fit('--encoder', 'own/model.onnx', '-o', 'sentences.safetensors').status).toBe(0);
    expect(gossamer('info', 'sentences.safetensors').stdout).toMatch(
      /texts: 24 numbers by a sentence model, SHA-256 \w{12}…; give it by --encoder/,
    );
    const predict = (model: string, ...more: string[]) => gossamer('predict', model, 'new.csv', '--top', '3', ...more);
    const { rows } = readCsv(predict('sentences.safetensors', '--encoder', 'own/model.onnx').stdout);
    expect(rows).toHaveLength(30);
    // The same as in code, with the same sentence model.
    const { encoder } = loadOnnxTextEncoder(path('own/model.onnx'));
    const model = ProductModel.load(readFileSync(path('sentences.safetensors')), 'sentences', encoder);
    const expected = model.predict(loadNewProducts(path('new.csv')).products, { top: 3 });
    expect(rows.map(([product, attribute, value, probability]) => [product, attribute, value, probability])).toEqual(
      expected.map(({ product, attribute, value, probability }) => [product, attribute, value, probability.toFixed(4)]),
    );
    const refused = [
      [predict('sentences.safetensors'), 'was trained with a sentence model: give it by --encoder model.onnx'],
      [predict('sentences.safetensors', '--encoder', 'other/model.onnx'), 'was trained with another sentence model'],
      [predict('pave.safetensors', '--encoder', 'own/model.onnx'), 'was trained without a sentence model'],
      [fit('--encoder', 'own/model.onnx', '--set', 'trigrams=yes', '-o', 'never.safetensors'), 'leave them out with'],
    ] as const;
    for (const [{ status, stderr }, message] of refused)
      expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(path('never.safetensors'))).toBe(false);
  }, 120_000);

  test('a folder of new products stands for its tables', () => {
    mkdirSync(path('next'), { recursive: true });
    writeFileSync(path('next/products.csv'), writeCsv(columns, fresh.map(line)));
    writeFileSync(path('next/values.csv'), 'attribute,value\ncolour,ochre\n');
    const asked = (...data: string[]) => gossamer('predict', 'pave.safetensors', ...data, '--top', '150').stdout;
    expect(asked('next')).toContain(',colour,ochre,');
    expect(asked('next')).toBe(asked('new.csv', '--values', 'values.csv'));
  }, 60_000);

  test('a network that takes more memory than there is is refused before it is trained', () => {
    const fit = ['fit', 'shop', '--model', 'hyperpave', '--set', 'hyperedges=all', '--set', 'epochs=1'];
    const limited = (features: number) =>
      spawnSync(process.execPath, [main, ...fit, '--set', `features=${features}`, '-o', 'large.safetensors'], {
        ...{ encoding: 'utf8', cwd: folder, env: { ...process.env, GOSSAMER_MEMORY_MIB: '128' } },
      });
    const { status, stderr } = limited(2048);
    expect([status, existsSync(path('large.safetensors'))]).toEqual([2, false]);
    const said =
      /110 products with hyperedges=all at features=2048 takes about (\d+) MiB, of 96 MiB that there are; set features=(\d+) or fewer/;
    const [, mebibytes, features] = said.exec(stderr) ?? [];
    // Each product, category and value: 85 numbers a feature, 256 of the text and 115 others.
    const nodes = 110 + 5 + new Set(labels.map(([, attribute, value]) => `${attribute} ${value}`)).size;
    expect(Number(mebibytes)).toBe(Math.ceil((4 * nodes * (85 * 2048 + 371)) / 2 ** 20));
    expect(4 * nodes * (85 * Number(features) + 371)).toBeLessThanOrEqual(96 * 2 ** 20);
    expect(4 * nodes * (85 * (Number(features) + 1) + 371)).toBeGreaterThan(96 * 2 ** 20);
    expect(limited(16).status).toBe(0);
  }, 60_000);

  test('a folder of products is recognised without --model', () => {
    const { status, stdout } = gossamer(
      'fit',
      'shop',
      '--set',
      'epochs=1',
      '--set',
      'features=8',
      '--json',
      '-o',
      'usual.safetensors',
    );
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      data: 'shop',
      model: 'usual.safetensors',
      threshold: expect.any(Number),
    });
  }, 60_000);

  test.each([
    [
      'a value of a missing product',
      'product,attribute,value\nnobody,colour,navy\n',
      'line 2: attribute "colour" is of product "nobody", which the table of products lacks',
    ],
    ['a value without words', 'product,attribute,value\np1,colour,\n', 'line 2: the value of "colour: " has no words'],
    ['too few labels', 'product,attribute,value\np1,colour,navy\n', 'none is left to train on'],
  ])('%s: one line, exit code 2, and no file', (_, text, message) => {
    mkdirSync(path('broken'), { recursive: true });
    writeFileSync(path('broken/products.csv'), writeCsv(columns, known.map(line)));
    writeFileSync(path('broken/attributes.csv'), text);
    const { status, stderr } = gossamer('fit', 'broken', '--model', 'hyperpave', '-o', 'never.safetensors');
    expect([status, stderr.trim().split('\n').at(-1)]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(path('never.safetensors'))).toBe(false);
    expect(existsSync(path('never.safetensors.checkpoint'))).toBe(false);
  });

  test('new products that are none are refused, and --values is for models of products', () => {
    writeFileSync(path('twice.csv'), 'product,title\na,hat\na,hat\n');
    const twice = gossamer('predict', 'usual.safetensors', 'twice.csv', '-o', 'never.csv');
    expect(twice).toMatchObject({ status: 2, stderr: 'gossamer: "twice.csv", line 3: product "a" is named twice\n' });
    expect(existsSync(path('never.csv'))).toBe(false);
    writeFileSync(path('none.csv'), 'product,title\n');
    expect(gossamer('predict', 'usual.safetensors', 'none.csv').stderr).toContain('has a header and no products');
    mkdirSync(path('bare'), { recursive: true });
    expect(gossamer('predict', 'usual.safetensors', 'bare')).toMatchObject({
      status: 2,
      stderr: 'gossamer: folder "bare" holds no products.csv\n',
    });
    expect(gossamer('fit', 'shop', '--target', 'colour').stderr).toContain('--target colour');
  });
});
