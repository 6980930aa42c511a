// Texts to vectors by a sentence model in ONNX and its tokenizer, such as all-MiniLM-L6-v2: the
// mean of the last hidden states over the tokens of a text, scaled to unit length. (Reimers &
// Gurevych, "Sentence-BERT", EMNLP 2019.)

import { Tokenizer } from '@huggingface/tokenizers';
import { keep, mean, normalizeRows, reshape, scope, type Tensor, tensor } from '../tensor/index.js';
import { importOnnx, type OnnxModel } from '../trace/index.js';
import type { SentenceEncoder } from './text-encoder.js';

/** Files of a sentence model. */
export interface OnnxTextFiles {
  /** The network: `input_ids`, maybe `attention_mask` and `token_type_ids`, all [texts, tokens]. */
  readonly model: Uint8Array;
  /** The value of tokenizer.json. */
  readonly tokenizer: object;
}

/** Options of `OnnxTextEncoder`. */
export interface OnnxTextOptions {
  /** Tokens of a text that are read; the rest is left out. Default: 256. */
  readonly tokens?: number;
  /** Texts of a pass. Default: 32. */
  readonly batch?: number;
}

/** Values of the inputs that sentence models have, by name, at every token: nothing is padded. */
const inputs: Readonly<Record<string, (ids: readonly (readonly number[])[]) => Int32Array>> = {
  input_ids: (ids) => Int32Array.from(ids.flat()),
  attention_mask: (ids) => new Int32Array(ids.flat().length).fill(1),
  token_type_ids: (ids) => new Int32Array(ids.flat().length),
};

/** Encodes texts by a network of the user's own. */
export class OnnxTextEncoder implements SentenceEncoder {
  readonly dimension: number;
  readonly #model: OnnxModel;
  readonly #tokenizer: Tokenizer;
  readonly #options: Required<OnnxTextOptions>;

  /** @throws Error when the model cannot be read, or is no sentence model */
  constructor({ model, tokenizer }: OnnxTextFiles, { tokens = 256, batch = 32 }: OnnxTextOptions = {}) {
    this.#model = importOnnx(model);
    this.#tokenizer = new Tokenizer(tokenizer, {});
    this.#options = { tokens, batch };
    const unknown = this.#model.inputNames.filter((name) => !Object.hasOwn(inputs, name));
    if (unknown.length > 0 || !this.#model.inputNames.includes('input_ids'))
      throw new Error(
        `the ONNX model has the inputs ${this.#model.inputNames.join(', ')}; a sentence model has ${Object.keys(inputs).join(', ')}`,
      );
    // One token tells the width.
    this.dimension = scope(() => this.#hidden([[0]]).shape[2] as number);
  }

  encode(texts: readonly string[]): Tensor {
    const ids = texts.map((text) => this.#tokensOf(text));
    const values = new Float32Array(texts.length * this.dimension);
    for (const rows of this.#batches(ids)) {
      const vectors = scope(() => {
        const hidden = this.#hidden(rows.map((row) => ids[row] as number[]));
        return normalizeRows(reshape(mean(hidden, 1), [rows.length, this.dimension])).dataSync<Float32Array>();
      });
      rows.forEach((row, i) => {
        values.set(vectors.subarray(i * this.dimension, (i + 1) * this.dimension), row * this.dimension);
      });
    }
    return keep(tensor(values, [texts.length, this.dimension]));
  }

  /** Tokens of a text; the last one, which closes the text, is kept where it is cut. */
  #tokensOf(text: string): number[] {
    const { ids } = this.#tokenizer.encode(text);
    const { tokens } = this.#options;
    return ids.length <= tokens ? [...ids] : [...ids.slice(0, tokens - 1), ids.at(-1) as number];
  }

  /** Texts of one length together, so that none is padded; texts without a token stay 0. */
  *#batches(ids: readonly (readonly number[])[]): Generator<number[]> {
    const byLength = new Map<number, number[]>();
    ids.forEach(({ length }, row) => {
      if (length > 0) byLength.set(length, [...(byLength.get(length) ?? []), row]);
    });
    for (const rows of byLength.values())
      for (let from = 0; from < rows.length; from += this.#options.batch)
        yield rows.slice(from, from + this.#options.batch);
  }

  /** Last hidden states [texts, tokens, dimension] of texts of one length. */
  #hidden(ids: readonly (readonly number[])[]): Tensor {
    const shape = [ids.length, ids[0]?.length as number];
    const given = this.#model.inputNames.map((name) => tensor((inputs[name] as (typeof inputs)[string])(ids), shape));
    const [hidden] = this.#model.forward(...given);
    if (hidden?.rank !== 3 || hidden.shape[0] !== shape[0] || hidden.shape[1] !== shape[1])
      throw new Error(
        `the first output of the ONNX model, "${this.#model.outputNames[0]}", is ${hidden}; expected the last hidden states [texts, tokens, width]`,
      );
    return hidden;
  }
}
