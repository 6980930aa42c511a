// Lists of NetworkX: a node with its neighbours on each line, and edges with a Python dictionary.

import { DocumentBuilder, type GraphDocument, linesOf } from './document.js';

/** Lines with their numbers, without comments and empty ones. */
function* recordsOf(
  text: string,
): Generator<{ readonly fields: string[]; readonly line: string; readonly number: number }> {
  let number = 0;
  for (const raw of linesOf(text)) {
    number += 1;
    const line = raw.replace(/(^|\s)#.*$/, '').trim();
    if (line !== '') yield { fields: line.split(/\s+/), line, number };
  }
}

/** An adjacency list: a node, and the other ends of its edges that no earlier line has. */
export function readAdjacencyList(text: string, name: string): GraphDocument {
  const builder = new DocumentBuilder(name);
  for (const { fields, number } of recordsOf(text)) {
    const [source, ...targets] = fields.map((field) => builder.nodeNamed(field)) as [number, ...number[]];
    for (const target of targets) builder.edge(source, target, undefined, undefined, `line ${number}`);
  }
  return builder.document();
}

const PAIR = /\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*:\s*('[^'\\]*'|"[^"\\]*"|[^\s,{}[\]()'"]+)\s*(?:,|$)/gy;

/** An edge list whose lines end with a dictionary of attributes; its weight is read. */
export function readDictionaryList(text: string, name: string): GraphDocument {
  const builder = new DocumentBuilder(name);
  for (const { line, number } of recordsOf(text)) {
    const [, source = '', target = '', dictionary] =
      /^(\S+)\s+(\S+)(?:\s+\{(.*)\})?$/.exec(line) ??
      builder.fail(`line ${number}: expected two nodes and a dictionary such as {'weight': 2}`);
    const weight = dictionary === undefined ? undefined : weightIn(dictionary, builder, number);
    builder.edge(builder.nodeNamed(source), builder.nodeNamed(target), weight, undefined, `line ${number}`);
  }
  return builder.document();
}

function weightIn(dictionary: string, builder: DocumentBuilder, line: number): string | undefined {
  let weight: string | undefined;
  PAIR.lastIndex = 0;
  for (let at = 0; at < dictionary.trimEnd().length; at = PAIR.lastIndex) {
    const [, single, double, value] =
      PAIR.exec(dictionary) ?? builder.fail(`line ${line}: {${dictionary}} is no dictionary of numbers and texts`);
    if ((single ?? double) === 'weight') weight = value;
  }
  return weight;
}
