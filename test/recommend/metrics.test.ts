import { describe, expect, test } from 'vitest';
import { itemsOf } from '../../src/data/index.js';
import {
  candidateScores,
  holdOut,
  ItemKNN,
  joined,
  lastOut,
  listScores,
  Membership,
  Popularity,
  rankingScores,
  strongSplit,
  topItems,
  triples,
} from '../../src/recommend/index.js';
import { Random } from '../../src/tensor/index.js';
import { interactionsOf, planted } from './planted.js';

describe('metrics of a ranked list', () => {
  test('by hand: hits at ranks 2 and 4 of three wanted items', () => {
    const scores = listScores(Int32Array.of(9, 1, 8, 2, 7), Int32Array.of(1, 2, 3), { k: 4 });
    const gain = 1 / Math.log2(3) + 1 / Math.log2(5);
    const best = 1 + 1 / Math.log2(3) + 1 / Math.log2(4);
    expect(scores.recall).toBeCloseTo(2 / 3, 12);
    expect(scores.ndcg).toBeCloseTo(gain / best, 12);
    expect(scores.mrr).toBe(1 / 2);
    expect(scores.hitRate).toBe(1);
    expect(listScores(Int32Array.of(9, 1), Int32Array.of(1, 2, 3), { k: 2, recallOf: 'k' }).recall).toBe(1 / 2);
    expect(listScores(Int32Array.of(9, 8, 1), Int32Array.of(1), { k: 2 })).toEqual({
      ...{ recall: 0, ndcg: 0, mrr: 0, hitRate: 0 },
    });
    // No more than k items can be found.
    expect(listScores(Int32Array.of(1, 2), Int32Array.of(1, 2, 3), { k: 2 }).ndcg).toBe(1);
  });

  test('the best items are those of a full sort, equal ones in order, masked ones never', () => {
    const random = new Random(5);
    for (let round = 0; round < 20; round++) {
      const scores = Float32Array.from({ length: 50 }, () => random.integer(12));
      scores[random.integer(50)] = Number.NEGATIVE_INFINITY;
      const order = [...scores.keys()].filter((item) => scores[item] !== Number.NEGATIVE_INFINITY);
      order.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
      for (const k of [1, 7, 60]) expect([...topItems(scores, k)]).toEqual(order.slice(0, k));
    }
  });

  test('three users by hand: items of the training are masked, users without test items are skipped', () => {
    const train = interactionsOf([[0, 1], [2], [3]], 5);
    const held = interactionsOf([[2], [0, 4], []], 5);
    // Everyone would be shown 0, 1, 2, 3, 4 in this order.
    const scorer = { scores: () => Float32Array.of(5, 4, 3, 2, 1) };
    const scores = rankingScores(scorer, train, held, { k: 2 });
    // User 0 sees 2, 3: a hit at once. User 1 sees 0, 1: one of two.
    expect(scores.users).toBe(2);
    expect(scores.recall).toBe((1 + 1 / 2) / 2);
    expect(scores.mrr).toBe(1);
    expect(scores.ndcg).toBeCloseTo((1 + 1 / (1 + 1 / Math.log2(3))) / 2, 12);
  });

  test('among candidates the held-out item ranks behind its equals', () => {
    const held = interactionsOf([[0], [0]], 4);
    const scorer = {
      scores: (user: number) => (user === 0 ? Float32Array.of(1, 1, 0, 0) : Float32Array.of(2, 1, 0, 0)),
    };
    const candidates = [Int32Array.of(1, 2), Int32Array.of(1, 2)];
    expect(candidateScores(scorer, held, candidates, { k: 1 }).hitRate).toBe(1 / 2);
    expect(candidateScores(scorer, held, candidates, { k: 2 }).mrr).toBe((1 / 2 + 1) / 2);
  });
});

