// Parsers of source files, by web-tree-sitter and the grammars that the npm packages of tree-sitter
// ship as WebAssembly. In Node the files are found in the packages; a page passes their bytes.

import type { Language as Grammar, Parser, Tree } from 'web-tree-sitter';
import { type LanguageName, languages } from './languages.js';

/** The WebAssembly files, where they are not to be looked for in packages. */
export interface ParserFiles {
  /** web-tree-sitter.wasm. */
  readonly runtime?: Uint8Array;
  /** The grammar, such as tree-sitter-java.wasm. */
  readonly grammar?: Uint8Array;
}

/** A source text that does not follow the grammar of its language. */
export class ParseError extends Error {
  override readonly name = 'ParseError';

  /**
   * @param line of the error, from 1
   * @param column of the error, from 1
   */
  constructor(
    message: string,
    readonly line: number,
    readonly column: number,
  ) {
    super(message);
  }
}

/** Parses sources of one language. */
export interface SourceParser {
  /** The language that it reads. */
  readonly language: LanguageName;
  /** Version of the grammar, such as `java 14`. */
  readonly grammarVersion: string;
  /** Type names by number. */
  readonly types: readonly string[];
  /** Whether a type is named in the grammar, by number. */
  readonly named: Uint8Array;
  /** Field names by number; number 0 is no field. */
  readonly fields: readonly (string | null)[];
  /** The module of the runtime, for `walkerOf`. */
  readonly module: Readonly<Record<string, unknown>>;
  /** The tree of a source, to be deleted by the caller. */
  parse(source: string): Tree;
}

type Runtime = Pick<typeof import('web-tree-sitter'), 'Parser' | 'Language'>;

interface Started extends Runtime {
  /** Holds the exports of the module after the start, unless something else started it before. */
  readonly module: Readonly<Record<string, unknown>>;
}

let started: Promise<Started> | undefined;
const parsers = new Map<LanguageName, Promise<SourceParser>>();

/**
 * The parser of a language, loaded once.
 *
 * @throws Error saying what to install when a package is missing, or that the grammar does not fit
 * the runtime
 */
export function loadParser(name: LanguageName, files: ParserFiles = {}): Promise<SourceParser> {
  const known = parsers.get(name);
  if (known) return known;
  const loading = createParser(name, files);
  parsers.set(name, loading);
  loading.catch(() => parsers.delete(name));
  return loading;
}

async function createParser(name: LanguageName, files: ParserFiles): Promise<SourceParser> {
  const { package: packageName, wasm } = languages[name];
  const bytes = files.grammar ?? (await packaged(packageName, wasm));
  started ??= start(files.runtime);
  started.catch(() => {
    started = undefined;
  });
  const { Parser, Language, module } = await started;
  const grammar = await Language.load(bytes).catch((error: unknown) => {
    throw new Error(
      `the grammar "${wasm}" does not fit this version of web-tree-sitter: ${(error as Error).message}; install ${packageName} and web-tree-sitter in the versions that Gossamer names`,
    );
  });
  const parser = new Parser();
  parser.setLanguage(grammar);
  return sourceParser(name, parser, grammar, module);
}

function sourceParser(
  language: LanguageName,
  parser: Parser,
  grammar: Grammar,
  module: Started['module'],
): SourceParser {
  return {
    language,
    grammarVersion: `${language}, ABI ${grammar.abiVersion}, ${grammar.nodeTypeCount} node types`,
    types: grammar.types,
    named: Uint8Array.from({ length: grammar.nodeTypeCount }, (_, type) => Number(grammar.nodeTypeIsNamed(type))),
    fields: grammar.fields,
    module,
    parse(source) {
      const tree = parser.parse(source);
      if (!tree) throw new Error(`web-tree-sitter returned no tree for a source of ${source.length} characters`);
      return tree;
    },
  };
}

async function start(bytes: Uint8Array | undefined): Promise<Started> {
  const { Parser, Language }: Runtime = await import('web-tree-sitter').catch(() => {
    throw new Error(missing('web-tree-sitter'));
  });
  const module: Record<string, unknown> = {
    wasmBinary: bytes ?? (await packaged('web-tree-sitter', 'web-tree-sitter.wasm')),
  };
  await Parser.init(module);
  return { Parser, Language, module };
}

/** A file in a package, in Node. @throws Error saying what to install */
async function packaged(packageName: string, file: string): Promise<Uint8Array> {
  const { createRequire } = await import('node:module').catch(() => {
    throw new Error(`outside Node the bytes of "${file}" must be given to loadParser`);
  });
  if (createRequire === undefined) throw new Error(`outside Node the bytes of "${file}" must be given to loadParser`);
  const { readFile } = await import('node:fs/promises');
  try {
    return new Uint8Array(await readFile(createRequire(import.meta.url).resolve(`${packageName}/${file}`)));
  } catch {
    throw new Error(missing(packageName));
  }
}

function missing(packageName: string): string {
  const all = ['web-tree-sitter', packageName].filter((own, at, list) => list.indexOf(own) === at);
  return `reading source files needs the package "${packageName}": npm install --ignore-scripts ${all.join(' ')}`;
}
