// Boxes of embeddings and what they have in common.

/** An axis-parallel box. */
export interface Box {
  /** Its middle. */
  readonly centre: Float64Array;
  /** Half its extent in each coordinate, ≥ 0. */
  readonly radius: Float64Array;
}

/**
 * The intersection of boxes: from the largest lower to the smallest upper end in each coordinate.
 * Where there is none, the point midway between the two, and `empty` counts the coordinate.
 *
 * @throws RangeError without boxes
 */
export function intersection(boxes: readonly Box[]): Box & { readonly empty: number } {
  const [first] = boxes;
  if (!first) throw new RangeError('intersection: there are no boxes');
  const most = first.centre.map((_c, k) =>
    Math.max(...boxes.map(({ centre, radius }) => (centre[k] as number) - (radius[k] as number))),
  );
  const least = first.centre.map((_c, k) =>
    Math.min(...boxes.map(({ centre, radius }) => (centre[k] as number) + (radius[k] as number))),
  );
  return {
    centre: most.map((low, k) => (low + (least[k] as number)) / 2),
    radius: most.map((low, k) => Math.max(0, ((least[k] as number) - low) / 2)),
    empty: most.filter((low, k) => low > (least[k] as number)).length,
  };
}
