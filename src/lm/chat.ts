// Conversations as prompts, by the model's chat template or ChatML. What messages say never becomes
// a control token: only the template's own text does.

import { partsText, renderTemplate } from './template/index.js';
import type { PromptPart, TextTokenizer } from './tokenizer/contract.js';

/** A message of a conversation; further fields, such as `tool_calls`, are given to the template. */
export interface ChatMessage {
  /** Who speaks. */
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  /** Text of the message. */
  readonly content: string;
}

/** Options of a conversation. */
export interface ChatOptions {
  /** JSON descriptions of functions that the model may call. Default: none. */
  readonly tools?: readonly object[];
  /**
   * Name of the template. Default: `tool_use` with tools where the model has it, `default`
   * otherwise.
   */
  readonly template?: string;
  /** Whether the prompt ends where the assistant begins to answer. Default: true. */
  readonly generationPrompt?: boolean;
  /** Further variables of the template, such as `enable_thinking`. Default: none. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

type Templates = Pick<TextTokenizer, 'chatTemplate' | 'chatTemplates' | 'specialTexts'>;

const CHATML =
  '{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';

/**
 * A conversation as the parts of a prompt, ending with the generation prompt of the assistant.
 *
 * @throws Error when there is no template of the name, or it fails.
 */
export function chatParts(
  tokenizer: Templates,
  messages: readonly ChatMessage[],
  { tools, template, generationPrompt = true, variables = {} }: ChatOptions = {},
): PromptPart[] {
  const { bos = '', eos = '' } = tokenizer.specialTexts ?? {};
  const { chatTemplate = CHATML, chatTemplates = {} } = tokenizer;
  const named: Readonly<Record<string, string>> = { default: chatTemplate, ...chatTemplates };
  const name = template ?? (tools && Object.hasOwn(named, 'tool_use') ? 'tool_use' : 'default');
  const source = Object.hasOwn(named, name) ? named[name] : undefined;
  if (source === undefined)
    throw new Error(`the model has no chat template "${name}", but ${Object.keys(named).join(', ')}`);
  try {
    return renderTemplate(source, {
      // Hugging Face's libraries say None for what is not there.
      given: { documents: null, ...variables, messages, tools: tools ?? null, add_generation_prompt: generationPrompt },
      own: { bos_token: bos, eos_token: eos },
    });
  } catch (error) {
    const reason = error instanceof RangeError ? 'it nests too deeply' : (error as Error).message;
    throw new Error(`the chat template cannot be used: ${reason}`);
  }
}

/**
 * A conversation as text, to look at: as a prompt again, it would lose what came from messages.
 *
 * @throws Error as `chatParts` does.
 */
export function chatText(tokenizer: Templates, messages: readonly ChatMessage[], options?: ChatOptions): string {
  return partsText(chatParts(tokenizer, messages, options));
}

/**
 * The token ids of a conversation. A beginning-of-sequence token in the template is not added
 * twice.
 *
 * @throws Error as `chatParts` does.
 */
export function chatTokens(
  tokenizer: TextTokenizer,
  messages: readonly ChatMessage[],
  options?: ChatOptions,
): number[] {
  const tokens = tokenizer.encode(chatParts(tokenizer, messages, options), false);
  const { beginTokens = [] } = tokenizer;
  return tokens[0] === beginTokens[0] ? tokens : [...beginTokens, ...tokens];
}

const PROBE = 'answer';

/** What the template writes after an answer; empty when it cannot be known. */
export function answerEnd(tokenizer: Templates): string {
  const messages: ChatMessage[] = [
    { role: 'user', content: 'question' },
    { role: 'assistant', content: PROBE },
  ];
  try {
    const parts = chatParts(tokenizer, messages, { generationPrompt: false });
    const at = parts.findLastIndex(({ text, control }) => !control && text === PROBE);
    return at < 0 ? '' : partsText(parts.slice(at + 1));
  } catch {
    // A template that fails here fails with an error when it is used.
    return '';
  }
}
