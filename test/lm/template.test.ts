import { describe, expect, test } from 'vitest';
import { type ChatMessage, chatParts, chatText, type PromptPart } from '../../src/lm/index.js';
import cases from '../fixtures/chat-templates.json' with { type: 'json' };

const user = (content: string): ChatMessage[] => [{ role: 'user', content }];
const render = (template: string, messages = user('hi'), variables: Record<string, unknown> = {}) =>
  chatParts({ chatTemplate: template }, messages, { variables });

describe('Jinja', () => {
  test.each(cases)('$template gives what Python gives', ({ template, messages, tools, text }) => {
    const own = { chatTemplate: template, specialTexts: { bos: '<s>', eos: '</s>' } };
    const ours = () => chatText(own, messages as ChatMessage[], tools ? { tools } : {});
    if (text === null) expect(ours).toThrow('the chat template cannot be used');
    else expect(ours()).toBe(text);
  });

  test('what is not known is refused by name', () => {
    expect(() => render('{{ 1|frobnicate }}')).toThrow('there is no filter "frobnicate"');
    expect(() => render('{% if 1 is frob %}{% endif %}')).toThrow('there is no test "frob"');
    expect(() => render('{{ frob() }}')).toThrow('there is no function "frob"');
    expect(() => render('{{ "a".strip(width=3) }}')).toThrow('strip has no argument "width"');
    expect(() => render('{{ messages | tojson(indent=2).x }}')).toThrow('a filter must be a name, or a call of one');
    expect(() => render('{% for x in y')).toThrow('the chat template cannot be used');
    expect(() => render('{{ raise_exception("no system prompt") }}')).toThrow('no system prompt');
  });

  test('templates by name, that for tools when there are any', () => {
    const own = { chatTemplate: 'plain', chatTemplates: { tool_use: 'with tools', rag: 'with texts' } };
    expect(chatText(own, user('x'))).toBe('plain');
    expect(chatText(own, user('x'), { tools: [{}] })).toBe('with tools');
    expect(chatText(own, user('x'), { template: 'rag' })).toBe('with texts');
    expect(() => chatText(own, user('x'), { template: 'toString' })).toThrow(
      'no chat template "toString", but default, tool_use, rag',
    );
  });
});

/** The characters of a prompt that may hold control tokens, others as dots. */
const shown = (parts: readonly PromptPart[]) =>
  parts.map(({ text, control }) => (control ? text : text.replace(/./gs, '.'))).join('');

describe('what messages wrote stays marked', () => {
  const marks: readonly (readonly [template: string, content: string, expected: string])[] = [
    ['<{{ messages[0].content }}>', 'ab', '<..>'],
    ['{{ "<" + messages[0].content + ">" }}', 'ab', '<..>'],
    ['{{ ("<" ~ messages[0].content) | trim }}', ' ab ', '<...'],
    ['{{ (messages[0].content + "X")[1:3] }}', 'ab', '.X'],
    ['{{ ("xy" + messages[0].content)[::-1] }}', 'ab', '..yx'],
    ['{{ messages[0].content | upper }}!', 'ß', '..!'],
    ['{{ ("x" + messages[0].content) | upper }}', 'ß', '...'],
    ['{{ messages[0].content.replace("a", "Z") }}', 'aba', 'Z.Z'],
    ['{{ "q-q".replace("q", messages[0].content) }}', 'ab', '..-..'],
    ['{{ messages[0].content.split(",") | join("|") }}', 'a,b', '.|.'],
    ['{{ messages[0].content.split() | last }}', 'a b', '.'],
    ['{{ messages[0] | tojson }}', 'a', '.'.repeat(32)],
    ['{{ messages[0].content | indent(2, true) }}', 'a', '  .'],
    ['{{ messages[0].content | title }}{{ messages[0].content | capitalize }}', 'a', '..'],
    ['{{ messages[0].content | default("z") | string | safe }}', 'a', '.'],
    [
      '{% set ns = namespace(x="") %}{% for m in messages %}{% set ns.x = ns.x ~ m.content %}{% endfor %}{{ ns.x }}',
      'a',
      '.',
    ],
    ['{% macro show(t) %}[{{ t }}]{% endmacro %}{{ show(messages[0].content) }}', 'a', '[.]'],
    ['{% set x %}[{{ messages[0].content }}]{% endset %}{{ x }}', 'a', '[.]'],
    ['{% filter lower %}A{{ messages[0].content }}{% endfilter %}', 'A', 'a.'],
    ['{{ messages | map(attribute="content") | join(",") }}', 'a', '.'],
    ['{{ [messages[0].content] }}', 'a', '.....'],
    ['{{ {messages[0].content: 1} }}', 'a', '........'],
    ['{% for k in messages[0] %}{{ k }}{% endfor %}', 'a', '...........'],
    ['{{ messages[0].content * 2 }}', 'a', '..'],
    ['{{ extra.name }}{{ extra.arguments | tojson }}', 'a', '.'.repeat(1 + 8)],
    ['{{ messages[0].content | reverse }}{{ messages[0].content | list | first }}', 'ab', '...'],
  ];
  test.each(marks)('%s', (template, content, expected) => {
    const extra = { name: 'f', arguments: { a: 1 } };
    expect(shown(render(template, user(content), { extra }))).toBe(expected);
  });
});