describe('recommenders without training', () => {
  test('popularity counts users', () => {
    expect([...new Popularity(interactionsOf([[0, 1], [1], [1, 2]], 4)).scores()]).toEqual([1, 3, 1, 0]);
  });

  test('nearest items: cosines by a naive loop, shrunk, of the neighbours that are kept', () => {
    const data = planted(30, 12);
    const users = (item: number) => data.users.flatMap((_, user) => (itemsOf(data, user).includes(item) ? [user] : []));
    const similarity = (a: number, b: number) => {
      const [first, second] = [users(a), users(b)];
      return first.filter((user) => second.includes(user)).length / (Math.sqrt(first.length * second.length) + 2);
    };
    const knn = new ItemKNN(data, { neighbours: 3, shrink: 2 });
    const history = itemsOf(data, 0);
    const scores = knn.scores(0);
    for (let item = 0; item < 12; item++) {
      const others = Array.from({ length: 12 }, (_, other) => other).filter((other) => other !== item);
      others.sort((a, b) => similarity(item, b) - similarity(item, a) || a - b);
      const expected = others
        .slice(0, 3)
        .filter((other) => history.includes(other))
        .reduce((sum, other) => sum + similarity(item, other), 0);
      expect(scores[item]).toBeCloseTo(expected, 5);
    }
  });
});

describe('splits', () => {
  const data = planted(40);

  test('a share of each user is held out, at least one, and a single interaction stays', () => {
    const { train, held } = holdOut(
      interactionsOf([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2], [3]], 10),
      0.2,
      new Random(1),
    );
    expect([0, 1, 2].map((user) => itemsOf(held, user).length)).toEqual([2, 1, 0]);
    expect([...joined(train, held).indices.slice(0, 10)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(() => holdOut(train, 1, new Random(0))).toThrow('the share must be in (0, 1), got 1');
  });

  test('strong generalisation: users are apart, items are those of the training, a fifth is to be found', () => {
    const { train, validation, test: held } = strongSplit(data, 5, new Random(2));
    const names = [train, validation.held, held.held].map(({ users }) => users);
    expect(new Set(names.flat()).size).toBe(names.flat().length);
    expect(names.map(({ length }) => length)).toEqual([30, 5, 5]);
    const known = new Set(train.indices);
    expect(known.size).toBe(train.items.length);
    for (const { input, held: found } of [validation, held])
      for (let user = 0; user < 5; user++) {
        const [given, wanted] = [itemsOf(input, user), itemsOf(found, user)];
        const own = itemsOf(data, data.users.indexOf(found.users[user] as string));
        const names = [...given, ...wanted].map((item) => train.items[item]);
        const all = [...own].map((item) => data.items[item]).filter((item) => train.items.includes(item as string));
        expect(names.sort()).toEqual(all.sort());
        expect(wanted.length).toBe(Math.max(1, Math.floor(0.2 * all.length)));
      }
    expect(() => strongSplit(data, 20, new Random(2))).toThrow('40 users have at least 5 interactions');
  });

  test('the last is the test, the one before validation; short lists are learnt from alone', () => {
    const {
      train,
      validation,
      test: held,
    } = lastOut(
      interactionsOf(
        [
          [4, 3, 2, 1],
          [0, 1],
        ],
        5,
      ),
    );
    expect([train, validation, held].map((part) => [...part.indices])).toEqual([[4, 3, 0, 1], [2], [1]]);
  });
});

describe('negatives', () => {
  test('are items that the user has not, also where few are left', () => {
    const data = interactionsOf([[0, 1, 2, 3], [0]], 5);
    const member = new Membership(data);
    expect([...member.negatives(0, 3, new Random(1))]).toEqual([4]);
    expect(new Set(member.negatives(1, 2, new Random(1))).size).toBe(2);
    const drawn = [...triples(data, member, 3, new Random(2))];
    expect(drawn.map(({ users }) => users.length)).toEqual([3, 2]);
    for (const { users, positives, negatives } of drawn)
      users.forEach((user, at) => {
        expect(member.has(user, positives[at] as number)).toBe(true);
        expect(member.has(user, negatives[at] as number)).toBe(false);
      });
  });

  test('of a user who has everything there are none', () => {
    const data = interactionsOf([[0, 1]], 2);
    expect(() => new Membership(data).negative(0, new Random(1))).toThrow('interacted with every item');
    expect(() => [...triples(data, new Membership(data), 1, new Random(1))]).toThrow('no user with some, but not all');
  });
});
