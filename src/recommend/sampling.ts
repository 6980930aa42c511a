// Draws of positive and negative items.

import { type Interactions, itemsOf } from '../data/index.js';
import type { Random } from '../tensor/index.js';

/** Users, an item that each has, and one that it has not: [batch] each. */
export interface Triples {
  /** Numbers of users. */
  readonly users: Int32Array;
  /** An item that each has. */
  readonly positives: Int32Array;
  /** An item that each has not. */
  readonly negatives: Int32Array;
}

/** Whether a user has an item, and draws of items that it has not. */
export class Membership {
  readonly #sets: readonly Set<number>[];
  readonly #items: number;

  /** @param data all interactions that must not be drawn as negatives */
  constructor(data: Interactions) {
    this.#sets = data.users.map((_, user) => new Set(itemsOf(data, user)));
    this.#items = data.items.length;
  }

  /** Whether a user has an item. */
  has(user: number, item: number): boolean {
    return (this.#sets[user] as Set<number>).has(item);
  }

  /** Items that a user has not. */
  free(user: number): number {
    return this.#items - (this.#sets[user] as Set<number>).size;
  }

  /**
   * An item that a user has not, uniformly.
   *
   * @throws Error for a user who has every item, since there is none
   */
  negative(user: number, random: Random): number {
    if (this.free(user) === 0)
      throw new Error(`user ${user} interacted with every item: there is no negative to draw; leave it out`);
    for (;;) {
      const item = random.integer(this.#items);
      if (!this.has(user, item)) return item;
    }
  }

  /** `count` different items that a user has not, or all of them where there are fewer. */
  negatives(user: number, count: number, random: Random): Int32Array {
    const free = this.free(user);
    if (2 * count > free) {
      const all = Int32Array.from(
        Array.from({ length: this.#items }, (_, item) => item).filter((item) => !this.has(user, item)),
      );
      return random.sample(free, Math.min(count, free)).map((at) => all[at] as number);
    }
    const drawn = new Set<number>();
    while (drawn.size < count) drawn.add(this.negative(user, random));
    return Int32Array.from(drawn);
  }
}

/**
 * Batches of an epoch of BPR: as many triples as there are interactions, each of a user drawn
 * uniformly, one of its items, and one that it has not. Users without items, and those who have
 * every item, are never drawn.
 *
 * @throws Error when no user is left
 */
export function* triples(
  data: Interactions,
  member: Membership,
  batchSize: number,
  random: Random,
): Generator<Triples> {
  const users = [...data.users.keys()].filter((user) => itemsOf(data, user).length > 0 && member.free(user) > 0);
  if (users.length === 0) throw new Error('there is no user with some, but not all, of the items');
  const total = data.indices.length;
  for (let start = 0; start < total; start += batchSize) {
    const size = Math.min(batchSize, total - start);
    const batch = { users: new Int32Array(size), positives: new Int32Array(size), negatives: new Int32Array(size) };
    for (let at = 0; at < size; at++) {
      const user = users[random.integer(users.length)] as number;
      const own = itemsOf(data, user);
      batch.users[at] = user;
      batch.positives[at] = own[random.integer(own.length)] as number;
      batch.negatives[at] = member.negative(user, random);
    }
    yield batch;
  }
}
