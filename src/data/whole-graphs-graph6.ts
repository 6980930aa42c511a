// Sets of graphs in graph6 form, with a table of what is known of them.

import { GraphCollection } from '../structure/index.js';
import { readGraph6 } from './formats/graphs/graph6.js';
import { readCsv } from './formats/index.js';
import { columnFinder } from './node-tables.js';
import { aboutGraphs, type WholeGraphs } from './whole-graphs.js';

/**
 * Graphs from graph6 text, one a line, in the order of which a table may have a line for each: a
 * name in `graph`, a class in `label` or `class`, a part in `split`, numbers in other columns.
 *
 * @throws Error naming the line that is wrong, or when there are more or fewer lines in the table
 */
export function wholeGraphsFromGraph6(text: string, name: string, table?: string): WholeGraphs {
  const graphs = readGraph6(text, name);
  const listed = table === undefined ? undefined : readCsv(table, 'graphs');
  if (listed && listed.rows.length !== graphs.length)
    throw new Error(
      `set of graphs "${name}": ${graphs.length} graphs and ${listed.rows.length} lines in the table of graphs`,
    );
  const at = listed ? columnFinder(listed)('graph') : -1;
  return {
    name,
    graphs: GraphCollection.of(graphs),
    nodeColumns: [],
    edgeColumns: [],
    ...aboutGraphs(listed, graphs.length, name),
    graphNames: graphs.map((_, g) => (at < 0 ? String(g) : (listed?.rows[g]?.[at] as string))),
  };
}
