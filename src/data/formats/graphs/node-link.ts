// Graphs as JSON: node-link data and adjacency data of NetworkX, and the form of D3.

import { type Attributes, DocumentBuilder, type GraphDocument, weightAmong } from './document.js';

type Fields = Readonly<Record<string, unknown>>;

/**
 * `{ directed, nodes: [{ id, … }], links: [{ source, target, weight, … }] }`, where the links may
 * be called `edges`; or `{ directed, nodes, adjacency: [[{ id, … }, …], …] }`. Where no node has an
 * id, the ends of links are positions. Values that are lists or objects are left out.
 *
 * @throws Error where the text is no JSON of this form
 */
export function readNodeLink(text: string, name: string): GraphDocument {
  const builder = new DocumentBuilder(name);
  const graph = parsed(text, builder);
  const { nodes, directed = false } = graph;
  const links = graph.links ?? graph.edges;
  if (typeof directed !== 'boolean') builder.fail('"directed" is neither true nor false');
  const records = recordsOf(nodes, 'nodes', builder);
  const hasIds = records.some(({ id }) => id !== undefined);
  const ids = new Map<string, number>();
  records.forEach((record, v) => {
    const id = hasIds ? nameOf(record.id) : String(record.name ?? v);
    const node = builder.node(
      id ?? builder.fail(`node ${v + 1} has no id`),
      attributesOf(record, hasIds ? 'id' : 'name'),
    );
    ids.set(hasIds ? (id as string) : String(v), node);
  });
  const end = (value: unknown, link: string) => {
    const id = nameOf(value) ?? builder.fail(`${link} lacks a source or a target`);
    return ids.get(id) ?? builder.fail(`${link} names node "${id}", which is not listed`);
  };
  const isDirected = directed === true;
  if (links !== undefined)
    recordsOf(links, 'links', builder).forEach((record, e) => {
      const where = `link ${e + 1}`;
      const weight = weightAmong(attributesOf(record, 'source'));
      builder.edge(end(record.source, where), end(record.target, where), weight, isDirected, where);
    });
  else if (Array.isArray(graph.adjacency)) {
    if (graph.adjacency.length !== records.length)
      builder.fail(`lists the neighbours of ${graph.adjacency.length} nodes of ${records.length}`);
    graph.adjacency.forEach((row: unknown, v) => {
      for (const record of recordsOf(row, `adjacency ${v + 1}`, builder)) {
        const target = end(record.id, `adjacency ${v + 1}`);
        // An undirected edge is listed at both of its ends.
        if (isDirected || target >= v)
          builder.edge(v, target, weightAmong(attributesOf(record, 'id')), isDirected, `adjacency ${v + 1}`);
      }
    });
  } else builder.fail('is JSON without "links", "edges" or "adjacency"; expected a graph in node-link form');
  return builder.document(isDirected);
}

function parsed(text: string, builder: DocumentBuilder): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    builder.fail(`is no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    builder.fail('is no JSON object; expected a graph in node-link form');
  return value as Fields;
}

function recordsOf(value: unknown, what: string, builder: DocumentBuilder): readonly Fields[] {
  if (!Array.isArray(value)) return builder.fail(`"${what}" is no list`);
  const wrong = value.findIndex((record) => typeof record !== 'object' || record === null || Array.isArray(record));
  if (wrong >= 0) builder.fail(`${what}: entry ${wrong + 1} is no object`);
  return value;
}

/** Names may be numbers, texts or lists of them, as tuples of Python. */
function nameOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? JSON.stringify(value) : undefined;
}

function attributesOf(record: Fields, without: string): Attributes {
  return new Map(
    Object.entries(record).flatMap(([key, value]) => {
      if (key === without || value === undefined || (typeof value === 'object' && value !== null)) return [];
      return [[key, value === null ? '' : String(value)] as const];
    }),
  );
}

/** The graph in NetworkX's node-link form; what is a number is written as one. */
export function writeNodeLink({ directed = false, nodes, sources, targets, weights }: GraphDocument): string {
  const [, ...columns] = nodes.columns;
  const value = (text: string) => (text.trim() !== '' && String(Number(text)) === text ? Number(text) : text);
  const id = (v: number) => nodes.rows[v]?.[0] as string;
  return `${JSON.stringify({
    directed,
    multigraph: false,
    graph: {},
    nodes: nodes.rows.map(([own, ...values]) => ({
      ...Object.fromEntries(
        columns.flatMap((column, i) => (values[i] === '' ? [] : [[column, value(values[i] as string)]])),
      ),
      id: own,
    })),
    links: Array.from(sources, (source, e) => ({
      source: id(source),
      target: id(targets[e] as number),
      ...(weights && { weight: weights[e] }),
    })),
  })}\n`;
}
