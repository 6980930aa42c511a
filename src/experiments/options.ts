// Typed options with defaults, a smoke preset, and parsing of `--set name=value`.

export type OptionSpec =
  | {
      readonly kind: 'number';
      readonly default: number;
      readonly smoke?: number;
      readonly minimum?: number;
      readonly maximum?: number;
      readonly integer?: boolean;
      readonly about: string;
    }
  | {
      readonly kind: 'choice';
      readonly default: string;
      readonly smoke?: string;
      readonly choices: readonly string[];
      readonly about: string;
    };

export type OptionTable = Readonly<Record<string, OptionSpec>>;

export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { kind: 'number' }
    ? number
    : Table[Name] extends { choices: readonly (infer Choice)[] }
      ? Choice
      : never;
};

function parse(name: string, spec: OptionSpec, text: string): number | string {
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
    (integer && !Number.isInteger(value))
  ) {
    const range = `${Number.isFinite(minimum) ? ` at least ${minimum}` : ''}${Number.isFinite(maximum) ? ` at most ${maximum}` : ''}`;
    throw new Error(`option ${name}: expected ${integer ? 'an integer' : 'a number'}${range}, got "${text}"`);
  }
  return value;
}

/** Defaults, then the smoke preset if asked, then what was set. @throws Error naming the first unknown or unfit option. */
export function resolveOptions<Table extends OptionTable>(
  table: Table,
  assignments: readonly string[],
  smoke: boolean,
): OptionValues<Table> {
  const values: Record<string, number | string> = {};
  for (const [name, spec] of Object.entries(table)) values[name] = smoke ? (spec.smoke ?? spec.default) : spec.default;
  for (const assignment of assignments) {
    const [name = '', ...rest] = assignment.split('=');
    const spec = table[name];
    if (!spec) throw new Error(`unknown option "${name}"; known: ${Object.keys(table).join(', ')}`);
    if (rest.length === 0) throw new Error(`option ${name}: write ${name}=value`);
    values[name] = parse(name, spec, rest.join('='));
  }
  return values as OptionValues<Table>;
}
