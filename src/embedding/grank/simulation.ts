// Peers that search, click and gossip in one process, as in Section IV: at each tick a random peer
// asks for a random term, clicks a result, and pulls from a peer that it knows.

import type { Random } from '../../tensor/index.js';
import { type Attack, AttackingPeer } from './attacks.js';
import { type ClickEntry, ClickLog } from './click-log.js';
import { compareIds, type Domain, type ItemDescription, ItemLibrary } from './domain.js';
import { globalPlaces, itemsByCounts, positionalDistance } from './measures.js';
import { type GRankOptions, GRankPeer, type SearchResult } from './peer.js';
import type { RankedItem } from './rank.js';
import { SimTransport } from './transport.js';

/** What a user asks for and clicks. */
export interface SimulatedUser {
  /** What the user asks for, each alike often. */
  readonly terms: readonly string[];
  /** The result to click. */
  click(result: SearchResult): RankedItem | undefined;
}

/** Makes a peer of a simulation. */
export type MakePeer = (id: string, library: ItemLibrary, random: Random, options: GRankOptions) => GRankPeer;

/** Options of `PeerSimulation`. */
export interface SimulationOptions extends Pick<GRankOptions, 'isolation' | 'similarity' | 'noise'> {
  /** Honest peers. Default: 100. */
  readonly peers?: number;
  /** Searches. Default: 10,000. */
  readonly ticks?: number;
  /** How entries move. Default: 'pull'. */
  readonly gossip?: 'pull' | 'push' | 'none';
  /** Who takes in what is pushed: all (text), or every second peer (notebook). Default: 'all'. */
  readonly acceptPush?: 'all' | 'half';
  /**
   * `paper`: the user clicks the top result. `notebook`: for a known term the matching result of
   * the lowest identifier, wherever it stands. Default: 'paper'.
   */
  readonly click?: 'paper' | 'notebook';
  /**
   * First clicks and first entries of others. `notebook`: clicks on any items of a term, and a
   * sample of the log of an earlier peer. `paper`: clicks on items of the own library, and a tenth
   * of those clicks for the peer before. Default: 'notebook'.
   */
  readonly start?: 'notebook' | 'paper';
  /** Share of the items that each peer holds. Default: 0.1. */
  readonly libraryShare?: number;
  /** Share of a log that a new peer is given. Default: 0.1. */
  readonly bootstrapShare?: number;
  /** Attackers, who join after a quarter of the ticks and attack after half. Default: none. */
  readonly attack?: Attack;
  /** Honest peers that are cut off from the network after half of the ticks. Default: 0. */
  readonly cutOff?: number;
  /** Ticks between measurements. Default: 100. */
  readonly measureEvery?: number;
  /** Whether bytes of messages are counted. Default: true. */
  readonly countBytes?: boolean;
  /** Makes the honest peers. Default: `GRankPeer`. */
  readonly makePeer?: MakePeer;
  /** Makes the users of the honest peers. Default: all terms, clicks as `click` says. */
  readonly makeUser?: (peer: number, terms: readonly string[], random: Random) => SimulatedUser;
}

/** A measurement over the honest peers. */
export interface SimulationPoint {
  /** Ticks that are over. */
  readonly tick: number;
  /**
   * Positional distance of the ranking by the counts of the own log to that by all honest clicks,
   * each with the matching items that lack clicks after the others; mean over peers and terms.
   */
  readonly counts: number;
  /** The same of the ranking that the peer makes, without noise, and then all other items. */
  readonly ranked: number;
  /** Share of peers and terms whose first item is that of the ranking by all honest clicks. */
  readonly top: number;
  /** Share of the searches since the last measurement that showed that item. */
  readonly shown: number;
  /** Share of them that showed it on top. */
  readonly shownOnTop: number;
  /** Mean entries of a log. */
  readonly logSize: number;
  /** Mean bytes of a message since the last measurement. */
  readonly messageBytes: number;
}

