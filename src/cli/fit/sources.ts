// Classes of source files by HDHGN.

import { splitGroups } from '../../data/index.js';
import { type LabelledSources, loadSources } from '../../data/node.js';
import {
  classesOf,
  encodeProgram,
  HDHGN,
  type LanguageName,
  languageNames,
  languageOf,
  languages,
  loadParser,
  ProgramModel,
  ProgramVocabulary,
  programProbabilities,
  type SourceParser,
  type SyntaxHypergraph,
  sourceHypergraph,
  trainPrograms,
} from '../../hypergraph/index.js';
import { accuracy } from '../../nn/index.js';
import { tableOptionsOf } from '../tables.js';
import type { FitRequest, Fitted } from './learner.js';
import type { hdhgnOptions } from './options.js';

/** A file that was read. */
interface Read {
  readonly program: SyntaxHypergraph;
  readonly label: number;
}

/** Trains on 60 % of the files of each class; the best epoch by validation is kept. */
export async function fitSources(path: string, request: FitRequest<typeof hdhgnOptions>): Promise<Fitted> {
  const { values, random, hooks, target, reading, note } = request;
  const endings = languageNames.flatMap((name) => languages[name].endings);
  const all = await loadSources(path, endings, { ...(target && { target }), table: tableOptionsOf(reading) });
  const parser = await loadParser(languageIn(all, values.language));
  const anonymise = values.names === 'hidden' ? { numbers: false } : undefined;
  const read = readAll(all, parser, { anonymise, vertices: values.vertices, note });
  const programs = read.map(({ program }) => program);
  const labels = Int32Array.from(read, ({ label }) => label);
  const split = splitGroups(
    programs.map(contentOf),
    labels,
    all.classes,
    { train: 0.6, validation: 0.2 },
    random.split('split'),
  );
  const vocabulary = ProgramVocabulary.from(
    Array.from(split.train, (row) => programs[row] as SyntaxHypergraph),
    { nodeKinds: values.kinds === 'kept', edgeTypes: values.types === 'kept' },
  );
  const pairwise = values.hyperedges === 'pairs';
  const encoded = programs.map((program) => encodeProgram(program, vocabulary, pairwise));
  const { width, layers, heads, hidden, dropout, epochs, batch, learningRate, schedule } = values;
  const options = { width, layers, heads, hidden, dropout, directed: values.roles === 'kept' };
  const sizes = { values: vocabulary.valueCounts, types: vocabulary.typeCount, classes: all.classes.length };
  const network = new HDHGN(sizes, random.split('weights'), options);
  const task = { programs: encoded, labels, ...split };
  const { stopped } = await trainPrograms(network, task, random.split('fit'), {
    epochs,
    batch,
    learningRate,
    schedule,
    ...hooks,
  });
  const tested = Array.from(split.test, (row) => encoded[row] as (typeof encoded)[number]);
  const truth = Array.from(split.test, (row) => labels[row] as number);
  const right = 100 * accuracy(classesOf(programProbabilities(network, tested)), truth);
  const usual = majorityOf(
    Array.from(split.train, (row) => labels[row] as number),
    all.classes.length,
  );
  const guess =
    100 *
    accuracy(
      truth.map(() => usual),
      truth,
    );
  const model = new ProgramModel(
    {
      ...{ language: parser.language, grammar: parser.grammarVersion, classes: all.classes, options, pairwise },
      ...(anonymise && { anonymise }),
      vocabulary: vocabulary.state,
    },
    network,
  );
  return {
    file: () => model.save({ data: all.name }),
    lines: [
      `${all.name}: ${read.length} files in ${languages[parser.language].title}, ${all.classes.length} classes`,
      `accuracy on ${split.test.length} test files: ${right.toFixed(1)} %; ${guess.toFixed(1)} % by always saying ${all.classes[usual]}`,
    ],
    scores: { accuracy: right, accuracyOfMajority: guess },
    stopped,
  };
}

/** The class that most have, the first of equals. */
function majorityOf(labels: readonly number[], classes: number): number {
  const counts = Array.from({ length: classes }, (_, c) => labels.filter((label) => label === c).length);
  return counts.indexOf(Math.max(...counts));
}

/** Files with the same content are in the same part of the split. */
const contentOf = ({ values, parents }: SyntaxHypergraph) => `${values.join('\u0001')}\u0002${parents.join()}`;

/** Fewest files of a class: 60 %, 20 % and 20 % of them are at least one each. */
const LEAST_FILES = 4;

/** Notes listed one by one; more are counted. */
const LISTED = 20;

/** Reads the files; those with syntax errors, empty, large or no text are listed and left out. */
function readAll(
  { files, labels, classes, name }: LabelledSources,
  parser: SourceParser,
  options: {
    readonly anonymise: { readonly numbers: boolean } | undefined;
    readonly vertices: number;
    readonly note: (text: string) => void;
  },
): Read[] {
  const left: string[] = [];
  const read = files.flatMap(({ path, source, fault }, at): Read[] => {
    try {
      if (fault !== undefined) throw new Error(fault);
      const program = sourceHypergraph(parser, source, path, { anonymise: options.anonymise });
      if (program.vertexCount <= options.vertices) return [{ program, label: labels[at] as number }];
      left.push(`file "${path}" has ${program.vertexCount} vertices, more than ${options.vertices} (--set vertices)`);
    } catch (error) {
      left.push((error as Error).message);
    }
    return [];
  });
  for (const text of left.slice(0, LISTED)) options.note(`${text}; left out`);
  if (left.length > LISTED) options.note(`${left.length - LISTED} more files are left out`);
  const small = classes.findIndex((_, c) => read.filter(({ label }) => label === c).length < LEAST_FILES);
  if (small >= 0)
    throw new Error(
      `"${name}": class "${classes[small]}" has fewer than ${LEAST_FILES} files that can be read, two to train on, one each to validate and test`,
    );
  return read;
}

/** The one language of the files, or that of a table. @throws Error for several languages */
function languageIn({ files, name }: LabelledSources, ofTable: LanguageName): LanguageName {
  const found = new Set(files.flatMap(({ path }) => languageOf(path) ?? []));
  if (found.size > 1)
    throw new Error(
      `"${name}" holds files in ${[...found].join(' and ')}; a model reads one language, train one for each`,
    );
  return [...found][0] ?? ofTable;
}