describe('a template ends, within limits', () => {
  const bombs: Readonly<Record<string, string>> = {
    'a loop over a long range': '{% for i in range(1000000000) %}x{% endfor %}',
    'loops within loops':
      '{% for i in range(9999) %}{% for j in range(9999) %}{% for k in range(9999) %}{% endfor %}{% endfor %}{% endfor %}',
    'a text that doubles':
      '{% set ns = namespace(x="xx") %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}',
    'a list that doubles':
      '{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}',
    'a list that holds itself twice':
      '{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}',
    'a dictionary that holds itself twice':
      '{% set ns = namespace(x={}) %}{% for i in range(99) %}{% set ns.x = {"a": ns.x, "b": ns.x} %}{% endfor %}{{ ns.x == ns.x }}',
    'a macro that calls itself': '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}',
    'two calls in each call': '{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}',
    'a repeated text': '{{ "x" * 1000000000 }}',
    'a wide indent': '{{ "x\ny" | indent(1000000000) }}',
    'a replacement that grows': '{{ ("x" * 100000).replace("", "y" * 100000) }}',
    'a join that grows': '{{ range(100000) | map("string") | join("y" * 100000) }}',
    'texts split into characters': '{% for i in range(9999) %}{% set x = ("x" * 400000) | list %}{% endfor %}',
    'a long search': '{% set t = "x" * 4000000 %}{% for i in range(100000) %}{% if "xy" in t %}{% endif %}{% endfor %}',
    'deep brackets': `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`,
    'deep lists': `{{ ${'['.repeat(50_000)}${']'.repeat(50_000)} }}`,
    'deep conditions': '{% if 1 %}'.repeat(20_000) + '{% endif %}'.repeat(20_000),
    'a long sum': `{{ ${'1+'.repeat(50_000)}1 }}`,
    'white space before a tag': `${' '.repeat(100_000)}{% generation %}`,
    'a long template': 'x'.repeat(2 ** 18 + 1),
    powers: '{{ 10 ** 400 }}',
  };
  test.each(Object.entries(bombs))('%s', (_, template) => {
    expect(() => render(template)).toThrow('the chat template cannot be used');
  });

  test('long conversations pass', () => {
    const messages = Array.from({ length: 500 }, (_, i) => ({
      role: i % 2 === 0 ? ('user' as const) : ('assistant' as const),
      content: `${i} ${'word '.repeat(400)}`,
    }));
    const template =
      '{% for m in messages %}<{{ m.role }}>{{ m.content.split("</think>")[-1] | trim }}{% if not loop.last and messages | length > 1 %};{% endif %}{% endfor %}';
    expect(chatText({ chatTemplate: template }, messages).length).toBeGreaterThan(1e6);
  });
});
