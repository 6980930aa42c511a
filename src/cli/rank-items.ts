// `gossamer rank ITEMS --query …`: items ranked by clicks, with G-Rank.

import { csvField } from '../data/index.js';
import { loadTable, requireWritable } from '../data/node.js';
import {
  type CatalogueItem,
  ClickLog,
  catalogueDomain,
  clicksOfTable,
  GRankPeer,
  ItemLibrary,
  itemsOfTable,
  namedColumns,
  type RankedItem,
  type SimilarityForm,
} from '../embedding/index.js';
import { Random } from '../tensor/index.js';
import { writeOutput } from './output.js';
import { type TableFlags, tableOptionsOf } from './tables.js';

/** Flags of ranking items. */
export interface ItemFlags extends TableFlags {
  readonly query: readonly string[];
  readonly clicks?: string;
  readonly node?: string;
  readonly isolation: number;
  readonly similarity: SimilarityForm;
  readonly top: number;
  readonly out?: string;
}

/** What a table gives; errors name its file. */
async function fromTable<Made>(
  path: string,
  flags: TableFlags,
  make: (table: Awaited<ReturnType<typeof loadTable>>) => Made,
) {
  const table = await loadTable(path, {
    ...tableOptionsOf(flags),
    categorical: (name) => namedColumns.includes(name),
  });
  try {
    return make(table);
  } catch (error) {
    throw new Error(`"${path}": ${(error as Error).message}`);
  }
}

/** The items of a table, as a library. */
export function loadLibrary(path: string, flags: TableFlags): Promise<ItemLibrary<CatalogueItem>> {
  return fromTable(path, flags, (table) => new ItemLibrary(catalogueDomain, itemsOfTable(table)));
}

/** Ranks the items of a table for queries. */
export async function rankItemsOf(path: string, flags: ItemFlags): Promise<void> {
  if (flags.out !== undefined) requireWritable(flags.out);
  const library = await loadLibrary(path, flags);
  const { clicks, node = '', isolation, similarity } = flags;
  const log =
    clicks === undefined ? new ClickLog() : await fromTable(clicks, flags, (table) => clicksOfTable(table, library));
  if (flags.node !== undefined && !log.of(node))
    throw new Error(
      `the node "${node}" has clicked nothing${clicks === undefined ? ': --clicks is missing' : ` in "${clicks}"; nodes: ${[...log.authors].slice(0, 10).join(', ')}`}; leave --node out to rank for someone new`,
    );
  const peer = new GRankPeer(node, library, new Random(0), { isolation, similarity, log });
  writeOutput(tableOf(flags.query.map((query) => ({ query, items: peer.rank(query).slice(0, flags.top) }))), flags.out);
}

function* tableOf(
  rankings: readonly { readonly query: string; readonly items: readonly RankedItem[] }[],
): Generator<string> {
  yield 'query,rank,item,score,matches,title\n';
  for (const { query, items } of rankings)
    yield items
      .map(
        ({ id, score, matches, title }, at) =>
          `${[csvField(query), at + 1, csvField(id), Number(score.toPrecision(12)), Number(matches), csvField(title)].join(',')}\n`,
      )
      .join('');
}
