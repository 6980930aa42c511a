import { describe, expect, test } from 'vitest';
import * as e from '../../src/embedding/index.js';
import { memoryOf } from '../../src/experiments/protocols/peer-costs.js';
import { findSystem } from '../../src/experiments/systems.js';
import { Random } from '../../src/tensor/index.js';
import { testClaims } from '../experiments/claim-tests.js';

/** Clicks given as "author term item", with sequences in order. */
function entriesOf(clicks: readonly string[]): e.ClickEntry[] {
  const last = new Map<string, number>();
  return clicks.map((click, time) => {
    const [author = '', term = '', item = ''] = click.split(' ');
    const sequence = (last.get(author) ?? 0) + 1;
    last.set(author, sequence);
    return { author, sequence, term, item, title: item, tags: [term], time };
  });
}

function logOf(entries: readonly e.ClickEntry[]): e.ClickLog {
  const log = new e.ClickLog();
  for (const entry of entries) log.append(entry);
  return log;
}

/**
 * a: terms q1, q2; items x, y, z, u. b shares both terms and x, y, z for them; u for another. c
 * shares q2, and z and u for it. d shares no term, though x.
 */
const clicks = entriesOf([
  ...['a q1 x', 'a q1 x', 'a q1 y', 'a q2 z', 'a q2 u'],
  ...['b q1 x', 'b q1 y', 'b q2 w', 'b q2 z', 'b q3 u', 'b q3 v'],
  ...['c q2 z', 'c q2 u', 'c q4 t', 'd q9 x'],
]);
const empty = new e.ItemLibrary(e.catalogueDomain, []);
const peerA = (options: e.GRankOptions = {}) =>
  new e.GRankPeer('a', empty, new Random(1), { log: logOf(clicks), ...options });

describe('similarity', () => {
  const log = logOf(clicks);

  test('is that of the example computed by hand, in both forms', () => {
    const of = (other: string, form: e.SimilarityForm) => e.clickSimilarity(log, 'a', other, form);
    const paper = ['a', 'b', 'c', 'd', 'nobody'].map((other) => of(other, 'paper'));
    expect(paper).toEqual([18 / 4, 11 / 6, 1, 0, 0]);
    expect(['a', 'b', 'c', 'd'].map((other) => of(other, 'notebook'))).toEqual([2, 7 / 6, 3 / 5, 0]);
  });

  test('is symmetric, and at most that with oneself', () => {
    for (const form of ['paper', 'notebook'] as const)
      for (const a of ['a', 'b', 'c', 'd'])
        for (const b of ['a', 'b', 'c', 'd']) {
          const value = e.clickSimilarity(log, a, b, form);
          expect(value).toBe(e.clickSimilarity(log, b, a, form));
          expect(value).toBeLessThanOrEqual(e.clickSimilarity(log, a, a, form));
        }
  });

  test('compares the ten most frequent terms, of equal ones those asked for first', () => {
    const many = Array.from({ length: 12 }, (_, at) => `a t${String(at).padStart(2, '0')} i${at}`);
    const own = [...many, 'a t11 i11'];
    const other = ['b t00 j', 'b t01 j', 'b t08 j', 'b t09 j', 'b t11 j'];
    for (const order of [entriesOf([...own, ...other]), entriesOf([...own, ...other]).reverse()]) {
      // t11 is the most frequent, then t00 … t08: four in common, no item, 13 items in all.
      expect(e.clickSimilarity(logOf(order), 'a', 'b')).toBe(4 / 13);
    }
  });

  test('that is kept is that of the log after any history, and normalising keeps it', () => {
    const random = new Random(5);
    const peer = new e.GRankPeer('p0', empty, random.split('peer'));
    const next = new Map<string, number>();
    for (let step = 0; step < 300; step++) {
      const author = `p${random.integer(6)}`;
      const sequence = (next.get(author) ?? 0) + 1;
      next.set(author, sequence);
      const [term, item] = [`t${random.integer(14)}`, `i${random.integer(12)}`];
      peer.receive([{ author, sequence, term, item, title: item, tags: [], time: step }]);
      for (let other = 0; other < 6; other++) {
        const raw = e.clickSimilarity(peer.log, 'p0', `p${other}`);
        expect(peer.similarities.raw(`p${other}`)).toBe(raw);
        const most = e.clickSimilarity(peer.log, 'p0', 'p0');
        expect(peer.similarities.normalised(`p${other}`)).toBe(most === 0 ? 0 : raw / most);
      }
    }
  });
});

