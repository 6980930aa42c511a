// A team of agents, as a person describes it in `agents.json`.

import { chain } from './topology.js';

/** One agent. */
export interface Agent {
  /** What others call it. */
  readonly name: string;
  /** What it is good at and how it works: its system prompt. */
  readonly role: string;
  /** Its model at the endpoint. Default: the one that all have. */
  readonly model?: string;
  /** Descriptions of its tools. Default: none. */
  readonly tools?: readonly string[];
}

/** Two or more agents. */
export class AgentTeam {
  /** Groups that talk unless learnt otherwise, by position. */
  readonly anchors: readonly (readonly number[])[];

  /**
   * @param anchors groups of names. Default: each agent with the next.
   * @throws Error for fewer than two agents, a name that two have, an empty name or role, or an
   * anchor that names nobody
   */
  constructor(
    readonly agents: readonly Agent[],
    anchors?: readonly (readonly string[])[],
  ) {
    if (agents.length < 2) throw new Error(`a team has at least 2 agents, got ${agents.length}`);
    const positions = new Map<string, number>();
    for (const [at, { name, role }] of agents.entries()) {
      if (!name.trim()) throw new Error(`agent ${at + 1} has no name`);
      if (positions.has(name)) throw new Error(`two agents are named "${name}"`);
      if (!/[\p{L}\p{N}]/u.test(role)) throw new Error(`agent "${name}" has an empty role`);
      positions.set(name, at);
    }
    this.anchors =
      anchors?.map((group) => {
        const members = group.map((name) => {
          const at = positions.get(name);
          if (at === undefined) throw new Error(`an anchor names "${name}", who is no agent`);
          return at;
        });
        if (new Set(members).size < 2) throw new Error(`anchor [${group.join(', ')}] joins fewer than 2 agents`);
        return members;
      }) ?? chain(agents.length);
  }

  /** What the policy reads of each agent: model, role and tools. */
  get texts(): string[] {
    return this.agents.map(({ model = '', role, tools = [] }) => [model, role, ...tools].join(' ').trim());
  }

  /** Names of the members of groups. */
  named(groups: readonly (readonly number[])[]): string[][] {
    return groups.map((group) => group.map((at) => this.agents[at]?.name ?? String(at)));
  }

  /** For a file; `AgentTeam.from` reads it. */
  toJSON(): object {
    return { agents: this.agents, anchors: this.named(this.anchors) };
  }

  /**
   * A team from parsed JSON: `{"agents": [{"name", "role", "model"?, "tools"?}], "anchors"?}`, or
   * the list of agents alone.
   *
   * @param name what errors call the file
   */
  static from(value: unknown, name: string): AgentTeam {
    const { agents, anchors } = (Array.isArray(value) ? { agents: value } : (value ?? {})) as {
      readonly agents?: unknown;
      readonly anchors?: unknown;
    };
    if (!Array.isArray(agents)) throw new Error(`"${name}" has no list "agents"`);
    if (anchors !== undefined && !(Array.isArray(anchors) && anchors.every(isTexts)))
      throw new Error(`"${name}": anchors are lists of names, such as [["solver", "checker"]]`);
    try {
      return new AgentTeam(agents.map(agentFrom), anchors as readonly (readonly string[])[] | undefined);
    } catch (error) {
      throw new Error(`"${name}": ${(error as Error).message}`);
    }
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function agentFrom(value: unknown, at: number): Agent {
  const { name, role, model, tools } = (value ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string') throw new Error(`agent ${at + 1} has no name`);
  if (typeof role !== 'string') throw new Error(`agent "${name}" has no role`);
  if (model !== undefined && typeof model !== 'string') throw new Error(`agent "${name}": model is no text`);
  if (tools !== undefined && !isTexts(tools)) throw new Error(`agent "${name}": tools is no list of texts`);
  return { name, role, ...(model !== undefined && { model }), ...(tools !== undefined && { tools }) };
}
