// What every system's claims must pass, on hand-made scores: see `Case`.

import { describe, expect, test } from 'vitest';
import { Evidence, evaluateClaims, evaluateOverall } from '../../src/experiments/parts/claims.js';
import { resolveOptions } from '../../src/experiments/parts/options.js';
import type { ExperimentRecord } from '../../src/experiments/systems.js';
import type { Case, HandMade } from './evidence/cases.js';

/**
 * Registers the tests of a system's claims. The test of a new system calls it; see CONTRIBUTING.md.
 */
export function testClaims({ slug, load, abstract }: ExperimentRecord, cases: readonly Case[]): void {
  describe(`claims of ${slug}`, () => {
    const evidenceOf = async ({ data, options = {} }: Case, { methods, studies = {} }: HandMade) => {
      const { experiment } = await load();
      const values = resolveOptions(experiment.options, {
        preset: experiment.presets?.[data],
        assignments: Object.entries(options).map(([name, value]) => `${name}=${value}`),
      });
      const scores = Object.entries(methods).map(([method, own]) => ({ method, scores: own }));
      const seeds = [0, 1].map((seed) => ({ seed, methods: scores }));
      return new Evidence<unknown>(data, values, seeds, studies);
    };

    const evaluated = async (which: 'holding' | 'failing') => {
      const { experiment } = await load();
      const runs = await Promise.all(cases.map((own) => evidenceOf(own, own[which])));
      return [
        ...runs.flatMap((run) => evaluateClaims(experiment.claims, run)),
        ...evaluateOverall(experiment.overall ?? [], runs),
      ];
    };

    test('hold on scores that show them, fail on scores that do not', async () => {
      const [holding, failing] = [await evaluated('holding'), await evaluated('failing')];
      expect(holding.filter(({ holds }) => !holds)).toEqual([]);
      expect(failing.filter(({ holds }) => holds)).toEqual([]);
      expect(failing.map(({ claim }) => claim)).toEqual(holding.map(({ claim }) => claim));
    });

    test('are all computed on some hand-made scores', async () => {
      const { experiment } = await load();
      const computed = new Set((await evaluated('holding')).map(({ claim, bound }) => `${claim} ${bound}`));
      const all = [...experiment.claims, ...(experiment.overall ?? [])];
      expect(all.map(({ claim, bound }) => `${claim} ${bound.text}`).filter((text) => !computed.has(text))).toEqual([]);
    });

    test('are left out where the run has not measured what they are about', async () => {
      const { experiment } = await load();
      for (const own of cases) {
        const nothing = await evidenceOf(own, { methods: {} });
        expect(evaluateClaims(experiment.claims, nothing)).toEqual([]);
      }
    });

    test('measure each claim of the abstract, or say why not', async () => {
      const { experiment } = await load();
      const { claims, overall = [], unmeasured = {} } = experiment;
      const named = [...claims, ...overall].flatMap((claim) => (claim.source === 'abstract' ? [claim.words] : []));
      expect(Object.keys(abstract).filter((key) => !named.includes(key) && !unmeasured[key])).toEqual([]);
      expect([...named, ...Object.keys(unmeasured)].filter((key) => !(key in abstract))).toEqual([]);
      expect(named.filter((key) => unmeasured[key])).toEqual([]);
    });
  });
}
