// H4G as a file: the network, what encodes texts, and the probabilities below which a class is
// unknown. It answers for graphs and classes that training did not know.

import {
  type ClassText,
  HashedTextEncoder,
  type HashedTextState,
  LatentTextEncoder,
  type LatentTextOptions,
  type ModelKind,
  readModelFile,
  type SentenceEncoder,
  type TextGraph,
  wordsOf,
  writeModelFile,
} from '../../data/index.js';
import { loadState, stateOf } from '../../nn/index.js';
import { keep, Random, scope, softmax, type Tensor, tensor } from '../../tensor/index.js';
import { H4G, type H4GOptions } from './network.js';
import { type RadiusReport, radiusReport, smallestOf } from './radius-report.js';

/** Name and version of the model file. */
export const H4G_MODEL: ModelKind = { system: 'h4g', version: '1', madeBy: 'gossamer fit --model h4g' };

/** A probability that nine of ten held-out nodes reach among texts of which one is theirs. */
export interface KnownProbability {
  /** Number of texts. */
  readonly classes: number;
  /** The probability. */
  readonly probability: number;
}

/** What a file says beside its tensors. */
export interface H4GDescription {
  /** Numbers of a text vector. */
  readonly features: number;
  /** Layout of the network. */
  readonly options: H4GOptions;
  /** The encoder: in the file, or a sentence model of the user's by its digest. */
  readonly encoder:
    | { readonly kind: 'latent'; readonly options: LatentTextOptions }
    | { readonly kind: 'hashed'; readonly state: HashedTextState }
    | { readonly kind: 'onnx'; readonly digest: string };
  /** By number of classes, ascending; none where too few pairs were held out. */
  readonly known: readonly KnownProbability[];
  /** Graphs that it was trained on. */
  readonly trained: readonly { readonly name: string; readonly nodes: number; readonly edges: number }[];
  /** Pairs of nodes and texts that it was trained on. */
  readonly pairs: number;
}

/** A sentence model and its digest. */
export interface GivenEncoder {
  /** The model. */
  readonly encoder: SentenceEncoder;
  /** What tells it from others. */
  readonly digest: string;
}

/** Answers for the nodes of a graph. */
export interface ZeroShotPredictions {
  /** Class of each node, −1 where it is unknown. */
  readonly classes: Int32Array;
  /** Probability of the nearest class: softmax of −d/τ over the classes. */
  readonly probabilities: Float32Array;
  /** Distance to the nearest class in hyperbolic space. */
  readonly distances: Float32Array;
  /** Radius of each node: its distance from the origin. */
  readonly radii: Float32Array;
  /** The probability below which nodes are unknown. */
  readonly threshold: number;
  /** What the lift left of differences between nodes. */
  readonly report: RadiusReport;
  /** What a person should know about the classes. */
  readonly notes: readonly string[];
}

/** Nodes whose distances are computed at a time. */
const AT_ONCE = 4096;

/** A network, what encodes texts, and what is known of its training. */
export class H4GModel {
  constructor(
    readonly network: H4G,
    readonly description: H4GDescription,
    readonly encoder: SentenceEncoder,
  ) {}

  /**
   * The nearest class of each node. A node without a word and without neighbours lies at the
   * origin.
   *
   * @param threshold least probability of a known class; that of the training when left out, 0 for
   * none
   * @throws RangeError for a threshold outside [0, 1]; Error naming a class of whose words the
   * encoder knows none
   */
  predict(
    data: TextGraph,
    classes: readonly ClassText[],
    threshold = this.threshold(classes.length),
  ): ZeroShotPredictions {
    if (!(threshold >= 0 && threshold <= 1))
      throw new RangeError(`the threshold is a probability from 0 to 1, got ${threshold}`);
    const { network, encoder } = this;
    const n = data.texts.length;
    const texts = encodeTexts(
      encoder,
      classes.map(({ text }) => text),
    );
    requireKnown(texts, classes);
    const prepared = network.prepare(data.graph, encodeTexts(encoder, data.texts));
    const nearest = new Int32Array(n);
    const probabilities = new Float32Array(n);
    const distances = new Float32Array(n);
    const all = Int32Array.from({ length: n }, (_, v) => v);
    const textPoints = network.textPoints(texts);
    for (let from = 0; from < n; from += AT_ONCE)
      scope(() => {
        const rows = all.subarray(from, from + AT_ONCE);
        const points = network.nodePoints(prepared, rows);
        const apart = network.ball.distances(points, textPoints);
        const chances = softmax(network.similarities(points, textPoints)).view();
        smallestOf(apart).forEach((own, i) => {
          const at = i * classes.length + own;
          nearest[from + i] = own;
          probabilities[from + i] = chances[at] as number;
          distances[from + i] = apart.view()[at] as number;
        });
      });
    const report = scope(() =>
      radiusReport(network, network.nodeTangents(prepared, all), network.nodePoints(prepared, all)),
    );
    for (const tensor of [...prepared.hops, prepared.texts, texts]) tensor.dispose();
    return {
      classes: nearest.map((own, v) => ((probabilities[v] as number) < threshold ? -1 : own)),
      probabilities,
      distances,
      radii: report.radii,
      threshold,
      report,
      notes: notesOf(encoder, classes),
    };
  }