describe('the score', () => {
  const scores = (options: e.GRankOptions) =>
    peerA(options)
      .rank('q2')
      .map(({ id, score }) => [id, 27 * score]);

  test('is that of the example computed by hand', () => {
    const close = (values: readonly (readonly [string, number])[]) =>
      values.map(([id, value]) => [id, expect.closeTo(value, 9)]);
    expect(scores({ isolation: 0 })).toEqual(
      close([
        ['z', 44],
        ['u', 33],
        ['w', 11],
      ]),
    );
    expect(scores({ isolation: 1 })).toEqual(
      close([
        ['z', 125],
        ['u', 87],
        ['w', 38],
      ]),
    );
    const notebook = [
      ['z', 27 * (1 + 7 / 12 + 0.3)],
      ['u', 27 * 1.3],
      ['w', (27 * 7) / 12],
    ] as const;
    expect(scores({ isolation: 0, similarity: 'notebook' })).toEqual(close(notebook));
  });

  test('counts clicks on an item however many descriptions it has, each kept once', () => {
    const titles = Array.from({ length: 300 }, (_, at) => `title ${(at * 7) % 150}`);
    const log = logOf(
      titles.map((title, at) => ({ author: 'a', sequence: at + 1, term: 't', item: 'x', title, tags: [], time: at })),
    );
    const kept = log.descriptions('x').map(({ title }) => title);
    expect(kept).toEqual([...new Set(titles)].sort());
    expect(new e.GRankPeer('b', empty, new Random(1), { log }).rank('t')[0]?.score).toBe(300);
  });

  test('counts clicks for the query alone, and each as often as it was made', () => {
    expect(
      peerA({ isolation: 0 })
        .rank('q1')
        .map(({ id, score }) => [id, 27 * score]),
    ).toEqual([
      ['x', expect.closeTo(54 + 11, 9)],
      ['y', expect.closeTo(27 + 11, 9)],
    ]);
  });

  test('is 0 for all with F = 0 and counts with F = 1 where the peer has clicked nothing', () => {
    const of = (isolation: number) =>
      new e.GRankPeer('new', empty, new Random(1), { log: logOf(clicks), isolation }).rank('q2');
    expect(of(0).map(({ id, score }) => [id, score])).toEqual([
      ['u', 0],
      ['w', 0],
      ['z', 0],
    ]);
    expect(of(1).map(({ id, score }) => [id, score])).toEqual([
      ['z', 3],
      ['u', 2],
      ['w', 1],
    ]);
  });
});

