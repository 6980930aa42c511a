// Splits of interactions without leaks: what chooses is never what is tested.

import { type Interactions, itemsOf, withLists } from '../data/index.js';
import type { Random } from '../tensor/index.js';

/** Interactions to learn from, and others of the same users that are held out. */
export interface HeldOut {
  /** To learn from. */
  readonly train: Interactions;
  /** To be found. */
  readonly held: Interactions;
}

const listsOf = (data: Interactions) => data.users.map((_, user) => itemsOf(data, user));

/**
 * Holds out a share of the interactions of each user at random, at least one; users with a single
 * one keep it.
 *
 * @throws RangeError unless 0 < share < 1
 */
export function holdOut(data: Interactions, share: number, random: Random): HeldOut {
  if (!(share > 0 && share < 1)) throw new RangeError(`holdOut: the share must be in (0, 1), got ${share}`);
  const [train, held]: [Int32Array[], Int32Array[]] = [[], []];
  listsOf(data).forEach((items, user) => {
    const count = items.length < 2 ? 0 : Math.min(items.length - 1, Math.max(1, Math.round(share * items.length)));
    const gone = new Set(random.split(user).sample(items.length, count));
    train.push(items.filter((_, at) => !gone.has(at)));
    held.push(items.filter((_, at) => gone.has(at)));
  });
  return { train: withLists(data, train), held: withLists(data, held) };
}

/** Two sets of interactions of the same users and items as one. */
export function joined(first: Interactions, second: Interactions): Interactions {
  return withLists(
    first,
    listsOf(first).map((items, user) => [...new Set([...items, ...itemsOf(second, user)])]),
  );
}

/** Users that no training has seen: what is known of them, and what is to be found. */
export interface NewUsers {
  /** What is known of them. */
  readonly input: Interactions;
  /** What is to be found. */
  readonly held: Interactions;
}

/** The split of strong generalisation. */
export interface StrongSplit {
  /** Users to learn from. */
  readonly train: Interactions;
  /** Users that choose. */
  readonly validation: NewUsers;
  /** Users that are tested. */
  readonly test: NewUsers;
}

/** Interactions that a user must have to be among those of strong generalisation. */
const LEAST = 5;

/**
 * Strong generalisation (Liang et al. 2018): validation and test users are not in the training;
 * items are those of training users, others are dropped; of each held-out user ⌊0.2·n⌋ items, at
 * least one, are to be found and the rest is the input. Users with fewer than 5 are left out.
 *
 * @param users validation users, and as many test users
 * @throws RangeError when too few users are left to train on
 */
export function strongSplit(data: Interactions, users: number, random: Random): StrongSplit {
  const lists = listsOf(data);
  const able = [...lists.keys()].filter((user) => (lists[user] as Int32Array).length >= LEAST);
  if (able.length < 2 * users + 1)
    throw new RangeError(
      `strongSplit: ${able.length} users have at least ${LEAST} interactions; ${users} for validation, as many for test and one for training are needed`,
    );
  const order = Array.from(random.split('users').permutation(able.length), (at) => able[at] as number);
  const [validation, test, training] = [
    order.slice(0, users),
    order.slice(users, 2 * users),
    order.slice(2 * users).sort((a, b) => a - b),
  ] as const;
  const known = new Set(training.flatMap((user) => [...(lists[user] as Int32Array)]));
  const items = [...known].sort((a, b) => a - b);
  const place = new Map(items.map((item, at) => [item, at]));
  const named = (own: readonly number[]) => ({
    name: data.name,
    users: own.map((user) => data.users[user] as string),
    items: items.map((item) => data.items[item] as string),
  });
  const kept = (user: number) =>
    (lists[user] as Int32Array).filter((item) => known.has(item)).map((item) => place.get(item) as number);
  const newUsers = (own: readonly number[], stream: Random): NewUsers => {
    const parts = own.map((user) => {
      const all = kept(user);
      const count = all.length < 2 ? 0 : Math.max(1, Math.floor(0.2 * all.length));
      const gone = new Set(stream.split(user).sample(all.length, count));
      return { input: all.filter((_, at) => !gone.has(at)), held: all.filter((_, at) => gone.has(at)) };
    });
    return {
      input: withLists(
        named(own),
        parts.map(({ input }) => input),
      ),
      held: withLists(
        named(own),
        parts.map(({ held }) => held),
      ),
    };
  };
  return {
    train: withLists(named(training), training.map(kept)),
    validation: newUsers(validation, random.split('validation')),
    test: newUsers(test, random.split('test')),
  };
}

/** The last interaction of each user for the test, the one before for validation. */
export interface LastOutSplit {
  /** All but the last two of each user. */
  readonly train: Interactions;
  /** The last but one. */
  readonly validation: Interactions;
  /** The last. */
  readonly test: Interactions;
}

/** Leaves the last two interactions out, of users with at least three. */
export function lastOut(data: Interactions): LastOutSplit {
  const lists = listsOf(data);
  const part = (from: number, to?: number) =>
    withLists(
      data,
      lists.map((items) => (items.length < 3 ? (from === 0 ? items : []) : items.slice(from, to))),
    );
  return { train: part(0, -2), validation: part(-2, -1), test: part(-1) };
}
