// Chat templates: Jinja, rendered to text that knows which parts came from messages.

import type { PromptPart } from '../tokenizer/contract.js';
import { Interpreter, Scope } from './interpreter.js';
import { MarkedText } from './marked-text.js';
import { Meter } from './meter.js';
import { parseTemplate } from './syntax.js';
import { Callable, isDictionary, Namespace, textOf, typeName, type Value, valueOf } from './values.js';

/** Variables of a template. */
export interface TemplateVariables {
  /** Their texts may not become control tokens: messages, tools, and whatever people write. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Texts of the model's own, such as `bos_token`. */
  readonly own?: Readonly<Record<string, string>>;
}

/**
 * Renders a Jinja template as the parts of a prompt.
 *
 * Steps, lengths and nesting are limited: a template ends within two million steps and four million
 * characters.
 *
 * @throws Error when the template is not Jinja, asks for what is not known, raises an exception or
 * passes a limit.
 */
export function renderTemplate(template: string, { given, own = {} }: TemplateVariables): PromptPart[] {
  const meter = new Meter();
  const scope = new Scope();
  for (const [name, value] of Object.entries(globals(meter))) scope.set(name, value);
  for (const [name, value] of Object.entries(own)) scope.set(name, MarkedText.ofTemplate(value));
  for (const [name, value] of Object.entries(given)) scope.set(name, valueOf(value));
  return new Interpreter(meter).block(parseTemplate(template), scope).parts();
}

function globals(meter: Meter): Record<string, Value> {
  return {
    ...{ true: true, True: true, false: false, False: false, none: null, None: null },
    raise_exception: new Callable(([reason]) => {
      throw new Error(textOf(reason).value);
    }),
    range: new Callable((values) => range(values, meter)),
    namespace: new Callable(([from], named) => new Namespace(new Map([...fieldsOf(from), ...named]))),
    strftime_now: new Callable(([format]) => MarkedText.ofTemplate(timeText(new Date(), textOf(format).value))),
  };
}

function fieldsOf(from: Value): [string, Value][] {
  if (from === undefined) return [];
  if (!isDictionary(from)) throw new Error(`namespace takes a dictionary, got ${typeName(from)}`);
  return [...from].map(([key, { value }]) => [String(key), value]);
}

function range(values: readonly Value[], meter: Meter): Value {
  const numbers = values.map((value) => {
    if (typeof value === 'number') return value;
    throw new Error(`range takes integers, got ${typeName(value)}`);
  });
  const [start, stop, step = 1] = numbers.length === 1 ? [0, ...numbers] : numbers;
  if (start === undefined || stop === undefined || step === 0)
    throw new Error('range takes a start, a stop and a step');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  meter.charge(length);
  return Array.from({ length }, (_, i) => start + i * step);
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Python's `strftime` in the C locale. */
function timeText(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const [month, day] = [MONTHS[date.getMonth()] as string, DAYS[date.getDay()] as string];
  const codes: Readonly<Record<string, string>> = {
    ...{ Y: String(date.getFullYear()), m: two(date.getMonth() + 1), d: two(date.getDate()), '%': '%' },
    ...{
      H: two(date.getHours()),
      I: two(date.getHours() % 12 || 12),
      M: two(date.getMinutes()),
      S: two(date.getSeconds()),
    },
    ...{ B: month, b: month.slice(0, 3), A: day, a: day.slice(0, 3), y: two(date.getFullYear() % 100) },
    p: date.getHours() < 12 ? 'AM' : 'PM',
  };
  return format.replace(/%(.)/g, (_, code: string) => {
    const text = codes[code];
    if (text === undefined) throw new Error(`strftime_now: "%${code}" is not supported`);
    return text;
  });
}

/** The text of a prompt. */
export const partsText = (parts: readonly PromptPart[]) => parts.map(({ text }) => text).join('');
