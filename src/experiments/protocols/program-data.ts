// Sets of programs: generated ones, a known corpus, or a person's own files; and their splits.

import { type Split, splitGroups } from '../../data/index.js';
import { type LabelledSources, loadSources } from '../../data/node.js';
import {
  type EncodedProgram,
  encodeProgram,
  type LanguageName,
  languageNames,
  languageOf,
  languages,
  loadParser,
  ParseError,
  ProgramVocabulary,
  type SyntaxHypergraph,
  sourceHypergraph,
  type VocabularyOptions,
} from '../../hypergraph/index.js';
import { Random } from '../../tensor/index.js';
import { colours, directedHypergraphs, fieldPrograms } from './generated-programs.js';

/** How programs are loaded and split. */
export interface ProgramValues {
  /** `full`: 60 % of the files to train on; `few`: ten files a class, without numbers. */
  readonly setting: 'full' | 'few';
  /** Whether names and strings are replaced. */
  readonly anonymise: 'yes' | 'no';
  /** Most vertices of a program. */
  readonly vertices: number;
  /** Fewest files of a class. */
  readonly leastFiles: number;
  /** Generated programs. */
  readonly programs: number;
  /** Classes to take, between commas; all when empty. */
  readonly classes: string;
  /** Language of tables. */
  readonly language: LanguageName;
}

/** Ablations of what a network is shown. */
export interface ProgramView extends VocabularyOptions {
  /** Whether hyperedges are split into pairs. */
  readonly pairwise?: boolean;
}

/** Programs as one seed's networks read them. */
export interface ProgramInputs {
  readonly programs: readonly EncodedProgram[];
  readonly values: readonly number[];
  readonly types: number;
  /** undefined for generated hypergraphs. */
  readonly vocabulary: ProgramVocabulary | undefined;
}

/** A loaded set. */
export interface ProgramData {
  readonly name: string;
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  /** What is equal for programs that must be in one part of a split. */
  readonly groups: readonly string[];
  /** Syntax hypergraphs with tokens; undefined for generated hypergraphs. */
  readonly sources: readonly SyntaxHypergraph[] | undefined;
  readonly language: LanguageName;
  /** What was left out, in a phrase. */
  readonly left: string;
  /** Inputs, with the vocabulary of the training programs. */
  inputs(train: Int32Array, view: ProgramView): ProgramInputs;
}

/** Generated sets, then the known corpus. */
export const programSets = ['roles', 'fields', 'code-gcj'] as const;

/** Endings of all languages. */
export const sourceEndings = languageNames.flatMap((name) => languages[name].endings);

/** Loads a set by name, or a person's own. */
export async function loadPrograms(source: string, values: ProgramValues): Promise<ProgramData> {
  const random = new Random(0).split(source);
  if (source === 'roles') return generatedHypergraphs(values, random);
  if (source !== 'fields') return corpus(await loadSources(source, sourceEndings), values);
  const { files, labels } = fieldPrograms(values.programs, random);
  const classes = ['b - a, bar = foo', 'a - b, bar = foo', 'b - a, foo = bar', 'a - b, foo = bar'];
  const all = { name: source, files, labels, classes };
  return corpus(all, { ...values, anonymise: 'no', leastFiles: 1, language: 'python' });
}

function generatedHypergraphs({ programs: count }: ProgramValues, random: Random): ProgramData {
  const { programs, labels } = directedHypergraphs(count, random);
  return {
    name: 'roles',
    classes: ['second colour is head', 'first colour is head'],
    labels,
    groups: Array.from(programs.keys(), String),
    sources: undefined,
    language: 'python',
    left: '',
    inputs: (_, { pairwise }) => ({
      programs: pairwise ? programs.map((own) => ({ ...own, structure: own.structure.pairwise() })) : programs,
      values: [colours],
      types: 1,
      vocabulary: undefined,
    }),
  };
}

/** Parses files and leaves out those with syntax errors, large ones and small classes. */
async function corpus(all: LabelledSources, values: ProgramValues): Promise<ProgramData> {
  const language = commonLanguage(all, values.language);
  const parser = await loadParser(language);
  const anonymise = values.anonymise === 'yes' ? { numbers: values.setting === 'few' } : undefined;
  const taken = values.classes === '' ? all.classes : values.classes.split(',').map((name) => name.trim());
  const unknown = taken.find((name) => !all.classes.includes(name));
  if (unknown !== undefined)
    throw new Error(`classes: "${all.name}" has no class "${unknown}"; it has ${all.classes.join(', ')}`);
  const read: { readonly program: SyntaxHypergraph; readonly name: string }[] = [];
  let [broken, large] = [0, 0];
  all.files.forEach(({ path, source }, at) => {
    const name = all.classes[all.labels[at] as number] as string;
    if (!taken.includes(name)) return;
    const program = parsedOrNot(source, () => sourceHypergraph(parser, source, path, { anonymise, tokens: true }));
    if (!program) broken += 1;
    else if (program.vertexCount > values.vertices) large += 1;
    else read.push({ program, name });
  });
  const sizes = new Map<string, number>();
  for (const { name } of read) sizes.set(name, (sizes.get(name) ?? 0) + 1);
  const classes = taken.filter((name) => (sizes.get(name) ?? 0) >= values.leastFiles);
  if (classes.length < 2)
    throw new Error(
      `"${all.name}" has ${classes.length} classes of at least ${values.leastFiles} files; two are needed`,
    );
  const kept = read.filter(({ name }) => classes.includes(name));
  const sources = kept.map(({ program }) => program);
  return {
    name: all.name,
    classes,
    labels: Int32Array.from(kept, ({ name }) => classes.indexOf(name)),
    groups: sources.map(({ tokens = [] }) => tokens.join('\u0001')),
    sources,
    language,
    left: `left out: ${broken} empty or with syntax errors, ${large} of more than ${values.vertices} vertices, ${read.length - kept.length} in small classes`,
    inputs: (train, view) => {
      const vocabulary = ProgramVocabulary.from(
        Array.from(train, (row) => sources[row] as SyntaxHypergraph),
        view,
      );
      const programs = sources.map((program) => encodeProgram(program, vocabulary, view.pairwise));
      return { programs, values: vocabulary.valueCounts, types: vocabulary.typeCount, vocabulary };
    },
  };
}

/** undefined for an empty source and one with syntax errors, which the caller counts. */
function parsedOrNot(source: string, parse: () => SyntaxHypergraph): SyntaxHypergraph | undefined {
  if (source.trim() === '') return undefined;
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** The one language of all files; tables name it by an option. @throws Error for several */
function commonLanguage({ files, name }: LabelledSources, usual: LanguageName): LanguageName {
  const found = new Set(files.flatMap(({ path }) => languageOf(path) ?? []));
  if (found.size > 1) throw new Error(`"${name}" holds files in ${[...found].join(' and ')}; one language at a time`);
  return [...found][0] ?? usual;
}

/** 60/20/20, or ten to train and five to validate in each class; equal programs on one side. */
export function splitPrograms({ groups, labels, classes }: ProgramData, values: ProgramValues, random: Random): Split {
  const sizes = values.setting === 'few' ? { train: 10, validation: 5 } : { train: 0.6, validation: 0.2 };
  return splitGroups(groups, labels, classes, sizes, random);
}
