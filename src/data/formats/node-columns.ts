// Names by which the columns of edge lists and event tables are known.

/** What the columns of a table of edges hold. */
export const columnNames = {
  source: ['source', 'src', 'from', 'u', 'start', 'origin', 'id_1', 'id1', 'node_1', 'node1', 'source_id'],
  target: ['target', 'dst', 'destination', 'to', 'v', 'end', 'dest', 'id_2', 'id2', 'node_2', 'node2', 'target_id'],
  weight: ['weight', 'w', 'value'],
  time: ['t', 'time', 'timestamp', 'ts'],
} as const;

/** The position of the column that holds something, −1 where the header names none. */
export function columnFor(what: keyof typeof columnNames, header: readonly string[]): number {
  const known: readonly string[] = columnNames[what];
  return header.findIndex((column) => known.includes(column.trim().toLowerCase()));
}
