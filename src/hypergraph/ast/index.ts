export { type Language, type LanguageName, languageNames, languageOf, languages } from './languages.js';
export { loadParser, ParseError, type ParserFiles, type SourceParser } from './parser.js';
export {
  type Anonymisation,
  AST,
  type ConvertOptions,
  IDENT,
  SyntaxHypergraph,
  sourceHypergraph,
  TEXT_LIMIT,
} from './syntax-hypergraph.js';
