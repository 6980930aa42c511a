// Pre-tokenisation by the names of `tokenizer.ggml.pre` in GGUF files: each pattern cuts what the one
// before left whole. The patterns are those of the models' own tokenizer files.

import { GPT2 } from './steps.js';

/** How a byte-level vocabulary is used. */
export interface PreTokenization {
  readonly patterns: readonly string[];
  /** Whether words that are tokens are not merged. Default: false. */
  readonly ignoreMerges?: boolean;
  /** Whether texts begin with the beginning-of-sequence token, unless the file says. Default: false. */
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
const bloom = ' ?[^(\\s|.,!?…。，、।۔،)]+';
const cjk = '[一-龥\\u3040-ゟ゠-ヿ]+';
const ascii = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+';
const deepseek3 = [
  '\\p{N}{1,3}',
  cjk,
  `${ascii}|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|${spaces}`,
];
/** Letters with case, as DeepSeek's tokenizer lists them. */
const cased =
  'A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃';
const han = '[一-龥ࠀ-一가-퟿]+';

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
    patterns: ['[\\r\\n]', `\\s?[${cased}]+`, '\\s?[!-/:-~！-／：-～‘-‟\\u3000-。]+', '\\s+$', han, '\\p{N}+'],
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
  gpt2:
    'gpt-2 phi-2 mpt olmo jais trillion granite-docling jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code roberta-bpe gigachat a.x-4.0 mellum exaone4',
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
