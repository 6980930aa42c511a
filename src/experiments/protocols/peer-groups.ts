// Whether similarity matters: two groups of users, each with a taste of its own.

import {
  ClickLog,
  type GRankPeer,
  itemsByCounts,
  PeerSimulation,
  type SimulationOptions,
} from '../../embedding/index.js';
import { Random } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { counting, type PeerData, type PeerOptions, titles } from './peers.js';

/** The group of a peer, or of an item by its identifier. */
const groupOf = (name: string) => Number(name.replace(/\D/g, '')) % 2;

/**
 * Peers of two groups, whose users click items of their group first and ask for half of the queries
 * alone. On the other half, the share of first results that are what their group clicks most.
 *
 * Scores: `groups` by title of the ranking.
 */
export function groupStudy(data: PeerData, { peers, ticks }: PeerOptions, seeds: readonly number[]): StudyResults {
  const arms: Readonly<Record<string, SimulationOptions>> = {
    [titles.zero]: { isolation: 0 },
    [titles.counts]: { makePeer: counting },
  };
  const rows = Object.entries(arms).map(([title, options]) => {
    const shares = seeds.map((seed) => favouriteShare(data, { peers, ticks, ...options }, new Random(seed)));
    return [title, (100 * shares.reduce((sum, share) => sum + share, 0)) / shares.length] as const;
  });
  return studyOf(
    {
      title: 'Two groups with tastes of their own',
      columns: ['ranking', 'first result is what the own group clicks most (%)'],
      rows: rows.map(([title, share]) => [title, share.toFixed(1)]),
      note: 'On queries that a peer has never made itself; mean of three seeds.',
    },
    Object.fromEntries(rows.map(([title, share]) => [`groups ${title}`, share])),
  );
}

function favouriteShare(data: PeerData, options: SimulationOptions, random: Random): number {
  const { domain, items, terms } = data.draw(random.split('domain'));
  const own: (readonly string[])[] = [];
  const simulation = new PeerSimulation(domain, items, terms, random.split('network'), {
    ...options,
    ...{ measureEvery: options.ticks as number, countBytes: false },
    makeUser(peer, all, draws) {
      const half = [...draws.permutation(all.length).slice(0, Math.ceil(all.length / 2))];
      own[peer] = half.map((at) => all[at] as string);
      return {
        terms: own[peer] as string[],
        click: ({ shown }) => shown.find(({ id }) => groupOf(id) === peer % 2) ?? shown[0],
      };
    },
  });
  simulation.run();
  const logs = [new ClickLog(), new ClickLog()];
  for (const entry of simulation.global.entries) logs[groupOf(entry.author)]?.append(entry);
  const outcomes = simulation.peers.flatMap((peer: GRankPeer, at) => {
    const unasked = terms.filter((term) => !own[at]?.includes(term));
    return unasked.map((term) => Number(peer.rank(term)[0]?.id === itemsByCounts(logs[at % 2] as ClickLog, term)[0]));
  });
  return outcomes.reduce((sum, outcome) => sum + outcome, 0) / Math.max(1, outcomes.length);
}
