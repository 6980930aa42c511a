// Mean average precision as COCO measures it (Lin et al., "Microsoft COCO: Common Objects in
// Context", 2014): over overlaps of 0.5 to 0.95, precision at 101 recalls.

import { type ClassBox, intersectionOverUnion, type ScoredBox } from './boxes.js';

const OVERLAPS = Array.from({ length: 10 }, (_, i) => 0.5 + 0.05 * i);
const RECALLS = 101;
/** Most boxes of a picture that count, those with the highest scores. */
const MOST_BOXES = 100;

/**
 * Average precision of the boxes of one class at an overlap: by falling score each found box takes,
 * of the true boxes of its picture that are free, the one that it overlaps most, by at least
 * `overlap`; the mean over recalls 0, 0.01 … 1 of the largest precision at that recall or beyond.
 *
 * @returns undefined without true boxes of the class
 */
function precisionAt(
  found: readonly (readonly ScoredBox[])[],
  truth: readonly (readonly ClassBox[])[],
  label: number,
  overlap: number,
): number | undefined {
  const own = truth.map((boxes) => boxes.filter((box) => box.label === label));
  const total = own.reduce((sum, boxes) => sum + boxes.length, 0);
  if (total === 0) return undefined;
  const free = own.map((boxes) => new Set(boxes));
  const ranked = found
    .flatMap((boxes, picture) => boxes.filter((box) => box.label === label).map((box) => ({ box, picture })))
    .sort((a, b) => b.box.score - a.box.score);
  let right = 0;
  const curve = ranked.map(({ box, picture }, at) => {
    const boxes = free[picture] as Set<ClassBox>;
    const [best] = [...boxes]
      .map((other) => ({ other, shared: intersectionOverUnion(box, other) }))
      .filter(({ shared }) => shared >= overlap - 1e-10)
      .sort((a, b) => b.shared - a.shared);
    if (best) boxes.delete(best.other);
    right += Number(best !== undefined);
    return { recall: right / total, precision: right / (at + 1) };
  });
  for (let at = curve.length - 2; at >= 0; at--) {
    const [here, next] = [curve[at], curve[at + 1]] as [{ precision: number }, { precision: number }];
    here.precision = Math.max(here.precision, next.precision);
  }
  let sum = 0;
  for (let i = 0; i < RECALLS; i++)
    sum += curve.find(({ recall }) => recall >= i / (RECALLS - 1) - 1e-12)?.precision ?? 0;
  return sum / RECALLS;
}

/**
 * COCO's mAP: the mean over overlaps 0.5, 0.55 … 0.95 and the classes that have true boxes of their
 * average precision; of each picture the 100 boxes with the highest scores count.
 *
 * @param found boxes of each picture
 * @param truth true boxes of each picture
 * @returns from 0 to 1; NaN without true boxes
 */
export function cocoPrecision(
  found: readonly (readonly ScoredBox[])[],
  truth: readonly (readonly ClassBox[])[],
  classes: number,
): number {
  const kept = found.map((boxes) => [...boxes].sort((a, b) => b.score - a.score).slice(0, MOST_BOXES));
  const all = OVERLAPS.flatMap((overlap) =>
    Array.from({ length: classes }, (_, label) => precisionAt(kept, truth, label, overlap)),
  ).filter((own) => own !== undefined);
  return all.reduce((sum, own) => sum + own, 0) / all.length;
}
