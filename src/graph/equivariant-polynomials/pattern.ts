// Patterns: small multigraphs with red nodes, each of which stands for an equivariant polynomial of
// a graph.
//
// For a pattern H with edges E(H), red nodes a and b, and input X ∈ ℝ^{n×n},
//
//   P_H(X)[j_a, j_b] = Σ over j_v of all other nodes v of Π over edges (r, s) of X[j_r, j_s].

/** An edge of a pattern, from a node to a node, of an input channel. */
export interface PatternEdge {
  /** The node that it leaves. */
  readonly from: number;
  /** The node that it reaches. */
  readonly to: number;
  /** Number of the input matrix. */
  readonly channel: number;
}

/** A multigraph with red nodes. Edges may repeat, and lead from a node to itself. */
export interface Pattern {
  /** Number of nodes. */
  readonly nodes: number;
  /** The edges. */
  readonly edges: readonly PatternEdge[];
  /**
   * Nodes whose indices stay: none gives a number, one a vector of nodes, two a matrix of pairs, in
   * this order; the same node twice gives a diagonal matrix.
   */
  readonly red: readonly number[];
}

/** A pattern of pairs of nodes. @throws RangeError for a node that is not a whole number */
export function patternOf(
  pairs: readonly (readonly [from: number, to: number, channel?: number])[],
  red: readonly number[] = [],
): Pattern {
  const named = [...pairs.flatMap(([from, to]) => [from, to] as const), ...red];
  const wrong = named.find((node) => !(Number.isInteger(node) && node >= 0));
  if (wrong !== undefined) throw new RangeError(`patternOf: node ${wrong} is no whole number from 0 on`);
  if (red.length > 2) throw new RangeError(`patternOf: ${red.length} red nodes, at most two are possible`);
  return {
    nodes: named.reduce((most, node) => Math.max(most, node + 1), 0),
    edges: pairs.map(([from, to, channel = 0]) => ({ from, to, channel })),
    red,
  };
}

/** A pattern with the names of its nodes. */
export interface NamedPattern {
  /** The pattern. */
  readonly pattern: Pattern;
  /** Name of each node. */
  readonly names: readonly string[];
}

/**
 * Reads a pattern such as `ab bc ca`, an edge a word: two letters, or two names joined by a hyphen,
 * `a1-b1`.
 *
 * @param red names of the red nodes
 * @throws Error naming a word that is no edge, an edge from a node to itself or given twice, or a
 * red node that no edge names
 */
export function parsePattern(text: string, red: readonly string[] = []): NamedPattern {
  const words = text.split(/[\s,;]+/).filter((word) => word.length > 0);
  if (words.length === 0) throw new Error('pattern: there is no edge; write edges such as "ab bc ca"');
  const names: string[] = [];
  const numberOf = (name: string) => {
    if (!names.includes(name)) names.push(name);
    return names.indexOf(name);
  };
  const seen = new Set<string>();
  const pairs = words.map((word) => {
    const ends = word.includes('-') ? word.split('-') : [...word];
    const [from, to, ...more] = ends;
    if (!from || !to || more.length > 0)
      throw new Error(`pattern: "${word}" is no edge; write two letters, or two names joined by a hyphen`);
    if (from === to) throw new Error(`pattern: the edge "${word}" joins node "${from}" with itself`);
    const key = [from, to].sort().join(' ');
    if (seen.has(key)) throw new Error(`pattern: the edge "${word}" is given twice`);
    seen.add(key);
    return [numberOf(from), numberOf(to)] as const;
  });
  const unknown = red.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new Error(`pattern: no edge names the red node "${unknown}"; there are ${names.join(', ')}`);
  return { pattern: patternOf(pairs, red.map(numberOf)), names };
}

/** Letters of nodes for messages: a, b, … */
export function letterOf(node: number): string {
  return node < 26 ? String.fromCharCode(97 + node) : `n${node}`;
}

/** A pattern as text, such as `ab bc ca, red a`. */
export function patternText({ edges, red }: Pattern, names: readonly string[] = []): string {
  const name = (node: number) => names[node] ?? letterOf(node);
  const all = edges.map(({ from, to, channel }) => `${name(from)}${name(to)}${channel > 0 ? `:${channel}` : ''}`);
  return `${all.join(' ') || 'no edges'}${red.length > 0 ? `, red ${red.map(name).join(' ')}` : ''}`;
}

/** Whether edges of a pattern lead both ways. */
export type Directedness = 'directed' | 'symmetric';

/** An edge as a text that two edges share when they are the same. */
function edgeKey(from: number, to: number, channel: number, kind: Directedness): string {
  const [a, b] = kind === 'symmetric' && from > to ? [to, from] : [from, to];
  return `${a}>${b}:${channel}`;
}

/**
 * A text that two patterns share exactly when they are isomorphic: when renaming nodes, red nodes
 * going to red nodes in order, makes one the other. Patterns of at most about ten edges.
 *
 * @param kind `symmetric` for inputs that are, whose edges have no direction
 */
