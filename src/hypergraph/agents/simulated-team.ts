// A simulated team: six specialists, queries that need some of their skills, and closed forms of
// tokens and success. No language model is behind it; every figure made with it is "simulated".
//
//   tokens(H) = Σᵢ [100·K + 100·(K − 1)·|nb(i)|],  K = 2 rounds
//   success(H, R) = max over i with R ⊆ {i} ∪ nb(i) of 0.97·f^{|nb(i) ∖ R|}, or 0.2 without such i
//
// nb(i): whose messages agent i reads. R: skills that a query needs. f: what a message that the
// query does not need leaves of the success; that such talk distracts is assumed, not measured.

import type { Random } from '../../tensor/index.js';
import { everyone, type Topology, topologyOf } from './topology.js';

/** Agent i owns skill i. */
export const SKILLS = ['algebra', 'geometry', 'counting', 'units', 'logic', 'coding'] as const;

/** Probability of difficulty d = 1 … 4: the number of skills that a query needs. */
const DIFFICULTY = [0.4, 0.3, 0.2, 0.1];

/** Tokens of a message. */
export const MESSAGE_TOKENS = 100;
/** Rounds K of a simulated discussion. */
export const SIMULATED_ROUNDS = 2;
const SKILLED = 0.97;
const GUESS = 0.2;

/** A query to the simulated team. */
export interface SimulatedQuery {
  /** `solve with ⟨skills⟩`. */
  readonly text: string;
  /** Numbers of the skills that it needs, ascending. */
  readonly skills: readonly number[];
}

/** Options of `SimulatedTeam`. */
export interface SimulatedTeamOptions {
  /** f, in (0, 1]. Default: 0.98. */
  readonly focus?: number;
}

/** The simulated team. */
export class SimulatedTeam {
  /** N. */
  readonly agents = SKILLS.length;
  /** `expert in ⟨skill⟩`. */
  readonly roles: readonly string[] = SKILLS.map((skill) => `expert in ${skill}`);
  /** f of the header. */
  readonly focus: number;

  /** @throws RangeError unless 0 < focus ≤ 1 */
  constructor({ focus = 0.98 }: SimulatedTeamOptions = {}) {
    if (!(focus > 0 && focus <= 1)) throw new RangeError(`SimulatedTeam: expected 0 < focus ≤ 1, got ${focus}`);
    this.focus = focus;
  }

  /** Random queries; their difficulties are 1 … 4 with probabilities 0.4, 0.3, 0.2, 0.1. */
  queries(count: number, random: Random): SimulatedQuery[] {
    return Array.from({ length: count }, () => {
      const u = random.float();
      let [difficulty, total] = [1, DIFFICULTY[0] as number];
      while (difficulty < DIFFICULTY.length && u >= total) total += DIFFICULTY[difficulty++] as number;
      return queryOf([...random.sample(SKILLS.length, difficulty)]);
    });
  }

  /** Tokens of a discussion: each agent's message a round, and those it reads from round 2 on. */
  tokens({ neighbours }: Topology): number {
    const reads = neighbours.reduce((sum, own) => sum + own.length, 0);
    return MESSAGE_TOKENS * (SIMULATED_ROUNDS * neighbours.length + (SIMULATED_ROUNDS - 1) * reads);
  }

  /** Tokens when all read all. */
  get fullTokens(): number {
    return this.tokens(topologyOf(this.agents, everyone(this.agents)));
  }

  /** Probability that the team answers a query rightly: that of its best agent. */
  success({ neighbours }: Topology, query: SimulatedQuery): number {
    return neighbours.reduce((best, read, agent) => Math.max(best, this.successOf(agent, read, query)), GUESS);
  }

  /** Probability that an agent which has read some others answers rightly. */
  successOf(agent: number, read: readonly number[], { skills }: SimulatedQuery): number {
    if (!skills.every((skill) => skill === agent || read.includes(skill))) return GUESS;
    const needless = read.reduce((sum, other) => sum + Number(!skills.includes(other)), 0);
    return SKILLED * this.focus ** needless;
  }
}

/** The query that needs some skills. */
export function queryOf(skills: readonly number[]): SimulatedQuery {
  const needed = [...skills].sort((a, b) => a - b);
  return { text: `solve with ${needed.map((skill) => SKILLS[skill]).join(' ')}`, skills: needed };
}
