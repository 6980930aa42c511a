// Pre-tokenisation by the names of `tokenizer.ggml.pre` in GGUF files: each pattern cuts what the
// one before left whole. The patterns are those of the models' own tokenizer files.

import { GPT2 } from './steps.js';

/** How a byte-level vocabulary is used. */
export interface PreTokenization {
  readonly patterns: readonly string[];
  /** Whether words that are tokens are not merged. Default: false. */
  readonly ignoreMerges?: boolean;
  /** Whether texts begin with the token for it, unless the file says. Default: false. */
  readonly addBos?: boolean;
}

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const spaces = '\\s+(?!\\S)|\\s+';

/** The form that GPT-4's cl100k began: words, digits in groups, punctuation with line breaks. */
const cl100k = (digits: string, { word = '\\p{L}', other = '\\p{L}\\p{N}', breaks = '[\\r\\n]*' } = {}) =>
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?${word === '\\p{L}' ? word : `[${word}]`}+|${digits}| ?[^\\s${other}]+${breaks}|\\s*[\\r\\n]+|${spaces}`;

/** The form of GPT-4o's o200k: words are cut where lower case turns to upper case. */
const o200k = (digits: string, { suffix = `${contractions}?`, breaks = '[\\r\\n/]*', not = '', before = '' } = {}) => {
  const [upper, lower] = ['\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}', '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}'];
  const [up, low] = [`[${upper}${not}]`, `[${lower}${not}]`];
  const lead = '[^\\r\\n\\p{L}\\p{N}]?';
  return `${before}${lead}${up}*${low}+${suffix}|${lead}${up}+${low}*${suffix}|${digits}| ?[^\\s\\p{L}\\p{N}]+${breaks}|\\s*[\\r\\n]+|${spaces}`;
};

const llama3 = cl100k('\\p{N}{1,3}');
const qwen2 = cl100k('\\p{N}');
const bloom = ' ?[^(\\s|.,!?\\u2026\\u3002\\uff0c\\u3001\\u0964\\u06d4\\u060c)]+';
const cjk = '[\\u4e00-\\u9fa5\\u3040-\\u309f\\u30a0-\\u30ff]+';
const ascii = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+';
const deepseek3 = [
  '\\p{N}{1,3}',
  cjk,
  `${ascii}|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|${spaces}`,
];
/** Code points of letters with case in DeepSeek's tokenizer: of an older Unicode than `\p{LC}`. */
const cased = [
  '41-5a 61-7a b5 c0-d6 d8-f6 f8-1ba 1bc-1bf 1c4-293 295-2af 370-373 376 377 37b-37d 37f 386',
  '388-38a 38c 38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556 10a0-10c5 13a0-13f5 13f8-13fd 1c90-1cba',
  '1cbd-1cbf 1d00-1d2b 1d6b-1d77 1d79-1d9a 1e00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d 1f50-1f57 1f59',
  '1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fbc 1fbe 1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec',
  '1ff2-1ff4 1ff6-1ffc 2102 2107 210a-2113 2115 2119-211d 2124 2126 2128 212a-212d 212f-2134 2139',
  '213c-213f 2145-2149 214e 2183 2184 2c00-2c7b 2c7e-2ce4 2ceb-2cee 2cf2 2cf3 a640-a66d a680-a69b',
  'a722-a76f a771-a787 a78b-a78e ab70-abbf fb00-fb06 fb13-fb17 ff21-ff3a ff41-ff5a 10400-1044f',
  '104b0-104d3 104d8-104fb 10c80-10cb2 10cc0-10cf2 118a0-118df 1e900-1e943',
]
  .join(' ')
  .replace(/[0-9a-f]+/g, (code) => `\\u{${code}}`)
  .replaceAll(' ', '');
const han = '[\\u4e00-\\u9fa5\\u0800-\\u4e00\\uac00-\\ud7ff]+';

const forms = {
  gpt2: { patterns: [GPT2] },
  starcoder: { patterns: ['\\p{N}', GPT2] },
  llama3: { patterns: [llama3], ignoreMerges: true, addBos: true },
  dbrx: { patterns: [llama3] },
  qwen2: { patterns: [qwen2] },
  qwen35: { patterns: [cl100k('\\p{N}', { word: '\\p{L}\\p{M}', other: '\\p{L}\\p{M}\\p{N}' })] },
  seedCoder: { patterns: [cl100k('\\p{N}', { other: '\\p{L}\\p{N}\\r\\n', breaks: '' })] },
  bailing: {
    patterns: [
      `'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]|${spaces}`,
    ],
  },
  deepseekLlm: {
    patterns: [
      '[\\r\\n]',
      `\\s?[${cased}]+`,
      '\\s?[!-/:-~\\uff01-\\uff0f\\uff1a-\\uff5e\\u2018-\\u201f\\u3000-\\u3002]+',
      '\\s+$',
      han,
      '\\p{N}+',
    ],
  },
  deepseekCoder: { patterns: ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', han, '\\p{N}'] },
  deepseek3: { patterns: deepseek3 },
  falcon: { patterns: ['[\\p{P}$+<=>^~|`]+', GPT2, '[0-9][0-9][0-9]'] },
  bloom: { patterns: [bloom] },
  viking: { patterns: [bloom, '\\p{N}'] },
  tekken: { patterns: [o200k('\\p{N}', { suffix: '' })], ignoreMerges: true, addBos: true },
  gpt4o: { patterns: [o200k('\\p{N}{1,3}')] },
  kimi: { patterns: [o200k('\\p{N}{1,3}', { not: '&&[^\\p{Han}]', breaks: '[\\r\\n]*', before: '[\\p{Han}]+|' })] },
  tinyAya: { patterns: ['\\d{1,3}(?=(?:\\d{3})*\\b)', o200k('\\p{N}{1,3}')] },
  superbpe: { patterns: ['\\p{N}+', '(?=(\\d{3})+(?!\\d))'] },
} as const satisfies Readonly<Record<string, PreTokenization>>;

