import { type Interactions, withLists } from '../../src/data/index.js';
import { Random } from '../../src/tensor/index.js';

/** Interactions of numbered users and items. */
export function interactionsOf(lists: readonly (readonly number[])[], items: number): Interactions {
  const names = {
    name: 'planted',
    users: lists.map((_, user) => `u${user}`),
    items: Array.from({ length: items }, (_, item) => `i${item}`),
  };
  return withLists(names, lists);
}

/** Users of four tastes, with eight items each, most of their own quarter. */
export function planted(users: number, items = 40, seed = 1): Interactions {
  const random = new Random(seed);
  const quarter = items / 4;
  const lists = Array.from({ length: users }, (_, user) => {
    const own = new Set<number>();
    while (own.size < 8)
      own.add(random.float() < 0.85 ? (user % 4) * quarter + random.integer(quarter) : random.integer(items));
    return [...own];
  });
  return interactionsOf(lists, items);
}
