import { describe, expect, test } from 'vitest';
import * as e from '../../src/embedding/index.js';
import { Random } from '../../src/tensor/index.js';

const simulation = (options: e.SimulationOptions = {}, seed = 1) => {
  const random = new Random(seed);
  const { items, tags } = e.syntheticReleases(random.split('items'), { items: 60, tags: 8 });
  return new e.PeerSimulation(e.catalogueDomain, items, tags, random.split('peers'), {
    ...{ peers: 10, ticks: 400, measureEvery: 100, isolation: 1 },
    ...options,
  });
};
const last = <Value>(values: readonly Value[]) => values.at(-1) as Value;

describe('the synthetic releases', () => {
  test('have three tags each, drawn in proportion to 1 / (rank + 1.5)', () => {
    const { items, tags } = e.syntheticReleases(new Random(2));
    expect([items.length, tags.length]).toEqual([253, 39]);
    for (const { tags: own } of items) expect(new Set(own).size).toBe(3);
    const counts = tags.map((tag) => items.filter((item) => item.tags.includes(tag)).length);
    expect(counts.reduce((sum, count) => sum + count)).toBe(759);
    const sum = (from: number, to: number) => counts.slice(from, to).reduce((total, count) => total + count);
    expect(sum(0, 5)).toBeGreaterThan(2.5 * sum(20, 30));
    expect(sum(20, 30)).toBeGreaterThan(sum(30, 39));
  });
});

describe('the measures', () => {
  test('distance is the sum of moved places over common items', () => {
    const global = new Map([
      ['a', 0],
      ['b', 1],
      ['c', 2],
      ['d', 3],
    ]);
    expect(e.positionalDistance(['a', 'b', 'c'], global)).toBe(0);
    expect(e.positionalDistance(['c', 'x', 'a'], global)).toBe(2 + 2);
    expect(e.positionalDistance([], global)).toBe(0);
  });

  test('the global ranking goes by clicks, then by matching items in order', () => {
    const library = new e.ItemLibrary(e.catalogueDomain, [
      { id: '1', title: 'a', tags: ['t'] },
      { id: '2', title: 'b', tags: ['t'] },
      { id: '3', title: 'c', tags: ['t'] },
    ]);
    const log = new e.ClickLog();
    for (const [at, item] of ['3', '2', '3'].entries())
      log.append({ author: `p${at}`, sequence: 1, term: 't', item, title: item, tags: ['t'], time: at });
    expect([...e.globalPlaces(log, library, 't').keys()]).toEqual(['3', '2', '1']);
    expect([...e.globalPlaces(log, library, 'none').keys()]).toEqual([]);
  });
});

