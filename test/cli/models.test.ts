import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modelSystems, openModel, openModelOf } from '../../src/cli/models.js';
import { METANETWORK } from '../../src/compress/index.js';
import { tableOf, writeModelFile, writeSafetensors } from '../../src/data/index.js';
import { EMBEDDING_MODEL, RANK_MODEL } from '../../src/embedding/index.js';
import {
  ARC_CLASSIFIER,
  DGMLP_MODEL,
  H4G_MODEL,
  NAT_MODEL,
  NODE_CLASSIFIER,
  NODE_VALUES,
  PPGN_MODEL,
  READOUT_MODEL,
  RPHGNN_MODEL,
  SUBGRAPH_MODEL,
} from '../../src/graph/index.js';
import {
  CONHD_MODEL,
  COUNT_MODEL,
  HDHGN_MODEL,
  HYPERAGENT_MODEL,
  HYPERCLUSTER_MODEL,
  HYPERDROP_MODEL,
  HYPERPAVE_MODEL,
  STUDENT_MODEL,
  StudentModel,
} from '../../src/hypergraph/index.js';
import {
  CONTINUAL_MODEL,
  HYPINO_MODEL,
  LOGAH_MODEL,
  MIP_MODEL,
  SEMIPFL_MODEL,
  SOLUTION_MODEL,
  TABLE_MODEL,
  TASK_MODEL,
  TableModel,
} from '../../src/hypernet/index.js';
import { decoderConfig, decoderOf } from '../../src/lm/index.js';
import { LANGUAGE_MODEL, saveLanguageModel } from '../../src/lm/node.js';
import { MLP } from '../../src/nn/index.js';
import { RECOMMENDER } from '../../src/recommend/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { IMAGE_MODEL, SOUND_MODEL } from '../../src/vision/index.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-models-'));
const file = (name: string, contents: string | Uint8Array) => {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
};
const silent = { note: () => undefined };

describe('the table of model files', () => {
  const kinds = [
    TABLE_MODEL,
    HYPINO_MODEL,
    SOLUTION_MODEL,
    METANETWORK,
    IMAGE_MODEL,
    LANGUAGE_MODEL,
    STUDENT_MODEL,
    DGMLP_MODEL,
    RPHGNN_MODEL,
    H4G_MODEL,
    NODE_CLASSIFIER,
    NODE_VALUES,
    READOUT_MODEL,
    ARC_CLASSIFIER,
    EMBEDDING_MODEL,
    RANK_MODEL,
    RECOMMENDER,
    HYPERPAVE_MODEL,
    HYPERAGENT_MODEL,
    CONHD_MODEL,
    HDHGN_MODEL,
    COUNT_MODEL,
    NAT_MODEL,
    TASK_MODEL,
    LOGAH_MODEL,
    MIP_MODEL,
    CONTINUAL_MODEL,
    HYPERDROP_MODEL,
    HYPERCLUSTER_MODEL,
    SUBGRAPH_MODEL,
    PPGN_MODEL,
    SEMIPFL_MODEL,
    SOUND_MODEL,
  ];
  const student = new StudentModel(['a', 'b'], new MLP([3, 4, 2], new Random(1), { norm: 'batch' }));
  const vertices = file('vertices.csv', 'vertex,f1,f2,f3\nx,1,2,3\ny,0,0,1\n');

  test('has the systems that families write, and no others', () => {
    expect(kinds.map(({ system }) => system).sort()).toEqual([...modelSystems].sort());
  });

  test('opens each by what the file says, whatever its name', async () => {
    const model = await openModel(file('student.bin', student.save()));
    const { columns, rows } = await model.predict([vertices], silent);
    expect(columns).toEqual(['vertex', 'prediction', 'probability']);
    expect(rows.map(([vertex]) => vertex)).toEqual(['x', 'y']);
    const table = await TableModel.fit('forest', [[1], [2], [8], [9]], ['low', 'low', 'high', 'high']);
    const opened = await openModel(file('table.bin', table.save()));
    const answers = await opened.predict([file('new.csv', 'x0\n1.5\n8.5\n')], silent);
    expect(answers.rows.map((row) => row[1])).toEqual(['low', 'high']);
    await expect(opened.predict([vertices, vertices], silent)).rejects.toThrow('reads one table, got 2');
  });

  test('says what a table was, and what its columns, size and scores are', async () => {
    const table = await TableModel.fit(
      'logistic',
      [
        [1, 'x'],
        [2, 'y'],
        [8, 'x'],
        [9, 'z'],
      ],
      ['low', 'low', 'high', 'high'],
    );
    const trained = { data: 'mine.csv', rows: 4, scores: { accuracy: '75.0 %' } };
    const lines = (await openModel(file('table.bin', table.trainedOn(trained).save()))).describe();
    expect(lines).toEqual([
      'Classifies rows by "label" (high, low)',
      'Method      logistic regression',
      'Columns     x0, x1 (3 categories)',
      'Trained on  mine.csv: 4 rows',
      // Weights of a number, three categories and a constant for each class.
      `Size        ${Object.values(table.tensors()).reduce((sum, { size }) => sum + size, 0)} numbers`,
      'Scores      accuracy 75.0 %, means over folds of the comparison',
    ]);
    const data = { table: tableOf([[1], [2], [3], [4]]), values: Float64Array.of(1, 2, 3, 4) };
    const numbers = await TableModel.train('forest', data, 'price', new Random(0), {
      options: { forest: { trees: 3 } },
    });
    const [first, method] = (await openModel(file('numbers.bin', numbers.save()))).describe();
    expect(first).toBe('Predicts the number "price" of rows');
    expect(method).toBe('Method      random forest, trees 3');
  });

  test('says what a language model is', async () => {
    const config = decoderConfig({ vocabulary: 3, features: 8, layers: 1, heads: 2, context: 16 });
    const bytes = saveLanguageModel(
      decoderOf(config, new Random(0)),
      config,
      { characters: ['a', 'b', 'c'] },
      { data: 'abc.txt', tokens: 1234, loss: 0.5 },
    );
    const lines = (await openModel(file('lm.bin', bytes))).describe();
    expect(lines.slice(1, 4)).toEqual([
      expect.stringContaining('1 layers of 8, 2 heads'),
      'Reads       up to 16 tokens, 3 different',
      'Trained on  abc.txt: 1,234 tokens',
    ]);
    expect(lines.at(-1)).toBe('Scores      validation loss 0.500 nats a token');
  });

  test('refuses every kind of another version, and says what makes a new one', async () => {
    for (const kind of kinds) {
      const path = file('later.bin', writeModelFile({ ...kind, version: '99' }, {}, { w: tensor([1]) }));
      const use = async () => {
        const model = await openModel(path);
        if ('load' in model && typeof model.load === 'function') model.load();
        await model.predict([vertices], silent);
      };
      await expect(use()).rejects.toThrow(`version 99 of "${kind.system}"`);
      await expect(use()).rejects.toThrow(kind.madeBy);
    }
  });

  test('names the command for a model of another system, and refuses what is none', async () => {
    const path = file('student.bin', student.save());
    await expect(openModelOf(path, 'image-classifier')).rejects.toThrow('gossamer predict reads it');
    const odd = file('odd.bin', writeModelFile({ ...STUDENT_MODEL, system: 'odd' }, {}, {}));
    await expect(openModel(odd)).rejects.toThrow('model of "odd", which this version cannot open');
    const old = file('old.bin', writeSafetensors({ w: tensor([1]) }, { table: '{}' }));
    await expect(openModel(old)).rejects.toThrow('must be made again');
  });
});
