// GML, the Graph Modelling Language, as NetworkX, igraph and Newman's collection write it.

import { DocumentBuilder, type GraphDocument, weightAmong } from './document.js';

type Value = string | List;
/** Pairs of a key and its value, in order; a key may stand several times. */
type List = readonly (readonly [key: string, value: Value])[];

/** Lists within lists. */
const DEEPEST = 32;

const TOKEN =
  /\s+|#[^\n]*(?:\n|$)|(?<open>\[)|(?<close>\])|"(?<text>[^"]*)"|(?<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?=[\s\]#]|$)|(?<key>[A-Za-z_]\w*)/gy;

/**
 * Nodes are named by their labels where all are different, else by their ids. Lists in a node or an
 * edge are left out.
 *
 * @throws Error naming the line that is no GML, a node without an id, or an edge without its ends
 */
export function readGml(text: string, name: string): GraphDocument {
  const graphs = parse(text, name).filter(([key]) => key === 'graph');
  const builder = new DocumentBuilder(name);
  if (graphs.length !== 1) builder.fail(`holds ${graphs.length} graphs; expected one`);
  const graph = graphs[0]?.[1] as Value;
  if (typeof graph === 'string') return builder.fail('graph is no list');
  const records = (wanted: string) =>
    graph.flatMap(([key, value]) => (key === wanted ? [attributesOf(value, wanted, builder)] : []));
  const nodes = records('node');
  const labels = new Set(nodes.map((node) => node.get('label')));
  const named = labels.size === nodes.length && !labels.has(undefined) && !labels.has('');
  const ids = new Map<string, number>();
  nodes.forEach((node, v) => {
    const id = node.get('id') ?? builder.fail(`node ${v + 1} has no id`);
    if (ids.has(id)) builder.fail(`node ${id} stands twice`);
    const label = node.get('label');
    const rest = [...node].filter(([key]) => key !== 'id' && key !== 'label');
    ids.set(
      id,
      builder.node(
        named ? (label as string) : id,
        new Map([...(!named && label ? [['name', label] as const] : []), ...rest]),
      ),
    );
  });
  const directed = graph.find(([key]) => key === 'directed')?.[1] === '1';
  records('edge').forEach((edge, e) => {
    const [source, target] = ['source', 'target'].map((end) => {
      const id = edge.get(end) ?? builder.fail(`edge ${e + 1} has no ${end}`);
      return ids.get(id) ?? builder.fail(`edge ${e + 1} names node ${id}, which is not listed`);
    }) as [number, number];
    builder.edge(source, target, weightAmong(edge), directed);
  });
  return builder.document(directed);
}

function attributesOf(value: Value, what: string, builder: DocumentBuilder): Map<string, string> {
  if (typeof value === 'string') return builder.fail(`${what} is no list`);
  const attributes = new Map<string, string>();
  for (const [key, own] of value) {
    if (typeof own !== 'string') continue;
    if (attributes.has(key)) builder.fail(`a ${what} has "${key}" twice`);
    attributes.set(key, own);
  }
  return attributes;
}

function parse(text: string, name: string): List {
  const stack: { key: string; list: (readonly [string, Value])[] }[] = [{ key: '', list: [] }];
  let key: string | undefined;
  let at = 0;
  const fail = (reason: string): never => {
    throw new Error(`"${name}", line ${text.slice(0, at).split('\n').length}: ${reason}`);
  };
  TOKEN.lastIndex = 0;
  for (; at < text.length; at = TOKEN.lastIndex) {
    const groups = TOKEN.exec(text)?.groups ?? fail('is no GML: expected a key, or a number, a text or a list');
    const top = stack.at(-1) as (typeof stack)[number];
    const value = groups.text === undefined ? groups.number : unescaped(groups.text);
    if (groups.key !== undefined) {
      if (key !== undefined) fail(`"${key}" has no value`);
      key = groups.key;
    } else if (groups.close !== undefined) {
      if (key !== undefined) fail(`"${key}" has no value`);
      if (stack.length === 1) fail('a list is closed that was not opened');
      stack.pop();
      stack.at(-1)?.list.push([top.key, top.list]);
    } else if (groups.open !== undefined || value !== undefined) {
      if (key === undefined) return fail('a value has no key');
      if (value !== undefined) top.list.push([key, value]);
      else if (stack.length > DEEPEST) fail(`lists stand more than ${DEEPEST} deep`);
      else stack.push({ key, list: [] });
      key = undefined;
    }
  }
  if (stack.length > 1 || key !== undefined) fail('the file ends within a list');
  return stack[0]?.list ?? [];
}

const entities: Readonly<Record<string, string>> = { quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" };

/** Characters beyond ASCII stand as entities, by number or by the names of XML. */
function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hexadecimal, known) => {
    if (known !== undefined) return entities[known] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
