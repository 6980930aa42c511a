// Attackers of a simulation: peers that join like any other and click what nobody wants.

import type { Random } from '../../tensor/index.js';
import type { ItemLibrary } from './domain.js';
import { GRankPeer } from './peer.js';
import type { RankedItem } from './rank.js';

/** An attack. */
export interface Attack {
  /** Number of attackers. */
  readonly attackers: number;
  /** Queries of each when the attack begins. */
  readonly queries: number;
  /** Whether an attacker asks for one term, or for another one each time. */
  readonly terms: 'one' | 'random';
  /** The result that is clicked. */
  readonly click: 'bottom' | 'random';
}

/**
 * The attacks of the paper on a number of honest peers.
 *
 * - `targeted`: a tenth as many attackers push one term each, 100 queries, bottom result.
 * - `inflation`: as many attackers click random results, 1,000 queries.
 * - `epic`: three times as many attackers as honest peers, 100 queries, bottom result.
 */
export function attackOn(peers: number, kind: 'targeted' | 'inflation' | 'epic'): Attack {
  const few = Math.max(1, Math.round(peers / 10));
  if (kind === 'targeted') return { attackers: few, queries: 100, terms: 'one', click: 'bottom' };
  if (kind === 'inflation') return { attackers: few, queries: 1000, terms: 'random', click: 'random' };
  return { attackers: 3 * peers, queries: 100, terms: 'one', click: 'bottom' };
}

/**
 * A peer that searches only to click. It ranks by counts: its own similarity is of no use to it.
 */
export class AttackingPeer extends GRankPeer {
  readonly #draws: Random;
  readonly #term: string;

  constructor(
    id: string,
    library: ItemLibrary,
    readonly attack: Attack,
    readonly terms: readonly string[],
    random: Random,
  ) {
    super(id, library, random.split('peer'));
    this.#draws = random.split('draws');
    this.#term = this.#drawTerm();
  }

  override weight(): number {
    return 1;
  }

  /** One query and the click for which it was made. */
  strike(time: number): void {
    const result = this.search(this.attack.terms === 'one' ? this.#term : this.#drawTerm());
    const { shown } = result;
    if (shown.length === 0) return;
    const at = this.attack.click === 'bottom' ? shown.length - 1 : this.#draws.integer(shown.length);
    this.click(result, (shown[at] as RankedItem).id, time);
  }

  #drawTerm(): string {
    return this.terms[this.#draws.integer(this.terms.length)] as string;
  }
}