describe('a ranking', () => {
  const library = new e.ItemLibrary(e.catalogueDomain, [
    { id: '10', title: 'Slow Tides', creator: 'Ana Pol', tags: ['ambient', 'drone'] },
    { id: '9', title: 'Ambient Works', tags: ['idm'] },
    { id: '3', title: 'Loud', tags: ['punk'] },
    { id: '2', title: 'Quiet', tags: ['AMBIENT'] },
  ]);
  const own = () => new e.GRankPeer('me', library, new Random(3));
  const ids = (peer: e.GRankPeer, query: string) => peer.rank(query).map(({ id }) => id);
  const from = (author: string, item: string, count: number, term = 'ambient', tags: readonly string[] = []) =>
    Array.from({ length: count }, (_, at) => ({
      ...{ author, sequence: at + 1, term, item, title: item, tags, time: at },
    }));

  test('does not depend on the order of the log or on copies', () => {
    const random = new Random(7);
    const reference = peerA();
    const similar = ['a', 'b', 'c', 'd'].map((author) => reference.similarities.raw(author));
    for (let turn = 0; turn < 20; turn++) {
      const order = [...random.permutation(clicks.length)].map((at) => clicks[at] as e.ClickEntry);
      const peer = new e.GRankPeer('a', empty, new Random(1));
      expect(peer.receive([...order, ...order.slice(0, 5)])).toBe(clicks.length);
      expect(peer.receive(order)).toBe(0);
      expect(peer.log.size).toBe(clicks.length);
      for (const term of ['q1', 'q2', 'q3']) expect(peer.rank(term)).toEqual(reference.rank(term));
      expect(['a', 'b', 'c', 'd'].map((author) => peer.similarities.raw(author))).toEqual(similar);
    }
  });

  test('ties go to the lowest identifier, numbers by value', () => {
    const peer = own();
    peer.receive([...from('a', '10', 1), ...from('b', '9', 1), ...from('c', '2', 1)]);
    expect(ids(peer, 'ambient')).toEqual(['2', '9', '10']);
    expect(['b', '10', 'a', '9', '010'].sort(e.compareIds)).toEqual(['9', '010', '10', 'a', 'b']);
  });

  test('an item clicked a hundred times without matching stays below every match', () => {
    const peer = own();
    peer.receive([...from('a', '3', 100), ...from('b', 'far', 100, 'ambient', ['noise']), ...from('c', '10', 1)]);
    expect(peer.rank('Ambient!').map(({ id, matches, score }) => [id, matches, score])).toEqual([
      ['10', true, 1],
      ['2', true, 0],
      ['9', true, 0],
      ['3', false, 100],
      ['far', false, 100],
    ]);
  });

  test('what the own library says of an item counts above what comes with clicks', () => {
    const peer = own();
    peer.receive(from('a', '3', 5, 'ambient', ['ambient']));
    expect(ids(peer, 'ambient').at(-1)).toBe('3');
  });

  test('of a new term: matches of the library, then of the log, then popular items', () => {
    const peer = own();
    expect(ids(peer, 'ambient')).toEqual(['2', '9', '10']);
    peer.receive([...from('a', 'far', 3, 'space', ['ambient']), ...from('b', '3', 1, 'space')]);
    expect(ids(peer, 'ambient')).toEqual(['2', '9', '10', 'far']);
    expect(ids(peer, 'ana TIDES')).toEqual(['10']);
    expect(ids(peer, 'polka')).toEqual(['far', '3']);
    expect(ids(own(), 'polka')).toEqual([]);
    expect(own().search('polka').shown).toHaveLength(4);
  });

  test('queries are normalised: NFKC, case, signs', () => {
    expect(e.plainWords('  Hip-Hop ﬁne\tÉTÉ ')).toBe('hiphop fine été');
    const peer = own();
    peer.click({ term: peer.search('AMBIENT ').term }, '10', 1);
    expect(peer.rank('ambient')[0]).toMatchObject({ id: '10', score: 2 });
  });
});

describe('a search', () => {
  test('swaps two results half of the time, in what is shown alone', () => {
    const peer = peerA();
    const before = peer.rank('q2');
    let swapped = 0;
    for (let turn = 0; turn < 400; turn++) {
      const { shown } = peer.search('q2');
      const moved = shown.filter(({ id }, at) => id !== before[at]?.id).length;
      expect([0, 2]).toContain(moved);
      if (moved === 2) swapped++;
      expect(peer.rank('q2')).toEqual(before);
    }
    expect(swapped / 400).toBeGreaterThan(0.42);
    expect(swapped / 400).toBeLessThan(0.58);
    expect(peerA({ noise: 0 }).search('q2').shown).toEqual(before);
    expect(peer.search('q2')).toMatchObject({ term: 'q2', seenBefore: true });
    expect(peer.search('q7').seenBefore).toBe(false);
  });

  test('a click joins the log at once, with what was shown', () => {
    const peer = peerA({ noise: 0 });
    const entry = peer.click(peer.search('q2'), 'w', 99);
    expect(entry).toMatchObject({ author: 'a', sequence: 6, term: 'q2', item: 'w', seenBefore: true, time: 99 });
    expect(entry.results).toEqual(['z', 'u', 'w']);
    expect(peer.log.entries.at(-1)).toBe(entry);
    expect(() => peer.click({ term: 'q2' }, 'nothing', 1)).toThrow('no item "nothing" is known here');
  });

  test('wrong options are named', () => {
    expect(() => peerA({ isolation: -1 })).toThrow('isolation must be a number from 0, got -1');
    expect(() => peerA({ noise: 2 })).toThrow('noise must be from 0 to 1, got 2');
    expect(() => logOf([{ ...(clicks[0] as e.ClickEntry), sequence: 0 }])).toThrow('integer from 1, got 0');
  });
});

