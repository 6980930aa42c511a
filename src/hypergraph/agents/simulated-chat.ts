// The simulated team as a chat model: it plays each specialist of `SimulatedTeam` from the prompt
// alone, in messages of a fixed number of tokens, so that a whole discussion can be compared with
// the closed forms. No language model is behind it; what it says is "simulated".

import type { ChatModel, ChatReply, ChatRequest } from './chat.js';
import { MESSAGE_TOKENS, type SimulatedTeam, SKILLS } from './simulated-team.js';

/** Marks a finding that an agent made itself; findings of others are not passed on. */
const FOUND = /simulated finding: (\w+)/g;
/** Marks how likely an agent's answer is to be right. */
const CONFIDENCE = /simulated confidence: ([\d.]+)/g;

/** Plays the members of a simulated team, and their summariser. */
export class SimulatedChatModel implements ChatModel {
  constructor(readonly team: SimulatedTeam) {}

  complete({ messages, signal }: ChatRequest): Promise<ChatReply> {
    signal?.throwIfAborted();
    const [system = '', prompt = ''] = messages.map(({ content }) => content);
    const skill = SKILLS.findIndex((name) => system.includes(`expert in ${name}`));
    return Promise.resolve(skill < 0 ? this.#summary(prompt) : this.#message(skill, prompt));
  }

  /** A message costs its tokens to write, and those of the messages that it was written from. */
  #message(skill: number, prompt: string): ChatReply {
    const needed = /solve with ([\w ]+)/.exec(prompt)?.[1]?.trim().split(' ') ?? [];
    const heard = [...prompt.matchAll(FOUND)].map((match) => SKILLS.indexOf(match[1] as (typeof SKILLS)[number]));
    const query = { text: '', skills: needed.map((name) => SKILLS.indexOf(name as (typeof SKILLS)[number])) };
    const confidence = this.team.successOf(skill, heard, query);
    return {
      text: `simulated finding: ${SKILLS[skill]}; simulated confidence: ${confidence}`,
      promptTokens: MESSAGE_TOKENS * heard.length,
      completionTokens: MESSAGE_TOKENS,
    };
  }

  /** The best of the confidences. */
  #summary(prompt: string): ChatReply {
    const confidences = [...prompt.matchAll(CONFIDENCE)].map((match) => Number(match[1]));
    return {
      text: `Answer: ${Math.max(...confidences)}`,
      promptTokens: MESSAGE_TOKENS * confidences.length,
      completionTokens: MESSAGE_TOKENS,
    };
  }
}
