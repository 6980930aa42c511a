// What ranking costs a device, and what it reads.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type CatalogueItem,
  type ClickEntry,
  catalogueDomain,
  GRankPeer,
  ItemLibrary,
  PeerSimulation,
  syntheticReleases,
} from '../../embedding/index.js';
import { Random } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import type { PeerData } from './peers.js';

/** Clicks of a log after 10,000 searches of 100 peers, as in the paper. */
const CLICKS = 14_000;
const AUTHORS = 100;
const NEW = 500;
const REPEATS = 40;

/** Clicks of so many peers on random items, author after author. */
function clicksOn(items: readonly CatalogueItem[], tags: readonly string[], random: Random): ClickEntry[] {
  return Array.from({ length: CLICKS }, (_, time) => {
    const term = tags[random.integer(tags.length)] as string;
    const matching = items.filter((item) => item.tags.includes(term));
    const item = (matching.length > 0 ? matching : items)[
      random.integer(Math.max(1, matching.length))
    ] as CatalogueItem;
    const author = `p${String(time % AUTHORS).padStart(3, '0')}`;
    return {
      ...item,
      id: undefined,
      author,
      sequence: Math.floor(time / AUTHORS) + 1,
      term,
      item: item.id,
      time,
    } as ClickEntry;
  });
}

/**
 * Milliseconds of a ranking with 14,000 clicks of 100 peers, after a click of one's own; of taking
 * in 500 clicks; and the memory of such a log.
 *
 * Scores: `rankMs`, `intakeMs`, `memoryMB`.
 */
export function costStudy(): StudyResults {
  const random = new Random(0).split('costs');
  const { items, tags } = syntheticReleases(random);
  const clicks = clicksOn(items, tags, random);
  const library = new ItemLibrary(catalogueDomain, items.slice(0, 25));
  const peerWith = (entries: readonly ClickEntry[]) => {
    const peer = new GRankPeer('p000', library, random.split('peer'));
    peer.receive(entries);
    return peer;
  };
  const peer = peerWith(clicks);
  let at = 0;
  const rankMs = median(() => {
    const term = tags[at % tags.length] as string;
    peer.click({ term }, String(at % items.length), CLICKS + at++);
    return () => peer.rank(term);
  });
  const intakeMs = median(() => {
    const own = peerWith(clicks.slice(0, -NEW));
    return () => own.receive(clicks.slice(-NEW));
  });
  const memory = memoryOf(() => peerWith(JSON.parse(JSON.stringify(clicks))));
  return studyOf(
    {
      title: `A device with ${CLICKS.toLocaleString('en')} clicks of ${AUTHORS} peers`,
      columns: ['what', 'cost'],
      rows: [
        ['ranking one query, after a click (ms)', rankMs.toFixed(2)],
        [`taking in ${NEW} clicks (ms)`, intakeMs.toFixed(2)],
        ['memory (MB)', memory.toFixed(1)],
      ],
      note: `The median of ${REPEATS}. After each new click all similarities are computed anew. Memory: growth of the collected heap by ten logs, a tenth of it.`,
    },
    { rankMs, intakeMs, memoryMB: memory },
  );
}

/** Milliseconds of what is prepared anew each time, the median. */
function median(prepare: () => () => unknown): number {
  const times = Array.from({ length: REPEATS }, () => {
    const body = prepare();
    const started = performance.now();
    body();
    return performance.now() - started;
  });
  return times.sort((a, b) => a - b)[REPEATS >> 1] as number;
}

/** Megabytes of the heap, without garbage, for one of ten that are made. */
export function memoryOf(make: () => unknown): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heap();
  const made = Array.from({ length: 10 }, make);
  const grown = heap() - before;
  return grown / made.length / 1e6;
}

/**
 * Rankings of peers in a network, and of the same peers with nothing but their own log and library.
 *
 * Scores: `local`, the share of rankings that are equal (%).
 */
export function localStudy(data: PeerData): StudyResults {
  const random = new Random(0).split('local');
  const { domain, items, terms } = data.draw(random.split('domain'));
  const options = { peers: 12, ticks: 240, measureEvery: 240, countBytes: false, isolation: 1 };
  const simulation = new PeerSimulation(domain, items, terms, random.split('network'), options);
  simulation.run();
  let [equal, all] = [0, 0];
  for (const { id, log, library } of simulation.peers) {
    const held = new Set(library.items.map((item) => item.id));
    const own = new ItemLibrary(
      domain,
      items.filter((item) => held.has(domain.describe(item).id)),
    );
    const alone = new GRankPeer(id, own);
    alone.receive(JSON.parse(JSON.stringify(log.entries)));
    const there = simulation.peers.find((peer) => peer.id === id) as GRankPeer;
    for (const term of terms) {
      all++;
      if (JSON.stringify(alone.rank(term)) === JSON.stringify(there.rank(term))) equal++;
    }
  }
  return studyOf(
    {
      title: 'What a ranking reads',
      columns: ['rankings', 'equal without the network (%)'],
      rows: [[all, ((100 * equal) / all).toFixed(1)]],
      note: 'Each peer of a small network, and a new peer with nothing but its log and its library.',
    },
    { local: (100 * equal) / all },
  );
}
