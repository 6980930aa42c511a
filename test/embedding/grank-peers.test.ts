import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  entryFrames,
  FRAME_BYTES,
  PULL_ENTRIES,
  readEntries,
  readRequest,
  requestFrame,
} from '../../src/embedding/grank/frames.js';
import * as e from '../../src/embedding/index.js';
import { ClickLogFile } from '../../src/embedding/node.js';
import { Random } from '../../src/tensor/index.js';

/** Signatures that only the tests can make: SHA-256 of the author and the bytes. */
async function digest(author: string, bytes: Uint8Array): Promise<Uint8Array> {
  const name = new TextEncoder().encode(`${author}\n`);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from([...name, ...bytes])));
}
const signerOf = (id: string): e.Signer => ({ id, sign: (bytes) => digest(id, bytes) });
const verify: e.Verify = async (author, bytes, signature) => {
  const expected = await digest(author, bytes);
  return expected.length === signature.length && expected.every((byte, at) => byte === signature[at]);
};

const NOW = Date.UTC(2026, 0, 5, 12);
const entry = (sequence: number, changes: Partial<e.ClickEntry> = {}): e.ClickEntry => ({
  ...{ author: 'ann', sequence, term: 'ambient', item: `i${sequence % 3}`, title: 'T', tags: ['ambient'], time: NOW },
  ...changes,
});
const signed = (own: e.ClickEntry) => e.signEntry(own, signerOf(own.author));
const library = new e.ItemLibrary(e.catalogueDomain, [{ id: 'i1', title: 'One', tags: ['ambient'] }]);

function door(options: e.IntakeOptions = {}) {
  const peer = new e.GRankPeer('me', library, new Random(1));
  const kept: e.SignedEntry[] = [];
  const own = { now: () => NOW, onAccept: (entries: readonly e.SignedEntry[]) => kept.push(...entries), ...options };
  return { peer, kept, intake: new e.EntryIntake(peer, verify, own) };
}
const none = { accepted: 0, known: 0, gaps: 0, excess: 0, forged: 0, malformed: 0 };

