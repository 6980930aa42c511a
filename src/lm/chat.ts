// Conversations as text, by a model's own template or ChatML.

import { Template } from '@huggingface/jinja';
import type { TextTokenizer } from './tokenizer.js';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
}

const CHATML =
  '{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';

/** The tokens of a conversation, ending where the assistant begins to speak. A first token that the template writes is not doubled. @throws Error when the template fails. */
export function chatTokens(tokenizer: TextTokenizer, messages: readonly ChatMessage[]): number[] {
  const { bos = '', eos = '' } = tokenizer.specialTexts ?? {};
  let text: string;
  try {
    text = new Template(tokenizer.chatTemplate ?? CHATML).render({
      messages,
      add_generation_prompt: true,
      bos_token: bos,
      eos_token: eos,
    });
  } catch (error) {
    throw new Error(`the chat template cannot be used: ${(error as Error).message}`);
  }
  return tokenizer.encode(text, bos === '' || !text.startsWith(bos));
}
