import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isAbout } from '../../../src/experiments/parts/claims.js';
import { runExperiment } from '../../../src/experiments/runner/run.js';
import { comparisons, type ExperimentRecord, type Family, systems } from '../../../src/experiments/systems.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-smoke-'));

/** The smoke runs of the systems of a family: a file each, so that they run side by side. */
export function smokeRuns(family: Family): void {
  const all: readonly ExperimentRecord[] = [...systems, ...comparisons];
  const own = all.filter((record) => record.family === family);
  describe.each(own.map((record) => [record.slug, record] as const))('the smoke run of %s', (slug, record) => {
    test('trains every method, computes every claim that its options allow, and leaves its files', async () => {
      const { experiment } = await record.load();
      const out = join(folder, slug);
      const [data = ''] = experiment.datasets;
      const titles: string[] = [];
      const result = await runExperiment(
        record,
        { data, seeds: [0], set: [], smoke: true, out },
        { started: ({ methods }) => titles.push(...methods) },
      );
      expect(result.rows.map(({ method }) => method)).toEqual(titles);
      for (const { metrics } of result.rows)
        expect(Object.values(metrics).some(({ mean }) => Number.isFinite(mean))).toBe(true);
      const wanted = experiment.claims.filter((claim) => isAbout(claim, { data, options: result.options }));
      expect(result.claims.map(({ claim }) => claim)).toEqual(wanted.map(({ claim }) => claim));
      expect(result.claims.length).toBeGreaterThan(0);
      for (const { claim, value } of result.claims) expect([claim, value]).toEqual([claim, expect.any(Number)]);
      const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
      expect(config).toEqual({ system: slug, data, seeds: [0], options: result.options });
      const report = readFileSync(join(out, 'report.html'), 'utf8');
      expect(report).toContain('<svg');
      for (const words of Object.values(record.abstract)) expect(report).toContain(words.slice(0, 20));
    }, 120_000);
  });
}
