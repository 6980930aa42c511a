import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { countOutcomes, DEFAULT_FOLDER, runConformance, waysToRun } from '../../scripts/onnx-conformance.mjs';
import { scope, tensor } from '../../src/tensor/index.js';
import { compile, importOnnx, loadPlan, savePlan } from '../../src/trace/index.js';

const there = existsSync(DEFAULT_FOLDER);
const ways = Object.entries(waysToRun({ compile, loadPlan, savePlan }));

describe.skipIf(!there)('the conformance cases of ONNX (libonnx-testdata)', () => {
  test.each(ways)('%s, each is right or refused by name', (way, run) => {
    const results = runConformance(DEFAULT_FOLDER, run, { importOnnx, scope, tensor });
    expect(results.filter(({ outcome }) => outcome === 'wrong')).toEqual([]);
    const refusals = results.filter(({ outcome }) => outcome === 'refused').map(({ reason }) => reason);
    expect(refusals.filter((reason) => !/^(importOnnx|plan): ./.test(reason))).toEqual([]);
    expect(countOutcomes(results).right).toBeGreaterThanOrEqual(way === 'directly' ? 580 : 415);
  });
});