describe('gossip', () => {
  const pair = () => {
    const transport = new e.SimTransport();
    const peers = ['a', 'b', 'c'].map((id) => new e.GRankPeer(id, empty, new Random(2)));
    for (const peer of peers) transport.join(peer.id, peer);
    const [a, b, c] = peers as [e.GRankPeer, e.GRankPeer, e.GRankPeer];
    b.receive(clicks.filter(({ author }) => author === 'b'));
    return { transport, a, b, c };
  };

  test('a pull brings what is new once, and both know each other from then on', () => {
    const { transport, a, b } = pair();
    expect(transport.pull(a, 'b')).toBe(6);
    const bytes = clicks.filter(({ author }) => author === 'b').map((entry) => JSON.stringify(entry).length);
    expect([transport.messages, transport.bytes]).toEqual([1, bytes.reduce((sum, each) => sum + each)]);
    expect(transport.pull(a, 'b')).toBe(0);
    expect([b.known, a.known]).toEqual([['a'], ['b']]);
    expect(b.answer('a').entries).toEqual([]);
    b.click({ term: 'q1' }, 'x', 50);
    expect(b.answer('a').entries).toHaveLength(1);
  });

  test('entries travel onward', () => {
    const { transport, a, c } = pair();
    transport.pull(a, 'b');
    expect(transport.pull(c, 'a')).toBe(6);
    expect(c.known).toContain('b');
  });

  test('an answer that does not arrive is given again', () => {
    const { b } = pair();
    expect(b.answer('a').entries).toHaveLength(6);
    const second = b.answer('a');
    expect(second.entries).toHaveLength(6);
    second.delivered();
    expect(b.answer('a').entries).toEqual([]);
  });

  test('peers that are away answer nothing', () => {
    const { transport, a } = pair();
    transport.setOnline('b', false);
    expect(transport.pull(a, 'b')).toBeUndefined();
    transport.setOnline('b', true);
    expect(transport.pull(a, 'b')).toBe(6);
    expect(transport.pull(a, 'nobody')).toBeUndefined();
  });

  test('a push brings news unasked', () => {
    const { transport, a, b } = pair();
    expect(transport.push(b, 'a')).toBe(6);
    expect(transport.push(b, 'a')).toBe(0);
    expect(a.known).toContain('b');
  });

  test('numbers of clicks ask for what follows without a gap', () => {
    const { b } = pair();
    const numbers = (since: Record<string, number>) => [...b.entriesSince(since)].map(({ sequence }) => sequence);
    expect(numbers({})).toEqual([1, 2, 3, 4, 5, 6]);
    expect(numbers({ b: 4 })).toEqual([5, 6]);
    expect(numbers(b.vector())).toEqual([]);
    const gap = new e.GRankPeer('z', empty);
    gap.receive(clicks.filter(({ author, sequence }) => author === 'b' && sequence !== 3));
    expect([...gap.entriesSince({})].map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(gap.vector()).toEqual({ b: 2 });
    gap.receive(clicks);
    expect(gap.vector()).toEqual({ a: 5, b: 6, c: 3, d: 1 });
  });

  test('counts in place of entries rank alike, and answer only what follows them', () => {
    const log = new e.ClickLog();
    const counts = new Map<string, e.ClickCount>();
    for (const { author, term, item, title, tags } of clicks.filter((click) => click.author === 'b')) {
      const key = `${author} ${term} ${item}`;
      counts.set(key, { term, id: item, title, tags, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    log.appendCounts('b', 6, [...counts.values()]);
    for (const entry of clicks) log.append(entry);
    const compacted = new e.GRankPeer('a', empty, new Random(1), { log });
    expect(log.size).toBe(clicks.length);
    for (const term of ['q1', 'q2', 'q3']) expect(compacted.rank(term)).toEqual(peerA().rank(term));
    expect(compacted.vector()).toEqual(peerA().vector());
    const authors = (since: Record<string, number>) =>
      new Set([...compacted.entriesSince(since)].map((own) => own.author));
    expect(authors({}).has('b')).toBe(false);
    compacted.receive([{ ...(clicks[5] as e.ClickEntry), sequence: 7 }]);
    expect(authors({ b: 5 }).has('b')).toBe(false);
    expect(authors({ b: 6 }).has('b')).toBe(true);
    expect(() => log.appendCounts('c', 3, [])).toThrow('counts of "c" come after entries');
  });
});

describe('tables', () => {
  const table = (columns: Readonly<Record<string, readonly (string | undefined)[]>>) => ({
    rows: Object.values(columns)[0]?.length ?? 0,
    columns: Object.entries(columns).map(([name, values]) => ({ name, kind: 'category' as const, values })),
  });

  test('give items, with tags between semicolons, bars or commas', () => {
    const columns = { id: ['7', '8'], title: ['A', 'B'], author: ['Ann', undefined], tags: ['x; y|z,w', undefined] };
    expect(e.itemsOfTable(table(columns))).toEqual([
      { id: '7', title: 'A', creator: 'Ann', tags: ['x', 'y', 'z', 'w'] },
      { id: '8', title: 'B', creator: undefined, tags: [] },
    ]);
    expect(() => e.itemsOfTable(table({ id: ['7', ' '], title: ['A', 'B'] }))).toThrow('the id is missing in row 2');
    expect(() => e.itemsOfTable(table({ id: ['7'] }))).toThrow('no column "title"');
  });

  test('give clicks, numbered by node where there is no sequence', () => {
    const clicks = { node: ['a', 'b', 'a'], query: ['X!', 'x', 'y'], item: ['1', '9', '1'] };
    const library = new e.ItemLibrary(e.catalogueDomain, [{ id: '1', title: 'One', tags: ['x'] }]);
    const { entries } = e.clicksOfTable(table(clicks), library);
    expect(entries.map(({ author, sequence, term, title }) => [author, sequence, term, title])).toEqual([
      ['a', 1, 'x', 'One'],
      ['b', 1, 'x', '9'],
      ['a', 2, 'y', 'One'],
    ]);
  });
});

describe('domains', () => {
  test('texts match by their words', () => {
    const library = new e.ItemLibrary(e.textDomain, [
      { id: 'n1', text: 'Oil prices rise, again' },
      { id: 'n2', text: 'Wheat price falls' },
    ]);
    expect(library.matching('prices').map(({ id }) => id)).toEqual(['n1']);
    expect(library.matching('oil rise').map(({ id }) => id)).toEqual(['n1']);
    expect(library.matching('')).toEqual([]);
  });

  test('numbers match by a range', () => {
    const items = [5, 10, 15, 20].map((value) => ({ id: `v${value}`, title: `${value} €`, value }));
    const library = new e.ItemLibrary(e.rangeDomain, items);
    expect(['10..15', ' 15 to 10', '10.0 – 15'].map((query) => e.rangeDomain.normalise(query))).toEqual(
      Array(3).fill('10..15'),
    );
    expect(library.matching('10..15').map(({ id }) => id)).toEqual(['v10', 'v15']);
    expect(library.matching(e.rangeDomain.normalise('cheap'))).toEqual([]);
    for (const open of ['', '..', '..15', '10..', 'x..15'])
      expect(e.rangeDomain.matches(open, { id: 'z', title: '', tags: ['0'] }), open).toBe(false);
    expect(e.rangeDomain.matches('-1..1', { id: 'z', title: '', tags: [''] })).toBe(false);
  });

  test('an identifier is given once', () => {
    const item = { id: '1', title: 'a', tags: [] };
    expect(() => new e.ItemLibrary(e.catalogueDomain, [item, item])).toThrow('two items have the identifier "1"');
    expect(() => new e.ItemLibrary(e.catalogueDomain, [{ ...item, id: '' }])).toThrow('has no identifier');
  });
});

test('memory is measured without the garbage of what came before', () => {
  let garbage: unknown = Array.from({ length: 300_000 }, (_, at) => ({ at }));
  expect(garbage).toHaveLength(300_000);
  garbage = undefined;
  const megabytes = memoryOf(() => new Array(50_000).fill(0.5));
  expect(megabytes).toBeGreaterThan(0.15);
  expect(megabytes).toBeLessThan(0.6);
});

const under = (isolation: number, what: string) => `F = ${isolation}, ${what}`;
const attacked = (good: boolean) => ({
  [under(1, 'targeted')]: good
    ? { start: 200, half: 2, end: 5, before: 50, after: 4, worst: 6 }
    : { start: 200, half: 40, end: 240, before: 50, after: 45, worst: 250 },
  [under(0, 'targeted')]: good ? { start: 200, end: 8, worst: 8 } : { start: 200, end: 240, worst: 250 },
  [under(1, 'inflation')]: good
    ? { start: 200, half: 2, end: 60, worst: 60 }
    : { start: 200, half: 230, end: 220, worst: 240 },
  [under(0, 'inflation')]: good
    ? { start: 200, half: 8, end: 50, worst: 50 }
    : { start: 200, half: 230, end: 220, worst: 240 },
  ...Object.fromEntries(
    [0, 1].map((f) => [under(f, 'epic'), { start: 200, worst: good ? 150 : 100, end: good ? 120 : 210 }]),
  ),
  [under(1, 'push, targeted')]: { half: good ? 2 : 40, before: good ? 30 : 60, after: good ? 10 : 41 },
  [under(1, 'cut off at 50 %')]: { cutAnswered: good ? 100 : 99, cutTop: good ? 95 : 80 },
});

testClaims(findSystem('grank'), [
  {
    data: 'releases',
    holding: {
      methods: {
        'G-Rank, F = 1': { start: 200, quarter: 2, end: 1, topQuarter: 97, top: 100 },
        'G-Rank, F = 0': { start: 200, quarter: 18, end: 7, top: 20 },
        'counts without similarity': { top: 100 },
        'own clicks': { end: 100 },
        'random order': { topQuarter: 10, top: 10 },
        'one central log': { top: 100 },
        ...attacked(true),
      },
      studies: {
        ...{ local: 100, rankMs: 2, intakeMs: 5, memoryMB: 6, sameRankings: 100, answeredAfter: 100, spreadAfter: 90 },
        ...{ 'groups G-Rank, F = 0': 75, 'groups counts without similarity': 50 },
      },
    },
    failing: {
      methods: {
        'G-Rank, F = 1': { start: 200, quarter: 30, end: 30, topQuarter: 90, top: 80 },
        'G-Rank, F = 0': { start: 200, quarter: 30, end: 30, top: 5 },
        'counts without similarity': { top: 100 },
        'own clicks': { end: 100 },
        'random order': { topQuarter: 60, top: 10 },
        'one central log': { top: 100 },
        ...attacked(false),
      },
      studies: {
        ...{ local: 99, rankMs: 6, intakeMs: 60, memoryMB: 11, sameRankings: 99, answeredAfter: 99, spreadAfter: 50 },
        ...{ 'groups G-Rank, F = 0': 50, 'groups counts without similarity': 45 },
      },
    },
  },
  {
    data: 'prices',
    holding: { methods: { 'G-Rank, F = 1': { top: 95 } } },
    failing: { methods: { 'G-Rank, F = 1': { top: 80 } } },
  },
]);
