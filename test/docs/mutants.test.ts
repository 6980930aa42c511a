import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mutants, mutated } from '../../scripts/mutants.mjs';

test.each(mutants())('the mutant "$name" of $system can still be applied', (mutant) => {
  expect(mutated(mutant, readFileSync(mutant.file, 'utf8'))).not.toBe('');
  expect(mutant.tests.filter((file) => !existsSync(file))).toEqual([]);
  expect(mutant.tests.length).toBeGreaterThan(0);
});

test('a mutant whose text is not there once, or that changes nothing, is refused', () => {
  const mutant = { family: 'graph', system: 's', name: 'm', file: 'f.ts', text: 'a', replacement: 'b', tests: [] };
  expect(mutated(mutant, 'x a x')).toBe('x b x');
  expect(() => mutated(mutant, 'a a')).toThrow('holds its text 2 times');
  expect(() => mutated(mutant, 'x')).toThrow('holds its text 0 times');
  expect(() => mutated({ ...mutant, replacement: 'a' }, 'a')).toThrow('changes nothing');
});

test('at most one mutant of a system is fast, as it is applied wherever all tests run', () => {
  const fast = mutants().filter((mutant) => mutant.fast);
  const counts = new Map<string, number>();
  for (const { system } of fast) counts.set(system, (counts.get(system) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > 1)).toEqual([]);
});
