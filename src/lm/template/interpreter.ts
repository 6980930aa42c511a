// Evaluates chat templates (Jinja), keeping track of what came from messages. @huggingface/jinja
// parses; its interpreter has plain strings, in which a message could forge control tokens.

import { Arguments } from './arguments.js';
import { elementsOf, filterOf, testOf } from './filters.js';
import { EMPTY, MarkedText } from './marked-text.js';
import type { Meter } from './meter.js';
import { memberOf, operate, sliced } from './operators.js';
import type { Assignment, Binary, Call, CallBlock, Loop, Macro, Member, Name, Node, Slice, Unary } from './syntax.js';
import {
  Callable,
  dictionary,
  Float,
  isDictionary,
  isList,
  isTrue,
  type Key,
  type NamedValues,
  Namespace,
  numberOf,
  tuple,
  typeName,
  type Value,
} from './values.js';

/** Variables by name, those of enclosing scopes included. */
export class Scope {
  readonly #variables = new Map<string, Value>();

  constructor(readonly outer?: Scope) {}

  get(name: string): Value {
    for (let scope: Scope | undefined = this; scope; scope = scope.outer)
      if (scope.#variables.has(name)) return scope.#variables.get(name);
    return undefined;
  }

  set(name: string, value: Value): void {
    this.#variables.set(name, value);
  }
}

class Break extends Error {}
class Continue extends Error {}

/** Evaluates the nodes of one rendering. */
export class Interpreter {
  constructor(readonly meter: Meter) {}

