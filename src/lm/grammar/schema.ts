// JSON Schema as a grammar: every text that it makes satisfies the schema. A keyword that could not
// be kept is refused, never ignored.

import { choice, type Expression, GrammarError, literal, nothing, type Rules, rule, sequence } from './expression.js';
import { integersBetween } from './integers.js';
import { boolean, integer, jsonRules, nullValue, number, objectOf, space } from './json.js';
import { arrayOfSchema } from './schema-arrays.js';
import { stringOf } from './schema-strings.js';

/** A JSON Schema. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>;

/** Keywords that say nothing of which values are right. */
const ANNOTATIONS = new Set([
  ...['title', 'description', 'default', 'examples', 'example', '$schema', '$id', '$comment', '$defs', 'definitions'],
  ...['deprecated', 'readOnly', 'writeOnly', 'strict', 'x-order', 'discriminator'],
]);

/** Keywords by the type that they are of. */
const OF_TYPES: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  number: [],
  boolean: [],
  null: [],
  array: ['items', 'prefixItems', 'minItems', 'maxItems', 'additionalItems'],
  object: ['properties', 'required', 'additionalProperties', 'propertyOrder'],
};
const TYPES = Object.keys(OF_TYPES);
const COMBINING = ['type', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref', 'nullable'];

/** Nesting of schemas, so that one cannot exhaust the stack. */
const DEEPEST = 200;

/**
 * The grammar of a JSON Schema. Properties are written in the order of the schema, and no others
 * unless it names none.
 *
 * @throws GrammarError naming the place of a keyword that is not supported or contradicts itself.
 */
export function schemaRules(schema: JsonSchema): Rules {
  return new SchemaReader(schema).rules();
}

/** Reads the parts of a schema. */
export class SchemaReader {
  readonly #rules = new Map<string, Expression>(jsonRules);
  readonly #references = new Map<string, string>();
  #depth = 0;

  /** @param root name of the rule of the whole; others are named after it */
  constructor(
    readonly schema: JsonSchema,
    readonly root = 'root',
  ) {}

  rules(): Rules {
    const root = this.value(this.schema, '#');
    return new Map([[this.root, root], ...this.#rules]);
  }

  /** Adds a rule of a name that no other one has. @returns a call of it */
  named(name: string, body: (own: Expression) => Expression): Expression {
    const free = `${this.root}-${name}-${this.#rules.size}`;
    this.#rules.set(free, nothing);
    const own = rule(free);
    this.#rules.set(free, body(own));
    return own;
  }

  /** Any value that a schema allows. */
  value(schema: unknown, at: string): Expression {
    if (schema === true) return rule('json-value');
    if (schema === false) throw new GrammarError(`schema, ${at}: false allows no value`);
    if (!isObject(schema)) throw new GrammarError(`schema, ${at}: expected an object, true or false`);
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw new GrammarError(`schema, ${at}: it nests more than ${DEEPEST} deep`);
    const value = this.#valueOf(schema, at);
    this.#depth -= 1;
    return schema.nullable === true ? choice(value, nullValue) : value;
  }

  #valueOf(schema: Readonly<Record<string, unknown>>, at: string): Expression {
    const keys = Object.keys(schema).filter((key) => !ANNOTATIONS.has(key) && key !== 'nullable');
    const only = (...allowed: readonly string[]) => {
      const other = keys.find((key) => !allowed.includes(key));
      if (other !== undefined) throw new GrammarError(`schema, ${at}/${other}: not supported beside "${allowed[0]}"`);
    };
    if ('$ref' in schema) {
      only('$ref');
      return this.#reference(String(schema.$ref), at);
    }
    if ('const' in schema) {
      only('const', 'type');
      return literal(JSON.stringify(schema.const));
    }
    if ('enum' in schema) {
      only('enum', 'type');
      const { enum: values } = schema;
      if (!Array.isArray(values) || values.length === 0)
        throw new GrammarError(`schema, ${at}/enum: expected a list of values`);
      const typed = values.filter(
        (value) => !('type' in schema) || typesOf(schema, at).some((type) => isOf(value, type)),
      );
      if (typed.length === 0) throw new GrammarError(`schema, ${at}/enum: none of its values is of the type`);
      return choice(...typed.map((value) => literal(JSON.stringify(value))));
    }
    for (const key of ['anyOf', 'oneOf', 'allOf'] as const)
      if (key in schema) {
        only(key, ...(key === 'allOf' ? [] : ['type']));
        return this.#combined(schema, key, at);
      }
    const types = typesOf(schema, at);
    const known = new Set([...COMBINING, ...types.flatMap((type) => OF_TYPES[type] ?? [])]);
    const unknown = keys.find((key) => !known.has(key));
    if (unknown !== undefined) throw new GrammarError(`schema, ${at}/${unknown}: not supported${hint(unknown)}`);
    if (keys.length === 0) return rule('json-value');
    return choice(...types.map((type) => this.#typed(type, schema, at)));
  }

  #combined(schema: Readonly<Record<string, unknown>>, key: 'anyOf' | 'oneOf' | 'allOf', at: string): Expression {
    const parts = schema[key];
    if (!Array.isArray(parts) || parts.length === 0) throw new GrammarError(`schema, ${at}/${key}: expected a list`);
    if (key === 'allOf' && parts.length > 1)
      throw new GrammarError(`schema, ${at}/allOf: more than one is not supported; write them as one schema`);
    if (key === 'oneOf')
      requireDisjoint(
        parts.map((part) => this.#resolved(part, at)),
        `${at}/oneOf`,
      );
    return choice(...parts.map((part, i) => this.value(part, `${at}/${key}/${i}`)));
  }

  /** A schema behind references. */
  #resolved(schema: unknown, at: string): unknown {
    let found = schema;
    for (let hops = 0; isObject(found) && typeof found.$ref === 'string' && hops < DEEPEST; hops++)
      found = this.#target(found.$ref, at);
    return found;
  }

  #reference(reference: string, at: string): Expression {
    const known = this.#references.get(reference);
    if (known !== undefined) return rule(known);
    const target = this.#target(reference, at);
    return this.named('ref', (own) => {
      this.#references.set(reference, (own as Extract<Expression, { kind: 'rule' }>).name);
      return this.value(target, reference);
    });
  }

  #target(reference: string, at: string): unknown {
    if (reference !== '#' && !reference.startsWith('#/'))
      throw new GrammarError(`schema, ${at}/$ref: only references within the schema are supported, as #/$defs/name`);
    let found: unknown = this.schema;
    for (const part of reference.split('/').slice(1)) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      found =
        (isObject(found) || Array.isArray(found)) && Object.hasOwn(found, key) ? (found as never)[key] : undefined;
      if (found === undefined) throw new GrammarError(`schema, ${at}/$ref: there is no "${reference}"`);
    }
    return found;
  }

  #typed(type: string, schema: Readonly<Record<string, unknown>>, at: string): Expression {
    switch (type) {
      case 'string':
        return stringOf(schema, at);
      case 'integer':
        return integerOf(schema, at);
      case 'number':
        return number;
      case 'boolean':
        return boolean;
      case 'null':
        return nullValue;
      case 'array':
        return arrayOfSchema(this, schema, at);
      default:
        return this.#object(schema, at);
    }
  }

  #object(schema: Readonly<Record<string, unknown>>, at: string): Expression {
    const { properties = {}, required = [], additionalProperties: others = true } = schema;
    if (!isObject(properties)) throw new GrammarError(`schema, ${at}/properties: expected an object`);
    if (!Array.isArray(required) || !required.every((name) => typeof name === 'string'))
      throw new GrammarError(`schema, ${at}/required: expected a list of names`);
    const undeclared = required.filter((name) => !Object.hasOwn(properties, name));
    if (undeclared.length > 0 && others === false)
      throw new GrammarError(`schema, ${at}/required: "${undeclared[0]}" is no property`);
    const entries = [...Object.entries(properties), ...undeclared.map((name) => [name, others] as const)];
    if (entries.length === 0)
      return others === false
        ? sequence(literal('{'), space, literal('}'))
        : objectOf(this.value(others, `${at}/additionalProperties`));
    // From the last to the first: what may follow, at the beginning and behind a comma.
    let [first, later]: [Expression, Expression] = [nothing, nothing];
    for (const [name, value] of entries.reverse()) {
      // A property that is false may not be there.
      if (value === false && !required.includes(name)) continue;
      const content = this.value(value, `${at}/properties/${name}`);
      const member = sequence(literal(JSON.stringify(name)), space, literal(':'), space, content, space);
      const [afterFirst, afterLater] = [first, later];
      const own = sequence(member, afterLater);
      const next = sequence(literal(','), space, member, afterLater);
      const isRequired = required.includes(name);
      first = this.named('object', () => (isRequired ? own : choice(own, afterFirst)));
      later = this.named('member', () => (isRequired ? next : choice(next, afterLater)));
    }
    return sequence(literal('{'), space, first, literal('}'));
  }
}

