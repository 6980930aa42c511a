import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('everything that the package exports has a documentation comment: classes, options, members', () => {
  const script = join(import.meta.dirname, '../../scripts/documented.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [script, '--list'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^tensor +\d+ of \d+ documented/m);
  expect(stdout.split('\n').filter((line) => line.startsWith('src/'))).toEqual([]);
}, 180_000);
