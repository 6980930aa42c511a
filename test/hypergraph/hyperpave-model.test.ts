import { beforeAll, describe, expect, test } from 'vitest';
import {
  generatedCatalogue,
  HashedTextEncoder,
  type ProductCatalogue,
  type ProductRow,
  valueText,
} from '../../src/data/index.js';
import {
  type FittedProducts,
  fitProducts,
  nodeCounts,
  ProductGraph,
  ProductModel,
} from '../../src/hypergraph/index.js';
import { gatherKnownRows, Random, sigmoid, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const catalogue = generatedCatalogue(new Random(1), { products: 120 });
const row = (p: number, own: ProductCatalogue = catalogue, product = own.productNames[p] as string): ProductRow => ({
  product,
  text: own.texts[p] as string,
  categories: Array.from(own.categoriesOf[p] as Int32Array, (c) => own.categories[c] as string),
  alsoView: Array.from(own.alsoView[p] as Int32Array, (q) => own.productNames[q] as string),
  alsoBuy: Array.from(own.alsoBuy[p] as Int32Array, (q) => own.productNames[q] as string),
});
const options = { epochs: 6, network: { features: 32, hyperedges: 'all' }, text: { dimension: 64 } } as const;
let fitted: FittedProducts;
beforeAll(async () => {
  fitted = await fitProducts(catalogue, new Random(0), options);
});

const keyed = (predicted: ReturnType<ProductModel['predict']>) =>
  new Map(predicted.map((own) => [`${own.product} ${valueText(own)}`, own.probability]));

describe('a model', () => {
  test('gives a new product the scores of the same product in the graph without labels', () => {
    const { model } = fitted;
    const fresh = row(17, catalogue, 'new');
    const predicted = keyed(model.predict([fresh], { top: 150 }));
    expect(predicted.size).toBe(150);
    // The same network on a graph that has the product, without labels, from the start.
    const links = {
      categoriesOf: [...catalogue.categoriesOf, catalogue.categoriesOf[17] as Int32Array],
      alsoView: [...catalogue.alsoView, catalogue.alsoView[17] as Int32Array],
      alsoBuy: [...catalogue.alsoBuy, catalogue.alsoBuy[17] as Int32Array],
    };
    const graph = new ProductGraph({ ...nodeCounts(catalogue), products: 121 }, links, [
      ...catalogue.labels,
      new Int32Array(0),
    ]);
    const encoder = HashedTextEncoder.restore(
      model.description.encoder as NonNullable<typeof model.description.encoder>,
    );
    const texts = encoder.encode([
      ...catalogue.texts,
      fresh.text,
      ...catalogue.categoryTexts,
      ...catalogue.values.map(valueText),
    ]);
    const embedded = model.network.embed(model.network.features(texts, graph), graph);
    const products = gatherKnownRows(embedded.products, tensor(Int32Array.of(120)));
    const chances = sigmoid(model.network.allLogits({ products, values: embedded.values })).dataSync<Float32Array>();
    expectClose(
      catalogue.values.map((value) => predicted.get(`new ${valueText(value)}`) as number),
      [...chances],
      1e-4,
    );
  });

  test('answers the same from its file', () => {
    const { model } = fitted;
    const loaded = ProductModel.load(model.save({ data: 'mine' }));
    const asked = [row(3, catalogue, 'new'), { ...row(4, catalogue, 'other'), alsoView: ['new', 'p7'] }];
    const values = [{ attribute: 'colour', value: 'word12 ochre' }];
    expect(loaded.predict(asked, { top: 8, values })).toEqual(model.predict(asked, { top: 8, values }));
    expect(loaded.description).toMatchObject(JSON.parse(JSON.stringify(model.description)));
    expect(loaded.known.labels).toEqual(catalogue.labels);
  });

  test('ranks a value that came later by its text', () => {
    const values = [{ attribute: 'attribute0', value: 'ochre' }];
    const named = { ...row(3, catalogue, 'new'), text: 'a thing that is ochre, word1 and word2' };
    const silent = { ...named, product: 'silent', text: 'a thing, word1 and word2' };
    const chances = keyed(fitted.model.predict([named, silent], { values, top: 151 }));
    expect(chances.get('new attribute0 is ochre')).toBeGreaterThan(
      (chances.get('silent attribute0 is ochre') as number) + 0.05,
    );
    expect(fitted.model.predict([named], { values, top: 1 })).toHaveLength(1);
  });

  test('predicts the values above its threshold where no number is asked for', () => {
    const { model } = fitted;
    const all = model.predict([row(3, catalogue, 'new')], { top: 150 });
    const { threshold } = model.description;
    expect(threshold).toBeGreaterThan(0);
    const above = model.predict([row(3, catalogue, 'new')]);
    expect(above).toEqual(all.filter(({ probability }) => probability >= threshold));
  });

  test('keeps to attributes of the category where asked', () => {
    const [category] = catalogue.categoriesOf[3] as Int32Array;
    const predicted = fitted.model.predict([row(3, catalogue, 'new')], { top: 150, withinCategory: true });
    const attributes = new Set(predicted.map(({ attribute }) => attribute));
    expect([...attributes].sort()).toEqual([0, 1, 2].map((k) => `attribute${3 * (category as number) + k}`).sort());
  });

  test('says what is known already, what lists lack, and refuses what has no words or comes twice', () => {
    const notes: string[] = [];
    fitted.model.predict(
      [row(3), { ...row(4, catalogue, 'new'), alsoBuy: ['nobody', 'p1'], categories: ['never seen'] }],
      {
        top: 1,
        values: [catalogue.values[0] as { attribute: string; value: string }],
        note: (text) => notes.push(text),
      },
    );
    expect(notes).toEqual([
      '1 entry of 1 list left out: no such product in the catalogue',
      'products that the catalogue has already, with stored texts and lists: 1',
      'categories that training did not know: 1',
      'values that are known already: 1',
    ]);
    expect(() => fitted.model.predict([{ ...row(4, catalogue, 'new'), text: ' -- ' }])).toThrow(
      'product "new" has no words',
    );
    expect(() => fitted.model.predict([row(4, catalogue, 'new'), row(5, catalogue, 'new')])).toThrow('named twice');
    const values = [{ attribute: 'colour', value: '?' }];
    expect(() => fitted.model.predict([row(4, catalogue, 'new')], { values })).toThrow(
      'the value of "colour: ?" has no words',
    );
  });

  test('tells the shares of a score, which add up to it where nothing else is in it', async () => {
    const plain = await fitProducts(catalogue, new Random(0), {
      ...options,
      epochs: 2,
      network: { features: 32, hyperedges: 'user', messagePassing: false },
    });
    plain.model.network.convolution?.bias.assign(tensor(new Float32Array(32)));
    const [best] = plain.model.predict([{ ...row(3, catalogue, 'new'), alsoView: ['p1', 'p2'], alsoBuy: [] }], {
      top: 1,
    });
    const evidence = best?.evidence ?? [];
    expect(evidence.length).toBeGreaterThan(0);
    for (const { source } of evidence) expect(['text', 'product p1', 'product p2']).toContain(source);
    const shares = evidence.map(({ share }) => share);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    if (evidence.length === 3) expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
  });
});

test('vectors in place of texts: new products need theirs', async () => {
  const random = new Random(4);
  const vectors = { products: random.normal([120, 8]), values: random.normal([150, 8]) };
  const { model } = await fitProducts({ ...catalogue, vectors }, new Random(0), {
    epochs: 2,
    network: { features: 8 },
  });
  expect(model.description.encoder).toBeUndefined();
  const loaded = ProductModel.load(model.save());
  const asked = [row(1), row(3, catalogue, 'new')];
  expect(() => loaded.predict(asked)).toThrow('need a .npy of 8 numbers a row');
  expect(loaded.predict(asked, { top: 2, productVectors: random.normal([2, 8]) })).toHaveLength(4);
  expect(() => loaded.predict(asked, { productVectors: random.normal([2, 7]) })).toThrow(
    'have 7 numbers, the model was trained on 8',
  );
});

test('another encoder of texts is used in training and after loading', async () => {
  const inner = new HashedTextEncoder({ dimension: 16, seed: 5 });
  let asked = 0;
  const encoder = {
    dimension: 16,
    encode(texts: readonly string[]) {
      asked += texts.length;
      return inner.encode(texts);
    },
  };
  const { model } = await fitProducts(catalogue, new Random(0), { epochs: 2, network: { features: 8 }, encoder });
  expect(asked).toBe(120 + 5 + 150);
  const loaded = ProductModel.load(model.save(), 'model', encoder);
  expect(loaded.predict([row(3, catalogue, 'new')], { top: 3 })).toEqual(
    model.predict([row(3, catalogue, 'new')], { top: 3 }),
  );
});

test('where few values are held out, epoch and threshold are chosen among all values', async () => {
  expect(fitted.heldOut).toMatchObject({ values: 6, ranked: 'alone' });
  // One held-out value is the first of itself in every epoch.
  const small = await fitProducts(catalogue, new Random(0), { ...options, validation: 0.01 });
  expect(small.heldOut).toMatchObject({ values: 1, ranked: 'among all' });
  expect(small.training.history.every(({ metric = 1 }) => metric < 1)).toBe(true);
  expect(small.macroF1).toBeLessThan(1);
});
