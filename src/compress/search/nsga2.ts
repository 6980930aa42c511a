// NSGA-II (Deb, Pratap, Agarwal, Meyarivan 2002): survival by rank and crowding distance. With one
// objective it is a genetic algorithm that keeps the best of parents and offspring.

import type { Random } from '../../tensor/index.js';
import { Evolution, type EvolutionOptions, type EvolvableSpace, type Survival } from './evolution.js';
import { crowdingDistance, descending, nonDominatedSort } from './pareto.js';

/** Whole fronts survive, then the least crowded of the front that does not fit. */
export const rankAndCrowding: Survival = (points, count) => {
  const kept: { index: number; rank: number; crowding: number }[] = [];
  nonDominatedSort(points).forEach((front, rank) => {
    if (kept.length >= count) return;
    const crowding = crowdingDistance(points, front);
    const members = front.map((index, place) => ({ index, rank, crowding: crowding[place] as number }));
    members.sort((a, b) => descending(a.crowding, b.crowding) || a.index - b.index);
    kept.push(...members.slice(0, count - kept.length));
  });
  return {
    chosen: kept.map(({ index }) => index),
    compare: (a, b) => {
      const [x, y] = [kept[a], kept[b]] as [(typeof kept)[number], (typeof kept)[number]];
      return x.rank - y.rank || descending(x.crowding, y.crowding);
    },
  };
};

/** NSGA-II on integer genomes, with SBX (0.9, η = 15) and mutation. */
export function nsga2(space: EvolvableSpace, random: Random, options: EvolutionOptions = {}): Evolution {
  return new Evolution(space, rankAndCrowding, random, options);
}
