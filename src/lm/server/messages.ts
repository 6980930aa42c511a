// Messages of conversations: their content, and the fields that only some chat templates read.

import { RequestError, wrong } from '../../distributed/http/errors.js';
import type { ChatMessage } from '../chat.js';
import { type Fields, isAbsent, isObject, isText, requireKnown, unsupported } from './fields.js';

/** A message with the fields that a template may read beside the content. */
export interface TemplateMessage extends ChatMessage {
  readonly [field: string]: unknown;
}

const ROLES = ['system', 'user', 'assistant', 'tool', 'developer'];

/**
 * Rendering a template cannot be interrupted and takes tens of microseconds a message: this many
 * stay below 100 ms.
 */
const MOST_MESSAGES = 512;

/** Fields that reach a template which mentions them, and are refused where it does not. */
const TEMPLATED = ['tool_calls', 'reasoning_content', 'name'];
/** Fields that clients send back with the messages of an answer; empty ones say nothing. */
const RETURNED = ['refusal', 'audio', 'annotations', 'function_call'];
const KNOWN = new Set(['role', 'content', 'tool_call_id', ...TEMPLATED, ...RETURNED]);

/**
 * The messages of a request.
 *
 * @param template the chat template that will format them
 * @throws RequestError 400 naming the field that is wrong, or that the template would drop.
 */
export function messagesOf({ messages }: Fields, template: string): TemplateMessage[] {
  if (!Array.isArray(messages) || messages.length === 0) return wrong('messages', 'a list of at least one message');
  if (messages.length > MOST_MESSAGES) return wrong('messages', `a list of at most ${MOST_MESSAGES} messages`);
  return messages.map((message, at) => messageOf(message, `messages[${at}]`, template));
}

function messageOf(message: unknown, at: string, template: string): TemplateMessage {
  if (!isObject(message)) return wrong(at, 'an object');
  const { role } = message;
  if (!ROLES.includes(role as string)) wrong(`${at}.role`, `one of ${ROLES.join(', ')}`);
  requireKnown(message, KNOWN, `${at}.`);
  for (const field of RETURNED) {
    const value = message[field];
    if (!isAbsent(value) && !(Array.isArray(value) && value.length === 0)) throw unsupported(`${at}.${field}`);
  }
  return {
    role: role === 'developer' ? 'system' : (role as ChatMessage['role']),
    content: contentOf(message, at),
    ...templated(message, at, template),
  };
}

/** Content is a text, or a list of parts of type "text"; beside tool calls it may be null. */
function contentOf({ content, tool_calls: calls }: Fields, at: string): string {
  if (isText(content)) return content;
  if (isAbsent(content) && Array.isArray(calls) && calls.length > 0) return '';
  if (Array.isArray(content) && content.every((part) => part?.type === 'text' && isText(part.text)))
    return content.map(({ text }) => text).join('');
  return wrong(`${at}.content`, 'a text, or a list of parts of type "text"');
}

function templated(message: Fields, at: string, template: string): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const field of TEMPLATED) {
    const value = message[field];
    // The name of a tool stands with the call that it answers.
    const isPlain = isAbsent(value) || (field === 'name' && message.role === 'tool');
    if (template.includes(field) && !isAbsent(value)) given[field] = valueOf(field, value, at);
    else if (!isPlain)
      throw new RequestError(400, `the model's chat template does not use "${field}"`, `${at}.${field}`);
  }
  const { tool_call_id: id } = message;
  if (isAbsent(id)) return given;
  return { ...given, tool_call_id: isText(id) ? id : wrong(`${at}.tool_call_id`, 'a text') };
}

function valueOf(field: string, value: unknown, at: string): unknown {
  if (field === 'tool_calls') return callsOf(value, `${at}.tool_calls`);
  return isText(value) ? value : wrong(`${at}.${field}`, 'a text');
}

/** Tool calls with their arguments as an object, which templates write with `tojson`. */
function callsOf(calls: unknown, at: string): object[] {
  if (!Array.isArray(calls)) return wrong(at, 'a list of calls');
  return calls.map((call, i) => {
    const inner: unknown = isObject(call) ? call.function : undefined;
    if (!isObject(inner) || !isText(inner.name)) return wrong(`${at}[${i}].function`, 'an object with a "name"');
    const args = typeof inner.arguments === 'string' ? parsed(inner.arguments) : inner.arguments;
    if (!isObject(args)) return wrong(`${at}[${i}].function.arguments`, 'a JSON object');
    return { ...(call as Fields), function: { ...inner, arguments: args } };
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
