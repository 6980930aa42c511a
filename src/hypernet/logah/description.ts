// Descriptions of architectures in files: our own fields, a preset by name, or the config.json of a
// GPT-2 by Hugging Face.

import { gpt2Presets, visionTransformers } from '../../models/index.js';
import { type Architecture, familyNames } from './families.js';

type Fields = Readonly<Record<string, unknown>>;

const vitPresets = Object.fromEntries(
  Object.entries(visionTransformers).map(([name, options]) => {
    const { depth = 12, patchSize = 16, pooling = 'class', ...own }: Fields = options;
    return [
      name,
      { family: 'vit', imageSize: 224, channels: 3, classes: 1000, ...own, layers: depth, patchSize, pooling },
    ];
  }),
);

/** Architectures by name. */
const presets: Readonly<Record<string, Fields>> = {
  ...Object.fromEntries(Object.entries(gpt2Presets).map(([name, options]) => [name, { family: 'gpt2', ...options }])),
  ...vitPresets,
};

/** Names of architectures that need no file. */
export const presetNames: readonly string[] = Object.keys(presets);

/** Fields of each family: numbers that must be given, and what may be left out. */
const fieldsOf: Readonly<
  Record<Architecture['family'], { readonly numbers: readonly string[]; readonly more: readonly string[] }>
> = {
  vit: {
    numbers: ['imageSize', 'patchSize', 'channels', 'classes', 'features', 'layers', 'heads'],
    more: ['hidden', 'pooling'],
  },
  gpt2: { numbers: [], more: ['vocabulary', 'context', 'features', 'layers', 'heads', 'hidden', 'tied'] },
  decoder: { numbers: ['vocabulary', 'features', 'layers', 'heads'], more: [] },
  mlp: { numbers: ['inFeatures', 'classes', 'features', 'layers'], more: [] },
};

const huggingFace: Readonly<Record<string, string>> = {
  vocab_size: 'vocabulary',
  n_positions: 'context',
  n_embd: 'features',
  n_layer: 'layers',
  n_head: 'heads',
  n_inner: 'hidden',
  tie_word_embeddings: 'tied',
};

/**
 * The architecture of a name, or of a parsed JSON file. What a description of the same family
 * leaves out is that of `base`.
 *
 * @param base of the family that a hypernetwork was trained on
 * @throws Error naming what is unknown, missing, or no positive whole number
 */
export function readArchitecture(given: unknown, base?: Architecture): Architecture {
  const fields = namedFields(given);
  const family = fields.family ?? base?.family;
  if (!familyNames.includes(family as Architecture['family']))
    throw new Error(
      `an architecture needs a family: ${familyNames.join(', ')}, or "model_type": "gpt2"; got ${JSON.stringify(family ?? null)}`,
    );
  const name = family as Architecture['family'];
  const { numbers, more } = fieldsOf[name];
  const unknown = Object.keys(fields).find((own) => ![...numbers, ...more, 'family'].includes(own));
  if (unknown !== undefined)
    throw new Error(
      `an architecture of the family ${name} has no "${unknown}"; it has ${[...numbers, ...more].join(', ')}`,
    );
  const all: Fields = { ...(base?.family === name ? base : {}), ...fields, family: name };
  const missing = numbers.find((own) => all[own] === undefined);
  if (missing !== undefined) throw new Error(`an architecture of the family ${name} needs "${missing}"`);
  for (const [own, value] of Object.entries(all)) requireValue(own, value);
  return all as unknown as Architecture;
}

function namedFields(given: unknown): Fields {
  if (typeof given === 'string') {
    const preset = Object.hasOwn(presets, given) ? presets[given] : undefined;
    if (!preset) throw new Error(`architecture "${given}" is not known; there are ${presetNames.join(', ')}`);
    return preset;
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new Error('an architecture is described by a JSON object, or by a name');
  const fields = given as Fields;
  if (typeof fields.preset === 'string') {
    const { preset, ...own } = fields;
    return { ...namedFields(preset), ...own };
  }
  if (fields.model_type === undefined) return fields;
  if (fields.model_type !== 'gpt2')
    throw new Error(`config.json of "${fields.model_type}": of Hugging Face's models GPT-2 alone is read`);
  const own = Object.entries(huggingFace).flatMap(([theirs, ours]) => {
    const value = fields[theirs];
    return value === undefined || value === null ? [] : [[ours, value] as const];
  });
  return { family: 'gpt2', ...Object.fromEntries(own) };
}

function requireValue(name: string, value: unknown): void {
  if (name === 'family' || value === undefined) return;
  const isRight =
    name === 'tied'
      ? typeof value === 'boolean'
      : name === 'pooling'
        ? value === 'class' || value === 'mean'
        : Number.isInteger(value) && (value as number) >= (name === 'layers' ? 0 : 1);
  if (isRight) return;
  const expected =
    name === 'tied' ? 'true or false' : name === 'pooling' ? '"class" or "mean"' : 'a positive whole number';
  throw new Error(`an architecture's "${name}" must be ${expected}, got ${JSON.stringify(value)}`);
}