/** Names in files by the form that they share. */
const names: Readonly<Record<keyof typeof forms, string>> = {
  gpt2: 'gpt-2 phi-2 mpt olmo jais trillion granite-docling jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code roberta-bpe gigachat a.x-4.0 mellum exaone4',
  starcoder: 'starcoder refact command-r smollm codeshell exaone minerva-7b',
  llama3: 'llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2',
  dbrx: 'dbrx smaug-bpe glm4 chatglm4 chatglm-bpe',
  qwen2: 'qwen2 deepseek-r1-qwen kormo megrez stablelm2 hunyuan grok-2',
  qwen35: 'qwen35',
  seedCoder: 'seed-coder',
  bailing: 'bailingmoe bailingmoe2 llada-moe',
  deepseekLlm: 'deepseek-llm',
  deepseekCoder: 'deepseek-coder',
  deepseek3: 'deepseek-v3 hunyuan-dense joyai-llm',
  falcon: 'falcon',
  bloom: 'poro-chat bloom gpt3-finnish',
  viking: 'viking',
  tekken: 'tekken',
  gpt4o: 'gpt-4o llama4 minimax-m2',
  kimi: 'kimi-k2',
  tinyAya: 'tiny_aya cohere2moe',
  superbpe: 'superbpe',
};

const byName = new Map<string, PreTokenization>(
  Object.entries(names).flatMap(([form, list]) =>
    list.split(' ').map((name) => [name, forms[form as keyof typeof forms]] as const),
  ),
);

/** Names that `preTokenizationOf` knows. */
export const preTokenizations: readonly string[] = [...byName.keys()].sort();

/** @throws Error naming a pre-tokenisation that is not known, and those that are. */
export function preTokenizationOf(name: unknown): PreTokenization {
  const known = byName.get(String(name));
  if (known) return known;
  throw new Error(
    name === undefined
      ? 'the file does not say how text is cut into words (it has no "tokenizer.ggml.pre"); convert the model anew'
      : `the file's pre-tokenizer "${String(name)}" is not known; known are ${preTokenizations.join(', ')}`,
  );
}
