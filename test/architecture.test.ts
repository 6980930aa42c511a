import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const source = resolve(import.meta.dirname, '../src');

/** Folders of src/ by floor; families share one and never import each other. */
const floors: Readonly<Record<string, number>> = {
  engine: 1,
  tensor: 2,
  sparse: 3,
  quantized: 3,
  linalg: 3,
  trace: 3,
  distributed: 3,
  nn: 4,
  structure: 4,
  models: 5,
  data: 5,
  graph: 6,
  hypergraph: 6,
  embedding: 6,
  hypernet: 6,
  vision: 6,
  compress: 6,
  lm: 6,
  recommend: 6,
  experiments: 7,
  cli: 8,
};
const FAMILY_FLOOR = 6;

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.includes('generated'))
  .map((file) => join(source, file));

/** Relative imports of a file: static, dynamic and of types. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /(?:(?:import|export)\s[^'"`;]*?from\s*|import\s*\(?\s*)['"](\.[^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) =>
    resolve(dirname(file), (match[1] as string).replace(/\.js$/, '.ts')),
  );
}

const folderOf = (file: string) => relative(source, file).split('/')[0] as string;

describe('floors', () => {
  test('every folder has a floor', () => {
    const folders = new Set(files.map(folderOf).filter((folder) => !folder.endsWith('.ts')));
    expect([...folders].filter((folder) => floors[folder] === undefined)).toEqual([]);
  });

  test('no file imports from a higher floor, no family another family', () => {
    const violations = files.flatMap((file) => {
      const folder = folderOf(file);
      const floor = floors[folder];
      if (floor === undefined) return [];
      return importsOf(file).flatMap((target) => {
        const other = folderOf(target);
        const otherFloor = floors[other] ?? Number.POSITIVE_INFINITY;
        const wrong = otherFloor > floor || (floor === FAMILY_FLOOR && otherFloor === FAMILY_FLOOR && other !== folder);
        return wrong ? [`${relative(source, file)} imports ${relative(source, target)}`] : [];
      });
    });
    expect(violations).toEqual([]);
  });

  test('imports find their file', () => {
    const known = new Set(files);
    const lost = files.flatMap((file) =>
      importsOf(file).filter((target) => !known.has(target) && !target.includes('generated')),
    );
    expect(lost).toEqual([]);
  });
});

describe('circles', () => {
  /** The class of tensors takes the types of its methods from the operations. */
  const chained = 'tensor/tensor.ts → tensor/methods.ts';
  const edges = new Map(
    files.map((file) => [
      file,
      importsOf(file).filter((target) => `${relative(source, file)} → ${relative(source, target)}` !== chained),
    ]),
  );

  /** Circles that are still to be cut. */
  const remaining = ['experiments/report.ts ↔ experiments/run.ts', 'lm/runtime/store.ts ↔ lm/runtime/weights.ts'];

  /** Files that a file imports, directly or through others. */
  function reachable(file: string): Set<string> {
    const found = new Set<string>();
    const open = [file];
    for (let next = open.pop(); next !== undefined; next = open.pop())
      for (const target of edges.get(next) ?? []) {
        if (!found.has(target)) open.push(target);
        found.add(target);
      }
    return found;
  }

  test('no files import each other, types included, but operations, whose gradients are written in one another', () => {
    const from = new Map(files.map((file) => [file, reachable(file)]));
    const inOps = (file: string) => file.startsWith(join(source, 'tensor/ops'));
    const circles = files.map((file) =>
      files.filter((other) => from.get(file)?.has(other) && from.get(other)?.has(file)),
    );
    const unwanted = circles
      .filter((circle) => !circle.every(inOps))
      .map((circle) => circle.map((file) => relative(source, file)).join(' ↔ '));
    expect(unwanted.filter((circle) => !remaining.includes(circle))).toEqual([]);
  });
});

test('folders are named for what is in them', () => {
  const vague = ['utils', 'helpers', 'common', 'misc', 'core', 'manager'];
  expect(
    files
      .map((file) => relative(source, file))
      .filter((file) => file.split(/[/.]/).some((part) => vague.includes(part))),
  ).toEqual([]);
});
