import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { comparisons, systems } from '../src/experiments/systems.js';

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

function lineCount(file: string): number {
  return readFileSync(file, 'utf8').trimEnd().split('\n').length;
}

/** Relative imports of a file: static, dynamic and of types; or values that load with the file. */
function importsOf(file: string, kinds: 'all' | 'static values' = 'all'): string[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /(?:(import|export)\s+(type\s)?[^'"`;]*?from\s*|import\s*\(?\s*)['"](\.[^'"]+)['"]/g;
  return [...text.matchAll(pattern)]
    .filter((match) => kinds === 'all' || (match[1] && !match[2]))
    .map((match) => resolve(dirname(file), (match[3] as string).replace(/\.js$/, '.ts')));
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

  test('tensors, layers and models load in a page without any package', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file) || !files.includes(file)) return;
      reached.add(file);
      for (const target of importsOf(file, 'static values')) visit(target);
    };
    for (const folder of ['tensor', 'sparse', 'quantized', 'nn', 'models']) visit(join(source, folder, 'index.ts'));
    const packages = [...reached].filter((file) =>
      /^(?:import|export) (?!type)[^;'"`]*from '[^.]/m.test(readFileSync(file, 'utf8')),
    );
    expect(packages).toEqual([]);
  });
});

describe('experiments', () => {
  const experiments = join(source, 'experiments');
  const families = [...new Set(systems.map(({ family }) => family as string))];
  /** What each folder of experiments may import of the others. */
  const allowed: Readonly<Record<string, readonly string[]>> = {
    parts: [],
    records: ['parts'],
    'systems.ts': ['parts', 'records'],
    runner: ['parts', 'systems.ts'],
    protocols: ['parts'],
    'index.ts': ['parts', 'runner', 'systems.ts'],
    ...Object.fromEntries(families.map((family) => [family, ['parts', 'protocols']])),
  };
  const own = files.filter((file) => file.startsWith(experiments));
  const placeOf = (file: string) => relative(experiments, file).split('/')[0] as string;

  test('import from the ground up: parts, then runner and protocols, then families', () => {
    const violations = own.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith(experiments) && placeOf(target) !== placeOf(file))
        .filter((target) => placeOf(file) !== 'records' || !families.includes(placeOf(target)))
        .filter((target) => !allowed[placeOf(file)]?.includes(placeOf(target)))
        .map((target) => `${relative(source, file)} imports ${relative(source, target)}`),
    );
    expect(violations).toEqual([]);
    const values = own
      .filter((file) => placeOf(file) === 'records')
      .flatMap((file) => importsOf(file, 'static values'));
    expect(values).toEqual([]);
  });

  test('there is one file a system or comparison, and each system has a door in its family', () => {
    const expected = [...systems, ...comparisons].map(({ family, slug }) => `${family}/${slug}.ts`);
    const found = own
      .map((file) => relative(experiments, file))
      .filter((file) => families.includes(placeOf(join(experiments, file))));
    expect(found.sort()).toEqual([...expected].sort());
    const doors = systems.filter(
      ({ family, slug }) =>
        !files.includes(join(source, family, `${slug}.ts`)) && !files.includes(join(source, family, slug, 'index.ts')),
    );
    expect(doors.map(({ slug }) => slug)).toEqual([]);
  });

  test('are short: half of them have at most 180 lines', () => {
    const lengths = systems
      .map(({ family, slug }) => lineCount(join(experiments, family, `${slug}.ts`)))
      .sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(180);
  });
});

test('comments are wrapped at 100 columns', () => {
  const kernels = resolve(source, '../kernels');
  const all = [...files, ...readdirSync(kernels).map((file) => join(kernels, file))];
  const wide = all
    .filter((file) => file.endsWith('.ts') && !file.endsWith('dispatch.ts'))
    .flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, at) => {
          const isWide = /^\s*(\/\/|\*|\/\*\*)/.test(line) && [...line].length > 100;
          return isWide && !line.includes('biome-ignore') ? [`${relative(source, file)}:${at + 1}`] : [];
        }),
    );
  expect(wide).toEqual([]);
});

test('no file has more than 400 lines', () => {
  const long = files.filter((file) => lineCount(file) > 400).map((file) => relative(source, file));
  expect(long).toEqual([]);
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
  const remaining = ['lm/runtime/store.ts ↔ lm/runtime/weights.ts'];

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

/** Parameters of the constructors of a file that draw random weights, by class. */
function constructorsOf(file: string): { name: string; parameters: readonly ts.ParameterDeclaration[] }[] {
  const text = readFileSync(file, 'utf8');
  if (!text.includes('random: Random')) return [];
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  return tree.statements.filter(ts.isClassDeclaration).flatMap(({ name, members }) =>
    members
      .filter(ts.isConstructorDeclaration)
      .filter(({ parameters }) => parameters.some(({ type }) => type?.getText() === 'Random'))
      .map(({ parameters }) => ({ name: `${relative(source, file)}: ${name?.text}`, parameters: [...parameters] })),
  );
}

test('constructors take what they must know, then `random`, then options that may be left out', () => {
  const constructors = files.flatMap(constructorsOf);
  expect(constructors.length).toBeGreaterThan(80);
  const unlike = constructors.filter(({ parameters }) => {
    const at = parameters.findIndex(({ type }) => type?.getText() === 'Random');
    const optional = ({ initializer, questionToken }: ts.ParameterDeclaration) => Boolean(initializer ?? questionToken);
    const after = parameters.slice(at + 1);
    const isOptions = (each: ts.ParameterDeclaration) =>
      optional(each) && (ts.isObjectBindingPattern(each.name) || /Options\b/.test(each.type?.getText() ?? ''));
    return parameters.slice(0, at).some(optional) || after.length > 1 || !after.every(isOptions);
  });
  expect(unlike.map(({ name }) => name)).toEqual([]);
});

test('folders are named for what is in them', () => {
  const vague = ['utils', 'helpers', 'common', 'misc', 'core', 'manager'];
  expect(
    files
      .map((file) => relative(source, file))
      .filter((file) => file.split(/[/.]/).some((part) => vague.includes(part))),
  ).toEqual([]);
});
