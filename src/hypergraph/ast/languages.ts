// The programming languages that syntax trees are read from: their files, the npm packages that
// hold their grammars, and which of their nodes are names or literals.

/** A language that can be parsed. */
export type LanguageName = 'python' | 'java' | 'typescript' | 'tsx';

/** What a language's grammar is, and what its node types stand for. */
export interface Language {
  /** Name for messages. */
  readonly title: string;
  /** Endings of its files. */
  readonly endings: readonly string[];
  /** The npm package with its grammar. */
  readonly package: string;
  /** The grammar's file in the package. */
  readonly wasm: string;
  /** Node types that may stand anywhere between others: comments and joined lines. */
  readonly extras: readonly string[];
  /** Node types of names. */
  readonly identifiers: readonly string[];
  /** Node types of texts in quotes. */
  readonly strings: readonly string[];
  /** Node types of numbers. */
  readonly numbers: readonly string[];
}

const typescript = {
  package: 'tree-sitter-typescript',
  extras: ['comment', 'html_comment'],
  identifiers: [
    'identifier',
    'type_identifier',
    'property_identifier',
    'private_property_identifier',
    'shorthand_property_identifier',
    'shorthand_property_identifier_pattern',
    'statement_identifier',
  ],
  strings: ['string', 'template_string'],
  numbers: ['number'],
} as const;

/** The languages by name. */
export const languages: Readonly<Record<LanguageName, Language>> = {
  python: {
    title: 'Python',
    endings: ['.py'],
    package: 'tree-sitter-python',
    wasm: 'tree-sitter-python.wasm',
    extras: ['comment', 'line_continuation'],
    identifiers: ['identifier'],
    strings: ['string'],
    numbers: ['integer', 'float'],
  },
  java: {
    title: 'Java',
    endings: ['.java'],
    package: 'tree-sitter-java',
    wasm: 'tree-sitter-java.wasm',
    extras: ['line_comment', 'block_comment'],
    identifiers: ['identifier', 'type_identifier'],
    strings: ['string_literal'],
    numbers: [
      'decimal_integer_literal',
      'hex_integer_literal',
      'octal_integer_literal',
      'binary_integer_literal',
      'decimal_floating_point_literal',
      'hex_floating_point_literal',
    ],
  },
  typescript: {
    title: 'TypeScript',
    endings: ['.ts', '.mts', '.cts'],
    wasm: 'tree-sitter-typescript.wasm',
    ...typescript,
  },
  tsx: { title: 'TypeScript with JSX', endings: ['.tsx'], wasm: 'tree-sitter-tsx.wasm', ...typescript },
};

/** Names of the languages. */
export const languageNames = Object.keys(languages) as readonly LanguageName[];

/** The language of a file by its ending; undefined for another one. */
export function languageOf(path: string): LanguageName | undefined {
  const name = path.toLowerCase();
  return languageNames.find((language) => languages[language].endings.some((ending) => name.endsWith(ending)));
}