  /** The text of statements. */
  block(nodes: readonly Node[], scope: Scope): MarkedText {
    let text = EMPTY;
    for (const node of nodes) text = this.meter.grown(text.plus(this.meter.within(() => this.#statement(node, scope))));
    return text;
  }

  #statement(node: Node, scope: Scope): MarkedText {
    switch (node.type) {
      case 'Comment':
        return EMPTY;
      case 'Set':
        return this.#set(node, scope);
      case 'If':
        return this.block(isTrue(this.value(node.test, scope)) ? node.body : node.alternate, scope);
      case 'For':
        return this.#for(node, scope);
      case 'Macro':
        scope.set(node.name.value, this.#macro(node.name.value, node, scope));
        return EMPTY;
      case 'CallStatement':
        return this.meter.text(this.#callBlock(node, scope));
      case 'FilterStatement':
        return this.meter.text(this.#filter(this.block(node.body, new Scope(scope)), node.filter, scope));
      case 'Break':
        throw new Break('a break outside a loop');
      case 'Continue':
        throw new Continue('a continue outside a loop');
      default:
        return this.meter.text(this.value(node, scope));
    }
  }

  value(node: Node, scope: Scope): Value {
    return this.meter.within(() => this.#value(node, scope));
  }

  #value(node: Node, scope: Scope): Value {
    switch (node.type) {
      case 'StringLiteral':
        return MarkedText.ofTemplate(node.value);
      case 'IntegerLiteral':
        return node.value;
      case 'FloatLiteral':
        return new Float(node.value);
      case 'TupleLiteral':
        return tuple(this.meter.made(node.value.map((one) => this.value(one, scope))));
      case 'ArrayLiteral':
        return this.meter.made(node.value.map((one) => this.value(one, scope)));
      case 'ObjectLiteral':
        return this.meter.made(
          dictionary([...node.value].map(([key, value]) => [this.#key(key, scope), this.value(value, scope)] as const)),
        );
      case 'Identifier':
        return scope.get(node.value);
      case 'MemberExpression':
        return this.#member(node, scope);
      case 'CallExpression':
        return this.#call(node, scope);
      case 'UnaryExpression':
        return this.#unary(node, scope);
      case 'BinaryExpression':
        return this.#binary(node, scope);
      case 'FilterExpression':
        return this.#filterExpression(node, scope);
      case 'TestExpression':
        return testOf(node.test.value)(this.value(node.operand, scope)) !== node.negate;
      case 'SelectExpression':
        return isTrue(this.value(node.test, scope)) ? this.value(node.lhs, scope) : undefined;
      case 'Ternary':
        return this.value(isTrue(this.value(node.condition, scope)) ? node.trueExpr : node.falseExpr, scope);
      default:
        throw new Error(`${node.type} has no value`);
    }
  }

  #key(node: Node, scope: Scope): Key {
    const key = this.value(node, scope);
    if (key instanceof MarkedText || typeof key === 'number') return key;
    throw new Error(`the key of a dictionary must be a text or an integer, got ${typeName(key)}`);
  }

  #set({ assignee, value, body }: Assignment, scope: Scope): MarkedText {
    const given = value ? this.value(value, scope) : this.block(body, new Scope(scope));
    if (assignee.type === 'MemberExpression') {
      const target = this.value(assignee.object, scope);
      if (!(target instanceof Namespace) || assignee.computed)
        throw new Error('only attributes of namespaces can be set');
      target.fields.set((assignee.property as Name).value, given);
    } else this.#bind(assignee, given, scope);
    return EMPTY;
  }

  /** Sets a variable, or one for each element. */
  #bind(target: Node, value: Value, scope: Scope): void {
    if (target.type === 'Identifier') scope.set(target.value, value);
    else if (target.type === 'TupleLiteral') {
      const all = isList(value) ? value : undefined;
      if (all?.length !== target.value.length)
        throw new Error(`${typeName(value)} cannot be unpacked to ${target.value.length} variables`);
      target.value.forEach((one, i) => {
        this.#bind(one, all[i], scope);
      });
    } else throw new Error(`nothing can be assigned to ${target.type}`);
  }

  #for({ loopvar, iterable, body, defaultBlock }: Loop, scope: Scope): MarkedText {
    const [list, condition] =
      iterable.type === 'SelectExpression' ? [iterable.lhs, iterable.test] : [iterable, undefined];
    const elements = elementsOf(this.value(list, scope), 'for', this.meter).filter((element) => {
      if (!condition) return true;
      const inner = new Scope(scope);
      this.#bind(loopvar, element, inner);
      return isTrue(this.value(condition, inner));
    });
    if (elements.length === 0) return this.block(defaultBlock, new Scope(scope));
    let text = EMPTY;
    for (let i = 0; i < elements.length; i++) {
      this.meter.charge(LOOP_STEPS);
      const inner = new Scope(scope);
      this.#bind(loopvar, elements[i], inner);
      inner.set('loop', loopOf(elements, i));
      try {
        text = this.meter.grown(text.plus(this.block(body, inner)));
      } catch (error) {
        if (error instanceof Break) break;
        if (!(error instanceof Continue)) throw error;
      }
    }
    return text;
  }

  #macro(name: string, { args, body }: Pick<Macro, 'args' | 'body'>, outer: Scope): Callable {
    return new Callable((values, named, caller) => {
      const scope = new Scope(outer);
      if (values.length > args.length) throw new Error(`macro ${name} takes at most ${args.length} arguments`);
      const names = args.map((one) => (one.type === 'KeywordArgumentExpression' ? one.key.value : (one as Name).value));
      for (const key of named.keys())
        if (!names.includes(key)) throw new Error(`macro ${name} has no argument "${key}"`);
      if (caller) scope.set('caller', caller);
      args.forEach((one, i) => {
        const key = names[i] as string;
        const given = i < values.length ? values[i] : named.get(key);
        const isGiven = i < values.length || named.has(key);
        scope.set(key, isGiven || one.type !== 'KeywordArgumentExpression' ? given : this.value(one.value, scope));
      });
      return this.meter.within(() => this.block(body, scope));
    });
  }

  #callBlock({ call, callerArgs, body }: CallBlock, scope: Scope): Value {
    const caller = this.#macro('caller', { args: callerArgs ?? [], body }, scope);
    const [values, named] = this.#arguments(call.args, scope);
    return this.#function(call.callee, scope).call(values, named, caller);
  }

  #function(node: Node, scope: Scope): Callable {
    const found = this.value(node, scope);
    if (found instanceof Callable) return found;
    if (found === undefined && node.type === 'Identifier') throw new Error(`there is no function "${node.value}"`);
    throw new Error(`a value of type ${typeName(found)} is called`);
  }

  #arguments(args: readonly Node[], scope: Scope): [Value[], NamedValues] {
    const values: Value[] = [];
    const named = new Map<string, Value>();
    for (const one of args) {
      if (one.type === 'KeywordArgumentExpression') named.set(one.key.value, this.value(one.value, scope));
      else if (one.type === 'SpreadExpression')
        values.push(...elementsOf(this.value(one.argument, scope), '*', this.meter));
      else if (one.type === 'KeywordSpreadExpression') {
        const all = this.value(one.argument, scope);
        if (!isDictionary(all)) throw new Error(`** takes a dictionary, got ${typeName(all)}`);
        for (const [key, { value }] of all) named.set(String(key), value);
      } else values.push(this.value(one, scope));
    }
    return [values, named];
  }

