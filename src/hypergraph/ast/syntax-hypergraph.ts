// Abstract syntax trees as heterogeneous directed hypergraphs (Yang, Jin, Dou, SEKE 2023).
//
// A vertex is a node of the tree (`ast`, whose value is its type) or a text at a leaf (`ident`).
// For every node p and each of its fields there is one hyperedge, with head p and all children in
// that field as tail, so that the children of a field share a hyperedge; children without a field
// share `@` and the type of p. A node without children has a hyperedge `text` to its text.
// Comments, punctuation and keywords without a field are left out. Every vertex but the root is in
// one tail.

import type { Tree } from 'web-tree-sitter';
import { HEAD, HeterogeneousHypergraph, Hypergraph, memo, TAIL } from '../../structure/index.js';
import { type LanguageName, languages } from './languages.js';
import { ParseError, type SourceParser } from './parser.js';
import { type Walker, walkerOf } from './walker.js';

/** Kind of a vertex that is a node of the tree. */
export const AST = 0;
/** Kind of a vertex that is a text at a leaf. */
export const IDENT = 1;

/** Longest text of an `ident` vertex, in characters. */
export const TEXT_LIMIT = 64;

/** What is written in place of names and literals. */
export interface Anonymisation {
  /** Whether numbers are replaced too. */
  readonly numbers: boolean;
}

/** Options of `sourceHypergraph`. */
export interface ConvertOptions {
  /**
   * Replaces names by ⟨id⟩ and strings by ⟨str⟩, so that neither gives a class away. Default: none.
   */
  readonly anonymise?: Anonymisation | undefined;
  /** Whether the tokens of the source are kept, for bags of n-grams. Default: false. */
  readonly tokens?: boolean;
  /** Whether a tree with syntax errors is converted without its ERROR nodes. Default: false. */
  readonly allowErrors?: boolean;
}

/** The parts of a `SyntaxHypergraph`. */
interface Parts {
  readonly kinds: Uint8Array;
  readonly values: readonly string[];
  readonly starts: Int32Array;
  readonly heads: Int32Array;
  readonly types: readonly string[];
  readonly edgeOf: Int32Array;
  readonly tokens: readonly string[] | undefined;
}

/** A source file as a hypergraph. Vertices are in pre-order, with the root as vertex 0. */
export class SyntaxHypergraph {
  /** AST or IDENT of each vertex [N]. */
  readonly kinds: Uint8Array;
  /** Node type or text of each vertex [N]. */
  readonly values: readonly string[];
  /** Where each vertex starts in the source, in UTF-16 units [N]. */
  readonly starts: Int32Array;
  /** Head of each hyperedge [M]. */
  readonly heads: Int32Array;
  /** Type of each hyperedge [M]. */
  readonly types: readonly string[];
  /** The hyperedge in whose tail each vertex is, −1 for the root [N]. */
  readonly edgeOf: Int32Array;
  /** Tokens of the source in order, where asked for. */
  readonly tokens: readonly string[] | undefined;

  constructor(parts: Parts) {
    this.kinds = parts.kinds;
    this.values = parts.values;
    this.starts = parts.starts;
    this.heads = parts.heads;
    this.types = parts.types;
    this.edgeOf = parts.edgeOf;
    this.tokens = parts.tokens;
  }

  /** Number of vertices N. */
  get vertexCount(): number {
    return this.kinds.length;
  }

  /** Number of hyperedges M. */
  get hyperedgeCount(): number {
    return this.heads.length;
  }

  /** Number of incidences, M + N − 1. */
  get nnz(): number {
    return this.hyperedgeCount + this.vertexCount - 1;
  }

  /** The node above each vertex, −1 for the root [N]. */
  get parents(): Int32Array {
    return this.edgeOf.map((e) => (e < 0 ? -1 : (this.heads[e] as number)));
  }