  /** The probability of a known class among a number of classes, between those of the training. */
  threshold(classes: number): number {
    const { known } = this.description;
    const above = known.findIndex((own) => own.classes >= classes);
    const [low, high] = [known[above - 1], known[above]];
    if (!low || !high) return (above === 0 ? known[0] : known.at(-1))?.probability ?? 0;
    const share = Math.log(classes / low.classes) / Math.log(high.classes / low.classes);
    return low.probability + share * (high.probability - low.probability);
  }

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as scores
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    const network = prefixed('network', stateOf(this.network));
    const { encoder } = this;
    if (!(encoder instanceof LatentTextEncoder))
      return writeModelFile(H4G_MODEL, { ...more, ...this.description }, network);
    const { buckets, weights, directions } = encoder.state();
    const tensors = { ...network, ...prefixed('encoder', { buckets, weights, directions }) };
    return writeModelFile(H4G_MODEL, { ...more, ...this.description }, tensors);
  }

  /** What a file says beside its tensors. @throws Error as `load` does for another file */
  static describe(bytes: Uint8Array, name = 'model'): H4GDescription {
    return readModelFile<H4GDescription>(H4G_MODEL, bytes, name).description;
  }

  /**
   * @param given the sentence model that it was trained with, where it was one
   * @throws Error when the file is of another system or version, or its sentence model is missing,
   * another one, or given though none was trained with
   */
  static load(bytes: Uint8Array, name = 'model', given?: GivenEncoder): H4GModel {
    const { description, tensors } = readModelFile<H4GDescription>(H4G_MODEL, bytes, name);
    const part = (prefix: string) =>
      Object.fromEntries(
        Object.entries(tensors).flatMap(([key, value]) =>
          key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
        ),
      );
    const network = new H4G(description.features, new Random(0), description.options);
    loadState(network, part('network.'));
    return new H4GModel(network, description, encoderOf(description, part('encoder.'), name, given));
  }
}

/** Vectors of texts [n, d]; 0 for a text without a word, which some encoders refuse. */
export function encodeTexts(encoder: SentenceEncoder, texts: readonly string[]): Tensor {
  const d = encoder.dimension;
  const rows = Array.from(texts.keys()).filter((i) => wordsOf(texts[i] as string).length > 0);
  if (rows.length === texts.length) return encoder.encode(texts);
  const values = new Float32Array(texts.length * d);
  if (rows.length > 0) {
    const encoded = encoder.encode(rows.map((row) => texts[row] as string));
    rows.forEach((row, i) => {
      values.set(encoded.view().subarray(i * d, (i + 1) * d), row * d);
    });
    encoded.dispose();
  }
  return keep(tensor(values, [texts.length, d]));
}

function notesOf(encoder: SentenceEncoder, classes: readonly ClassText[]): string[] {
  if (!(encoder instanceof LatentTextEncoder)) return [];
  const strange = classes.filter(({ text }) => !encoder.knows(text)).map(({ name }) => name);
  if (strange.length === 0) return [];
  return [
    `no word of ${strange.join(', ')} is in the training texts: parts of words alone tell these classes; train with texts=hashed or with a sentence model for other words`,
  ];
}

/** @throws Error naming the first class whose vector is 0 */
function requireKnown(vectors: Tensor, classes: readonly ClassText[]): void {
  const [, d] = vectors.shape as [number, number];
  const values = vectors.view();
  const lost = classes.find((_, c) => values.subarray(c * d, (c + 1) * d).every((value) => value === 0));
  if (lost)
    throw new Error(
      `class "${lost.name}": the encoder of the model knows no word of its text; describe it in words of the training texts, or train with texts=hashed or with a sentence model`,
    );
}

function encoderOf(
  { encoder }: H4GDescription,
  tensors: Readonly<Record<string, Tensor>>,
  name: string,
  given: GivenEncoder | undefined,
): SentenceEncoder {
  if (encoder.kind === 'onnx') {
    if (!given) throw new Error(`file "${name}" was trained with a sentence model: give it by --encoder model.onnx`);
    if (given.digest !== encoder.digest)
      throw new Error(
        `file "${name}" was trained with another sentence model (SHA-256 ${encoder.digest.slice(0, 12)}…, given ${given.digest.slice(0, 12)}…)`,
      );
    return given.encoder;
  }
  if (given) throw new Error(`file "${name}" has its own encoder of texts; leave --encoder out`);
  if (encoder.kind === 'hashed') return HashedTextEncoder.restore(encoder.state);
  const { buckets, weights, directions } = tensors;
  if (!buckets || !weights || !directions) throw new Error(`file "${name}" is damaged: its encoder is not whole`);
  return LatentTextEncoder.restore({ options: encoder.options, buckets, weights, directions });
}

function prefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([key, value]) => [`${prefix}.${key}`, value]));
}
