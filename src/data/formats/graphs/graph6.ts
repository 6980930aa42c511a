// graph6, the text format of McKay's nauty: an undirected graph a line, in printable characters of
// six bits each.

import { Graph } from '../../../structure/index.js';

const HEADER = '>>graph6<<';
/** Most nodes that a line may declare: its bits would be 2 GiB. */
const MOST_NODES = 131_072;

/**
 * Reads graph6 text, one graph a line, maybe after the header `>>graph6<<`.
 *
 * @throws Error naming the line and what is wrong with it: a character outside `?` … `~`, or bits
 * that are too few or too many for the number of nodes
 */
export function readGraph6(text: string, name = 'graph6'): Graph[] {
  const lines = text.replace(HEADER, '').split(/\r?\n/);
  const graphs: Graph[] = [];
  lines.forEach((line, at) => {
    const own = line.trim();
    if (own.length > 0) graphs.push(readLine(own, `"${name}", line ${at + 1}`));
  });
  if (graphs.length === 0) throw new Error(`"${name}" holds no graph in graph6 form`);
  return graphs;
}

function readLine(line: string, where: string): Graph {
  if (line.startsWith(':') || line.startsWith('&'))
    throw new Error(`${where} is ${line.startsWith(':') ? 'sparse6' : 'digraph6'}; only graph6 is read`);
  const codes = Array.from(line, (character) => character.charCodeAt(0) - 63);
  const odd = codes.findIndex((code) => !(code >= 0 && code < 64));
  if (odd >= 0)
    throw new Error(`${where}: character "${line[odd]}" is none of graph6, which has those from "?" to "~"`);
  const [n, first] = sizeOf(codes, where);
  if (n > MOST_NODES) throw new Error(`${where} declares ${n} nodes, more than ${MOST_NODES}`);
  const bits = (n * (n - 1)) / 2;
  const expected = Math.ceil(bits / 6);
  if (codes.length - first !== expected)
    throw new Error(
      `${where}: a graph of ${n} nodes takes ${expected} characters after its size, this line has ${codes.length - first}`,
    );
  const [sources, targets]: [number[], number[]] = [[], []];
  let bit = 0;
  for (let v = 1; v < n; v++)
    for (let u = 0; u < v; u++, bit++)
      if (((codes[first + Math.floor(bit / 6)] as number) >> (5 - (bit % 6))) & 1) {
        sources.push(u);
        targets.push(v);
      }
  return Graph.fromEdges(n, sources, targets);
}

/** The number of nodes, and where the bits start. */
function sizeOf(codes: readonly number[], where: string): [number, number] {
  if (codes[0] !== 63) return [codes[0] as number, 1];
  const digits = codes[1] === 63 ? 6 : 3;
  const start = digits === 6 ? 2 : 1;
  if (codes.length < start + digits) throw new Error(`${where} ends within the number of its nodes`);
  return [codes.slice(start, start + digits).reduce((n, code) => n * 64 + code, 0), start + digits];
}

/** Writes graphs in graph6, one a line. @throws Error for a directed graph or a self-loop */
export function writeGraph6(graphs: readonly Graph[]): string {
  return graphs.map((graph, g) => `${writeLine(graph, g)}\n`).join('');
}

function writeLine(graph: Graph, g: number): string {
  if (graph.directed || graph.selfLoopCount > 0)
    throw new Error(
      `writeGraph6: graph ${g} ${graph.directed ? 'is directed' : 'has a self-loop'}, which graph6 cannot say`,
    );
  const n = graph.nodeCount;
  const character = (code: number) => String.fromCharCode(code + 63);
  const digits = (count: number) =>
    Array.from({ length: count }, (_, i) => character(Math.floor(n / 64 ** (count - 1 - i)) % 64)).join('');
  const size = n <= 62 ? character(n) : n < 2 ** 18 ? `~${digits(3)}` : `~~${digits(6)}`;
  const codes = new Uint8Array(Math.ceil((n * (n - 1)) / 12));
  let bit = 0;
  for (let v = 1; v < n; v++)
    for (let u = 0; u < v; u++, bit++)
      if (graph.hasEdge(u, v)) codes[Math.floor(bit / 6)] = (codes[Math.floor(bit / 6)] as number) | (32 >> (bit % 6));
  return size + Array.from(codes, character).join('');
}
