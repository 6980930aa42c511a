// Names that are most like a mistaken one.

/** Most changes of a character between a mistaken name and one that was meant. */
const MOST_CHANGES = 3;
/** Most names that are told. */
const TOLD = 3;

/** Changes of one character that make one name of another (Levenshtein 1966). */
function changes(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + Number(from[i - 1] !== to[j - 1]);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}

/** The known names that differ least from a name, the nearest first; none beyond three changes. */
export function closestNames(name: string, known: readonly string[]): string[] {
  return known
    .map((other) => ({ other, distance: changes(name.toLowerCase(), other) }))
    .filter(({ distance }) => distance <= MOST_CHANGES)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, TOLD)
    .map(({ other }) => other);
}
