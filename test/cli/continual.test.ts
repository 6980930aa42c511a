import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv, writePng } from '../../src/data/index.js';
import { commandInFolder, main } from './command.js';
import { runShell } from './document.js';

/** A picture whose left or right half is bright, or whose upper or lower half. */
function half(axis: 'x' | 'y', first: boolean, noise: number) {
  const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => {
    const at = Math.floor(i / 3);
    const place = axis === 'x' ? at % 8 : Math.floor(at / 8);
    return (place < 4 === first ? 200 : 40) + ((at * 31 + noise * 17) % 40);
  });
  return { height: 8, width: 8, pixels };
}

const rowsOf = (text: string) => readCsv(text, 'out.csv').rows;

describe.skipIf(!existsSync(main))('gossamer fit --continue (needs a build)', () => {
  test('the page of HyperInterval leads from tables that arrive one after another to certified answers', () => {
    const { status, stderr, stdout, folder } = runShell(
      'systems/hyperinterval.md',
      '### From tables that arrive one after another',
    );
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout).toContain('Task          east: noise, none');
    const east = rowsOf(readFileSync(join(folder, 'east-answers.csv'), 'utf8'));
    expect(east.map(([row, task, name]) => [row, task, name])).toEqual([
      ['1', 'east', 'none'],
      ['2', 'east', 'noise'],
    ]);
    expect(east.every((row) => row[5] === 'yes' || row[5] === 'no')).toBe(true);
    expect(east.every((row) => Number(row[6]) <= Number(row[7]))).toBe(true);
    expect(stdout).toContain('accuracy (%) of north, south:\nafter north: ');
    expect(stdout).toMatch(/north: [\d.]+ % certified, bounds of its weights [\d.e-]+ apart on average/);
    expect(stderr).toMatch(/networks of [\d,]+ weights, made from [\d,]+ numbers: [\d.]+ MB/);
  }, 180_000);

  test('the page of the recurrent hypernetwork leads from tables to answers of each task', () => {
    const { status, stderr, stdout, folder } = runShell(
      'systems/dp-hypernet.md',
      '### From tables that arrive one after another',
    );
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout).toContain('Grown         16 units from task 2 on, 16 units from task 3 on');
    expect(stdout).toContain('as reconstructed here');
    const north = rowsOf(readFileSync(join(folder, 'north-answers.csv'), 'utf8'));
    expect(north.map(([, task, name]) => [task, name])).toEqual([
      ['north', 'leak'],
      ['north', 'none'],
    ]);
  }, 180_000);

  test('pictures: a folder for each task, then a later task by itself; bad input is named', () => {
    const { folder, gossamer } = commandInFolder('continual');
    const write = (path: string, axis: 'x' | 'y', first: boolean) => {
      mkdirSync(join(folder, path), { recursive: true });
      for (let i = 0; i < 12; i++) writeFileSync(join(folder, path, `${i}.png`), writePng(half(axis, first, i)));
    };
    write('tasks/1-sides/left', 'x', true);
    write('tasks/1-sides/right', 'x', false);
    const small = ['--model', 'hyperinterval', '--set', 'steps=60', '--set', 'hidden=8', '--set', 'width=12'];
    const first = gossamer('fit', 'tasks', ...small, '--channels', '1', '-o', 'm.safetensors');
    expect([first.status, first.stdout]).toEqual([0, expect.stringContaining('1-sides:')]);
    write('heights/low', 'y', false);
    write('heights/top', 'y', true);
    const later = gossamer('fit', 'heights', ...small, '--continue', 'm.safetensors', '--json', '-o', 'm.safetensors');
    expect([later.status, JSON.parse(later.stdout)]).toEqual([
      0,
      { data: 'heights', heights: 100, model: 'm.safetensors' },
    ]);
    const told = gossamer('predict', 'm.safetensors', 'heights/top', '--task', 'heights');
    expect(rowsOf(told.stdout).map((row) => row[2])).toEqual(new Array(12).fill('top'));
    const extracted = gossamer(
      'predict',
      'm.safetensors',
      'heights/top',
      '--task',
      'heights',
      '--extract',
      'h.safetensors',
    );
    expect(extracted.stdout).toBe(told.stdout);
    const alone = gossamer('predict', 'h.safetensors', 'heights/top');
    expect(rowsOf(alone.stdout).map((row) => row.slice(2, 5))).toEqual(
      rowsOf(told.stdout).map((row) => row.slice(2, 5)),
    );
    const whole = gossamer('predict', 'm.safetensors', 'heights/top', '--extract', 'x.safetensors');
    expect([whole.status, whole.stderr]).toEqual([2, expect.stringContaining('say which task: 1-sides, heights')]);
    expect(existsSync(join(folder, 'x.safetensors'))).toBe(false);
    const again = gossamer('fit', 'heights', ...small, '--continue', 'm.safetensors', '-o', 'n.safetensors');
    expect([again.status, again.stderr]).toEqual([
      2,
      expect.stringContaining('holds no task that the model does not know'),
    ]);
    mkdirSync(join(folder, 'gap/1/a'), { recursive: true });
    const empty = gossamer('fit', 'gap', ...small, '-o', 'n.safetensors');
    expect([empty.status, empty.stderr]).toEqual([2, expect.stringContaining('task "1" has no examples')]);
    const other = gossamer(
      'fit',
      'heights',
      '--model',
      'dp-hypernet',
      '--continue',
      'm.safetensors',
      '-o',
      'n.safetensors',
    );
    expect(other.stderr).toContain('is a model of hyperinterval, not of dp-hypernet');
    const wrong = gossamer('predict', 'm.safetensors', 'heights/top', '--task', 'west');
    expect(wrong.stderr).toContain('there is no task "west"; learned: 1-sides, heights');
    const table = gossamer('fit', 'heights', '--model', 'lsnet-nano', '--continue', 'm.safetensors');
    expect(table.stderr).toContain('--continue is for models of tasks that arrive one after another');
  }, 180_000);
});
