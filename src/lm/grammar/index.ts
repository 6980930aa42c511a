// Grammars that generation keeps to: GBNF, JSON, JSON Schema.

export { TokenGrammar } from './constraint.js';
export { GrammarError, type Rules } from './expression.js';
export { readGbnf } from './gbnf.js';
export { jsonObjectRules } from './json.js';
export { type JsonSchema, schemaRules } from './schema.js';
