// Graphs of texts for zero-shot transfer: classes of the sources, of validation and of the targets
// share no class. Texts and summaries of the sources, and class texts, are all that encoders of
// texts see.

import { halvesOf, hierTag, LatentTextEncoder, textEdges } from '../../data/index.js';
import { hasLabelledTexts, type LabelledTexts, loadLabelledTexts } from '../../data/node.js';
import type { Graph } from '../../structure/index.js';
import type { Random, Tensor } from '../../tensor/index.js';

/** The two kinds of edges. */
export const KINDS = ['homophilic', 'heterophilic'] as const;
export type Kind = (typeof KINDS)[number];

/** Nodes of some classes. */
export interface TextSide {
  readonly texts: readonly string[];
  /** What each node is about, in other words. */
  readonly abouts: readonly string[];
  /** Class of each node: a row of `classTexts`. */
  readonly labels: Int32Array;
  /** The group of classes that each node belongs to, where classes have such. */
  readonly groups?: Int32Array;
  readonly classTexts: readonly string[];
  readonly graphs: Readonly<Record<Kind, Graph>>;
}

/** The three sides of a seed, whose classes are disjoint but for those that validation adds. */
export interface TransferSides {
  readonly source: TextSide;
  readonly validation: TextSide;
  readonly target: TextSide;
}

/** A side with vectors of its texts. */
export interface EncodedSide extends TextSide {
  readonly vectors: Tensor;
  readonly classVectors: Tensor;
}

/** What methods of a seed are given. */
export interface TransferRun {
  readonly source: EncodedSide & { readonly aboutVectors: Tensor };
  readonly validation: EncodedSide;
  readonly target: EncodedSide;
}

/** Data of any seed. */
export interface TextGraphData {
  readonly name: string;
  readonly description: string;
  readonly sidesOf: (random: Random, seed: number) => TransferSides;
}

/** Names of the data sets, the first generated. */
export const textGraphSets = ['hier-tag', 'r8'];

/** Class texts of R8, fixed before any run. */
const R8_CLASSES: Readonly<Record<string, string>> = {
  acq: 'corporate mergers and acquisitions',
  crude: 'crude oil and petroleum',
  earn: 'company earnings and dividends',
  grain: 'grain and wheat crops',
  interest: 'bank interest rates',
  'money-fx': 'foreign exchange and currency',
  ship: 'shipping and ports',
  trade: 'foreign trade balance and tariffs',
};

/** Classes of R8 that are targets; the next one validates, the others are sources. */
const R8_TARGETS = 3;
/** Texts of a class of R8 at most: of sources and targets, and of validation. */
const R8_TEXTS = { most: 200, validation: 40 } as const;
/** Shares of edges within the class, and to other classes of the side. */
const R8_EDGES = { homophilic: { topic: 0.8, field: 0.1 }, heterophilic: { topic: 0.08, field: 0.75 } } as const;

/** @throws Error for another name, or when R8 is not on this machine */
export function loadTextGraphs(source: string, sourceNodes: number): TextGraphData {
  if (source === 'hier-tag')
    return {
      name: source,
      description: `hier-tag: 5 source fields of 4 topics with ${sourceNodes} nodes each, 1 to validate, 4 targets with 16 classes`,
      sidesOf: (random) => hierTagSides(random, sourceNodes),
    };
  if (source !== 'r8')
    throw new Error(
      `data "${source}" is neither of ${textGraphSets.join(', ')}; gossamer fit FOLDER --model h4g takes graphs of your own`,
    );
  const data = loadLabelledTexts(source);
  return {
    name: source,
    description: `r8: ${data.texts.length} texts of ${data.classes.length} classes; by rotation 4 source classes, 1 to validate, 3 targets`,
    sidesOf: (random, seed) => r8Sides(data, random, seed),
  };
}

/** Whether a set can be loaded here. */
export function hasTextGraphs(name: string): boolean {
  return name === 'hier-tag' || hasLabelledTexts(name);
}

/** Fields of hier-tag: sources before 5, then the one that validates. */
const VALIDATION_FIELD = 5;

