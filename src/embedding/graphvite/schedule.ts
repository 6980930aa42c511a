// Which blocks of the grid train together.

/** A block of the grid: part of the heads, part of the tails. */
export type Block = readonly [row: number, column: number];

/**
 * Groups of W orthogonal blocks, which share neither heads nor tails, covering every block once:
 *   for x in 0..P step W, for y in 0..P step W, for offset in 0..W−1:
 *     worker i trains block (x + (i + offset) mod W, y + i)
 * While `offset` runs, each worker keeps its part of the tails.
 *
 * @throws RangeError unless P is a multiple of W
 */
export function orthogonalSchedule(parts: number, workers: number): Block[][] {
  if (!(Number.isInteger(parts / workers) && workers >= 1))
    throw new RangeError(
      `graphvite: ${parts} parts are not a multiple of ${workers} workers; use ${Math.ceil(parts / workers) * workers} parts`,
    );
  const groups: Block[][] = [];
  for (let x = 0; x < parts; x += workers)
    for (let y = 0; y < parts; y += workers)
      for (let offset = 0; offset < workers; offset++)
        groups.push(Array.from({ length: workers }, (_, i) => [x + ((i + offset) % workers), y + i] as const));
  return groups;
}
