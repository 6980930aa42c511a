// Makes the skeleton of a system: the system, its experiment, its test and its record. See
// CONTRIBUTING.md.
//
// npm run new-system <slug> -- --family graph [--title T] [--class C] [--about A]
//     [--paper P] [--authors A] [--venue V] [--year Y] [--arxiv ID] [--folder ANOTHER_CHECKOUT]
//
// The skeleton works as it is: it classifies an embedded table by the closest class mean. What has
// to be written is marked TODO; the tests refuse the mark in what is committed.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SYSTEMS = 'src/experiments/systems.ts';
const recordsOf = (family) => `src/experiments/records/${family}.ts`;

const flags = Object.fromEntries(
  ['family', 'title', 'class', 'about', 'paper', 'authors', 'venue', 'year', 'arxiv', 'folder'].map((name) => [
    name,
    { type: 'string' },
  ]),
);

/** A string as the source of TypeScript. */
function literal(text) {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`;
}

/** `mixture-of-experts` as `MixtureOfExperts`. */
function className(slug) {
  return slug
    .split('-')
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join('');
}

/** What the skeleton is made from, with a mark where something was not given. */
export function settingsOf(slug, given) {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(slug ?? ''))
    throw new Error(`the system's name must be lower-case words joined by hyphens, as my-system; got "${slug ?? ''}"`);
  if (given.class !== undefined && !/^[A-Z][A-Za-z0-9]*$/.test(given.class))
    throw new Error(`--class: expected a name such as ${className(slug)}, got "${given.class}"`);
  const year = Number(given.year ?? 0);
  if (!Number.isInteger(year)) throw new Error(`--year: expected a year, got "${given.year}"`);
  return {
    slug,
    family: given.family,
    name: given.class ?? className(slug),
    title: given.title ?? `TODO: title of ${slug}`,
    about: given.about ?? 'TODO: what it does for a user, in one line',
    paper: {
      authors: given.authors ?? 'TODO: authors',
      title: given.paper ?? 'TODO: title of the paper',
      venue: given.venue ?? 'TODO: venue',
      year,
      arxiv: given.arxiv,
    },
  };
}

function systemFile({ slug, name, paper }) {
  const citation = `${paper.authors}, "${paper.title}", ${paper.venue} ${paper.year || 'TODO: year'}`;
  return `// ${slug} (${citation}).
//
// TODO: what is notable about it, in three lines, and its equations. Those of the skeleton:
//
//   ŷ(x) = argmin_c ‖x − (1 − s)·μ_c − s·μ‖

import type { Tensor } from '../tensor/index.js';

export interface ${name}Options {
  /** TODO: an option with its unit and default. Here s, from class means (0) to the overall mean (1). Default: 0. */
  readonly shrinkage?: number;
}

/**
 * TODO: one sentence. Classifies a row by the closest mean of a class.
 *
 * **Shapes**: features [rows, columns]; labels [rows], in 0 … classes − 1.
 *
 * @throws RangeError when an option lies outside its range.
 * @see ${citation}
 */
export class ${name} {
  /** s. */
  readonly shrinkage: number;
  #means: readonly Float64Array[] = [];

  constructor({ shrinkage = 0 }: ${name}Options = {}) {
    if (!(shrinkage >= 0 && shrinkage <= 1)) throw new RangeError(\`${name}: shrinkage is a share, got \${shrinkage}\`);
    this.shrinkage = shrinkage;
  }

  /**
   * Learns from rows and their labels.
   *
   * @throws RangeError unless each row has a label.
   */
  fit(features: Tensor, labels: Int32Array): this {
    const rows = rowsOf(features);
    if (rows.length !== labels.length)
      throw new RangeError(\`${name}: expected a label for each of \${rows.length} rows, got \${labels.length}\`);
    const overall = meanOf(rows);
    const classes = Array.from({ length: Math.max(-1, ...labels) + 1 }, (_, c) => c);
    this.#means = classes.map((c) => {
      const own = meanOf(rows.filter((_, i) => labels[i] === c));
      return own.map((value, j) => (1 - this.shrinkage) * value + this.shrinkage * (overall[j] as number));
    });
    return this;
  }

  /**
   * The class of each row.
   *
   * @throws Error before \`fit\`.
   */
  predict(features: Tensor): Int32Array {
    if (this.#means.length === 0) throw new Error('${name}: predict needs a model: call fit first');
    return Int32Array.from(rowsOf(features), (row) => {
      const distances = this.#means.map((mean) => mean.reduce((sum, m, j) => sum + (m - (row[j] as number)) ** 2, 0));
      return distances.indexOf(Math.min(...distances));
    });
  }
}

function rowsOf(features: Tensor): Float32Array[] {
  const [rows, columns] = features.shape as [number, number];
  const values = features.view();
  return Array.from({ length: rows }, (_, i) => values.slice(i * columns, (i + 1) * columns));
}

function meanOf(rows: readonly Float32Array[]): Float64Array {
  const columns = rows[0]?.length ?? 0;
  return Float64Array.from({ length: columns }, (_, j) => rows.reduce((sum, row) => sum + (row[j] as number), 0) / rows.length);
}
`;
}

