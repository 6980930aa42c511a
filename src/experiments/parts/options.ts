// Typed options with defaults, a smoke preset, and parsing of `--set name=value`.

export interface NumberOption {
  readonly kind: 'number';
  readonly default: number;
  /** Value of the smoke preset, where it differs. */
  readonly smoke?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly integer?: boolean;
  readonly about: string;
}

export interface ChoiceOption<Choice extends string = string> {
  readonly kind: 'choice';
  readonly default: Choice;
  /** Value of the smoke preset, where it differs. */
  readonly smoke?: Choice;
  readonly choices: readonly Choice[];
  readonly about: string;
}

/** Free text, such as names of columns. */
export interface TextOption {
  readonly kind: 'text';
  readonly default: string;
  /** Value of the smoke preset, where it differs. */
  readonly smoke?: string;
  readonly about: string;
}

/** An option of an experiment: a number in a range, one of some words, or text. */
export type OptionSpec = NumberOption | ChoiceOption | TextOption;

export type OptionTable = Readonly<Record<string, OptionSpec>>;

export type OptionValues<Options extends OptionTable> = {
  readonly [Name in keyof Options]: Options[Name] extends ChoiceOption<infer Choice>
    ? Choice
    : Options[Name] extends TextOption
      ? string
      : number;
};

type Limits = Pick<NumberOption, 'smoke' | 'minimum' | 'maximum'>;

/** A whole number of at least 1, or of `minimum`. */
export function count(value: number, about: string, limits: Limits = {}): NumberOption {
  return { kind: 'number', default: value, about, minimum: 1, integer: true, ...limits };
}

/** A positive number, such as a learning rate. */
export function rate(value: number, about: string, limits: Limits = {}): NumberOption {
  return { kind: 'number', default: value, about, minimum: 1e-9, ...limits };
}

/** A number from 0 to 1, or between other limits. */
export function share(value: number, about: string, limits: Limits = {}): NumberOption {
  return { kind: 'number', default: value, about, minimum: 0, maximum: 1, ...limits };
}

/** Any number, or one between limits. */
export function number(value: number, about: string, limits: Limits = {}): NumberOption {
  return { kind: 'number', default: value, about, ...limits };
}

/** One of some words; the first is the default. */
export function choice<const Choice extends string>(
  choices: readonly Choice[],
  about: string,
  {
    default: value = choices[0] as Choice,
    smoke,
  }: { readonly default?: NoInfer<Choice>; readonly smoke?: NoInfer<Choice> } = {},
): ChoiceOption<Choice> {
  return { kind: 'choice', default: value, about, choices, ...(smoke !== undefined && { smoke }) };
}

/** Free text. */
export function text(value: string, about: string): TextOption {
  return { kind: 'text', default: value, about };
}

function parse(name: string, spec: OptionSpec, text: string): number | string {
  if (spec.kind === 'text') return text;
  if (spec.kind === 'choice') {
    if (!spec.choices.includes(text))
      throw new Error(`option ${name}: expected one of ${spec.choices.join(', ')}, got "${text}"`);
    return text;
  }
  const value = Number(text);
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, integer = false } = spec;
  if (
    text.trim() === '' ||
    !Number.isFinite(value) ||
    value < minimum ||
    value > maximum ||
    (integer && !Number.isSafeInteger(value))
  ) {
    const least = Number.isFinite(minimum) ? ` at least ${minimum}` : '';
    const most = Number.isFinite(maximum) ? ` at most ${maximum}` : '';
    throw new Error(`option ${name}: expected ${integer ? 'an integer' : 'a number'}${least}${most}, got "${text}"`);
  }
  return value;
}

/**
 * The options of a run: defaults, then those of the data set, then the smoke preset if asked, then
 * assignments.
 *
 * @param preset values for the data set
 * @param assignments `name=value`
 * @throws Error naming the first unknown option or value out of range.
 */
export function resolveOptions<Options extends OptionTable>(
  table: Options,
  {
    preset = {},
    smoke = false,
    assignments = [],
  }: {
    readonly preset?: Readonly<Record<string, number | string | undefined>>;
    readonly smoke?: boolean;
    readonly assignments?: readonly string[];
  } = {},
): OptionValues<Options> {
  const values: Record<string, number | string> = {};
  for (const [name, spec] of Object.entries(table)) {
    const usual = preset[name] ?? spec.default;
    values[name] = smoke ? (spec.smoke ?? usual) : usual;
  }
  for (const assignment of assignments) {
    const [name = '', ...rest] = assignment.split('=');
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!spec) throw new Error(`unknown option "${name}"; known: ${Object.keys(table).join(', ')}`);
    if (rest.length === 0) throw new Error(`option ${name}: write ${name}=value`);
    values[name] = parse(name, spec, rest.join('='));
  }
  return values as OptionValues<Options>;
}