function integerOf(schema: Readonly<Record<string, unknown>>, at: string): Expression {
  const bound = (key: string): number | undefined => {
    const value = schema[key];
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || Math.abs(value) > Number.MAX_SAFE_INTEGER)
      throw new GrammarError(`schema, ${at}/${key}: expected a number of at most 2^53`);
    return value;
  };
  const above = bound('exclusiveMinimum');
  const below = bound('exclusiveMaximum');
  const lows = [bound('minimum') ?? -Infinity, above === undefined ? -Infinity : Math.floor(above) + 1].map(Math.ceil);
  const highs = [bound('maximum') ?? Infinity, below === undefined ? Infinity : Math.ceil(below) - 1].map(Math.floor);
  const [low, high] = [Math.max(...lows), Math.min(...highs)];
  if (low > high) throw new GrammarError(`schema, ${at}: no integer is from ${low} to ${high}`);
  return low === -Infinity && high === Infinity ? integer : integersBetween(low, high);
}

function typesOf({ type, ...schema }: Readonly<Record<string, unknown>>, at: string): readonly string[] {
  if (type === undefined) {
    // Keywords of one type mean that type, as people who leave it out mean.
    const implied = TYPES.filter((one) => OF_TYPES[one]?.some((key) => key in schema));
    return implied.length > 0 ? implied : TYPES.filter((one) => one !== 'integer');
  }
  const types = Array.isArray(type) ? type : [type];
  const wrong = types.find((one) => !TYPES.includes(one));
  if (types.length === 0 || wrong !== undefined)
    throw new GrammarError(`schema, ${at}/type: ${JSON.stringify(wrong)} is no type; ${TYPES.join(', ')} are`);
  return types.includes('number') ? types.filter((one) => one !== 'integer') : types;
}

