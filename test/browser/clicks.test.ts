import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';

const browser = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);

interface Visit {
  readonly entries: number;
  readonly size: number;
  readonly ranking: readonly (readonly [string, number])[];
}

test.skipIf(!browser)(
  'the clicks of a page stay when it is closed, also compacted [needs Chromium]',
  async () => {
    const build = await rolldown({ input: join(import.meta.dirname, 'clicks-page.mjs'), logLevel: 'silent' });
    const { output } = await build.generate({ format: 'esm', codeSplitting: false });
    await build.close();
    const server = createServer((request, response) => {
      const isScript = request.url === '/page.mjs';
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? output[0].code : '<!doctype html><script type="module" src="/page.mjs"></script>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const chrome = await chromium.launch({
      executablePath: browser as string,
      args: ['--no-sandbox', '--disable-background-networking'],
    });
    try {
      const context = await chrome.newContext();
      const visit = async (clicks: readonly string[], options: object = {}): Promise<Visit> => {
        const page = await context.newPage();
        await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        await page.waitForFunction('globalThis.visit');
        const found = await page.evaluate(`visit(${JSON.stringify(clicks)}, ${JSON.stringify(options)})`);
        await page.close();
        return found as Visit;
      };
      expect((await visit(['2', '2', '1'])).size).toBe(0);
      const ranking = [
        ['2', 2 * 2 + 2 * 2],
        ['1', 2 + 2],
      ];
      expect(await visit([])).toEqual({ entries: 6, size: 6, ranking });
      // Two entries of the other peer become counts.
      expect(await visit([], { compactAt: 5, keep: 1 })).toEqual({ entries: 4, size: 6, ranking });
      expect(await visit(['1'])).toEqual({ entries: 4, size: 6, ranking });
      expect(await visit([])).toMatchObject({ entries: 6, size: 8 });
    } finally {
      await chrome.close();
      server.close();
    }
  },
  120_000,
);
