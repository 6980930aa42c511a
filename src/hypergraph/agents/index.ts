export { finalText, isRight, lastNumber } from './answers.js';
export {
  addTokens,
  ChatError,
  type ChatMessage,
  type ChatModel,
  type ChatReply,
  type ChatRequest,
  estimateTokens,
  noTokens,
  type TokenCount,
  totalTokens,
} from './chat.js';
export {
  agentPrompt,
  type Discussion,
  type DiscussionOptions,
  discuss,
  type HeardMessage,
  heardIn,
  summariserPrompt,
} from './discussion.js';
export { type DiscussionEstimate, estimateDiscussion } from './estimate.js';
export { HttpChatModel, type HttpChatOptions } from './http-chat.js';
export { SimulatedChatModel } from './simulated-chat.js';
export {
  MESSAGE_TOKENS,
  queryOf,
  SIMULATED_ROUNDS,
  type SimulatedQuery,
  SimulatedTeam,
  type SimulatedTeamOptions,
  SKILLS,
} from './simulated-team.js';
export { type Agent, AgentTeam } from './team.js';
export { chain, everyone, pairsOf, star, type Topology, topologyOf, topologyOfLinks } from './topology.js';
