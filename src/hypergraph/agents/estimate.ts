// What a discussion would cost, before a call is made.

import { addTokens, estimateTokens, noTokens, type TokenCount, totalTokens } from './chat.js';
import { agentPrompt, type DiscussionOptions, heardIn, summariserPrompt } from './discussion.js';
import type { Agent, AgentTeam } from './team.js';
import type { Topology } from './topology.js';

/** An estimate. */
export interface DiscussionEstimate {
  /** Calls, the summariser's among them. */
  readonly calls: number;
  /** Tokens of the agents' calls. */
  readonly agents: TokenCount;
  /** Tokens of the summariser's call. */
  readonly summariser: TokenCount;
  /** All tokens. */
  readonly total: number;
}

/**
 * The calls and tokens of a discussion in which every message has the same length; prompts count
 * four characters a token.
 *
 * @param messageTokens length of a message
 */
export function estimateDiscussion(
  team: AgentTeam,
  question: string,
  topology: Topology,
  {
    rounds = 3,
    order = 'turns',
    messageTokens,
  }: Pick<DiscussionOptions, 'rounds' | 'order'> & { messageTokens: number },
): DiscussionEstimate {
  const lengthOf = (prompt: ReturnType<typeof summariserPrompt>) =>
    prompt.reduce((sum, { content }) => sum + estimateTokens(content), 0);
  const message = (heard: number, prompt: ReturnType<typeof summariserPrompt>): TokenCount => ({
    prompt: lengthOf(prompt) + heard * messageTokens,
    completion: messageTokens,
  });
  let agents = noTokens;
  for (let round = 0; round < rounds; round++)
    team.agents.forEach((agent: Agent, at) => {
      const heard = heardIn(topology, at, round, order).length;
      agents = addTokens(agents, message(heard, agentPrompt(agent, question, [])));
    });
  const summariser = message(team.agents.length, summariserPrompt(question, []));
  return {
    calls: rounds * team.agents.length + 1,
    agents,
    summariser,
    total: totalTokens(addTokens(agents, summariser)),
  };
}
