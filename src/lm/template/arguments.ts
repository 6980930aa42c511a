// Arguments of filters and methods of templates.

import { MarkedText } from './marked-text.js';
import { isTrue, type NamedValues, typeName, type Value } from './values.js';

/** Arguments by place or name, each of which must be known. */
export class Arguments {
  constructor(
    readonly owner: string,
    readonly values: readonly Value[],
    readonly named: NamedValues = new Map(),
  ) {}

  /** @throws Error naming an argument that is not among `names`. */
  only(...names: readonly string[]): this {
    if (this.values.length > names.length)
      throw new Error(`${this.owner} takes at most ${names.length} arguments, got ${this.values.length}`);
    for (const name of this.named.keys())
      if (!names.includes(name)) throw new Error(`${this.owner} has no argument "${name}"`);
    return this;
  }

  value(at: number, name: string): Value {
    return this.named.get(name) ?? this.values[at];
  }

  text(at: number, name: string): MarkedText {
    const value = this.value(at, name);
    if (value instanceof MarkedText) return value;
    throw new Error(`${this.owner}: "${name}" must be a text, got ${typeName(value)}`);
  }

  optionalText(at: number, name: string): MarkedText | undefined {
    const value = this.value(at, name);
    return value === undefined || value === null ? undefined : this.text(at, name);
  }

  integer(at: number, name: string, fallback: number): number {
    const value = this.value(at, name);
    if (value === undefined || value === null) return fallback;
    if (typeof value !== 'number')
      throw new Error(`${this.owner}: "${name}" must be an integer, got ${typeName(value)}`);
    return value;
  }

  flag(at: number, name: string): boolean {
    return isTrue(this.value(at, name));
  }
}