function experimentFile({ slug, family, name, title }) {
  return `// ${title}: TODO: what the abstract claims, in one sentence.

import { ${name} } from '../../${family}/${slug}.js';
import { accuracy as shareRight, logisticRegression, logisticScores, predictedClasses } from '../../nn/index.js';
import { keep, Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import { atLeast, claimsOf, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { type Method, runMethods } from '../parts/methods.js';
import { accuracy, seconds } from '../parts/metrics.js';
import { count, type OptionValues, share } from '../parts/options.js';

const options = {
  rows: count(3000, 'rows of the embedded table', { smoke: 300, minimum: 30 }),
  shrinkage: share(0, 'TODO: an option of the system, with the default of the paper'),
};

type Options = OptionValues<typeof options>;

const SYSTEM = '${slug}';
const BASELINE = 'logistic regression';
const CLASSES = 3;

interface Rows {
  /** [rows, 2] */
  readonly features: Tensor;
  readonly labels: Int32Array;
}

/** TODO: a protocol of src/experiments/protocols loads, splits and scores this kind of data. Here: normal clouds. */
function drawRows(rows: number, random: Random): Rows {
  const labels = Int32Array.from({ length: rows }, (_, i) => i % CLASSES);
  const angle = (c: number) => (2 * Math.PI * c) / CLASSES;
  const points = Array.from(labels, (c) => [Math.cos(angle(c)), Math.sin(angle(c))].map((x) => x + random.gaussian() / 2));
  return { features: keep(tensor(Float32Array.from(points.flat()), [rows, 2])), labels };
}

/** Classes of rows. */
type Classifier = (features: Tensor) => Int32Array;

function methodsOf({ features, labels }: Rows, { shrinkage }: Options): Method<Classifier>[] {
  return [
    {
      title: BASELINE,
      train() {
        const targets = Float32Array.from({ length: labels.length * CLASSES }, (_, i) =>
          Number(labels[Math.floor(i / CLASSES)] === i % CLASSES),
        );
        const model = logisticRegression(features, tensor(targets, [labels.length, CLASSES]), { c: 1 });
        return (rows) => scope(() => predictedClasses(logisticScores(model, rows)));
      },
    },
    {
      title: SYSTEM,
      train() {
        const model = new ${name}({ shrinkage }).fit(features, labels);
        return (rows) => model.predict(rows);
      },
    },
  ];
}

const { abstract, paper, ours } = claimsOf<Options>();
const claims = [
  abstract('main', 'TODO: what is measured. Above logistic regression (points)', atLeast(0), (e) =>
    e.gain(SYSTEM, BASELINE, 'accuracy'),
  ),
  ...where({ data: ['clouds'] }, [
    paper('TODO: a claim of the body, on the data that it names. Accuracy (%)', atLeast(90), (e) =>
      e.mean(SYSTEM, 'accuracy'),
    ),
  ]),
  ours('TODO: what can be asked at our size. Above logistic regression, least of the seeds (points)', atLeast(-2), (e) =>
    e.leastGain(SYSTEM, BASELINE, 'accuracy'),
  ),
];

export const experiment = defineExperiment({
  options,
  datasets: ['clouds'],
  ownData: 'TODO: other forms that --data takes; the skeleton takes none',
  reproduction: [{ data: 'clouds', seeds: 5 }],
  metrics: { accuracy, seconds },
  methods: () => [BASELINE, SYSTEM],
  notes: () => ['TODO: what to know when reading the numbers.'],
  load(source) {
    if (source !== 'clouds') throw new Error(\`unknown data set "\${source}"; known: clouds\`);
    return source;
  },
  describe: (name) => \`\${name}: normal clouds around \${CLASSES} points\`,
  runSeed(_data, values, context) {
    const train = drawRows(values.rows, context.random.split('train'));
    const test = drawRows(values.rows, context.random.split('test'));
    return runMethods(methodsOf(train, values), context, {
      score: (classify) => ({ accuracy: 100 * shareRight(classify(test.features), test.labels, everyRow(test)) }),
    });
  },
  claims,
});

function everyRow({ labels }: Rows): Int32Array {
  return Int32Array.from(labels.keys());
}
`;
}