function isOf(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

/**
 * @throws GrammarError unless no value can satisfy two of the schemas: by type, or by a constant.
 */
function requireDisjoint(schemas: readonly unknown[], at: string): void {
  schemas.forEach((a, i) => {
    for (const b of schemas.slice(i + 1))
      if (!areDisjoint(a, b))
        throw new GrammarError(`schema, ${at}: a value may satisfy two of them; write anyOf, or give them other types`);
  });
}

function areDisjoint(a: unknown, b: unknown): boolean {
  if (!isObject(a) || !isObject(b)) return false;
  const [one, other] = [constantsOf(a), constantsOf(b)];
  if (one && other) return !one.some((value) => other.includes(value));
  if (a.type === undefined || b.type === undefined) return false;
  const [left, right] = [typesOf(a, ''), typesOf(b, '')];
  const overlap = left.some((type) => right.includes(type) || (isNumeric(type) && right.some(isNumeric)));
  if (!overlap) return true;
  if (left.join() !== 'object' || right.join() !== 'object') return false;
  const [own, theirs] = [a.properties, b.properties];
  if (!isObject(own) || !isObject(theirs)) return false;
  // A property that both require, of other constants.
  return Object.keys(own).some((name) => {
    const isRequired = [a, b].every(({ required }) => Array.isArray(required) && required.includes(name));
    return isRequired && isObject(own[name]) && isObject(theirs[name]) && hasOtherConstants(own[name], theirs[name]);
  });
}

function hasOtherConstants(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const [one, other] = [constantsOf(a), constantsOf(b)];
  return one !== undefined && other !== undefined && !one.some((value) => other.includes(value));
}

const isNumeric = (type: string) => type === 'integer' || type === 'number';

/** The values that a schema lists, as JSON. */
function constantsOf(schema: Readonly<Record<string, unknown>>): string[] | undefined {
  if ('const' in schema) return [JSON.stringify(schema.const)];
  return Array.isArray(schema.enum) ? schema.enum.map((value) => JSON.stringify(value)) : undefined;
}

const hint = (keyword: string) => (OF_TYPES.integer?.includes(keyword) ? '; bounds are, of integers' : '');

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
