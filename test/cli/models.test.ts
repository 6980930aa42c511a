import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modelSystems, openModel, openModelOf } from '../../src/cli/models.js';
import { writeModelFile, writeSafetensors } from '../../src/data/index.js';
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
import { MIP_MODEL, TABLE_MODEL, TASK_MODEL, TableModel } from '../../src/hypernet/index.js';
import { LANGUAGE_MODEL } from '../../src/lm/node.js';
import { MLP } from '../../src/nn/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { IMAGE_MODEL } from '../../src/vision/index.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-models-'));
const file = (name: string, contents: string | Uint8Array) => {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
};
const silent = { note: () => undefined };

describe('the table of model files', () => {
  const kinds = [
    TABLE_MODEL,
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
    HYPERPAVE_MODEL,
    HYPERAGENT_MODEL,
    CONHD_MODEL,
    HDHGN_MODEL,
    COUNT_MODEL,
    NAT_MODEL,
    TASK_MODEL,
    MIP_MODEL,
    HYPERDROP_MODEL,
    HYPERCLUSTER_MODEL,
    SUBGRAPH_MODEL,
    PPGN_MODEL,
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
