// Generated sets for networks of programs: one that asks for types of hyperedges, one for roles.

import type { SourceFile } from '../../data/node.js';
import type { EncodedProgram } from '../../hypergraph/index.js';
import { HeterogeneousHypergraph } from '../../structure/index.js';
import type { Random } from '../../tensor/index.js';

const names = [...'uvwtkz'];

/**
 * Python functions of 2–6 statements of noise and two lines that decide: `r = a - b` or
 * `r = b - a`, and `foo = bar` or `bar = foo`. Without types of hyperedges the four classes have the
 * same trees and the same tokens.
 */
export function fieldPrograms(count: number, random: Random): { files: SourceFile[]; labels: Int32Array } {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 4);
  const pick = (list: readonly string[]) => list[random.integer(list.length)] as string;
  const noise = [
    () => `${pick(names)} = ${pick(names)} + ${pick(names)}`,
    () => `${pick(names)} = [${pick(names)}, ${pick(names)}]`,
    () => `print(${pick(names)})`,
    () => `${pick(names)} = max(${pick(names)}, ${pick(names)})`,
  ];
  const files = Array.from(labels, (label, i) => {
    const lines = Array.from({ length: 2 + random.integer(5) }, () => (noise[random.integer(4)] as () => string)());
    const core = [label & 1 ? 'r = a - b' : 'r = b - a', label & 2 ? 'foo = bar' : 'bar = foo'];
    lines.splice(random.integer(lines.length + 1), 0, ...core);
    return { path: `${i}.py`, source: `def main(a, b):\n${lines.map((line) => `    ${line}\n`).join('')}` };
  });
  return { files, labels };
}

/** Vertices of each of three colours. */
const COLOURED = 8;

/** Number of values in `directedHypergraphs`: the colours. */
export const colours = 3;

/**
 * Hypergraphs of 24 vertices in three colours and ten hyperedges of one type, each with a vertex of
 * every colour. In class 1 the first colour is the head, in class 0 the second; without roles both
 * classes have the same distribution.
 */
export function directedHypergraphs(count: number, random: Random): { programs: EncodedProgram[]; labels: Int32Array } {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const programs = Array.from(labels, (label) => {
    const hyperedges = Array.from({ length: 10 }, () => {
      const members = Array.from({ length: colours }, (_, colour) => colour * COLOURED + random.integer(COLOURED));
      const head = label === 1 ? 0 : 1;
      return { head: [members[head] as number], tail: members.filter((_, colour) => colour !== head) };
    });
    const structure = HeterogeneousHypergraph.fromLists(colours * COLOURED, hyperedges);
    return { structure, values: Int32Array.from({ length: colours * COLOURED }, (_, v) => Math.floor(v / COLOURED)) };
  });
  return { programs, labels };
}
