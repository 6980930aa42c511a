import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pages } from '../../src/experiments/runner/pages.js';
import { systems } from '../../src/experiments/systems.js';
import { runDocument } from '../cli/document.js';

const root = join(import.meta.dirname, '../..');

test('REPRODUCTION.md, the README and the pages of the systems follow from records and reproductions: `gossamer reproduce --pages` writes them', async () => {
  const differing = Object.entries(await pages(root)).filter(
    ([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text,
  );
  expect(differing.map(([path]) => path)).toEqual([]);
});

describe.skipIf(!existsSync(join(root, 'dist')))('the page of each system (needs a build)', () => {
  test.each(systems.map(({ slug }) => slug))(
    '%s says what it is for, and its code runs',
    (slug) => {
      const text = readFileSync(join(root, 'docs/systems', `${slug}.md`), 'utf8');
      for (const part of ['## On your own data', '## What to know', '```js\n', '```sh\n']) expect(text).toContain(part);
      const { status, stdout, stderr } = runDocument(`systems/${slug}.md`);
      expect(stderr).toBe('');
      expect(status).toBe(0);
      expect(stdout).not.toBe('');
    },
    180_000,
  );
});