  #call({ callee, args }: Call, scope: Scope): Value {
    const [values, named] = this.#arguments(args, scope);
    return this.#function(callee, scope).call(values, named);
  }

  #filterExpression(node: { readonly operand: Node; readonly filter: Name | Call }, scope: Scope): Value {
    return this.#filter(this.value(node.operand, scope), node.filter, scope);
  }

  #filter(value: Value, filter: Name | Call, scope: Scope): Value {
    const name = filter.type === 'CallExpression' ? filter.callee : filter;
    if (name.type !== 'Identifier') throw new Error('a filter must be a name, or a call of one');
    const [values, named] =
      filter.type === 'CallExpression' ? this.#arguments(filter.args, scope) : [[], new Map<string, Value>()];
    if (value instanceof MarkedText) this.meter.read(value);
    return filterOf(name.value)(value, new Arguments(name.value, values, named), this.meter);
  }

  #unary({ operator, argument }: Unary, scope: Scope): Value {
    const value = this.value(argument, scope);
    if (operator.value === 'not') return !isTrue(value);
    const number = numberOf(value);
    if (number === undefined) throw new Error(`there is no ${operator.value}${typeName(value)}`);
    const signed = operator.value === '-' ? -number : number;
    return value instanceof Float ? new Float(signed) : signed;
  }

  #binary({ operator, left, right }: Binary, scope: Scope): Value {
    const a = this.value(left, scope);
    if (operator.value === 'and') return isTrue(a) ? this.value(right, scope) : a;
    if (operator.value === 'or') return isTrue(a) ? a : this.value(right, scope);
    return operate(operator.value, a, this.value(right, scope), this.meter);
  }

  #member({ object, property, computed }: Member, scope: Scope): Value {
    const value = this.value(object, scope);
    if (computed && property.type === 'SliceExpression') return this.#slice(value, property, scope);
    const key =
      !computed && property.type === 'Identifier' ? MarkedText.ofTemplate(property.value) : this.value(property, scope);
    return memberOf(value, key, this.meter);
  }

  #slice(value: Value, { start, stop, step }: Slice, scope: Scope): Value {
    const [from, to, by] = [start, stop, step].map((node) => {
      const at = node && this.value(node, scope);
      if (at !== undefined && at !== null && typeof at !== 'number')
        throw new Error(`a slice takes integers, got ${typeName(at)}`);
      return at ?? undefined;
    });
    return sliced(value, from, to, by ?? 1, this.meter);
  }
}

/** Steps that an iteration takes beside its body. */
const LOOP_STEPS = 8;

const loopFields = 'index index0 revindex revindex0 length first last previtem nextitem'
  .split(' ')
  .map((name) => MarkedText.ofTemplate(name));

/** Jinja's `loop`. */
function loopOf(elements: readonly Value[], i: number): Value {
  const { length } = elements;
  const values: Value[] = [i + 1, i, length - i, length - i - 1, length, i === 0, i === length - 1];
  values.push(elements[i - 1], elements[i + 1]);
  return dictionary(loopFields.map((name, at) => [name, values[at]]));
}