  /** Members of all hyperedges in compressed rows, the head of each before its tail. */
  get members(): { readonly indptr: Int32Array; readonly indices: Int32Array } {
    return memo(this, 'members', () => {
      const { edgeOf, heads, vertexCount, hyperedgeCount } = this;
      const indptr = new Int32Array(hyperedgeCount + 1).fill(1, 1);
      for (let v = 1; v < vertexCount; v++) {
        const after = (edgeOf[v] as number) + 1;
        indptr[after] = (indptr[after] as number) + 1;
      }
      for (let e = 0; e < hyperedgeCount; e++) indptr[e + 1] = (indptr[e + 1] as number) + (indptr[e] as number);
      const indices = new Int32Array(this.nnz);
      const next = indptr.slice(0, hyperedgeCount);
      for (let e = 0; e < hyperedgeCount; e++) {
        indices[next[e] as number] = heads[e] as number;
        next[e] = (next[e] as number) + 1;
      }
      for (let v = 1; v < vertexCount; v++) {
        const e = edgeOf[v] as number;
        indices[next[e] as number] = v;
        next[e] = (next[e] as number) + 1;
      }
      return { indptr, indices };
    });
  }

  /** Members of hyperedge e: its head, then its tail in order; a view. */
  hyperedge(e: number): Int32Array {
    const { indptr, indices } = this.members;
    return indices.subarray(indptr[e], indptr[e + 1]);
  }

  /**
   * The structure for a network.
   *
   * @param typeOf number of a hyperedge type
   */
  structure(typeOf: (type: string) => number): HeterogeneousHypergraph {
    const { indptr, indices } = this.members;
    const roles = new Uint8Array(this.nnz).fill(TAIL);
    for (let e = 0; e < this.hyperedgeCount; e++) roles[indptr[e] as number] = HEAD;
    // A head is numbered before its tail, so members ascend.
    const hypergraph = Hypergraph.fromCompressed(this.vertexCount, indptr, indices);
    return new HeterogeneousHypergraph(hypergraph, roles, Int32Array.from(this.types, typeOf), this.kinds);
  }
}

/**
 * The hypergraph of a source.
 *
 * @param name what errors call the source
 * @throws Error for a source of white space alone; ParseError with line and column for one that
 * does not follow the grammar, unless errors are allowed
 */
export function sourceHypergraph(
  parser: SourceParser,
  source: string,
  name = 'source',
  options: ConvertOptions = {},
): SyntaxHypergraph {
  if (source.trim() === '') throw new Error(`file "${name}" is empty`);
  const tree = parser.parse(source);
  try {
    if (!options.allowErrors && tree.rootNode.hasError) throw syntaxError(tree, name, parser.language);
    const walker = walkerOf(tree, parser.module);
    try {
      return new SyntaxHypergraph(walked(walker, parser, source, options));
    } finally {
      walker.close();
    }
  } finally {
    tree.delete();
  }
}

/** The first place where a tree has an ERROR node or lacks one. */
function syntaxError(tree: Tree, name: string, language: LanguageName): ParseError {
  let node = tree.rootNode;
  for (;;) {
    const inner = node.children.find((child) => child?.hasError || child?.isError || child?.isMissing);
    if (!inner) break;
    node = inner;
    if (node.isError || node.isMissing) break;
  }
  const { row, column } = node.startPosition;
  const [what] = node.isMissing
    ? [`"${node.type}" is missing`]
    : [`unexpected ${JSON.stringify(shortText(node.text))}`];
  return new ParseError(
    `file "${name}", line ${row + 1}, column ${column + 1}: ${languages[language].title} syntax error, ${what}`,
    row + 1,
    column + 1,
  );
}

const shortText = (text: string) => (text.length > 30 ? `${text.slice(0, 30)}…` : text);

/** How the walk treats a node type. */
const [VISIT, SKIP, REPLACE] = [0, 1, 2];

interface Plan {
  /** VISIT, SKIP or REPLACE by type number. */
  readonly treatment: Uint8Array;
  /** Text in place of the node's, by type number. */
  readonly replacement: ReadonlyMap<number, string>;
  /** Number of the type whose anonymous children are kept: modifiers such as `static`. */
  readonly modifiers: number;
}

const plans = new WeakMap<SourceParser, Map<string, Plan>>();

function planOf(parser: SourceParser, anonymise: Anonymisation | undefined): Plan {
  const own = plans.get(parser) ?? new Map<string, Plan>();
  plans.set(parser, own);
  const key = anonymise ? String(anonymise.numbers) : '';
  const plan = own.get(key) ?? makePlan(parser, anonymise);
  own.set(key, plan);
  return plan;
}