describe('entries of others', () => {
  test('are taken in once, in the order of their author, and kept', async () => {
    const { peer, kept, intake } = door();
    const [one, two, three] = await Promise.all([signed(entry(1)), signed(entry(2)), signed(entry(3))]);
    expect(await intake.take([one, two, one])).toEqual({ ...none, accepted: 2, known: 1 });
    expect(await intake.take([two, three])).toEqual({ ...none, accepted: 1, known: 1 });
    expect(peer.log.entries).toEqual([one, two, three]);
    expect(kept).toEqual([one, two, three]);
    expect(peer.rank('ambient')[0]?.score).toBe(1);
  });

  test('behind a gap wait until it is closed', async () => {
    const { peer, intake } = door();
    const [one, two] = [await signed(entry(1)), await signed(entry(2))];
    expect(await intake.take([two])).toEqual({ ...none, gaps: 1 });
    expect(peer.log.size).toBe(0);
    expect(await intake.take([one, two])).toEqual({ ...none, accepted: 2 });
  });

  test('that are forged, changed, unsigned or of another author are dropped', async () => {
    const { peer, kept, intake } = door();
    const one = await signed(entry(1));
    const { signature, ...unsigned } = one;
    const changes: Partial<e.SignedEntry>[] = [
      ...[{ term: 'pop' }, { item: 'x' }, { title: 'U' }, { tags: [] }, { time: NOW - 1 }, { author: 'bob' }],
      ...[{ results: ['i1'] }, { signature: 'AAAA' }, { signature: '!' }],
    ];
    for (const change of changes) expect(await intake.take([{ ...one, ...change }])).toEqual({ ...none, forged: 1 });
    expect(await intake.take([unsigned])).toEqual({ ...none, malformed: 1 });
    expect([peer.log.size, kept.length]).toEqual([0, 0]);
    expect(await intake.take([{ ...one, more: 'x'.repeat(99), seenBefore: true }])).toEqual({ ...none, accepted: 1 });
    expect(kept).toEqual([{ ...unsigned, signature }]);
  });

  test('that are malformed or oversize are dropped, whatever they are', async () => {
    const { peer, intake } = door();
    const one = await signed(entry(1));
    const bad: unknown[] = [
      ...[null, 5, 'x', [], {}, { ...one, sequence: 0 }, { ...one, sequence: 1.5 }, { ...one, sequence: '1' }],
      ...[
        { ...one, author: '' },
        { ...one, author: 'a'.repeat(129) },
        { ...one, term: 'x'.repeat(201) },
      ],
      ...[
        { ...one, title: 'x'.repeat(301) },
        { ...one, tags: 'ambient' },
        { ...one, tags: Array(33).fill('a') },
      ],
      ...[
        { ...one, tags: ['x'.repeat(65)] },
        { ...one, tags: [1] },
        { ...one, results: Array(101).fill('a') },
      ],
      ...[
        { ...one, time: -1 },
        { ...one, time: Number.MAX_VALUE },
        { ...one, item: null },
      ],
      ...[
        { ...one, title: 'T\u001b[2J' },
        { ...one, tags: ['a\nb'] },
        { ...one, item: 'i\u0000' },
        { ...one, title: '\u202egpj.exe' },
      ],
      { ...one, results: Array(100).fill('é'.repeat(200)) },
    ];
    expect(await intake.take(bad)).toEqual({ ...none, malformed: bad.length });
    const late = await signed(entry(1, { time: NOW + 2 * 3_600_000 }));
    expect(await intake.take([late])).toEqual({ ...none, malformed: 1 });
    expect(peer.log.size).toBe(0);
  });

  test('of one author beyond the limit of a day wait for the next', async () => {
    let now = NOW;
    const { peer, intake } = door({ perDay: 3, now: () => now });
    const all = await Promise.all(Array.from({ length: 5 }, (_, at) => signed(entry(at + 1))));
    const other = await signed(entry(1, { author: 'bob' }));
    expect(await intake.take([...all, other])).toEqual({ ...none, accepted: 4, excess: 1, gaps: 1 });
    now += 86_400_000;
    expect(await intake.take(all)).toEqual({ ...none, accepted: 2, known: 3 });
    expect(peer.log.size).toBe(6);
  });

  test('taken in twice at once count once', async () => {
    const { peer, kept, intake } = door();
    const all = await Promise.all(Array.from({ length: 6 }, (_, at) => signed(entry(at + 1))));
    const reports = await Promise.all([intake.take(all), intake.take(all), intake.take(all)]);
    expect(reports.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(6);
    expect([peer.log.size, kept.length]).toEqual([6, 6]);
  });

  test('of one’s own are shortened to the limits and hold no results', async () => {
    const long = entry(1, { title: 'x'.repeat(500), tags: Array(50).fill('y'.repeat(99)), results: ['i1'] });
    const plain = await signed(entry(1, { title: 'A\tB\u001b[1m', tags: ['x\ny'] }));
    expect([plain.title, plain.tags]).toEqual(['A B [1m', ['x y']]);
    const own = await signed(long);
    expect([own.title.length, own.tags.length, own.tags[0]?.length, own.results]).toEqual([300, 32, 64, undefined]);
    expect((await door().intake.take([own])).accepted).toBe(1);
  });
});

describe('frames', () => {
  test('a request names the last known clicks', () => {
    expect(readRequest(requestFrame({ ann: 3, bob: 0 }))).toEqual({ ann: 3, bob: 0 });
    const bytes = (text: string) => new TextEncoder().encode(text);
    for (const [text, message] of [
      ['{"v":2,"since":{}}', 'version 1'],
      ['{"v":1,"since":[]}', 'numbers of clicks by author'],
      ['{"v":1,"since":{"ann":-1}}', 'numbers of clicks'],
      ['[]', 'must be an object'],
      ['{', 'JSON'],
    ] as const)
      expect(() => readRequest(bytes(text))).toThrow(message);
    expect(() => readRequest(Uint8Array.of(0xff))).toThrow();
    expect(() => readEntries(bytes('{"entries":5}'))).toThrow('must hold entries');
  });

  test('entries fill frames of at most 64 KB, up to a number, and an end', async () => {
    const one = await signed(entry(1, { title: 'é'.repeat(300) }));
    const frames = [...entryFrames(Array(300).fill(one))];
    expect(Math.max(...frames.map(({ length }) => length))).toBeLessThanOrEqual(FRAME_BYTES);
    expect(frames.length).toBeGreaterThan(4);
    const read = frames.map(readEntries);
    expect(read.at(-1)).toBeUndefined();
    expect(read.slice(0, -1).flat()).toEqual(Array(300).fill(one));
    const many = [...entryFrames(Array(PULL_ENTRIES + 9).fill(entry(1)))].flatMap((frame) => readEntries(frame) ?? []);
    expect(many).toHaveLength(PULL_ENTRIES);
  });
});

describe('the log as a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gossamer-clicks-'));
  const path = (name: string) => join(folder, name, 'clicks.log');
  const written = async (name: string, count: number) => {
    const file = ClickLogFile.open(path(name), 'me');
    const entries: e.SignedEntry[] = [];
    for (let at = 1; at <= count; at++)
      entries.push(await signed(entry(at, { author: at % 2 ? 'ann' : 'me', sequence: Math.ceil(at / 2) })));
    file.append(entries);
    file.close();
    return entries;
  };

  test('holds what was appended, when it is opened again', async () => {
    const entries = await written('again', 9);
    const file = ClickLogFile.open(path('again'), 'me');
    expect([file.log.entries, file.torn]).toEqual([entries, 0]);
    file.append([await signed(entry(6))]);
    file.close();
    expect(ClickLogFile.open(path('again'), 'me').log.size).toBe(10);
  });

  test('a torn last line is cut off, and the next one is whole', async () => {
    const entries = await written('torn', 4);
    appendFileSync(path('torn'), '{"author":"ann","sequ');
    const file = ClickLogFile.open(path('torn'), 'me');
    expect([file.torn, file.log.entries.length]).toEqual([21, 4]);
    file.append([await signed(entry(3))]);
    file.close();
    const lines = readFileSync(path('torn'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(6);
    expect(ClickLogFile.open(path('torn'), 'me').log.entries.slice(0, 4)).toEqual(entries);
  });

  test('damage within is named, and other files are refused', async () => {
    await written('damaged', 4);
    const text = readFileSync(path('damaged'), 'utf8').split('\n');
    writeFileSync(path('damaged'), [...text.slice(0, 2), '{"author":5}', ...text.slice(3)].join('\n'));
    expect(() => ClickLogFile.open(path('damaged'), 'me')).toThrow('clicks.log", line 3: "author" must be a text');
    writeFileSync(path('damaged'), '{"format":"other"}\n');
    expect(() => ClickLogFile.open(path('damaged'), 'me')).toThrow('not a click log of gossamer peer');
    writeFileSync(path('damaged'), '{"format":"gossamer click log","version":9}\n');
    expect(() => ClickLogFile.open(path('damaged'), 'me')).toThrow('a click log of version 9');
    writeFileSync(path('damaged'), 'nothing');
    expect(() => ClickLogFile.open(path('damaged'), 'me')).toThrow('it has no header');
  });

  test('compacted, it ranks alike, keeps what is its own, and answers what follows', async () => {
    const entries = await written('compact', 60);
    const ranking = (log: e.ClickLog) => new e.GRankPeer('me', library, new Random(1), { log }).rank('ambient');
    const before = ranking(ClickLogFile.open(path('compact'), 'me').log);
    const file = ClickLogFile.open(path('compact'), 'me', { compactAt: 50, keep: 4 });
    expect(file.log.entries).toEqual(entries.filter(({ author, sequence }) => author === 'me' || sequence > 26));
    file.append([await signed(entry(31))]);
    file.close();
    const lines = readFileSync(path('compact'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(1 + 1 + 34 + 1);
    const again = ClickLogFile.open(path('compact'), 'me', { compactAt: 50 }).log;
    expect([again.size, again.contiguous('ann')]).toEqual([61, 31]);
    expect(ranking(file.log)).toEqual(before);
    expect(again.of('ann')?.items).toEqual(file.log.of('ann')?.items);
    const peer = new e.GRankPeer('me', library, new Random(1), { log: again });
    const answers = (since: number) => [...peer.entriesSince({ ann: since, me: 30 })].map(({ sequence }) => sequence);
    expect(answers(26)).toEqual([27, 28, 29, 30, 31]);
    expect(answers(25)).toEqual([]);
    // Compacted twice, counts go on from those that were there.
    const twice = ClickLogFile.open(path('compact'), 'me', { compactAt: 10, keep: 2 });
    expect([twice.log.size, twice.log.of('ann')?.entries.length]).toEqual([61, 2]);
    twice.close();
    expect(ranking(ClickLogFile.open(path('compact'), 'me').log)).toEqual(ranking(again));
  });
});

describe('a peer at work', () => {
  const service = (id: string, extra: Partial<e.PeerServiceOptions> = {}) => {
    const peer = new e.GRankPeer(id, library, new Random(2), { noise: 0 });
    const kept: e.SignedEntry[] = [];
    const keep = (entries: readonly e.SignedEntry[]) => {
      kept.push(...entries);
    };
    return { peer, kept, service: new e.PeerService({ peer, signer: signerOf(id), keep, ...extra }) };
  };

  test('signs its clicks, which have consecutive numbers even when made at once', async () => {
    const { peer, kept, service: own } = service('me');
    await Promise.all([own.click('Ambient', 'i1'), own.click('drone', 'i1'), own.click('ambient', 'i1')]);
    expect(kept.map(({ sequence, term }) => [sequence, term])).toEqual([
      [1, 'ambient'],
      [2, 'drone'],
      [3, 'ambient'],
    ]);
    expect(peer.log.entries).toEqual(kept);
    expect((await door({ now: Date.now }).intake.take(kept)).accepted).toBe(3);
    await expect(own.click('ambient', 'i7')).rejects.toThrow('no item "i7" is known here');
    await expect(own.click('?!', 'i1')).rejects.toThrow('the query "?!" has no word');
    expect((await own.click('again', 'i1')).sequence).toBe(4);
  });

  test('a click that cannot be kept is not counted', async () => {
    let fails = true;
    const { peer, service: own } = service('me', {
      keep: () => {
        if (fails) throw new Error('disk is full');
      },
    });
    await expect(own.click('ambient', 'i1')).rejects.toThrow('disk is full');
    expect(peer.log.size).toBe(0);
    fails = false;
    expect((await own.click('ambient', 'i1')).sequence).toBe(1);
  });

  test('asks one peer at a time, and searches without waiting for it', async () => {
    const asked: string[] = [];
    let release: (value: number) => void = () => undefined;
    const transport: e.GossipTransport = {
      pull: (_, other) => {
        asked.push(other);
        return new Promise((resolve) => {
          release = resolve;
        });
      },
    };
    const { peer, service: own } = service('me', { transport });
    expect(await own.gossip()).toBeUndefined();
    peer.meet('ann');
    expect(own.search('ambient').shown.map(({ id }) => id)).toEqual(['i1']);
    own.search('ambient');
    const both = [own.gossip(), own.gossip()];
    await Promise.resolve();
    expect(asked).toEqual(['ann']);
    release(5);
    expect(await Promise.all(both)).toEqual([5, 5]);
    await own.settled();
    void own.gossip();
    expect(asked).toEqual(['ann', 'ann']);
  });
});
