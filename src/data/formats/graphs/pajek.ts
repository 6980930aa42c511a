// Pajek networks (.net).

import { DocumentBuilder, type GraphDocument, linesOf, requireNodeCount } from './document.js';

/** Fields of a line: quoted ones may hold spaces. */
const fieldsOf = (line: string): string[] =>
  Array.from(line.matchAll(/"([^"]*)"|\S+/g), ([whole, quoted]) => quoted ?? whole);

/**
 * Vertices are named by their labels where all are different, else by their numbers; what only
 * concerns drawing is left out.
 *
 * @throws Error naming the line that does not fit, and for several relations or a file of
 * partitions
 */
export function readPajek(text: string, name: string): GraphDocument {
  const builder = new DocumentBuilder(name);
  const lines = linesOf(text);
  let at = 0;
  const fail = (reason: string): never => builder.fail(`line ${at + 1}: ${reason}`);
  const labels: (string | undefined)[] = [];
  const edges: { source: number; target: number; weight: string | undefined; directed: boolean; line: number }[] = [];
  let section = '';
  let row = 0;
  const vertex = (field: string | undefined) => {
    const value = Number(field);
    if (!(Number.isInteger(value) && value >= 1 && value <= labels.length))
      fail(`"${field ?? ''}" is no vertex of 1 to ${labels.length}`);
    return value - 1;
  };
  const add = (source: number, target: number, weight: string | undefined, directed: boolean) =>
    edges.push({ source, target, weight, directed, line: at + 1 });
  for (; at < lines.length; at++) {
    const line = (lines[at] as string).trim();
    if (line === '' || line.startsWith('%')) continue;
    const fields = fieldsOf(line);
    const [first = '', second, third] = fields;
    if (first.startsWith('*')) {
      const started = first.toLowerCase();
      if (/:\d/.test(line) && edges.length > 0) fail('holds a second relation; keep one');
      if (started === '*vertices') {
        const count = Number(second);
        requireNodeCount(count, text, builder);
        if (labels.length > 0) fail('holds a second network; keep one');
        labels.length = count;
      } else if (!['*network', '*arcs', '*edges', '*arcslist', '*edgeslist', '*matrix'].includes(started))
        fail(`${first} is not read; expected *Vertices, *Arcs, *Edges, *Arcslist, *Edgeslist or *Matrix`);
      else if (labels.length === 0 && started !== '*network') fail(`${first} stands before *Vertices`);
      section = started;
      row = 0;
    } else if (section === '*vertices') labels[vertex(first)] = second;
    else if (section === '*arcs' || section === '*edges')
      add(vertex(first), vertex(second), third?.startsWith('[') ? undefined : third, section === '*arcs');
    else if (section === '*arcslist' || section === '*edgeslist')
      for (const target of fields.slice(1)) add(vertex(first), vertex(target), undefined, section === '*arcslist');
    else if (section === '*matrix') {
      if (fields.length !== labels.length || row >= labels.length)
        fail(`the matrix is not ${labels.length} × ${labels.length}`);
      fields.forEach((value, target) => {
        if (Number(value) !== 0) add(row, target, value, true);
      });
      row += 1;
    } else fail('expected *Vertices');
  }
  if (labels.length === 0) builder.fail('holds no *Vertices');
  const named = new Set(labels).size === labels.length && !labels.includes(undefined) && !labels.includes('');
  const names = Array.from(labels, (label, v) => (named ? (label as string) : String(v + 1)));
  for (const [v, own] of names.entries())
    builder.node(own, named || !labels[v] ? new Map() : new Map([['name', labels[v] as string]]));
  for (const { source, target, weight, directed, line } of edges)
    builder.edge(source, target, weight, directed, `line ${line}`);
  return builder.document();
}
