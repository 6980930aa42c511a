import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { families, systems } from '../../src/experiments/systems.js';

const root = join(import.meta.dirname, '../..');

test('systems have names of their own and stand by family', () => {
  const slugs = systems.map(({ slug }) => slug);
  expect(slugs).toEqual([...new Set(slugs)]);
  const place = systems.map(({ family }) => Object.keys(families).indexOf(family));
  expect(place).toEqual([...place].sort((a, b) => a - b));
});

test('every family with systems has its smoke runs', () => {
  const runs = readdirSync(join(root, 'test/experiments/smoke')).flatMap(
    (file) => file.match(/^(.*)\.test\.ts$/)?.[1] ?? [],
  );
  expect(runs.sort()).toEqual([...new Set(systems.map(({ family }) => family))].sort());
});

describe.each(systems.map((record) => [record.slug, record] as const))('%s', (slug, record) => {
  const { family, about, paper, abstract } = record;

  test('has nothing left of the skeleton that it was made from', () => {
    const files = [
      `src/${family}/${slug}.ts`,
      `src/${family}/${slug}/index.ts`,
      `src/experiments/${family}/${slug}.ts`,
      `test/${family}/${slug}.test.ts`,
    ].filter((file) => existsSync(join(root, file)));
    expect(files.filter((file) => readFileSync(join(root, file), 'utf8').includes('TODO'))).toEqual([]);
    expect(JSON.stringify(record)).not.toContain('TODO');
    expect(paper.year).toBeGreaterThan(1950);
  });

  test('says in one line what it does, and quotes its abstract', () => {
    expect(about).toMatch(/^[^\n]{10,120}[^.]$/);
    expect(Object.keys(abstract).length).toBeGreaterThan(0);
    for (const words of Object.values(abstract)) expect(words).toMatch(/^\S+( \S+)+$/);
  });
});