/** Defaults of `SimulationOptions`. */
export const simulationDefaults = {
  peers: 100,
  ticks: 10_000,
  gossip: 'pull',
  acceptPush: 'all',
  click: 'paper',
  start: 'notebook',
  libraryShare: 0.1,
  bootstrapShare: 0.1,
  cutOff: 0,
  measureEvery: 100,
  countBytes: true,
} as const satisfies SimulationOptions;

type Settings = SimulationOptions & Required<Pick<SimulationOptions, keyof typeof simulationDefaults>>;

interface Member {
  readonly peer: GRankPeer;
  readonly user: SimulatedUser;
}

/** A network of simulated peers. */
export class PeerSimulation<Item> {
  /** Options with their defaults. */
  readonly options: Settings;
  /** Carries entries, and counts them. */
  readonly transport: SimTransport;
  /** All clicks of honest peers: what a central log would hold. */
  readonly global = new ClickLog();
  /** All items. */
  readonly catalogue: ItemLibrary<Item>;
  readonly #honest: Member[] = [];
  readonly #attackers: AttackingPeer[] = [];
  readonly #points: SimulationPoint[] = [];
  #searches = { all: 0, shown: 0, onTop: 0 };
  #sent = { messages: 0, bytes: 0 };

  /**
   * @param terms queries that users make, normalised
   * @throws Error when there are no items or terms
   */
  constructor(
    readonly domain: Domain<Item>,
    readonly items: readonly Item[],
    readonly terms: readonly string[],
    readonly random: Random,
    options: SimulationOptions = {},
  ) {
    if (items.length === 0 || terms.length === 0)
      throw new Error(`PeerSimulation: expected items and terms, got ${items.length} and ${terms.length}`);
    this.options = { ...simulationDefaults, ...options };
    this.transport = new SimTransport(this.options.countBytes);
    this.catalogue = new ItemLibrary(domain, items);
    for (let at = 0; at < this.options.peers; at++) this.#honest.push(this.#member(at));
    for (const [at, member] of this.#honest.entries()) this.#firstClicks(member, random.split('first').split(at));
    this.#bootstrap(random.split('bootstrap'));
  }

  /** The honest peers. */
  get peers(): readonly GRankPeer[] {
    return this.#honest.map(({ peer }) => peer);
  }

  /** Measurements so far; the first is before the first tick. */
  get points(): readonly SimulationPoint[] {
    return this.#points;
  }

  /**
   * Runs all ticks.
   *
   * @param onProgress called after each measurement with the share that is done
   */
  run(onProgress?: (share: number) => void): readonly SimulationPoint[] {
    const { ticks, attack, cutOff, measureEvery } = this.options;
    const events = this.random.split('events');
    this.#points.push(this.measure(0));
    for (let tick = 0; tick < ticks; tick++) {
      if (attack && tick === Math.floor(ticks / 4)) this.#join(attack);
      if (tick === Math.floor(ticks / 2)) {
        if (attack) for (const attacker of this.#attackers) this.#strike(attacker, tick);
        for (const { peer } of this.#honest.slice(0, cutOff)) this.transport.setOnline(peer.id, false);
      }
      const active = tick >= ticks / 2 ? this.#honest.length + this.#attackers.length : this.#honest.length;
      this.#tick(events.integer(active), events.float(), tick);
      if ((tick + 1) % measureEvery === 0 || tick + 1 === ticks) {
        this.#points.push(this.measure(tick + 1));
        onProgress?.((tick + 1) / ticks);
      }
    }
    return this.#points;
  }

  #member(at: number): Member {
    const { items, options, random } = this;
    const own = random.split('library').split(at);
    const held = own.permutation(items.length).slice(0, Math.max(1, Math.round(options.libraryShare * items.length)));
    const library = new ItemLibrary(
      this.domain,
      [...held].map((item) => items[item] as Item),
    );
    const { isolation, similarity, noise } = options;
    const given = {
      ...(isolation !== undefined && { isolation }),
      ...(similarity && { similarity }),
      ...(noise !== undefined && { noise }),
    };
    const make = options.makePeer ?? ((...all) => new GRankPeer(...all));
    const peer = make(nameOf('p', at), library, random.split('peer').split(at), given);
    this.transport.join(peer.id, peer);
    const user = options.makeUser?.(at, this.terms, random.split('user').split(at)) ?? this.#usualUser();
    return { peer, user };
  }

  #usualUser(): SimulatedUser {
    const isPaper = this.options.click === 'paper';
    return {
      terms: this.terms,
      click: ({ seenBefore, shown }) => (isPaper || !seenBefore ? shown[0] : lowestMatch(shown)),
    };
  }

  /** One click for each term of the user. */
  #firstClicks({ peer, user }: Member, random: Random): void {
    for (const term of user.terms) {
      const local = peer.library.matching(term);
      const all = this.catalogue.matching(term);
      const matching = this.options.start === 'paper' ? local : all;
      const items = matching.length > 0 ? matching : peer.library.items;
      const result = {
        term,
        seenBefore: false,
        shown: items.map((item) => ({ ...item, score: 0, matches: true })),
      };
      const item = this.options.makeUser
        ? user.click({ ...result, shown: shuffled(result.shown, random) })
        : drawn(items, random);
      if (item) this.#append(peer, item, term, 0);
    }
  }

