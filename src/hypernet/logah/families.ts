// Families of networks: what a description of an architecture becomes, as a network to train or,
// for those that may be larger than memory, as a graph alone.

import {
  Decoder,
  GPT2,
  type GPT2Options,
  gpt2Shapes,
  VisionTransformer,
  type VisionTransformerOptions,
  visionTransformerShapes,
} from '../../models/index.js';
import { MLP } from '../../nn/index.js';
import { Random, type Shape, type Tensor, tensor, zeros } from '../../tensor/index.js';
import { type ArchitectureGraph, withShapes } from './graph.js';
import { architectureGraph, type TraceableModule } from './trace-graph.js';

/** A vision transformer. */
export interface ViTArchitecture
  extends Required<Pick<VisionTransformerOptions, 'imageSize' | 'patchSize' | 'channels' | 'classes' | 'features'>>,
    Pick<VisionTransformerOptions, 'hidden' | 'pooling'> {
  /** Its family. */
  readonly family: 'vit';
  /** Number of blocks. */
  readonly layers: number;
  /** Heads of attention, a divisor of `features`. */
  readonly heads: number;
}

/** A GPT-2. */
export interface GPT2Architecture extends GPT2Options {
  /** Its family. */
  readonly family: 'gpt2';
}

/** A decoder as `gossamer lm train` makes them. */
export interface DecoderArchitecture {
  /** Its family. */
  readonly family: 'decoder';
  /** Vocabulary size. */
  readonly vocabulary: number;
  /** Embedding dimension. */
  readonly features: number;
  /** Number of blocks. */
  readonly layers: number;
  /** Heads of attention. */
  readonly heads: number;
}

/** A multilayer perceptron with equally wide hidden layers. */
export interface MLPArchitecture {
  /** Its family. */
  readonly family: 'mlp';
  /** Width of the input. */
  readonly inFeatures: number;
  /** Number of classes. */
  readonly classes: number;
  /** Width of the hidden layers. */
  readonly features: number;
  /** Number of hidden layers. */
  readonly layers: number;
}

/** An architecture that a hypernetwork predicts weights for, by its description. */
export type Architecture = ViTArchitecture | GPT2Architecture | DecoderArchitecture | MLPArchitecture;

/** A network of a family. */
export type FamilyModule = TraceableModule & object;

interface Family<Own extends Architecture> {
  make(architecture: Own, random: Random): FamilyModule;
  inputs(architecture: Own): Tensor[];
  /** The same topology with few channels, and the shapes in full. */
  narrow?(architecture: Own): { readonly architecture: Own; readonly shapes: Record<string, Shape> };
}

const vitOptions = ({ layers, family: _, ...options }: ViTArchitecture): VisionTransformerOptions => {
  return { pooling: 'mean', ...options, depth: layers };
};

const tokens = () => [tensor(new Int32Array(2), [1, 2])];

const families: { readonly [Name in Architecture['family']]: Family<Extract<Architecture, { family: Name }>> } = {
  vit: {
    make: (own, random) => new VisionTransformer(random, vitOptions(own)),
    inputs: ({ channels, imageSize }) => [zeros([1, channels, imageSize, imageSize])],
    narrow: (own) => ({
      architecture: { ...own, channels: 1, imageSize: 2, patchSize: 1, features: own.heads, hidden: 1, classes: 1 },
      shapes: visionTransformerShapes(vitOptions(own)),
    }),
  },
  gpt2: {
    make: (own, random) => new GPT2(random, own),
    inputs: tokens,
    narrow: (own) => ({
      architecture: { ...own, vocabulary: 2, context: 2, features: own.heads ?? 12, hidden: 1 },
      shapes: gpt2Shapes(own),
    }),
  },
  decoder: {
    make: (own, random) => new Decoder(own, random),
    inputs: tokens,
  },
  mlp: {
    make: ({ inFeatures, features, layers, classes }, random) =>
      new MLP([inFeatures, ...Array.from({ length: layers }, () => features), classes], random),
    inputs: ({ inFeatures }) => [zeros([1, inFeatures])],
  },
};

/** Names of the families. */
export const familyNames = Object.keys(families) as readonly Architecture['family'][];

function familyOf(architecture: Architecture): Family<Architecture> {
  if (!Object.hasOwn(families, architecture.family))
    throw new Error(`unknown family "${architecture.family}"; known: ${familyNames.join(', ')}`);
  return families[architecture.family] as Family<Architecture>;
}

/** The network of a description, with its usual random weights. */
export function makeNetwork(architecture: Architecture, random: Random): FamilyModule {
  return familyOf(architecture).make(architecture, random);
}

/**
 * The graph of a description. Vision transformers and GPT-2 are not made for it: a network of the
 * same topology with few channels is traced, and the shapes are put in.
 */
export function graphOf(architecture: Architecture): ArchitectureGraph {
  const family = familyOf(architecture);
  const narrow = family.narrow?.(architecture);
  const traced = narrow?.architecture ?? architecture;
  const graph = architectureGraph(family.make(traced, new Random(0)), family.inputs(traced));
  return narrow ? withShapes(graph, narrow.shapes) : graph;
}

/** A name of PyTorch's for a parameter: words with underscores, as timm and Hugging Face write. */
export function torchName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/\bln(\d)/g, 'ln_$1');
}

/**
 * All combinations of depths and widths of a family.
 *
 * @param base what they have in common
 */
export function grid<Base extends Architecture>(
  base: Base,
  layers: readonly number[],
  widths: readonly number[],
): Base[] {
  return layers.flatMap((depth) => widths.map((features) => ({ ...base, layers: depth, features })));
}

const pick = <T>(random: Random, values: readonly T[]): T => values[random.integer(values.length)] as T;
const steps = (from: number, to: number, step: number) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);

/**
 * A vision transformer drawn as for ViTs-1K: 3 … 9 layers, the wider the fewer there are (128 … 256
 * above five, 256 … 384 above three, else 384 … 512, by 32), heads by divisibility.
 */
export function drawViT(
  base: Pick<ViTArchitecture, 'imageSize' | 'patchSize' | 'channels' | 'classes'>,
  random: Random,
): ViTArchitecture {
  const layers = 3 + random.integer(7);
  const [low, high] = layers > 5 ? [128, 256] : layers > 3 ? [256, 384] : [384, 512];
  const features = pick(random, steps(low, high, 32));
  const choices = features % 12 === 0 ? [3, 6, 12] : features % 6 === 0 ? [3, 6] : features % 3 === 0 ? [3] : [4, 8];
  return { family: 'vit', ...base, layers, features, heads: pick(random, choices) };
}

/**
 * A GPT-2 drawn as for GPTs-1K: 3 … 9 layers of width 72 … 176 above five, 128 … 176 above three,
 * else 176 … 256, by 8; 8 heads, untied embeddings.
 */
export function drawGPT2(base: Pick<GPT2Options, 'vocabulary' | 'context'>, random: Random): GPT2Architecture {
  const layers = 3 + random.integer(7);
  const [low, high] = layers > 5 ? [72, 176] : layers > 3 ? [128, 176] : [176, 256];
  return { family: 'gpt2', ...base, layers, features: pick(random, steps(low, high, 8)), heads: 8, tied: false };
}