function testFile({ slug, family, name }) {
  return `import { describe, expect, test } from 'vitest';
import { findSystem } from '../../src/experiments/systems.js';
import { ${name} } from '../../src/${family}/${slug}.js';
import { tensor } from '../../src/tensor/index.js';
import { testClaims } from '../experiments/claim-tests.js';

const rows = (...values: number[]) => tensor(Float32Array.from(values), [values.length / 2, 2]);

describe('${slug}', () => {
  // TODO: statements of its behaviour, each against an independent oracle.
  test('predicts the class of the closest mean', () => {
    const model = new ${name}().fit(rows(0, 0, 0, 2, 10, 10, 10, 12), Int32Array.of(0, 0, 1, 1));
    expect(model.predict(rows(1, 1, 9, 9))).toEqual(Int32Array.of(0, 1));
  });

  test('says what does not fit', () => {
    expect(() => new ${name}({ shrinkage: 2 })).toThrow('shrinkage is a share, got 2');
    expect(() => new ${name}().fit(rows(0, 0), Int32Array.of())).toThrow('a label for each of 1 rows, got 0');
    expect(() => new ${name}().predict(rows(0, 0))).toThrow('call fit first');
  });
});

// Scores on which every claim of the experiment holds, and scores on which none does.
testClaims(findSystem('${slug}'), [
  {
    data: 'clouds',
    holding: { methods: { 'logistic regression': { accuracy: 90 }, '${slug}': { accuracy: 90 } } },
    failing: { methods: { 'logistic regression': { accuracy: 90 }, '${slug}': { accuracy: 87 } } },
  },
]);
`;
}

function recordOf({ slug, family, title, about, paper }) {
  const { authors, title: paperTitle, venue, year, arxiv } = paper;
  return `{
    slug: '${slug}',
    title: ${literal(title)},
    family: '${family}',
    about: ${literal(about)},
    paper: {
      authors: ${literal(authors)},
      title: ${literal(paperTitle)},
      venue: ${literal(venue)},
      year: ${year},${arxiv ? `\n      arxiv: ${literal(arxiv)},` : ''}
    },
    abstract: {
      main: 'TODO: a claim in the words of the abstract',
    },
    load: () => import('../${family}/${slug}.js'),
  }`;
}

/** The value of a constant of a file. */
function constantOf(text, name) {
  const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true);
  const declarations = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations]);
  return declarations.find((declaration) => declaration.name.getText() === name).initializer;
}

/** Slugs of the records in the text of a file of records/. */
function slugsOf(text) {
  return constantOf(text, 'records').elements.map(
    ({ properties }) => properties.find((property) => property.name.getText() === 'slug').initializer.text,
  );
}

/** The text of a file of records/ with one more at its end. */
export function insertRecord(text, record) {
  const { elements } = constantOf(text, 'records');
  const last = elements.at(-1);
  return last
    ? `${text.slice(0, last.getEnd())},\n  ${record}${text.slice(last.getEnd())}`
    : `${text.slice(0, elements.pos)}\n  ${record},${text.slice(elements.pos)}`;
}

/**
 * Writes the four files, or none.
 *
 * @returns their paths in the repository
 * @throws Error when the family is unknown or the name is taken.
 */
export function newSystem(settings, folder = root) {
  const { slug, family } = settings;
  const read = (path) => readFileSync(join(folder, path), 'utf8');
  const families = constantOf(read(SYSTEMS), 'families').properties.map(({ name }) => name.getText());
  if (!families.includes(family))
    throw new Error(`--family: expected one of ${families.join(', ')}; got "${family ?? ''}"`);
  if (families.some((name) => slugsOf(read(recordsOf(name))).includes(slug)))
    throw new Error(`there is a system "${slug}" already`);
  const made = {
    [`src/${family}/${slug}.ts`]: systemFile(settings),
    [`src/experiments/${family}/${slug}.ts`]: experimentFile(settings),
    [`test/${family}/${slug}.test.ts`]: testFile(settings),
  };
  const taken = [...Object.keys(made), `src/${family}/${slug}/index.ts`].filter((path) =>
    existsSync(join(folder, path)),
  );
  if (taken.length > 0) throw new Error(`there is a file already: ${taken.join(', ')}`);
  const records = recordsOf(family);
  const files = { ...made, [records]: insertRecord(read(records), recordOf(settings)) };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const biome = join(root, 'node_modules/.bin/biome');
  const { status, stderr } = spawnSync(biome, ['check', '--write', ...Object.keys(files)], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`formatting the files failed:\n${stderr}`);
  return Object.keys(files);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values, positionals } = parseArgs({ options: flags, allowPositionals: true });
    const files = newSystem(settingsOf(positionals[0], values), values.folder);
    console.log(`${files.join('\n')}\n\nWrite what is marked TODO; CONTRIBUTING.md goes through one.`);
  } catch (error) {
    console.error(`new-system: ${error.message}`);
    process.exitCode = 2;
  }
}
