// A byte-pair tokenizer from its parts, which tokenizer.json and GGUF files name in different ways.

import { answerEnd } from '../chat.js';
import { type AddedToken, AddedTokens } from './added.js';
import { type PromptPart, partsOf, type TextTokenizer } from './contract.js';
import { type Rank, type WordEncoderOptions, wordEncoder } from './merges.js';
import type { Cut, Normalize, Piece } from './steps.js';

/** Parts of a byte-pair tokenizer. */
export interface TokenizerParts extends Omit<WordEncoderOptions, 'ids' | 'rank'> {
  /** Texts of the ordinary tokens and their ids. */
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly added: readonly AddedToken[];
  readonly rank: Rank;
  /** Ids in `vocabulary` that words never become: control tokens and bytes. */
  readonly reserved: ReadonlySet<number>;
  readonly normalize: Normalize;
  readonly cut: Cut;
  readonly decode: (pieces: readonly Piece[]) => string;
  readonly pieceBytes: (piece: Piece) => readonly number[];
  /** Ids before and after every text. */
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  /** Further ids that end a text or a turn. */
  readonly stops: readonly number[];
  readonly templates: ChatTemplates;
}

/** Chat templates by name; `default` is for conversations. */
export type ChatTemplates = Readonly<Record<string, string>>;

/** Largest token id. */
const LARGEST_ID = 2 ** 22;

/** @throws Error when an id is not from 0 to 2²² − 1, or stands for two texts. */
function textsById(vocabulary: ReadonlyMap<string, number>, added: readonly AddedToken[]): Map<number, Piece> {
  const texts = new Map<number, Piece>();
  const set = (text: string, id: number, isAdded: boolean) => {
    if (!Number.isInteger(id) || id < 0 || id >= LARGEST_ID)
      throw new Error(`token ${JSON.stringify(text)} has the id ${id}; ids are integers from 0 to ${LARGEST_ID - 1}`);
    const other = texts.get(id)?.text;
    if (other !== undefined && other !== text)
      throw new Error(`the id ${id} stands for ${JSON.stringify(other)} and for ${JSON.stringify(text)}`);
    texts.set(id, { text, added: isAdded });
  };
  for (const [text, id] of vocabulary) set(text, id, false);
  for (const { content, id } of added) {
    const known = vocabulary.get(content);
    if (known !== undefined && known !== id)
      throw new Error(`token ${JSON.stringify(content)} has the id ${known} and, as an added token, ${id}`);
    set(content, id, true);
  }
  return texts;
}

/** @throws Error when the parts contradict each other. */
export function assembleTokenizer(parts: TokenizerParts): TextTokenizer {
  const { vocabulary, added, reserved, normalize, cut, decode, begin, end, bos, eos, templates } = parts;
  const texts = textsById(vocabulary, added);
  const size = [...texts.keys()].reduce((most, id) => Math.max(most, id + 1), 0);
  for (const id of [...begin, ...end, ...parts.stops, bos ?? 0, eos ?? 0])
    if (!texts.has(id)) throw new Error(`${id} is named as a special token, but there is no token of that id`);

  const controls = new Set([...added.filter((token) => token.special).map(({ id }) => id), ...reserved]);
  const silent = new Set(added.filter((token) => token.special).map(({ id }) => id));
  const addedIds = new Set(added.map(({ id }) => id));
  const ids = new Map([...vocabulary].filter(([, id]) => !controls.has(id) && !addedIds.has(id)));
  const rank: Rank = (left, right) => (ids.has(left + right) ? parts.rank(left, right) : undefined);
  const encodeWord = wordEncoder({ ...parts, ids, rank });
  const addedTokens = new AddedTokens(added);

  const encodeParts = (prompt: readonly PromptPart[]): number[] => {
    const tokens: number[] = [];
    addedTokens.split(prompt).forEach((section, i) => {
      if (typeof section === 'string')
        for (const word of cut([normalize(section)], i === 0)) for (const id of encodeWord(word)) tokens.push(id);
      else tokens.push(section.id);
    });
    return tokens;
  };
  const textOf = (id: number | undefined) => (id === undefined ? '' : (texts.get(id)?.text ?? ''));
  const { default: template, ...others } = templates;
  const tokenizer: TextTokenizer = {
    size,
    stopTokens: [],
    encode: (text, special = true) => {
      const own = encodeParts(partsOf(text));
      return special ? [...begin, ...own, ...end] : own;
    },
    decode: (tokens) =>
      decode(
        tokens.flatMap((id) => {
          const piece = silent.has(id) ? undefined : texts.get(id);
          return piece ? [piece] : [];
        }),
      ),
    bytesOf: (id) => {
      const piece = texts.get(id);
      return piece ? parts.pieceBytes(piece) : [];
    },
    beginTokens: begin,
    specialTexts: { bos: textOf(bos), eos: textOf(eos) },
    ...(template !== undefined && { chatTemplate: template }),
    ...(Object.keys(others).length > 0 && { chatTemplates: others }),
  };
  return { ...tokenizer, stopTokens: stopTokens(tokenizer, parts, silent) };
}

/** The ids that files name, and the control token that the chat template puts after an answer. */
function stopTokens(
  tokenizer: TextTokenizer,
  { eos, stops }: TokenizerParts,
  controls: ReadonlySet<number>,
): readonly number[] {
  const after = answerEnd(tokenizer);
  const next = tokenizer.encode([{ text: after.trimStart(), control: true }], false)[0];
  const turn = next !== undefined && controls.has(next) ? [next] : [];
  return [...new Set([...(eos === undefined ? [] : [eos]), ...stops, ...turn])];
}
