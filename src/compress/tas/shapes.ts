// Shapes beside the one that a search finds: uniform widths and random shapes, of equal cost.

import type { NetworkShape } from '../../models/index.js';
import { Random } from '../../tensor/index.js';
import { SearchSpace } from '../search/space.js';
import { type CostTables, costOfShape } from './costs.js';
import type { ShapeChoices } from './space.js';

/** Largest difference of the costs of shapes that count as equal, as a share. */
const WITHIN = 0.01;
/** Random shapes that are drawn before none is found. */
const DRAWS = 200;

/**
 * A shape near another whose cost is a target: numbers of channels change one at a time.
 *
 * @param target cost to reach, to 1 %
 * @returns the shape; undefined where single channels do not lead there
 */
export function fitShape(
  space: ShapeChoices,
  tables: CostTables,
  shape: NetworkShape,
  target: number,
  random: Random,
): NetworkShape | undefined {
  let widths = { ...shape.widths };
  let off = costOfShape(space, tables, shape) - target;
  for (;;) {
    if (Math.abs(off) <= (WITHIN / 2) * target) return { ...shape, widths };
    let isNearer = false;
    for (const at of random.permutation(space.groups.length)) {
      const { name, channels } = space.groups[at] as ShapeChoices['groups'][number];
      const own = (widths[name] ?? channels) - Math.sign(off);
      if (own < 1 || own > channels) continue;
      const next = { ...widths, [name]: own };
      const other = costOfShape(space, tables, { ...shape, widths: next }) - target;
      if (Math.abs(other) >= Math.abs(off)) continue;
      [widths, off, isNearer] = [next, other, true];
      if (Math.abs(off) <= (WITHIN / 2) * target) break;
    }
    if (!isNearer) return Math.abs(off) <= WITHIN * target ? { ...shape, widths } : undefined;
  }
}

/**
 * Full depth and the same share of the channels of every layer, ⌊√r·C⌋, with single channels more
 * or fewer until its cost is the target to 1 %.
 *
 * @throws Error where there is none
 */
export function uniformShape(space: ShapeChoices, tables: CostTables, target: number): NetworkShape {
  const depths = Object.fromEntries(space.stages.map(({ name, blocks }) => [name, blocks]));
  const scaled = (root: number): NetworkShape => ({
    depths,
    widths: Object.fromEntries(
      space.groups.map(({ name, channels }) => [name, Math.max(1, Math.floor(root * channels))]),
    ),
  });
  let [low, high] = [0, 1];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (costOfShape(space, tables, scaled(middle)) <= target) low = middle;
    else high = middle;
  }
  const found = fitShape(space, tables, scaled(low), target, new Random(0));
  if (!found) throw new Error('no uniform width has this cost');
  return found;
}

/** The shapes of candidates, a gene for each group and stage. */
export function shapesOf({ groups, stages }: ShapeChoices): SearchSpace<NetworkShape> {
  const rows = [...groups, ...stages];
  const genes = rows.map(({ name, candidates }) => ({ name, choices: candidates.length }));
  return new SearchSpace(genes, (genome) => {
    const counts = rows.map(({ name, candidates }, at) => [name, candidates[genome[at] as number] as number] as const);
    return {
      widths: Object.fromEntries(counts.slice(0, groups.length)),
      depths: Object.fromEntries(counts.slice(groups.length)),
    };
  });
}

/**
 * A random shape of a cost: candidates of every group and stage with equal probability, then
 * single channels more or fewer until its cost is the target to 1 %.
 *
 * @throws Error where none is found
 */
export function randomShape(space: ShapeChoices, tables: CostTables, target: number, random: Random): NetworkShape {
  const choices = shapesOf(space);
  let best: { readonly shape: NetworkShape; readonly off: number } | undefined;
  for (let draw = 0; draw < DRAWS; draw++) {
    const shape = choices.decode(choices.sample(random));
    const off = Math.abs(costOfShape(space, tables, shape) - target) / target;
    // The first one that is near enough stays random; channels are only trimmed.
    if (off <= 0.15) {
      const fitted = fitShape(space, tables, shape, target, random);
      if (fitted) return fitted;
    }
    if (!best || off < best.off) best = { shape, off };
  }
  const fitted = best && fitShape(space, tables, best.shape, target, random);
  if (!fitted) throw new Error('no random shape has this cost');
  return fitted;
}
