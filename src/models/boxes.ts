// Boxes around things in pictures: overlap, suppression of repeats, and average precision.

/** A box in pixels, by its edges. */
export interface Box {
  /** Left edge. */
  readonly left: number;
  /** Upper edge, from the top. */
  readonly top: number;
  /** Right edge. */
  readonly right: number;
  /** Lower edge, from the top. */
  readonly bottom: number;
}

/** A box of a class. */
export interface ClassBox extends Box {
  /** Number of the class. */
  readonly label: number;
}

/** A box that a detector found. */
export interface ScoredBox extends ClassBox {
  /** From 0 to 1. */
  readonly score: number;
}

const areaOf = ({ left, top, right, bottom }: Box) => Math.max(0, right - left) * Math.max(0, bottom - top);

/** Area of the intersection over that of the union; 0 where both are empty. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const shared = areaOf({
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  });
  const union = areaOf(a) + areaOf(b) - shared;
  return union > 0 ? shared / union : 0;
}

/**
 * Non-maximum suppression: from the highest score down, boxes that overlap a kept one of their
 * class by more than `overlap` are left out.
 */
export function suppressed(boxes: readonly ScoredBox[], overlap = 0.5): ScoredBox[] {
  const kept: ScoredBox[] = [];
  for (const box of [...boxes].sort((a, b) => b.score - a.score))
    if (!kept.some((other) => other.label === box.label && intersectionOverUnion(other, box) > overlap)) kept.push(box);
  return kept;
}

/**
 * Average precision of the boxes of one class at an overlap, over all points of the curve: each
 * found box takes the true box of its picture that it overlaps most, if that is free and the
 * overlap is at least `overlap`; the area is under the largest precision at each recall or beyond.
 *
 * @param found boxes of each picture
 * @param truth true boxes of each picture
 * @returns undefined without true boxes of the class
 */
export function boxAveragePrecision(
  found: readonly (readonly ScoredBox[])[],
  truth: readonly (readonly ClassBox[])[],
  label: number,
  overlap = 0.5,
): number | undefined {
  const own = truth.map((boxes) => boxes.filter((box) => box.label === label));
  const total = own.reduce((sum, boxes) => sum + boxes.length, 0);
  if (total === 0) return undefined;
  const taken = own.map((boxes) => new Uint8Array(boxes.length));
  const ranked = found
    .flatMap((boxes, picture) => boxes.filter((box) => box.label === label).map((box) => ({ box, picture })))
    .sort((a, b) => b.box.score - a.box.score);
  let right = 0;
  const curve = ranked.map(({ box, picture }, at) => {
    const overlaps = (own[picture] as readonly ClassBox[]).map((other) => intersectionOverUnion(box, other));
    const best = overlaps.indexOf(Math.max(...overlaps));
    if (best >= 0 && (overlaps[best] as number) >= overlap && !taken[picture]?.[best]) {
      (taken[picture] as Uint8Array)[best] = 1;
      right += 1;
    }
    return { recall: right / total, precision: right / (at + 1) };
  });
  let [area, best] = [0, 0];
  for (let at = curve.length - 1; at >= 0; at--) {
    const { recall, precision } = curve[at] as { recall: number; precision: number };
    best = Math.max(best, precision);
    area += (recall - (curve[at - 1]?.recall ?? 0)) * best;
  }
  return area;
}

/** The mean over the classes that have true boxes of their average precision. */
export function meanBoxPrecision(
  found: readonly (readonly ScoredBox[])[],
  truth: readonly (readonly ClassBox[])[],
  classes: number,
  overlap = 0.5,
): number {
  const all = Array.from({ length: classes }, (_, label) => boxAveragePrecision(found, truth, label, overlap)).filter(
    (own) => own !== undefined,
  );
  return all.reduce((sum, own) => sum + own, 0) / all.length;
}
