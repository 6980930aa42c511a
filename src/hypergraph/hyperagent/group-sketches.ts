// The policy with its two decisions as one module that `trainTopology` trains: sketches of pairs
// become groups, or pairs that talk.

import { memo } from '../../structure/index.js';
import { type Random, scope, type Tensor } from '../../tensor/index.js';
import { pairsOf, type Topology } from '../agents/topology.js';
import type { TeamInputs } from './inputs.js';
import type { TopologyPolicy } from './policy.js';
import {
  type GroupOptions,
  groupAgents,
  groupMatrix,
  pairAgents,
  pairMatrix,
  type RefineOptions,
  refine,
} from './refine.js';
import type { Sketch, SketchModel } from './training.js';

/** How a sketch becomes a topology. */
export interface DecisionOptions extends RefineOptions, GroupOptions {
  /** `groups`: hyperedges; `pairs`: what is refined, pair by pair. Default: `groups`. */
  readonly form?: 'groups' | 'pairs';
  /** Whether sketches are refined. Default: `with`. */
  readonly refinement?: 'with' | 'without';
}

/** A policy for the queries of one team. */
export class GroupSketches implements SketchModel {
  readonly choices: number;
  /** The policy that scores pairs. */
  readonly policy: TopologyPolicy;
  readonly #inputs: TeamInputs;
  readonly #queries: Tensor;
  readonly #decision: DecisionOptions;
  readonly #anchors: Float64Array;
  readonly #topologies: Map<number | string, Topology>;

  /** @param queries vectors of the queries [Q, D] */
  constructor(policy: TopologyPolicy, inputs: TeamInputs, queries: Tensor, decision: DecisionOptions = {}) {
    this.policy = policy;
    this.#inputs = inputs;
    this.#queries = queries;
    this.#decision = decision;
    this.#anchors = groupMatrix(inputs.anchors, inputs.agents);
    // All policies for a team share them: they depend on sketch and decision alone.
    this.#topologies = memo(inputs, `topologies ${JSON.stringify(decided(decision))}`, () => new Map());
    this.choices = pairsOf(inputs.agents).length;
  }

  score(queries: ArrayLike<number>, random?: Random): { readonly logits: Tensor; readonly penalty: Tensor } {
    const { logits, divergence } = this.policy.forward(this.#inputs.batch(this.#queries, queries), random);
    return { logits, penalty: divergence };
  }

  /** The concrete relaxation in its limit τ → 0: [ln u − ln(1 − u) + ϖ > 0]. */
  draw(logits: Float32Array, uniform: Float32Array): Sketch {
    const chosen = Uint8Array.from(logits, (logit, at) => {
      const u = uniform[at] as number;
      return Number(Math.log(u) - Math.log1p(-u) + logit > 0);
    });
    return { chosen, topology: this.topologyOf(chosen) };
  }

  topologyOf(chosen: Uint8Array): Topology {
    const key = keyOf(chosen);
    const known = this.#topologies.get(key);
    if (known) return known;
    const made = decide(chosen, this.#inputs.agents, this.#anchors, this.#decision);
    if (this.#topologies.size < MOST_TOPOLOGIES) this.#topologies.set(key, made);
    return made;
  }

  /** The topologies for all queries after training: pairs with ϖ > 0, without noise. */
  topologies(): readonly Topology[] {
    const all = Int32Array.from({ length: this.#queries.shape[0] as number }, (_, at) => at);
    const logits = scope(() => this.score(all).logits.dataSync<Float32Array>());
    return Array.from(all, (at) => {
      const own = logits.subarray(at * this.choices, (at + 1) * this.choices);
      return this.topologyOf(Uint8Array.from(own, (logit) => Number(logit > 0)));
    });
  }
}

/** A decision as text: JSON has no −Infinity. */
function decided(decision: DecisionOptions): object {
  return Object.entries(decision)
    .map(([name, value]) => [name, String(value)])
    .sort();
}

/** A sketch as a number where it fits one, else as text. */
function keyOf(chosen: Uint8Array): number | string {
  return chosen.length <= 30 ? chosen.reduce((bits, value) => 2 * bits + value, 1) : chosen.join('');
}

/** Topologies that are remembered: all of six agents. */
const MOST_TOPOLOGIES = 2 ** 15;

/** The topology of a sketch, in the order of `pairsOf`. */
export function decide(
  chosen: ArrayLike<number>,
  agents: number,
  anchors: Float64Array,
  { form = 'groups', refinement = 'with', ...options }: DecisionOptions = {},
): Topology {
  const sketch = pairMatrix(chosen, agents);
  const affinity = refinement === 'with' ? refine(sketch, anchors, agents, options).affinity : sketch;
  return form === 'groups'
    ? groupAgents(affinity, agents, options)
    : pairAgents(affinity, agents, options.threshold ?? 0.5);
}
