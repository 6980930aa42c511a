// Conversations as text, by a model's own template or ChatML.

import { Template } from '@huggingface/jinja';
import type { TextTokenizer } from './tokenizer.js';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
}

const CHATML =
  '{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';

/** A conversation as text, ending where the assistant begins to speak. @throws Error when the template fails. */
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

/** The tokens of that text. A first token that the template writes is not doubled. */
export function chatTokens(tokenizer: TextTokenizer, messages: readonly ChatMessage[]): number[] {
  const { bos = '' } = tokenizer.specialTexts ?? {};
  const text = chatText(tokenizer, messages);
  return tokenizer.encode(text, bos === '' || !text.startsWith(bos));
}
