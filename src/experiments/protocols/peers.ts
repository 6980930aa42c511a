// Ranking among peers: items and queries of several domains, and the ways of ranking that see the
// same searches.

import { loadLabelledTexts, loadTable } from '../../data/node.js';
import {
  type Attack,
  attackOn,
  ClickLog,
  catalogueDomain,
  type Domain,
  type GRankOptions,
  GRankPeer,
  itemsOfTable,
  type MakePeer,
  type NumberedItem,
  namedColumns,
  PeerSimulation,
  plainWords,
  type RankedItem,
  rangeDomain,
  type SimulationOptions,
  type SimulationPoint,
  syntheticReleases,
  textDomain,
} from '../../embedding/index.js';
import type { Random } from '../../tensor/index.js';
import type { Metric, RunContext, Scores } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { count, type OptionValues } from '../parts/options.js';

export const peerOptions = {
  peers: count(50, 'honest peers', { smoke: 12, minimum: 4 }),
  ticks: count(4000, 'searches', { smoke: 240, minimum: 16 }),
  terms: count(39, 'queries', { smoke: 8, minimum: 2 }),
};

export type PeerOptions = OptionValues<typeof peerOptions>;

/** Items and queries of a domain. */
export interface PeerDomain<Item = unknown> {
  readonly domain: Domain<Item>;
  readonly items: readonly Item[];
  readonly terms: readonly string[];
}

/** A data set: a domain drawn for each seed. */
export interface PeerData {
  readonly name: string;
  draw(random: Random): PeerDomain;
}

/** Items that a query finds, of the synthetic sets and of texts: as many as a tag of the paper. */
const FOUND = { least: 10, most: 28 };

/** 200 items with a number each, and queries that are ranges of 10 to 28 of them. */
function synthesizedPrices(random: Random, terms: number): PeerDomain<NumberedItem> {
  const values = Array.from({ length: 200 }, () => Math.round(100 * 1000 ** random.float()) / 100).sort(
    (a, b) => a - b,
  );
  const items = values.map((value, id) => ({ id: String(id), title: `Item ${id}`, value }));
  const ranges = new Set<string>();
  while (ranges.size < terms) {
    const length = FOUND.least + random.integer(FOUND.most - FOUND.least + 1);
    const first = random.integer(values.length - length + 1);
    ranges.add(rangeDomain.normalise(`${values[first]}..${values[first + length - 1]}`));
  }
  return { domain: rangeDomain, items, terms: [...ranges] };
}

/** 200 of some texts, and words that 10 to 28 of them hold. */
function drawnTexts(texts: readonly string[], random: Random, terms: number): PeerDomain<{ id: string; text: string }> {
  const chosen = [...random.permutation(texts.length).slice(0, 200)];
  const items = chosen.map((at) => ({ id: String(at), text: texts[at] as string }));
  const counts = new Map<string, number>();
  for (const { text } of items)
    for (const word of new Set(plainWords(text).split(' '))) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts].filter(([word, found]) => word.length > 3 && found >= FOUND.least && found <= FOUND.most);
  const order = [...random.permutation(words.length)].map((at) => (words[at] as [string, number])[0]);
  return { domain: textDomain, items, terms: order.slice(0, terms) };
}

/** A known set by name, or a table of items whose most frequent tags are the queries. */
export async function loadPeerData(source: string, { terms }: PeerOptions): Promise<PeerData> {
  if (source === 'releases')
    return {
      name: 'releases',
      draw(random) {
        const { items, tags } = syntheticReleases(random, { tags: Math.max(3, terms) });
        return { domain: catalogueDomain as Domain<unknown>, items, terms: tags.slice(0, terms) };
      },
    };
  if (source === 'prices')
    return { name: 'prices', draw: (random) => synthesizedPrices(random, terms) as unknown as PeerDomain };
  if (source === 'r8') {
    const { texts } = loadLabelledTexts('r8');
    return { name: 'r8', draw: (random) => drawnTexts(texts, random, terms) as unknown as PeerDomain };
  }
  const table = await loadTable(source, { categorical: (name) => namedColumns.includes(name) });
  const items = itemsOfTable(table);
  const counts = new Map<string, number>();
  for (const { tags } of items)
    for (const tag of new Set(tags.map(plainWords))) if (tag !== '') counts.set(tag, (counts.get(tag) ?? 0) + 1);
  const frequent = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([tag]) => tag);
  if (frequent.length < 2)
    throw new Error(`"${source}": the items have ${frequent.length} tags; at least 2 are queries`);
  const drawn = { domain: catalogueDomain as Domain<unknown>, items, terms: frequent.slice(0, terms) };
  return { name: source, draw: () => drawn };
}

export const describePeerData = ({ name, draw }: PeerData, random: Random) => {
  const { items, terms } = draw(random);
  return `${name}: ${items.length} items, ${terms.length} queries`;
};

export const peerMetrics: Readonly<Record<string, Metric>> = {
  end: { label: 'distance at the end', better: 'smaller' },
  start: { label: 'at the start', better: 'smaller' },
  quarter: { label: 'at 25 %', better: 'smaller' },
  half: { label: 'at 50 %', better: 'smaller' },
  ranked: { label: 'by score, at the end', better: 'smaller' },
  top: { label: 'first as all clicks have it, at the end', unit: '%', digits: 1, better: 'larger' },
  topQuarter: { label: 'at 25 %', unit: '%', digits: 1, better: 'larger' },
  onTop: { label: 'shown on top', unit: '%', digits: 1, better: 'larger' },
  log: { label: 'clicks in a log', digits: 0, better: 'neither' },
  message: { label: 'a message', unit: 'kB', digits: 0, better: 'smaller' },
};

