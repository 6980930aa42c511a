// JSON of results: numbers that are not finite keep their value, which JSON itself writes as null.

const words = ['NaN', 'Infinity', '-Infinity'];

/** JSON in which NaN and ±Infinity are the words "NaN", "Infinity" and "-Infinity". */
export function toJson(value: unknown, indent?: number): string {
  const encode = (_: string, entry: unknown) =>
    typeof entry === 'number' && !Number.isFinite(entry) ? String(entry) : entry;
  return JSON.stringify(value, encode, indent);
}

/** A value of `toJson` after parsing: the words are numbers again. */
export function revived(value: unknown): unknown {
  if (typeof value === 'string') return words.includes(value) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(revived);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, revived(entry)]));
}
