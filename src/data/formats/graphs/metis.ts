// METIS graphs: a line of neighbours for each node.

import { DocumentBuilder, type GraphDocument, linesOf } from './document.js';

/**
 * Nodes are 1 … n. Weights of nodes become attributes.
 *
 * @throws Error naming the line that does not fit, an edge that is listed on one side alone or with
 * two weights, and where the numbers of the header are others
 */
export function readMetis(text: string, name: string): GraphDocument {
  const builder = new DocumentBuilder(name);
  const lines = linesOf(text)
    .map((line, i) => ({ fields: line.trim().split(/\s+/).filter(Boolean), number: i + 1, line }))
    .filter(({ line }) => !line.trimStart().startsWith('%'));
  const begin = lines.findIndex(({ fields }) => fields.length > 0);
  const { fields: header, number: headerLine } = lines[begin] ?? builder.fail('is empty');
  const at = (line: number, reason: string): never => builder.fail(`line ${line}: ${reason}`);
  const natural = (field: string | undefined, line: number) => {
    if (!/^\d+$/.test(field ?? '') || Number(field) >= 2 ** 31) at(line, `"${field ?? ''}" is no number`);
    return Number(field);
  };
  if (header.length < 2 || header.length > 4) at(headerLine, 'expected the numbers of nodes and edges');
  const [nodes, edges] = [natural(header[0], headerLine), natural(header[1], headerLine)];
  const format = (header[2] ?? '0').padStart(3, '0');
  if (!/^[01]{3}$/.test(format)) at(headerLine, `format "${header[2]}" is not read`);
  const [sized, weighed, weighted] = Array.from(format, (digit) => digit === '1') as [boolean, boolean, boolean];
  const constraints = header[3] === undefined ? Number(weighed) : natural(header[3], headerLine);
  const rows = lines.slice(begin + 1);
  // An empty line is a node without neighbours; empty lines at the end are none.
  while (rows.length > nodes && rows.at(-1)?.fields.length === 0) rows.pop();
  if (rows.length !== nodes) builder.fail(`has ${rows.length} lines of nodes, the header says ${nodes}`);
  const columns = [
    ...(sized ? ['size'] : []),
    ...Array.from({ length: weighed ? constraints : 0 }, (_, i) => `weight ${i + 1}`),
  ];
  const seen = new Map<string, string>();
  rows.forEach(({ fields, number }, v) => {
    if (fields.length < columns.length) at(number, `expected ${columns.length} numbers before the neighbours`);
    builder.node(String(v + 1), new Map(columns.map((column, i) => [column, fields[i] as string])));
    const rest = fields.slice(columns.length);
    if (weighted && rest.length % 2 !== 0) at(number, 'expected a weight after each neighbour');
    for (let i = 0; i < rest.length; i += weighted ? 2 : 1) {
      const u = natural(rest[i], number) - 1;
      if (u < 0 || u >= nodes) at(number, `neighbour ${u + 1} is none of ${nodes} nodes`);
      if (u === v) at(number, 'a node is its own neighbour');
      const key = `${v} ${u}`;
      if (seen.has(key)) at(number, `neighbour ${u + 1} stands twice`);
      seen.set(key, weighted ? (rest[i + 1] as string) : '');
    }
  });
  if (seen.size !== 2 * edges) builder.fail(`lists ${seen.size} neighbours, the header says ${edges} edges`);
  for (const [key, weight] of seen) {
    const [v, u] = key.split(' ').map(Number) as [number, number];
    const back = seen.get(`${u} ${v}`);
    if (back === undefined || Number(back) !== Number(weight))
      builder.fail(`nodes ${v + 1} and ${u + 1} do not list each other with the same weight`);
    if (v < u) builder.edge(v, u, weighted ? weight : undefined, false, `nodes ${v + 1} and ${u + 1}`);
  }
  return builder.document(false);
}
