import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { searchResumably } from '../../src/cli/found.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-found-'));

test('a search that ends leaves no training of what an earlier one found', async () => {
  const [out, path] = [join(folder, 'm.safetensors'), join(folder, 'm.json')];
  writeFileSync(`${out}.checkpoint`, 'of other cells');
  const search = (resume: boolean) =>
    searchResumably({ out, resume }, path, { seed: 1 }, async () => ({ found: { cells: 'a' }, stopped: 'completed' }));
  expect(await search(false)).toEqual({ seed: 1, cells: 'a' });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ seed: 1, cells: 'a' });
  expect(existsSync(`${out}.checkpoint`)).toBe(false);
  // What was found is taken, and the training that follows goes on.
  writeFileSync(`${out}.checkpoint`, 'of these cells');
  expect(await search(true)).toEqual({ seed: 1, cells: 'a' });
  expect(existsSync(`${out}.checkpoint`)).toBe(true);
});