/** Titles of the ways of ranking. */
export const titles = {
  one: 'G-Rank, F = 1',
  zero: 'G-Rank, F = 0',
  counts: 'counts without similarity',
  own: 'own clicks',
  random: 'random order',
  central: 'one central log',
} as const;

/** The title of an arm that differs from G-Rank in what happens to it. */
export const under = (isolation: 0 | 1, what: string) => `F = ${isolation}, ${what}`;
export const ATTACKS = ['targeted', 'inflation', 'epic'] as const;
export const PUSH = under(1, 'push, targeted');
export const CUT_OFF = under(1, 'cut off at 50 %');
/** Share of the peers that are cut off. */
const CUT_SHARE = 0.2;

/** Ranks by counts: every click weighs the same. */
class CountingPeer extends GRankPeer {
  override weight(): number {
    return 1;
  }
}

/** Ranks the same candidates in random order. */
class ShufflingPeer extends GRankPeer {
  readonly #order: Random;

  constructor(...[id, library, random, options]: Parameters<MakePeer>) {
    super(id, library, random, options);
    this.#order = random.split('order');
  }

  override rank(query: string): readonly RankedItem[] {
    const ranked = super.rank(query);
    if (ranked.length === 0) return ranked;
    return [...this.#order.permutation(ranked.length)].map((at) => ranked[at] as RankedItem);
  }
}

/** A way of ranking, or a fate of the network. */
interface PeerArm {
  readonly title: string;
  readonly options: SimulationOptions;
}

export const counting: MakePeer = (...all) => new CountingPeer(...all);

/** Ways of ranking that every domain is searched with. */
function plainArms(): PeerArm[] {
  return [
    { title: titles.one, options: { isolation: 1, countBytes: true } },
    { title: titles.zero, options: { isolation: 0 } },
    { title: titles.counts, options: { makePeer: counting } },
    { title: titles.random, options: { makePeer: (...all) => new ShufflingPeer(...all) } },
  ];
}

/** Ways of ranking without gossip: the own clicks, or all of them. */
function aloneArms(): PeerArm[] {
  const shared = new ClickLog();
  const central: MakePeer = (id, library, random, options) =>
    new CountingPeer(id, library, random, { ...options, log: shared } as GRankOptions);
  return [
    { title: titles.own, options: { gossip: 'none' } },
    { title: titles.central, options: { makePeer: central, gossip: 'none' } },
  ];
}

/** Attacks, pushes, and peers that are cut off. */
function troubledArms(peers: number): PeerArm[] {
  const attacked = (isolation: 0 | 1) =>
    ATTACKS.map((kind) => ({ title: under(isolation, kind), options: { isolation, attack: attackOn(peers, kind) } }));
  const attack: Attack = attackOn(peers, 'targeted');
  return [
    ...attacked(1),
    ...attacked(0),
    { title: PUSH, options: { isolation: 1, gossip: 'push', attack } },
    { title: CUT_OFF, options: { isolation: 1, cutOff: Math.round(CUT_SHARE * peers) } },
  ];
}

/** All arms: those of every domain, and with `trouble` those alone and in a troubled network. */
export function peerArms(peers: number, trouble: boolean): readonly PeerArm[] {
  return [...plainArms(), ...(trouble ? [...aloneArms(), ...troubledArms(peers)] : [])];
}

/** What a simulation gave. */
interface PeerRun {
  readonly simulation: PeerSimulation<unknown>;
  readonly points: readonly SimulationPoint[];
}

/** Measurements of a run. */
export const MEASUREMENTS = 8;

/** An arm as a method. */
export function peerMethod(
  { title, options }: PeerArm,
  { domain, items, terms }: PeerDomain,
  { peers, ticks }: PeerOptions,
  { random, signal }: RunContext,
): Method<PeerRun> {
  const measureEvery = Math.max(1, Math.floor(ticks / MEASUREMENTS));
  return {
    title,
    train({ progress }) {
      // All arms draw the same libraries, first clicks and searches.
      const given = { peers, ticks, measureEvery, countBytes: false, ...options };
      const simulation = new PeerSimulation(domain, items, terms, random.split('network'), given);
      const points = simulation.run((share) => {
        signal?.throwIfAborted();
        progress(share);
      });
      return { simulation, points };
    },
    score: ({ simulation, points }) => scoresOf(simulation, points),
  };
}

function scoresOf(simulation: PeerSimulation<unknown>, points: readonly SimulationPoint[]): Scores {
  const { ticks, cutOff } = simulation.options;
  const at = (share: number) => points.findLast(({ tick }) => tick <= share * ticks) as SimulationPoint;
  const distances = (from: number, to: number) =>
    points.filter(({ tick }) => tick > from * ticks && tick <= to * ticks).map(({ counts }) => counts);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const end = at(1);
  const cut = simulation.peers.slice(0, cutOff);
  const answered = () =>
    mean(cut.map((peer) => mean(simulation.terms.map((term) => Number(peer.rank(term).length > 0)))));
  return {
    ...{ start: at(0).counts, quarter: at(0.25).counts, half: at(0.5).counts, end: end.counts, ranked: end.ranked },
    ...{ top: 100 * end.top, topQuarter: 100 * at(0.25).top, onTop: 100 * end.shownOnTop, log: end.logSize },
    ...(end.messageBytes > 0 && { message: end.messageBytes / 1000 }),
    before: mean(distances(0, 0.5)),
    after: mean(distances(0.5, 0.75)),
    worst: Math.max(...distances(0.5, 1)),
    ...(cutOff > 0 && { cutTop: 100 * simulation.measure(ticks, cut).top, cutAnswered: 100 * answered() }),
  };
}