export function canonicalForm(pattern: Pattern, kind: Directedness = 'directed'): string {
  return componentsOf(pattern)
    .map((nodes) => componentForm(pattern, nodes, kind))
    .sort()
    .join('|');
}

/** Nodes of each connected part. */
export function componentsOf({ nodes, edges }: Pattern): number[][] {
  const part = Array.from({ length: nodes }, (_, node) => node);
  const rootOf = (node: number): number => (part[node] === node ? node : rootOf(part[node] as number));
  for (const { from, to } of edges) part[rootOf(from)] = rootOf(to);
  const groups = new Map<number, number[]>();
  for (let node = 0; node < nodes; node++) groups.set(rootOf(node), [...(groups.get(rootOf(node)) ?? []), node]);
  return [...groups.values()];
}

/** Which red nodes a node is: bit 0 for the first, bit 1 for the second. */
function redMark({ red }: Pattern, node: number): number {
  return red.reduce((mark, own, at) => mark | (own === node ? 1 << at : 0), 0);
}

function componentForm(pattern: Pattern, nodes: readonly number[], kind: Directedness): string {
  const own = pattern.edges.filter(({ from }) => nodes.includes(from));
  const first = new Map(nodes.map((node) => [node, redMark(pattern, node)]));
  return leastForm(own, nodes, first, kind);
}

/** Splits colours by those of neighbours until they are stable; ranks are 0, 1, …. */
function stableColours(
  edges: readonly PatternEdge[],
  nodes: readonly number[],
  colours: ReadonlyMap<number, number>,
  kind: Directedness,
): Map<number, number> {
  let current = ranked(nodes, (node) => String(colours.get(node)).padStart(4, '0'));
  for (;;) {
    const next = ranked(nodes, (node) => {
      const around = edges.flatMap(({ from, to, channel }) => {
        const seen: string[] = [];
        const out = kind === 'symmetric' ? '-' : '>';
        if (from === node) seen.push(`${out}${channel}.${from === to ? 'o' : current.get(to)}`);
        if (to === node && from !== to) seen.push(`${kind === 'symmetric' ? '-' : '<'}${channel}.${current.get(from)}`);
        return seen;
      });
      return `${String(current.get(node)).padStart(4, '0')} ${around.sort().join(' ')}`;
    });
    if (new Set(next.values()).size === new Set(current.values()).size) return next;
    current = next;
  }
}

function ranked(nodes: readonly number[], textOf: (node: number) => string): Map<number, number> {
  const texts = nodes.map(textOf);
  const order = [...new Set(texts)].sort();
  return new Map(nodes.map((node, i) => [node, order.indexOf(texts[i] as string)]));
}

/** The least text over all ways to tell nodes of one colour apart. */
function leastForm(
  edges: readonly PatternEdge[],
  nodes: readonly number[],
  given: ReadonlyMap<number, number>,
  kind: Directedness,
): string {
  const colours = stableColours(edges, nodes, given, kind);
  const cells = new Map<number, number[]>();
  for (const node of nodes)
    cells.set(colours.get(node) as number, [...(cells.get(colours.get(node) as number) ?? []), node]);
  const shared = [...cells].filter(([, members]) => members.length > 1).sort(([a], [b]) => a - b)[0];
  if (!shared) {
    const place = (node: number) => colours.get(node) as number;
    const marks = [...nodes].sort((a, b) => place(a) - place(b)).map((node) => given.get(node));
    const texts = edges.map(({ from, to, channel }) => edgeKey(place(from), place(to), channel, kind)).sort();
    return `${marks.map((mark) => (mark as number) % MARKS).join('')} ${texts.join(' ')}`;
  }
  const [, members] = shared;
  const tried: number[] = [];
  let least: string | undefined;
  for (const node of members) {
    if (tried.some((other) => areTwins(edges, node, other, kind))) continue;
    tried.push(node);
    // The chosen node comes first among its like; marks stay readable modulo `MARKS`.
    const next = new Map(
      nodes.map((other) => [other, markOf(given, other) + MARKS * ((colours.get(other) as number) * 2 + 1)]),
    );
    next.set(node, markOf(given, node) + MARKS * ((colours.get(node) as number) * 2));
    const form = leastForm(edges, nodes, next, kind);
    if (least === undefined || form < least) least = form;
  }
  return least as string;
}

/** Red marks are below this. */
const MARKS = 4;

function markOf(given: ReadonlyMap<number, number>, node: number): number {
  return (given.get(node) as number) % MARKS;
}

/** Whether exchanging two nodes changes nothing. */
function areTwins(edges: readonly PatternEdge[], a: number, b: number, kind: Directedness): boolean {
  const swap = (node: number) => (node === a ? b : node === b ? a : node);
  const texts = (move: (node: number) => number) =>
    edges
      .map(({ from, to, channel }) => edgeKey(move(from), move(to), channel, kind))
      .sort()
      .join(' ');
  return texts(swap) === texts((node) => node);
}
