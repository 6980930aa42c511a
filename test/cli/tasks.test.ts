// A table of several tasks to a model, and the model to the classes of known and new tasks.

import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { commandIn, main } from './command.js';

test.skipIf(!existsSync(main))(
  'people’s own tasks are read, trained on and asked about, a new one from its examples',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'gossamer-tasks-'));
    const gossamer = commandIn(folder);
    // The class is the sign of x, or its opposite.
    const value = (i: number) => ((i * 37) % 100) / 50 - 0.99;
    const rows = Array.from({ length: 120 }, (_, i) => {
      const positive = value(i) > 0 === (i % 2 === 0);
      return `${value(i)},${i % 2 === 0 ? 'same' : 'opposite'},${positive ? 'up' : 'down'}`;
    });
    writeFileSync(join(folder, 'tasks.csv'), ['x,task,target', ...rows].join('\n'));
    const settings = ['steps=150', 'trials=1'].flatMap((setting) => ['--set', setting]);
    const run = gossamer('run', 'hypernet-review', '--data', 'tasks.csv', ...settings, '--seeds', '1', '--out', 'out');
    expect(run.stderr).toContain('120 rows of 2 tasks, 2 classes: same, opposite');
    expect(run.status).toBe(0);

    const model = join('out', 'model.safetensors');
    writeFileSync(join(folder, 'new.csv'), 'x\n0.8\n-0.8\n');
    const classesFor = (...more: string[]) =>
      readCsv(gossamer('predict', model, ...more).stdout).rows.map(([, task, answer]) => `${task} ${answer}`);
    expect(classesFor('new.csv', '--task', 'same')).toEqual(['same up', 'same down']);
    expect(classesFor('new.csv', '--task', 'opposite')).toEqual(['opposite down', 'opposite up']);
    const untold = gossamer('predict', model, 'new.csv');
    expect([untold.status, untold.stderr]).toEqual([2, expect.stringContaining('with --task (known: same, opposite)')]);
    const unknown = gossamer('predict', model, 'new.csv', '--task', 'third');
    expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining('does not know the task "third"')]);

    expect(gossamer('info', model).stdout).toContain('Tasks         same, opposite');

    expect(gossamer('fit', 'tasks.csv', '--target', 'target', '--model', 'forest', '-o', 'forest').status).toBe(0);
    const refused = gossamer('predict', 'forest', 'tasks.csv', '--task', 'same');
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('is not a model of several tasks')]);

    const examples = Array.from({ length: 30 }, (_, i) => `${value(i)},${value(i) > 0 ? 'down' : 'up'}`);
    writeFileSync(join(folder, 'third.csv'), ['x,target', ...examples, '0.8,', '-0.8,'].join('\n'));
    expect(classesFor('third.csv', '--task', 'third').slice(-2)).toEqual(['third down', 'third up']);
  },
  120_000,
);
