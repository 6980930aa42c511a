// Models that chat: the interface, tokens and their account, and the two ways in which a call
// fails.

/** A message of a conversation. */
export interface ChatMessage {
  /** Who says it. */
  readonly role: 'system' | 'user' | 'assistant';
  /** What is said. */
  readonly content: string;
}

/** One call of a model. */
export interface ChatRequest {
  /** Name of the model at its server. */
  readonly model: string;
  /** The conversation so far. */
  readonly messages: readonly ChatMessage[];
  /** 0: the most probable text. */
  readonly temperature: number;
  /** Most tokens of the reply. */
  readonly maxTokens: number;
  /** For servers that draw alike for alike seeds. */
  readonly seed?: number;
  /** Aborts the call. */
  readonly signal?: AbortSignal | undefined;
}

/** What a model answers. The text is untrusted: nothing in it is executed or obeyed. */
export interface ChatReply {
  /** The text, as the server sent it. */
  readonly text: string;
  /** Tokens of what was asked. */
  readonly promptTokens: number;
  /** Tokens of the text. */
  readonly completionTokens: number;
  /** Whether the server did not count, so that tokens are an estimate. Default: false. */
  readonly estimated?: boolean;
}

/** A model, or a server of several. */
export interface ChatModel {
  /** @throws ChatError when there is no reply; the signal's reason when aborted */
  complete(request: ChatRequest): Promise<ChatReply>;
}

/**
 * A call without a reply. `failed`: this call; others may go well. `refused`: every call would fail
 * alike, as without a key.
 */
export class ChatError extends Error {
  override readonly name = 'ChatError';

  constructor(
    readonly kind: 'failed' | 'refused',
    message: string,
  ) {
    super(message);
  }
}

/** Tokens of some calls. */
export interface TokenCount {
  /** Tokens of what was asked. */
  readonly prompt: number;
  /** Tokens of the replies. */
  readonly completion: number;
}

/** The count of no call. */
export const noTokens: TokenCount = { prompt: 0, completion: 0 };

/** The sum of counts. */
export function addTokens(...counts: readonly TokenCount[]): TokenCount {
  return {
    prompt: counts.reduce((sum, { prompt }) => sum + prompt, 0),
    completion: counts.reduce((sum, { completion }) => sum + completion, 0),
  };
}

/** Prompt and completion tokens together. */
export function totalTokens({ prompt, completion }: TokenCount): number {
  return prompt + completion;
}

/** A rough count for servers that do not count: four characters a token. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