describe('a simulation', () => {
  test('after full exchange the counts of all peers are those of all clicks', () => {
    const sim = simulation({ ticks: 0 });
    const [start] = sim.run();
    expect(start?.counts).toBeGreaterThan(0);
    for (let round = 0; round < 6; round++)
      for (const peer of sim.peers) for (const other of sim.peers) sim.transport.pull(peer, other.id);
    const after = sim.measure(0);
    expect(after.counts).toBe(0);
    expect(after.logSize).toBe(sim.global.size);
  });

  test('its peers find the same first results, and know almost all clicks', () => {
    const points = simulation().run();
    expect(points.map(({ tick }) => tick)).toEqual([0, 100, 200, 300, 400]);
    const { counts, top, logSize, messageBytes, shown, shownOnTop } = last(points);
    expect(counts).toBeLessThan(0.3 * (points[0]?.counts ?? 0));
    expect(top).toBeGreaterThan(0.9);
    expect(logSize).toBeGreaterThan(0.9 * (400 + 80));
    expect(messageBytes).toBeGreaterThan(100);
    expect(shownOnTop).toBeLessThanOrEqual(shown);
    expect(shown).toBeGreaterThan(0.9);
  });

  test('is the same twice, and another with another seed', () => {
    expect(last(simulation().run())).toEqual(last(simulation().run()));
    expect(last(simulation({}, 2).run())).not.toEqual(last(simulation().run()));
  });

  test('without gossip a peer knows its own clicks alone', () => {
    const sim = simulation({ gossip: 'none' });
    sim.run();
    expect(sim.transport.messages).toBe(0);
    for (const peer of sim.peers) expect([...peer.log.authors]).toEqual([peer.id]);
  });

  test('begins as the text or as the notebook says', () => {
    for (const [start, most] of [
      ['paper', 9],
      ['notebook', 16],
    ] as const) {
      const sim = simulation({ start, ticks: 0 });
      for (const peer of sim.peers) {
        expect(peer.log.of(peer.id)?.entries).toHaveLength(8);
        expect(peer.log.size).toBeLessThanOrEqual(most);
        expect(peer.log.size).toBeGreaterThanOrEqual(8);
        const own = peer.log.of(peer.id)?.entries.filter(({ item }) => peer.library.get(item)) ?? [];
        if (start === 'paper') expect(own).toHaveLength(8);
        else expect(own.length).toBeLessThan(8);
      }
      expect(sim.peers.filter(({ log }) => log.size > 8).length).toBeGreaterThan(6);
    }
  });

  test('clicks the top result, or the lowest matching identifier of a known term', () => {
    const clicked = (click: 'paper' | 'notebook') => {
      const sim = simulation({ click, noise: 0 });
      sim.run();
      return sim.global.entries.filter(({ results }) => results);
    };
    for (const { item, results } of clicked('paper')) expect(item).toBe(results?.[0]);
    const notebook = clicked('notebook').filter(({ seenBefore }) => seenBefore);
    expect(notebook.length).toBeGreaterThan(300);
    for (const { term, item, results, tags } of notebook) {
      expect(tags).toContain(term);
      expect(results?.filter((id) => e.compareIds(id, item) < 0).length).toBeLessThan(results?.length ?? 0);
    }
    expect(notebook.some(({ item, results }) => item !== results?.[0])).toBe(true);
  });

  test('pushes go to who accepts them', () => {
    const sizes = (acceptPush: 'all' | 'half') => {
      const sim = simulation({ gossip: 'push', acceptPush });
      sim.run();
      return sim.peers.map(({ log }) => log.size);
    };
    const [all, half] = [sizes('all'), sizes('half')];
    const mean = (values: readonly number[], parity: number) =>
      values.filter((_, at) => at % 2 === parity).reduce((sum, size) => sum + size) / 5;
    expect(Math.min(...all)).toBeGreaterThan(200);
    expect(mean(half, 0)).toBeLessThan(0.6 * mean(half, 1));
  });

  test('attackers join at a quarter, strike at half, and count in no measure of honest clicks', () => {
    for (const kind of ['targeted', 'inflation', 'epic'] as const) {
      const attack = { ...e.attackOn(10, kind), queries: 20 };
      const sim = simulation({ attack });
      sim.run();
      const authors = [...(sim.peers[0] as e.GRankPeer).log.authors].filter((author) => author.startsWith('x'));
      expect(authors.length).toBeGreaterThan(0);
      expect([...sim.global.authors].every((author) => author.startsWith('p'))).toBe(true);
      const entries = sim.peers.flatMap(({ log }) => log.entries.filter(({ author }) => author.startsWith('x')));
      expect(Math.min(...entries.map(({ time }) => time))).toBe(200);
      const known = new Map(entries.map((entry) => [`${entry.author} ${entry.sequence}`, entry]));
      const terms = (author: string) =>
        new Set([...known.values()].filter((own) => own.author === author).map(({ term }) => term)).size;
      expect(authors.every((author) => (kind === 'inflation' ? terms(author) > 1 : terms(author) === 1))).toBe(true);
      const bottom = [...known.values()].filter(({ item, results }) => item === results?.at(-1)).length;
      if (kind === 'inflation') expect(bottom).toBeLessThan(0.8 * known.size);
      else expect(bottom).toBe(known.size);
    }
    expect(e.attackOn(100, 'targeted')).toEqual({ attackers: 10, queries: 100, terms: 'one', click: 'bottom' });
    expect(e.attackOn(100, 'inflation')).toEqual({ attackers: 10, queries: 1000, terms: 'random', click: 'random' });
    expect(e.attackOn(100, 'epic')).toEqual({ attackers: 300, queries: 100, terms: 'one', click: 'bottom' });
  });

  test('peers that are cut off go on ranking by what they have', () => {
    const sim = simulation({ cutOff: 3 });
    sim.run();
    const sizes = sim.peers.map(({ log }) => log.size);
    expect(Math.max(...sizes.slice(0, 3))).toBeLessThan(Math.min(...sizes.slice(3)));
    for (const peer of sim.peers.slice(0, 3))
      for (const term of sim.terms) expect(peer.rank(term).length).toBeGreaterThan(0);
    const later = sim.global.entries.filter(({ author, time }) => author === 'p0000' && time > 200);
    expect(later.length).toBeGreaterThan(5);
    expect((sim.peers[0] as e.GRankPeer).log.has(later.at(-1) as e.ClickEntry)).toBe(true);
    expect((sim.peers[5] as e.GRankPeer).log.has(later.at(-1) as e.ClickEntry)).toBe(false);
  });

  test('a ranking reads nothing but the log and the library of its peer', () => {
    const sim = simulation();
    sim.run();
    const peer = sim.peers[4] as e.GRankPeer;
    const alone = new e.GRankPeer(peer.id, new e.ItemLibrary(e.catalogueDomain, libraryOf(peer)), new Random(9), {
      isolation: 1,
    });
    alone.receive(JSON.parse(JSON.stringify(peer.log.entries)));
    for (const term of sim.terms) expect(alone.rank(term)).toEqual(peer.rank(term));
  });

  test('without items or terms there is none', () => {
    expect(() => new e.PeerSimulation(e.catalogueDomain, [], ['t'], new Random(1))).toThrow('got 0 and 1');
  });
});

const libraryOf = ({ library }: e.GRankPeer) => library.items.map(({ id, title, tags }) => ({ id, title, tags }));