function makePlan({ types, named, language }: SourceParser, anonymise: Anonymisation | undefined): Plan {
  const { extras, identifiers, strings, numbers } = languages[language];
  const treatment = new Uint8Array(types.length).fill(VISIT);
  const replacement = new Map<number, string>();
  types.forEach((type, id) => {
    if (!named[id]) return;
    if (extras.includes(type)) treatment[id] = SKIP;
    if (!anonymise) return;
    const text = identifiers.includes(type) ? '⟨id⟩' : strings.includes(type) ? '⟨str⟩' : undefined;
    const replaced = text ?? (anonymise.numbers && numbers.includes(type) ? '⟨num⟩' : undefined);
    if (replaced === undefined) return;
    treatment[id] = REPLACE;
    replacement.set(id, replaced);
  });
  return { treatment, replacement, modifiers: types.findIndex((type, id) => type === 'modifiers' && named[id] === 1) };
}

/** A node whose children are being visited. */
interface Frame {
  readonly vertex: number;
  readonly type: number;
  /** Hyperedges of the node by key. */
  readonly groups: [key: number, hyperedge: number][];
  /** Tokens before those of the node, where they are kept. */
  readonly tokensBefore: number | undefined;
}

/** Walks a tree without recursion, so that depth costs no stack. */
function walked(walker: Walker, parser: SourceParser, source: string, options: ConvertOptions): Parts {
  const { types, named, fields } = parser;
  const { treatment, replacement, modifiers } = planOf(parser, options.anonymise);
  const kinds: number[] = [];
  const values: string[] = [];
  const starts: number[] = [];
  const edgeOf: number[] = [];
  const heads: number[] = [];
  const edgeTypes: string[] = [];
  const tokens: string[] | undefined = options.tokens ? [] : undefined;
  const frames: Frame[] = [];

  const addVertex = (kind: number, value: string, start: number, hyperedge: number) => {
    kinds.push(kind);
    values.push(value);
    starts.push(start);
    return edgeOf.push(hyperedge) - 1;
  };
  const addHyperedge = (head: number, type: string) => {
    edgeTypes.push(type);
    return heads.push(head) - 1;
  };
  const addText = (head: number, text: string, start: number) => {
    if (text !== '') addVertex(IDENT, text.slice(0, TEXT_LIMIT), start, addHyperedge(head, 'text'));
  };
  const groupOf = ({ vertex, type, groups }: Frame, field: number) => {
    for (const [key, hyperedge] of groups) if (key === field) return hyperedge;
    const hyperedge = addHyperedge(vertex, field > 0 ? (fields[field] as string) : `@${types[type]}`);
    groups.push([field, hyperedge]);
    return hyperedge;
  };
  const textHere = () => source.slice(walker.start(), walker.end());

  /** A child of a frame. @returns whether its own children come next */
  const enter = (frame: Frame): boolean => {
    const type = walker.type();
    const how = treatment[type];
    if (how === undefined || how === SKIP) return false;
    const field = walker.field();
    if (!named[type]) {
      const kept = field > 0 || frame.type === modifiers;
      if (kept) addVertex(IDENT, textHere().slice(0, TEXT_LIMIT), walker.start(), groupOf(frame, field));
      tokens?.push(types[type] as string);
      return false;
    }
    if (options.allowErrors && walker.missing()) return false;
    const start = walker.start();
    const vertex = addVertex(AST, types[type] as string, start, groupOf(frame, field));
    if (how === REPLACE) {
      const text = replacement.get(type) as string;
      addText(vertex, text, start);
      tokens?.push(text);
      return false;
    }
    frames.push({ vertex, type, groups: [], tokensBefore: tokens?.length });
    return true;
  };

  const rootType = walker.type();
  const root = addVertex(AST, types[rootType] ?? 'ERROR', walker.start(), -1);
  frames.push({ vertex: root, type: rootType, groups: [], tokensBefore: tokens?.length });
  for (let descend = true; ; ) {
    const frame = frames[frames.length - 1] as Frame;
    if (descend ? walker.firstChild() : walker.nextSibling()) {
      descend = enter(frame);
      continue;
    }
    // All children are done; after at least one the walker stands on the last of them.
    if (!descend) walker.parent();
    if (frame.groups.length === 0) {
      const text = textHere();
      addText(frame.vertex, text, walker.start());
      if (tokens?.length === frame.tokensBefore) tokens?.push(text);
    }
    frames.pop();
    if (frames.length === 0) break;
    descend = false;
  }
  return {
    kinds: Uint8Array.from(kinds),
    values,
    starts: Int32Array.from(starts),
    heads: Int32Array.from(heads),
    types: edgeTypes,
    edgeOf: Int32Array.from(edgeOf),
    tokens,
  };
}
