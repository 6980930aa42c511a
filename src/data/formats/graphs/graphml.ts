// GraphML (graphdrafting.org): as NetworkX, igraph, Gephi and yEd write it.

import { type Attributes, DocumentBuilder, type GraphDocument, weightAmong } from './document.js';
import { escapeXml, type OpenElement, walkXml } from './xml.js';

/** An attribute of nodes or edges. */
interface Key {
  readonly name: string;
  /** `node`, `edge` or `all`. */
  readonly of: string;
  default?: string;
}

/**
 * Drawings (`yfiles.type`) and nested values are left out.
 *
 * @throws Error where the text is no well-formed GraphML, and for hyperedges, nested or several
 * graphs
 */
export function readGraphML(text: string, name: string): GraphDocument {
  const builder = new DocumentBuilder(name);
  const keys = new Map<string, Key>();
  const edges: { readonly element: OpenElement; readonly values: Attributes }[] = [];
  let values = new Map<string, string>();
  let graphs = 0;
  let byDefault: string | undefined;
  let key: Key | undefined;
  const start = (what: 'node' | 'edge') => {
    values = new Map();
    for (const { name: own, of, default: value } of keys.values())
      if (value !== undefined && (of === what || of === 'all')) values.set(own, value);
  };
  walkXml(text, name, {
    open({ name: tag, attributes, path }) {
      if (tag === 'hyperedge') builder.fail('has hyperedges; a hypergraph is read from a table of hyperedges');
      if (tag === 'key') {
        const { id, for: of = 'all', 'attr.name': own = id, 'yfiles.type': drawing } = attributes;
        key = id === undefined || own === undefined || drawing !== undefined ? undefined : { name: own, of };
        if (key) keys.set(id as string, key);
      }
      if (tag === 'graph') {
        graphs += 1;
        if (path.includes('node')) builder.fail('has a graph within a node; nested graphs are not read');
        if (graphs > 1) builder.fail('holds several graphs; keep one');
        byDefault = attributes.edgedefault;
      }
      if (tag === 'node' || tag === 'edge') start(tag);
    },
    close(element, content, hasChildren) {
      const { name: tag, attributes, path } = element;
      const around = path.at(-1);
      if (tag === 'default' && around === 'key' && key) key.default = content.trim();
      if (tag === 'data' && (around === 'node' || around === 'edge') && !hasChildren) {
        const known = keys.get(attributes.key ?? '');
        if (known) values.set(known.name, content.trim());
      }
      if (tag === 'node') builder.node(attributes.id ?? '', values);
      // Edges may stand before their nodes.
      if (tag === 'edge') edges.push({ element, values });
    },
  });
  if (graphs === 0) builder.fail('holds no <graph>');
  edges.forEach(({ element: { attributes }, values: own }, e) => {
    const { source, target, directed = byDefault } = attributes;
    if (source === undefined || target === undefined) builder.fail(`edge ${e + 1} lacks a source or a target`);
    if (!['true', 'false', 'directed', 'undirected'].includes(directed ?? ''))
      builder.fail('<graph> does not say edgedefault="directed" or "undirected"');
    const isDirected = directed === 'true' || directed === 'directed';
    builder.edge(builder.known(source as string), builder.known(target as string), weightAmong(own), isDirected);
  });
  return builder.document(byDefault === 'directed');
}

/** The graph as GraphML: attributes as texts, weights as numbers. */
export function writeGraphML({ directed = false, nodes, sources, targets, weights }: GraphDocument): string {
  const [, ...attributes] = nodes.columns;
  const data = (key: string, value: string) => `<data key="${key}">${escapeXml(value)}</data>`;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    ...attributes.map(
      (own, i) =>
        `  <key id="n${i}" for="node" attr.name="${escapeXml(own)}" attr.type="${typeOf(nodes.rows, i + 1)}"/>`,
    ),
    ...(weights ? ['  <key id="w" for="edge" attr.name="weight" attr.type="double"/>'] : []),
    `  <graph edgedefault="${directed ? 'directed' : 'undirected'}">`,
    ...nodes.rows.map(([id = '', ...values]) => {
      const own = values.map((value, i) => (value === '' ? '' : data(`n${i}`, value))).join('');
      return `    <node id="${escapeXml(id)}"${own ? `>${own}</node>` : '/>'}`;
    }),
    ...Array.from(sources, (source, e) => {
      const ends = [source, targets[e] as number].map((v) => escapeXml(nodes.rows[v]?.[0] as string));
      const weight = weights && data('w', String(weights[e]));
      return `    <edge source="${ends[0]}" target="${ends[1]}"${weight ? `>${weight}</edge>` : '/>'}`;
    }),
    '  </graph>',
    '</graphml>',
  ];
  return `${lines.join('\n')}\n`;
}

/** `double` where all values are numbers, else `string`. */
function typeOf(rows: readonly (readonly string[])[], column: number): string {
  const isNumber = rows.every((row) => row[column] === '' || Number.isFinite(Number(row[column])));
  return isNumber ? 'double' : 'string';
}
