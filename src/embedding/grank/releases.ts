// A synthetic catalogue with the sizes of the paper's: 253 releases with three of 39 tags each.

import type { Random } from '../../tensor/index.js';
import type { CatalogueItem } from './domain.js';

const TAGS_EACH = 3;

/** Releases with tags drawn in proportion to 1 / (rank + 1.5). */
export function syntheticReleases(
  random: Random,
  { items = 253, tags = 39 }: { readonly items?: number; readonly tags?: number } = {},
): { readonly items: readonly CatalogueItem[]; readonly tags: readonly string[] } {
  if (tags < TAGS_EACH) throw new RangeError(`syntheticReleases: expected at least ${TAGS_EACH} tags, got ${tags}`);
  const names = Array.from({ length: tags }, (_, at) => `genre${String(at).padStart(2, '0')}`);
  const weights = names.map((_, rank) => 1 / (rank + 1.5));
  const total = weights.reduce((a, b) => a + b);
  const draw = () => {
    let left = random.float() * total;
    return weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
  };
  const release = (_: unknown, id: number): CatalogueItem => {
    const own = new Set<string>();
    while (own.size < TAGS_EACH) own.add(names[Math.max(0, draw())] as string);
    return { id: String(id), title: `Release ${id}`, creator: `Artist ${id % 97}`, tags: [...own] };
  };
  return { items: Array.from({ length: items }, release), tags: names };
}
