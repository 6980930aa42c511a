// GGUF files of models for which llama.cpp has no form, such as mixtures whose experts are merged:
// tensors under the names of a `Decoder`, and the description that model files have. Their
// architecture is "gossamer", so that other programs refuse them rather than misread them.

import { type GgufEntry, type GgufFile, type GgufOutput, modelMetadata, writeGguf } from '../data/index.js';
import type { Weights } from '../nn/index.js';
import { blockFormats, type QuantizedFormat, quantizeBlocks } from '../quantized/index.js';
import type { Tensor } from '../tensor/index.js';
import { type Description, LANGUAGE_MODEL, languageDescription } from './description.js';
import { isRouter } from './runtime/weights.js';

const ARCHITECTURE = 'gossamer';

/** Whether a GGUF file is one of `writeOwnGguf`. */
export const isOwnGguf = ({ metadata }: Pick<GgufFile, 'metadata'>): boolean =>
  metadata['general.architecture'] === ARCHITECTURE;

/**
 * Writes a language model.
 *
 * @param format of the matrices whose rows are whole blocks of it, routers aside. Default: float32
 */
export function writeOwnGguf(description: Description, state: Weights, format?: QuantizedFormat): Uint8Array {
  const metadata: Record<string, GgufEntry> = { 'general.architecture': ['string', ARCHITECTURE] };
  for (const [key, value] of Object.entries(modelMetadata(LANGUAGE_MODEL, description)))
    metadata[`${ARCHITECTURE}.${key}`] = ['string', value];
  return writeGguf(
    metadata,
    Object.entries(state).map(([name, values]) => output(name, values, format)),
  );
}

function output(name: string, values: Tensor, format: QuantizedFormat | undefined): GgufOutput {
  const { shape, rank } = values;
  const isWhole = format !== undefined && (shape.at(-1) as number) % blockFormats[format].values === 0;
  if (isWhole && rank > 1 && !isRouter(name))
    return { name, shape, type: format, bytes: quantizeBlocks(values.dataSync<Float32Array>(), format) };
  // Places of kept rows are whole numbers below 2²⁴, exact in floats.
  const floats = Float32Array.from(values.dataSync());
  return { name, shape, type: 'F32', bytes: new Uint8Array(floats.buffer) };
}

/** The description in a file of `writeOwnGguf`. @throws Error as `languageDescription` does. */
export function ownDescription({ metadata, source }: GgufFile): Description {
  const own = Object.entries(metadata).flatMap(([key, value]) =>
    key.startsWith(`${ARCHITECTURE}.`) && typeof value === 'string'
      ? [[key.slice(ARCHITECTURE.length + 1), value]]
      : [],
  );
  return languageDescription(Object.fromEntries(own), source.name);
}
