// A trained topology policy as a file: the policy, the team and how it discusses. It holds no key
// and no transcript, and serves other models and teams, since agents are read as texts.

import {
  HashedTextEncoder,
  type HashedTextState,
  type ModelKind,
  readModelFile,
  type SentenceEncoder,
  writeModelFile,
} from '../../data/index.js';
import { loadState, stateOf } from '../../nn/index.js';
import { Random, scope } from '../../tensor/index.js';
import {
  AgentTeam,
  type DiscussionEstimate,
  estimateDiscussion,
  everyone,
  type Topology,
  topologyOf,
} from '../agents/index.js';
import { type DecisionOptions, GroupSketches } from './group-sketches.js';
import { TeamInputs } from './inputs.js';
import { type PolicyOptions, TopologyPolicy } from './policy.js';
import { requirePartners } from './refine.js';

/** Name and version of the model file. */
export const HYPERAGENT_MODEL: ModelKind = {
  system: 'hyperagent',
  version: '1',
  madeBy: 'gossamer fit --model hyperagent',
};

/** How the team discusses, beside its topology. */
export interface DiscussionSettings {
  /** Model of agents that name none, and of the summariser. */
  readonly model: string;
  /** Rounds K. */
  readonly rounds: number;
  /** Whether agents speak in turns or all of a round at once. */
  readonly order: 'turns' | 'rounds';
  /** Temperature of the agents. */
  readonly temperature: number;
  /** Most tokens of a message. */
  readonly maxTokens: number;
  /** Mean tokens of a message, as far as known; for estimates. */
  readonly messageTokens: number;
}

/** What is known of a policy beside its weights. */
export interface TeamPolicySettings {
  /** How the team discusses. */
  readonly discussion: DiscussionSettings;
  /** How sketches become groups. */
  readonly decision: DecisionOptions;
  /** Layout of the policy. */
  readonly policy: PolicyOptions;
}

/** A topology that is planned for a question, and what it would cost. */
export interface Plan {
  /** Who reads whom. */
  readonly topology: Topology;
  /** What the discussion would cost. */
  readonly estimate: DiscussionEstimate;
}

interface Description extends TeamPolicySettings {
  readonly team: unknown;
  readonly encoder: HashedTextState;
}

/** The encoder of a policy that none is given: ±1 vectors of words, 384 numbers, unit RMS. */
export function defaultEncoder(): HashedTextEncoder {
  return new HashedTextEncoder({ dimension: 384, entries: 'signs', scale: 'rms' });
}

/** Plans which agents of a team talk about a question. */
export class TeamPolicy {
  /** What the policy reads of the team. */
  readonly inputs: TeamInputs;

  /** @throws RangeError when an agent is to have as many partners as the team has agents */
  constructor(
    readonly policy: TopologyPolicy,
    readonly team: AgentTeam,
    readonly settings: TeamPolicySettings,
    readonly encoder: SentenceEncoder = defaultEncoder(),
  ) {
    requirePartners(settings.decision.partners ?? 2, team.agents.length);
    this.inputs = new TeamInputs(encoder.encode(team.texts), team.anchors);
  }

  /** An untrained policy for a team. */
  static create(team: AgentTeam, random: Random, settings: TeamPolicySettings): TeamPolicy {
    const encoder = defaultEncoder();
    return new TeamPolicy(new TopologyPolicy(encoder.dimension, random, settings.policy), team, settings, encoder);
  }

  /** The policy for another team, such as one with an agent more. */
  withTeam(team: AgentTeam): TeamPolicy {
    return new TeamPolicy(this.policy, team, this.settings, this.encoder);
  }

  /** The policy with other settings of the discussion. */
  withDiscussion(discussion: Partial<DiscussionSettings>): TeamPolicy {
    const settings = { ...this.settings, discussion: { ...this.settings.discussion, ...discussion } };
    return new TeamPolicy(this.policy, this.team, settings, this.encoder);
  }

  /** Sketches for some questions, to train on. */
  sketches(questions: readonly string[]): GroupSketches {
    return new GroupSketches(this.policy, this.inputs, this.encoder.encode(questions), this.settings.decision);
  }

  /**
   * The topology for a question: pairs with ϖ > 0, refined and grouped.
   *
   * @param most tokens that the discussion may cost, by estimate: the least wanted pairs are left
   * out until it costs no more. Default: no limit.
   * @throws Error when even without talk it costs more
   */
  plan(question: string, most = Number.POSITIVE_INFINITY): Plan {
    let least = Number.POSITIVE_INFINITY;
    for (const topology of this.#candidates(question)) {
      const estimate = this.estimate(question, topology);
      if (estimate.total <= most) return { topology, estimate };
      least = Math.min(least, estimate.total);
    }
    const shown = question.length > 40 ? `${question.slice(0, 40)}…` : question;
    throw new Error(
      `"${shown}" costs about ${least} tokens even when no agent reads another, more than the ${most} allowed`,
    );
  }

  /** The topology for a question, then those with one wanted pair less each, then none. */
  *#candidates(question: string): Generator<Topology> {
    const sketches = this.sketches([question]);
    const logits = scope(() => sketches.score([0]).logits.dataSync<Float32Array>().slice());
    const chosen = Uint8Array.from(logits, (logit) => Number(logit > 0));
    const wanted = Array.from(chosen.keys()).filter((at) => chosen[at] === 1);
    wanted.sort((a, b) => (logits[a] as number) - (logits[b] as number) || b - a);
    yield sketches.topologyOf(chosen);
    for (const weakest of wanted) {
      chosen[weakest] = 0;
      yield sketches.topologyOf(chosen);
    }
    yield topologyOf(this.team.agents.length, []);
  }

  /** Calls and tokens of a discussion. */
  estimate(question: string, topology: Topology): DiscussionEstimate {
    return estimateDiscussion(this.team, question, topology, this.settings.discussion);
  }

  /** The topology in which all read all, which β is relative to. */
  get complete(): Topology {
    return topologyOf(this.team.agents.length, everyone(this.team.agents.length));
  }

  /** @param more kept in the description, such as what training cost */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    if (!(this.encoder instanceof HashedTextEncoder))
      throw new Error('TeamPolicy: a policy on an encoder of your own cannot be saved; save its weights with stateOf');
    const description = { ...more, ...this.settings, team: this.team.toJSON(), encoder: this.encoder.state() };
    return writeModelFile(HYPERAGENT_MODEL, description satisfies Description, stateOf(this.policy));
  }

  /** @throws Error when the file is no topology policy, of another version, or damaged */
  static load(bytes: Uint8Array, name = 'model'): TeamPolicy {
    const { description, tensors } = readModelFile<Description>(HYPERAGENT_MODEL, bytes, name);
    try {
      const { team, encoder, discussion, decision, policy: layout } = description;
      const own = HashedTextEncoder.restore(encoder);
      const policy = new TopologyPolicy(own.dimension, new Random(0), layout);
      loadState(policy, tensors);
      return new TeamPolicy(policy, AgentTeam.from(team, name), { discussion, decision, policy: layout }, own);
    } catch (error) {
      throw new Error(`file "${name}" is damaged: ${(error as Error).message}`);
    }
  }
}
