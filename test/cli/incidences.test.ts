// A folder of incidences to a model, and the model to a table of probabilities.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { commandIn, main } from './command.js';

test.skipIf(!existsSync(main))(
  'people’s own hyperedges are read, trained on and asked about',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'gossamer-incidences-'));
    const gossamer = commandIn(folder);
    const data = join(folder, 'papers');
    mkdirSync(data);
    // The label of a person in a paper is the sign of what the table of nodes says.
    const people = Array.from({ length: 12 }, (_, v) => `p${v}`);
    const lines = Array.from({ length: 40 }, (_, e) => [0, 1, 2].map((i) => (e * (i + 1) + i * 5) % 12)).flatMap(
      (members, e) => members.map((v) => `e${e},p${v},${e === 39 ? '' : v % 2 ? 'odd' : 'even'}`),
    );
    writeFileSync(join(data, 'hyperedges.csv'), ['edge,node,label', ...lines].join('\n'));
    writeFileSync(
      join(data, 'nodes.csv'),
      ['node,x', ...people.map((name, v) => `${name},${v % 2 ? 3 : 1}`)].join('\n'),
    );
    const settings = ['epochs=10', 'steps=20', 'batch=8', 'trials=1', 'hidden=16', 'learningRate=0.01'];
    const out = join(folder, 'out');
    const assigned = settings.flatMap((setting) => ['--set', setting]);
    const run = gossamer('run', 'conhd', '--data', data, ...assigned, '--out', out);
    expect(run.stderr).toContain('papers: 12 vertices, 40 hyperedges, 120 incidences, 2 classes');
    expect(run.status).toBe(0);
    const predictions = readCsv(readFileSync(join(out, 'predictions.csv'), 'utf8'));
    expect(predictions.columns).toEqual(['node', 'hyperedge', 'label', 'prediction', 'p(even)', 'p(odd)']);
    expect(predictions.rows.filter(([, edge, label]) => edge === 'e39' && label === '').length).toBe(3);

    const model = join(out, 'model.safetensors');
    writeFileSync(join(folder, 'new.csv'), 'edge,node\nn1,p3\nn2,p4\nn1,p6\nn2,stranger\n');
    const unknown = gossamer('predict', model, 'new.csv');
    expect([unknown.status, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('"stranger" is new and has no features'),
    ]);
    writeFileSync(join(folder, 'strangers.csv'), 'node,x\nstranger,3\n');
    const { columns, rows } = readCsv(gossamer('predict', model, 'new.csv', 'strangers.csv').stdout);
    expect(columns).toEqual(['node', 'hyperedge', 'label', 'p(even)', 'p(odd)']);
    expect(rows.map((row) => row.slice(0, 3))).toEqual([
      ['p3', 'n1', 'odd'],
      ['p6', 'n1', 'even'],
      ['p4', 'n2', 'even'],
      ['stranger', 'n2', 'odd'],
    ]);
  },
  120_000,
);
