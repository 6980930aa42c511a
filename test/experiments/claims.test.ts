import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systems } from '../../src/experiments/systems.js';
import { testClaims } from './claim-tests.js';
import type { Case } from './evidence/cases.js';

const families = [...new Set(systems.map(({ family }) => family))].filter((family) =>
  existsSync(join(import.meta.dirname, 'evidence', `${family}.ts`)),
);
const files = await Promise.all(families.map((family) => import(`./evidence/${family}.ts`)));
const cases: Readonly<Record<string, readonly Case[]>> = Object.assign({}, ...files.map(({ evidence }) => evidence));

for (const record of systems) {
  const own = cases[record.slug];
  if (own) testClaims(record, own);
}

test('the claims of every system are tested on hand-made scores, here or in the test of the system', () => {
  const untested = systems.filter(({ slug, family }) => {
    const path = join(import.meta.dirname, '..', family, `${slug}.test.ts`);
    return (
      !cases[slug] && !(existsSync(path) && readFileSync(path, 'utf8').includes(`testClaims(findSystem('${slug}')`))
    );
  });
  expect(untested.map(({ slug }) => slug)).toEqual([]);
});
