// Matrix Market (.mtx): a square sparse matrix as the adjacency of a graph.

import { DocumentBuilder, type GraphDocument, linesOf, requireNodeCount } from './document.js';

/**
 * Nodes are 1 … n; zeros that are stored are no edges. A symmetric matrix is an undirected graph; a
 * general one does not say whether its edges have a direction.
 *
 * @throws Error naming the line that does not fit, and for a matrix that is not square, complex,
 * skew-symmetric or dense
 */
export function readMatrixMarket(text: string, name: string): GraphDocument {
  const builder = new DocumentBuilder(name);
  const lines = linesOf(text);
  const [, object = '', format = '', field = '', symmetry = ''] = (lines[0] ?? '').toLowerCase().trim().split(/\s+/);
  if (object !== 'matrix' || format !== 'coordinate')
    builder.fail(`is a Matrix Market file of ${object} ${format}; a graph is a matrix in coordinate form`);
  if (!['real', 'double', 'integer', 'pattern'].includes(field))
    builder.fail(`has ${field} values, which are no weights`);
  if (!['general', 'symmetric'].includes(symmetry)) builder.fail(`is ${symmetry}, which no graph is`);
  const direction = symmetry === 'symmetric' ? false : undefined;
  const fail = (line: number, reason: string): never => builder.fail(`line ${line + 1}: ${reason}`);
  let size: readonly [nodes: number, entries: number] | undefined;
  let entries = 0;
  for (let at = 1; at < lines.length; at++) {
    const line = (lines[at] as string).trim();
    if (line === '' || line.startsWith('%')) continue;
    const fields = line.split(/\s+/);
    if (!size) {
      const [rows = Number.NaN, columns, stored = Number.NaN] = fields.map(Number);
      if (fields.length !== 3 || ![rows, columns, stored].every((value) => Number.isInteger(value)))
        fail(at, 'expected the numbers of rows, columns and entries');
      if (rows !== columns) fail(at, `the matrix is ${rows} × ${columns}; the adjacency of a graph is square`);
      requireNodeCount(rows, text, builder);
      size = [rows, stored];
      for (let v = 1; v <= rows; v++) builder.node(String(v));
      continue;
    }
    const [row = Number.NaN, column = Number.NaN] = fields.map(Number);
    if (fields.length !== (field === 'pattern' ? 2 : 3)) fail(at, `found ${fields.length} numbers`);
    for (const end of [row, column])
      if (!(Number.isInteger(end) && end >= 1 && end <= size[0])) fail(at, `"${line}" is no entry of the matrix`);
    if (symmetry === 'symmetric' && column > row) fail(at, 'stands above the diagonal of a symmetric matrix');
    entries += 1;
    if (field !== 'pattern' && Number(fields[2]) === 0) continue;
    builder.edge(row - 1, column - 1, fields[2], direction, `line ${at + 1}`);
  }
  if (!size) return builder.fail('ends before the size of the matrix');
  if (entries !== size[1]) builder.fail(`holds ${entries} entries, the header says ${size[1]}`);
  return builder.document(direction);
}
