// Conversations as text, by the model's chat template or ChatML.

import { Template } from '@huggingface/jinja';
import type { TextTokenizer } from './tokenizer.js';

/** A message of a conversation. */
export interface ChatMessage {
  /** Who speaks. */
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  /** Text of the message. */
  readonly content: string;
}

const CHATML =
  '{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';

/**
 * A conversation as text, ending with the generation prompt of the assistant.
 *
 * @throws Error when the template fails.
 */
export function chatText(tokenizer: TextTokenizer, messages: readonly ChatMessage[]): string {
  const { bos = '', eos = '' } = tokenizer.specialTexts ?? {};
  try {
    return new Template(tokenizer.chatTemplate ?? CHATML).render({
      messages,
      add_generation_prompt: true,
      bos_token: bos,
      eos_token: eos,
    });
  } catch (error) {
    throw new Error(`the chat template cannot be used: ${(error as Error).message}`);
  }
}

/**
 * The token ids of `chatText`. A beginning-of-sequence token in the template is not added twice.
 */
export function chatTokens(tokenizer: TextTokenizer, messages: readonly ChatMessage[]): number[] {
  const { bos = '' } = tokenizer.specialTexts ?? {};
  const text = chatText(tokenizer, messages);
  return tokenizer.encode(text, bos === '' || !text.startsWith(bos));
}
