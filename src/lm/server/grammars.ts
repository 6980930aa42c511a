// What answers must be: `response_format`, `grammar` and `tools` of requests.

import { RequestError, wrong } from '../../distributed/http/errors.js';
import { GrammarError, type JsonSchema, jsonObjectRules, type Rules, readGbnf, schemaRules } from '../grammar/index.js';
import { type CallChoice, type CallForm, callFormOf, type Tool, toolRules } from '../tools.js';
import { type Fields, flag, isAbsent, isObject, isText, requireKnown } from './fields.js';

/** A grammar that a request asks for. */
export interface WantedGrammar {
  /** Equal for equal grammars. */
  readonly key: string;
  readonly rules: Rules;
  /** The field that asks for it. */
  readonly param: string;
}

/** Tools that a request offers. */
export interface WantedTools {
  /** As they were given, for the chat template. */
  readonly given: readonly object[];
  /** How the model writes calls. */
  readonly form: CallForm;
  readonly grammar: WantedGrammar;
}

/** Most functions of a request, as OpenAI has it. */
const MOST_TOOLS = 128;

/** Reads a grammar. @throws RequestError 400 naming the field when it cannot be used. */
function read(param: string | (() => string), body: () => Rules): Rules {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    throw new RequestError(400, error.message, typeof param === 'string' ? param : param());
  }
}

/**
 * The grammar of `response_format` or `grammar`; undefined for free text.
 *
 * @throws RequestError 400 when it cannot be read, or there are two.
 */
export function grammarIn(fields: Fields): WantedGrammar | undefined {
  const { grammar } = fields;
  const format = formatIn(fields);
  if (isAbsent(grammar)) return format;
  if (format) throw new RequestError(400, '"grammar" and "response_format" exclude each other', 'grammar');
  if (!isText(grammar)) return wrong('grammar', 'a text in GBNF');
  return { key: `gbnf ${grammar}`, param: 'grammar', rules: read('grammar', () => readGbnf(grammar)) };
}

function formatIn({ response_format: format }: Fields): WantedGrammar | undefined {
  if (isAbsent(format)) return undefined;
  const param = 'response_format';
  if (!isObject(format)) return wrong(param, 'an object');
  if (format.type === 'text') return undefined;
  if (format.type === 'json_object') return { key: 'json', param, rules: jsonObjectRules };
  if (format.type !== 'json_schema') return wrong(`${param}.type`, '"text", "json_object" or "json_schema"');
  const { json_schema: described } = format;
  if (!isObject(described)) return wrong(`${param}.json_schema`, 'an object');
  requireKnown(described, new Set(['name', 'description', 'schema', 'strict']), `${param}.json_schema.`);
  const { schema } = described;
  if (!isObject(schema)) return wrong(`${param}.json_schema.schema`, 'a JSON Schema');
  const place = `${param}.json_schema.schema`;
  return {
    key: `schema ${JSON.stringify(schema)}`,
    param: place,
    rules: read(place, () => schemaRules(schema as JsonSchema)),
  };
}

/**
 * The tools that the model may call; undefined when there are none, or none may be called.
 *
 * @throws RequestError 400 naming the field that is wrong, or when the chat template has no tools.
 */
export function toolsIn(fields: Fields, template: string): WantedTools | undefined {
  const { tools: given } = fields;
  const choice = choiceIn(fields);
  if (isAbsent(given) || (Array.isArray(given) && given.length === 0)) {
    if (choice === 'auto' || choice === 'none') return undefined;
    throw new RequestError(400, '"tool_choice" needs "tools"', 'tool_choice');
  }
  if (!Array.isArray(given) || given.length > MOST_TOOLS)
    return wrong('tools', `a list of at most ${MOST_TOOLS} tools`);
  const tools = given.map((tool, i) => toolIn(tool, `tools[${i}]`));
  const names = tools.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new RequestError(400, `two tools are called "${twice}"`, 'tools');
  if (typeof choice === 'object' && !names.includes(choice.name))
    throw new RequestError(400, `there is no tool "${choice.name}"`, 'tool_choice');
  if (choice === 'none') return undefined;
  for (const other of ['response_format', 'grammar'])
    if (!isAbsent(fields[other]) && (fields[other] as Fields).type !== 'text')
      throw new RequestError(400, `"tools" and "${other}" exclude each other`, other);
  const form = callFormOf(template);
  if (!form) throw new RequestError(400, "the model's chat template has no form of tool calls that is known", 'tools');
  const parallel = isAbsent(fields.parallel_tool_calls) || flag(fields, 'parallel_tool_calls');
  let at = 0;
  const rules = read(
    () => `tools[${at}].function.parameters`,
    () =>
      toolRules(tools, form, { choice, parallel }, (i) => {
        at = i;
      }),
  );
  const key = `tools ${JSON.stringify([tools, form, choice, parallel])}`;
  return { given, form, grammar: { key, rules, param: 'tools' } };
}

function choiceIn({ tool_choice: choice = 'auto' }: Fields): CallChoice | 'none' {
  if (choice === null) return 'auto';
  if (choice === 'none' || choice === 'auto' || choice === 'required') return choice;
  const inner = isObject(choice) && choice.type === 'function' ? choice.function : undefined;
  if (isObject(inner) && isText(inner.name)) return { name: inner.name };
  return wrong('tool_choice', '"none", "auto", "required" or {"type": "function", "function": {"name": …}}');
}

function toolIn(tool: unknown, at: string): Tool {
  if (!isObject(tool) || tool.type !== 'function' || !isObject(tool.function))
    return wrong(at, 'an object with "type": "function" and a "function"');
  const { function: inner } = tool;
  requireKnown(inner, new Set(['name', 'description', 'parameters', 'strict']), `${at}.function.`);
  const { name, parameters } = inner;
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name))
    return wrong(`${at}.function.name`, 'up to 64 letters, digits, _ and -');
  if (!isAbsent(parameters) && !isObject(parameters)) return wrong(`${at}.function.parameters`, 'a JSON Schema');
  return { name, parameters: isObject(parameters) ? parameters : {} };
}