  #append(peer: GRankPeer, { id, title, tags }: ItemDescription, term: string, time: number): void {
    const sequence = peer.log.contiguous(peer.id) + 1;
    const entry: ClickEntry = { author: peer.id, sequence, term, item: id, title, tags, time, seenBefore: false };
    peer.log.append(entry);
    this.global.append(entry);
  }

  #bootstrap(random: Random): void {
    if (this.options.gossip === 'none') return;
    const { start, bootstrapShare } = this.options;
    for (const [at, { peer }] of this.#honest.entries()) {
      const before = at > 0 ? at - 1 : this.#honest.length - 1;
      if (start === 'paper') {
        const receiver = this.#honest[before] as Member;
        const own = (peer.log.of(peer.id)?.entries ?? []) as readonly ClickEntry[];
        const order = random.permutation(Math.max(1, own.length)).slice(0, Math.ceil(bootstrapShare * own.length));
        receiver.peer.receive([...order].flatMap((entry) => own[entry] ?? []));
        receiver.peer.meet(peer.id);
      } else if (at > 0) this.#start(peer, (this.#honest[random.integer(at)] as Member).peer, random);
    }
    const [first, ...others] = this.#honest as [Member, ...Member[]];
    if (start === 'notebook' && others.length > 0)
      this.#start(first.peer, (others[random.integer(others.length)] as Member).peer, random);
  }

  /** A new peer gets a share of the log of another, which it knows from then on. */
  #start(peer: GRankPeer, from: GRankPeer, random: Random): void {
    peer.meet(from.id);
    peer.receive(from.sample(this.options.bootstrapShare, random));
  }

  #join(attack: Attack): void {
    const random = this.random.split('attack');
    for (let at = 0; at < attack.attackers; at++) {
      const library = this.#honest[random.integer(this.#honest.length)]?.peer.library as ItemLibrary;
      const attacker = new AttackingPeer(nameOf('x', at), library, attack, this.terms, random.split(at));
      this.transport.join(attacker.id, attacker);
      this.#start(attacker, this.#honest[random.integer(this.#honest.length)]?.peer as GRankPeer, random);
      this.#attackers.push(attacker);
    }
  }

  #strike(attacker: AttackingPeer, tick: number): void {
    for (let query = 0; query < attacker.attack.queries; query++) attacker.strike(tick);
    if (this.options.gossip === 'push') this.#push(attacker, 2);
    else this.#pull(attacker);
  }

  /** A peer searches, its user clicks, and it gossips. */
  #tick(at: number, choice: number, tick: number): void {
    const member = this.#honest[at];
    if (!member) {
      const attacker = this.#attackers[at - this.#honest.length] as AttackingPeer;
      attacker.strike(tick);
      this.#gossip(attacker, 2);
      return;
    }
    const { peer, user } = member;
    const term = user.terms[Math.floor(choice * user.terms.length)] as string;
    const result = peer.search(term);
    const best = itemsByCounts(this.global, term)[0];
    this.#searches.all++;
    if (result.shown.some(({ id }) => id === best)) this.#searches.shown++;
    if (result.shown[0]?.id === best) this.#searches.onTop++;
    const clicked = user.click(result);
    if (clicked) this.global.append(peer.click(result, clicked.id, tick + 1));
    this.#gossip(peer, 1);
  }

  #gossip(peer: GRankPeer, pushes: number): void {
    if (this.options.gossip === 'pull') this.#pull(peer);
    else if (this.options.gossip === 'push') this.#push(peer, pushes);
  }

  #pull(peer: GRankPeer): void {
    const other = peer.drawPeer();
    if (other !== undefined) this.transport.pull(peer, other);
  }

  #push(peer: GRankPeer, count: number): void {
    for (let each = 0; each < count; each++) {
      const other = peer.drawPeer();
      if (other === undefined || (this.options.acceptPush === 'half' && isEven(other))) continue;
      this.transport.push(peer, other);
    }
  }

  /**
   * Measures now; what was searched since the last measurement counts.
   *
   * @param peers whose rankings are measured
   */
  measure(tick: number, peers: readonly GRankPeer[] = this.peers): SimulationPoint {
    const sums = { counts: 0, ranked: 0, top: 0, logSize: 0 };
    let places = 0;
    for (const term of this.terms) {
      const global = globalPlaces(this.global, this.catalogue, term);
      const [best] = global.keys();
      const matching = this.catalogue.matching(term).map(({ id }) => id);
      for (const peer of peers) {
        const ranked = peer.rank(term).map(({ id }) => id);
        const own = globalPlaces(peer.log, this.catalogue, term);
        sums.counts += positionalDistance([...own.keys()], global);
        sums.ranked += positionalDistance([...new Set([...ranked, ...matching])], global);
        if (ranked[0] === best) sums.top++;
        places++;
      }
    }
    for (const peer of peers) sums.logSize += peer.log.size / peers.length;
    const { all, shown, onTop } = this.#searches;
    const { messages, bytes } = this.transport;
    const share = (count: number) => (all === 0 ? Number.NaN : count / all);
    const point = {
      tick,
      counts: sums.counts / places,
      ranked: sums.ranked / places,
      top: sums.top / places,
      shown: share(shown),
      shownOnTop: share(onTop),
      logSize: sums.logSize,
      messageBytes:
        messages === this.#sent.messages ? 0 : (bytes - this.#sent.bytes) / (messages - this.#sent.messages),
    };
    this.#searches = { all: 0, shown: 0, onTop: 0 };
    this.#sent = { messages, bytes };
    return point;
  }
}

const nameOf = (letter: string, at: number) => `${letter}${String(at).padStart(4, '0')}`;
const isEven = (peer: string) => Number(peer.slice(1)) % 2 === 0;
const drawn = <Value>(values: readonly Value[], random: Random) => values[random.integer(values.length)];
const shuffled = <Value>(values: readonly Value[], random: Random) =>
  [...random.permutation(values.length)].map((at) => values[at] as Value);

function lowestMatch(shown: readonly RankedItem[]): RankedItem | undefined {
  const matching = shown.filter(({ matches }) => matches);
  return matching.length > 0 ? matching.reduce((a, b) => (compareIds(a.id, b.id) <= 0 ? a : b)) : shown[0];
}
