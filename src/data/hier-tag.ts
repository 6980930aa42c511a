// Generated graphs of texts with two levels of classes: fields, and topics within them. Words are
// drawn without structure of their own; what a text is about is told by few of them, so that the
// neighbours of a node help where edges join nodes of a topic, and mislead where they do not.

import { Graph } from '../structure/index.js';
import type { Random } from '../tensor/index.js';

/** Sizes of the generated texts. */
export interface HierTagOptions {
  /** Fields. Default: 10. */
  readonly fields?: number;
  /** Topics of a field. Default: 4. */
  readonly topics?: number;
  /** Nodes of each topic, by field. Default: 40. */
  readonly nodesOf?: (field: number) => number;
}

/** Nodes of generated texts and their two kinds of edges. */
export interface GeneratedTextGraphs {
  /** Text of each node: 14 words. */
  readonly texts: readonly string[];
  /** What each node is about: 20 words. */
  readonly summaries: readonly string[];
  /** Field of each node. */
  readonly fields: Int32Array;
  /** Topic of each node, numbered through all fields. */
  readonly topics: Int32Array;
  /** Text of each topic: 6 words of its field and 8 of its own. */
  readonly classTexts: readonly string[];
  /** Edges mostly within topics. */
  readonly homophilic: Graph;
  /** Edges mostly between topics of a field. */
  readonly heterophilic: Graph;
}

/** Words of each kind. */
const VOCABULARY = { generic: 200, field: 24, topic: 10 } as const;
/** Words of texts, and the shares of generic words and of those of the field. */
const TEXT = { words: 14, generic: 0.62, field: 0.26 } as const;
const SUMMARY = { words: 20, generic: 0.3, field: 0.4 } as const;
const CLASS = { field: 6, topic: 8 } as const;
/** Shares of edges within the topic, and to other topics of the field; the others are random. */
const EDGES = {
  homophilic: { topic: 0.8, field: 0.1 },
  heterophilic: { topic: 0.08, field: 0.75 },
} as const;
/** Draws of edges for each node. */
const DRAWS = 3;

/** Texts and graphs that follow from the random stream alone. */
export function hierTag(
  random: Random,
  { fields: fieldCount = 10, topics: topicCount = 4, nodesOf = () => 40 }: HierTagOptions = {},
): GeneratedTextGraphs {
  const words = vocabulary(
    VOCABULARY.generic + fieldCount * (VOCABULARY.field + topicCount * VOCABULARY.topic),
    random,
  );
  const take = (count: number) => words.splice(0, count);
  const generic = take(VOCABULARY.generic);
  const ofField = Array.from({ length: fieldCount }, () => take(VOCABULARY.field));
  const ofTopic = Array.from({ length: fieldCount * topicCount }, () => take(VOCABULARY.topic));
  const topics = ofTopic.flatMap((_, t) => new Array<number>(nodesOf(Math.floor(t / topicCount))).fill(t));
  const fields = topics.map((t) => Math.floor(t / topicCount));
  const stream = random.split('texts');
  const pick = (from: readonly string[]) => from[stream.integer(from.length)] as string;
  const written = (t: number, kind: typeof TEXT | typeof SUMMARY) =>
    Array.from({ length: kind.words }, () => {
      const u = stream.float();
      if (u < kind.generic) return pick(generic);
      const field = ofField[Math.floor(t / topicCount)] as string[];
      return pick(u < kind.generic + kind.field ? field : (ofTopic[t] as string[]));
    }).join(' ');
  const texts = topics.map((t) => written(t, TEXT));
  const summaries = topics.map((t) => written(t, SUMMARY));
  const classTexts = ofTopic.map((own, t) =>
    [
      ...Array.from({ length: CLASS.field }, () => pick(ofField[Math.floor(t / topicCount)] as string[])),
      ...own.slice(0, CLASS.topic),
    ].join(' '),
  );
  const graph = (kind: keyof typeof EDGES) => textEdges(topics, fields, EDGES[kind], random.split(kind));
  return {
    texts,
    summaries,
    fields: Int32Array.from(fields),
    topics: Int32Array.from(topics),
    classTexts,
    homophilic: graph('homophilic'),
    heterophilic: graph('heterophilic'),
  };
}

/**
 * Three edges drawn for each node: to its own class, to another class of its group, or to any node.
 *
 * @param shares of edges within the class, and to other classes of the group
 */
export function textEdges(
  classes: ArrayLike<number>,
  groups: ArrayLike<number>,
  shares: { readonly topic: number; readonly field: number },
  random: Random,
): Graph {
  const n = classes.length;
  const nodes = Array.from({ length: n }, (_, v) => v);
  const members = (of: ArrayLike<number>) => {
    const lists = new Map<number, number[]>();
    for (const v of nodes) lists.set(of[v] as number, [...(lists.get(of[v] as number) ?? []), v]);
    return lists;
  };
  const [byClass, byGroup] = [members(classes), members(groups)];
  const sources: number[] = [];
  const targets: number[] = [];
  for (const v of nodes)
    for (let draw = 0; draw < DRAWS; draw++) {
      const u = random.float();
      const inClass = byClass.get(classes[v] as number) as number[];
      const inGroup = byGroup.get(groups[v] as number) as number[];
      const others = u < shares.topic ? inClass : u < shares.topic + shares.field ? inGroup : nodes;
      const wanted = (w: number) => w !== v && (others !== inGroup || classes[w] !== classes[v]);
      if (!others.some(wanted)) continue;
      let w = others[random.integer(others.length)] as number;
      while (!wanted(w)) w = others[random.integer(others.length)] as number;
      sources.push(v);
      targets.push(w);
    }
  return Graph.fromEdges(n, sources, targets);
}

/** Distinct words of three syllables, so that parts of words tell nothing of their kind. */
function vocabulary(count: number, random: Random): string[] {
  const stream = random.split('vocabulary');
  const words = new Set<string>();
  const letter = (from: string) => from[stream.integer(from.length)] as string;
  while (words.size < count)
    words.add(Array.from({ length: 3 }, () => letter('bdfgklmnprstvz') + letter('aeiou')).join(''));
  return [...words];
}