function hierTagSides(random: Random, sourceNodes: number): TransferSides {
  const data = hierTag(random, {
    nodesOf: (field) => (field < VALIDATION_FIELD ? sourceNodes : field === VALIDATION_FIELD ? 16 : 20),
  });
  const side = (wanted: (field: number) => boolean): TextSide => {
    const nodes = Int32Array.from(data.fields.keys()).filter((v) => wanted(data.fields[v] as number));
    const topics = [...new Set(Array.from(nodes, (v) => data.topics[v] as number))];
    const pick = <T>(of: ArrayLike<T>) => Array.from(nodes, (v) => of[v] as T);
    return {
      texts: pick(data.texts),
      abouts: pick(data.summaries),
      labels: Int32Array.from(pick(data.topics), (topic) => topics.indexOf(topic)),
      groups: Int32Array.from(pick(data.fields)),
      classTexts: topics.map((topic) => data.classTexts[topic] as string),
      graphs: { homophilic: data.homophilic.induced(nodes), heterophilic: data.heterophilic.induced(nodes) },
    };
  };
  return {
    source: side((field) => field < VALIDATION_FIELD),
    validation: side((field) => field === VALIDATION_FIELD),
    target: side((field) => field > VALIDATION_FIELD),
  };
}

/**
 * One of three rotations. The classes of validation are its own and the sources', with texts that
 * training does not have: one class alone would always be right.
 */
function r8Sides({ texts, labels, classes }: LabelledTexts, random: Random, seed: number): TransferSides {
  const turned = classes.map((_, c) => (c + R8_TARGETS * (seed % 3)) % classes.length);
  const [targets, own, sources] = [
    turned.slice(0, R8_TARGETS),
    turned[R8_TARGETS] as number,
    turned.slice(R8_TARGETS + 1),
  ];
  const documents = classes.map((_, c) => {
    const all = Array.from(labels.keys()).filter((i) => labels[i] === c);
    return Array.from(random.split('texts').split(c).permutation(all.length), (at) => all[at] as number);
  });
  const held = R8_TEXTS.validation;
  const side = (name: string, members: readonly (readonly [label: number, from: number, to: number])[]): TextSide => {
    const rows = members.flatMap(([c, from, to], label) =>
      (documents[c] as number[]).slice(from, to).map((document) => ({ label, text: texts[document] as string })),
    );
    const labelOf = Int32Array.from(rows, ({ label }) => label);
    const graph = (kind: Kind) =>
      textEdges(labelOf, new Int32Array(labelOf.length), R8_EDGES[kind], random.split(`${name} ${kind}`));
    // Sources are read by halves, so that a pair shares no word.
    const halves = rows.map(({ text }) => halvesOf(text));
    return {
      texts: rows.map(({ text }, i) => (name === 'source' ? (halves[i] as [string, string])[0] : text)),
      abouts: halves.map(([, rest]) => rest),
      labels: labelOf,
      classTexts: members.map(([c]) => R8_CLASSES[classes[c] as string] as string),
      graphs: { homophilic: graph('homophilic'), heterophilic: graph('heterophilic') },
    };
  };
  const most = R8_TEXTS.most;
  // Grain has 51 texts: a fifth of them is left to train on.
  return {
    source: side(
      'source',
      sources.map((c) => [c, held, held + most] as const),
    ),
    validation: side(
      'validation',
      [own, ...sources].map((c) => [c, 0, held] as const),
    ),
    target: side(
      'target',
      targets.map((c) => [c, 0, most] as const),
    ),
  };
}

/** Share of the corpus that class texts are repeated to. */
const CLASS_SHARE = 1 / 8;

/**
 * Vectors of all texts. The encoder learns of the sources and of classes alone; few as class texts
 * are, without repetition no direction of the corpus would tell what only they speak of.
 */
export function encodeSides({ source, validation, target }: TransferSides, dimension: number): TransferRun {
  const classTexts = [...new Set([source, validation, target].flatMap((side) => side.classTexts))];
  const texts = [...source.texts, ...source.abouts];
  const times = Math.max(1, Math.round((CLASS_SHARE * texts.length) / classTexts.length));
  const corpus = [...texts, ...Array.from({ length: times }, () => classTexts).flat()];
  const encoder = new LatentTextEncoder({ dimension }).fit(corpus);
  const encoded = (side: TextSide): EncodedSide => ({
    ...side,
    vectors: encoder.encode(side.texts),
    classVectors: encoder.encode(side.classTexts),
  });
  return {
    source: { ...encoded(source), aboutVectors: encoder.encode(source.abouts) },
    validation: encoded(validation),
    target: encoded(target),
  };
}
