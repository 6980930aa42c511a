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

test('a search that was stopped goes on as it began, but for options that may grow', async () => {
  const [out, path] = [join(folder, 's.safetensors'), join(folder, 's.json')];
  const search = (resume: boolean, pictures: readonly number[], candidates: number) =>
    searchResumably(
      { out, resume, growing: ['candidates'] },
      path,
      { pictures, candidates },
      async ({ checkpoint }) => {
        const known = checkpoint.load()?.epoch;
        if (known !== undefined) return { found: { known }, stopped: 'completed' };
        const optimizer = { step: 0, tensors: {} };
        checkpoint.save({ epoch: 3, step: 3, weights: {}, optimizer, best: undefined, history: [] });
        return { found: { known: 0 }, stopped: 'aborted' };
      },
    );
  const before = process.exitCode;
  expect(await search(false, [1, 8, 8], 5)).toBeUndefined();
  process.exitCode = before;
  await expect(search(true, [1, 16, 16], 5)).rejects.toThrow(
    's.safetensors.search.checkpoint" is of another size of pictures (1×8×8, now 1×16×16); give that again, or leave --resume out',
  );
  expect(await search(true, [1, 8, 8], 9)).toEqual({ pictures: [1, 8, 8], candidates: 9, known: 3 });
});
