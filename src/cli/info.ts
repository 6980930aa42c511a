// `gossamer info`

import { existsSync } from 'node:fs';
import { Command } from 'commander';
import {
  catalogueLines,
  graphProfileLines,
  heteroProfileLines,
  isHubName,
  placesOf,
  profileLines,
  soundProfileLines,
  textGraphLines,
  wholeGraphProfileLines,
} from '../data/index.js';
import {
  hasTypedTables,
  isCatalogue,
  isFolder,
  isGraph6,
  isPictureFolder,
  isTextGraph,
  loadCatalogue,
  loadHeteroGraph,
  loadShownGraph,
  loadSounds,
  loadTable,
  loadTextGraph,
  loadWholeGraphs,
  pictureProfileLines,
  profilePictures,
  readUnpackedText,
  tableIn,
} from '../data/node.js';
import {
  citation,
  claimGroups,
  comparisons,
  type ExperimentRecord,
  findSystem,
  type OptionSpec,
  systems,
} from '../experiments/index.js';
import { analyse } from './analyse.js';
import { Bar } from './bar.js';
import { kindOf } from './fit/kinds.js';
import { openModel } from './models.js';
import { maxPixelsOption, withFlag } from './pictures.js';
import { sourceProfileLines } from './source-profile.js';
import { TABLE_FORMS, type TableFlags, tableOptionsOf, withTableOptions } from './tables.js';

const examples = `
Examples
  gossamer info table.csv                how the columns of a table are read
  gossamer info graph/                   sizes, types and labels of a graph: nodes.csv and edges.csv
  gossamer info flowers/                 classes and sizes of pictures, and those that cannot be used
  gossamer info sounds/                  WAV files: channels, length, classes or events
  gossamer info programs/                classes of source files, and those with syntax errors
  gossamer info shop/                    a catalogue: products.csv and attributes.csv
  gossamer info hf:Qwen/Qwen3-0.6B-GGUF  a language model by its name on huggingface.co
  gossamer info model.safetensors        what a model is, what it was trained on and what it answers for
  gossamer info found.json               what gossamer search found, and how to train it
  gossamer info bnn.safetensors --tree   what spanning trees would save in a binary network
  gossamer info hyperpave                a system: paper, data sets, claims and options of its experiment`;

export function infoCommand(): Command {
  return withTableOptions(new Command('info'))
    .description('what a system, a model file, a table, a graph or a folder of pictures is')
    .argument(
      '<what>',
      `name from \`gossamer list\`, a model file, a table: ${TABLE_FORMS}; a folder with graphs.csv and edges.csv; a graph of several types: a folder with tables such as nodes_paper.csv and edges_author_paper.csv; or a graph: a folder with nodes.csv and edges.csv, GraphML, GEXF, GML, Pajek, METIS, Matrix Market, node-link JSON; a catalogue: a folder with products.csv; or a folder with a folder of source files or of pictures for each class`,
    )
    .addOption(maxPixelsOption('pictures: '))
    .option('--tree', 'binary networks: operations, bits, depth and time by layer along spanning trees', false)
    .addHelpText('after', examples)
    .action(info);
}

function describeOption(name: string, spec: OptionSpec): string {
  const values = spec.kind === 'choice' ? ` (${spec.choices.join(' | ')})` : '';
  return `  ${`${name}=${spec.default}`.padEnd(26)} ${spec.about}${values}`;
}

async function modelInfo(path: string): Promise<void> {
  console.log((await openModel(path)).describe().join('\n'));
}

/** What a folder of pictures holds; all are opened, which takes a while. */
async function pictureInfo(path: string, maxPixels: number | undefined): Promise<void> {
  const bar = new Bar('reading', 'pictures', false);
  try {
    const profile = await profilePictures(path, {
      ...(maxPixels !== undefined && { maxPixels }),
      onProgress: (done, total) => bar.update(done / total, done),
    });
    bar.close();
    console.log(withFlag(`${path}: ${pictureProfileLines(profile).join('\n')}`));
  } finally {
    bar.close();
  }
}

/** How many things points.csv names in how many pictures. */
function placesLine(folder: string): string {
  const table = tableIn(folder, 'points') as string;
  const counts = Array.from(placesOf(readUnpackedText(table), table).values(), ({ points }) => points.length);
  const total = counts.reduce((a, b) => a + b, 0);
  const ends = counts.length > 0 ? `, ${Math.min(...counts)} to ${Math.max(...counts)} in one` : '';
  return `${counts.length} pictures with ${total} things${ends}; gossamer fit learns to count them`;
}

/** The graph in a folder of tables or a file of another program. */
function graphAt(path: string) {
  return isFolder(path) && !tableIn(path, 'edges') ? undefined : loadShownGraph(path);
}

/** What a search found, in a file of `gossamer search`. */
async function searchedAt(path: string): Promise<readonly string[] | undefined> {
  if (!path.endsWith('.json') || !existsSync(path)) return undefined;
  const text = readUnpackedText(path);
  // One object over several lines; tables are lists, or have an object a line.
  if (!/^\s*\{\s*\n\s*"(model|configuration)"\s*:/.test(text)) return undefined;
  return (await import('./search/index.js')).foundLines(path);
}

/** Whether a path holds a set of graphs. */
function isGraphSet(path: string): boolean {
  return (
    isGraph6(path) || (isFolder(path) && tableIn(path, 'graphs') !== undefined && tableIn(path, 'edges') !== undefined)
  );
}

/** Endings of tables. */
const TABLE = /\.(csv|tsv|txt|parquet|jsonl|ndjson|json|xlsx|xlsm|sqlite3?|db)(\.gz)?$/i;

/** Flags of `gossamer info` beside those of tables. */
interface InfoFlags extends TableFlags {
  readonly maxPixels?: number;
  readonly tree: boolean;
}

async function info(slug: string, flags: InfoFlags): Promise<void> {
  if (flags.tree) return analyse(slug, { side: 32, json: false });
  if (isHubName(slug)) return modelInfo(slug);
  const isSystem = [...systems, ...comparisons].some((record) => record.slug === slug);
  if (!isSystem && existsSync(slug) && isGraphSet(slug)) {
    console.log(`${slug}: ${wholeGraphProfileLines(loadWholeGraphs(slug)).join('\n')}`);
    return;
  }
  if (!isSystem && isFolder(slug) && hasTypedTables(slug)) {
    console.log(`${slug}: ${heteroProfileLines(await loadHeteroGraph(slug, tableOptionsOf(flags))).join('\n')}`);
    return;
  }
  if (!isSystem && isTextGraph(slug)) {
    console.log(`${slug}: ${textGraphLines(loadTextGraph(slug)).join('\n')}`);
    return;
  }
  const found = isSystem ? undefined : await searchedAt(slug);
  if (found) {
    console.log(found.join('\n'));
    return;
  }
  const graph = isSystem || slug === '-' ? undefined : await graphAt(slug);
  if (graph) {
    console.log(`${slug}: ${graphProfileLines(graph).join('\n')}`);
    return;
  }
  if (!isSystem && isCatalogue(slug)) {
    console.log(catalogueLines(loadCatalogue(slug)).join('\n'));
    return;
  }
  const kind = !isSystem && isFolder(slug) ? kindOf(slug) : undefined;
  if (kind === 'points') {
    console.log(`${slug}: ${placesLine(slug)}`);
    return;
  }
  if (kind === 'pictures' && isPictureFolder(slug)) return pictureInfo(slug, flags.maxPixels);
  if (kind === 'sounds') {
    console.log(soundProfileLines(loadSounds(slug)).join('\n'));
    return;
  }
  if (kind === 'sources') {
    console.log((await sourceProfileLines(slug)).join('\n'));
    return;
  }
  if (slug === '-' || (TABLE.test(slug) && existsSync(slug))) {
    console.log([`${slug}: `, profileLines(await loadTable(slug, tableOptionsOf(flags))).join('\n')].join(''));
    return;
  }
  if (!isSystem && existsSync(slug)) return modelInfo(slug);
  if (!isSystem) throw new Error(`"${slug}" is no file, no folder and no system; gossamer list names the systems`);
  const record = findSystem(slug);
  const { experiment } = await record.load();
  const { options, datasets, ownData, metrics } = experiment;
  console.log(
    [
      record.title,
      record.about,
      '',
      ...(record.paper ? [`Paper    ${citation(record.paper)}`] : []),
      `Data     ${datasets.join(', ')}`,
      `         or ${ownData}`,
      `Metrics  ${Object.values(metrics)
        .map(({ label }) => label)
        .join(', ')}`,
      '',
      ...(await claimLines(record)),
      'Options (--set name=value)',
      ...Object.entries(options).map(([name, spec]) => describeOption(name, spec)),
      '',
      'Example',
      `  gossamer run ${slug} --data ${datasets[1] ?? datasets[0]} --seeds 5`,
    ].join('\n'),
  );
}

/** The abstract's words, each with the claims that measure it, and the other claims. */
async function claimLines({ abstract, load }: ExperimentRecord): Promise<string[]> {
  const { claims, overall = [], unmeasured = {} } = (await load()).experiment;
  const all = [...claims, ...overall];
  const line = ({ claim, bound }: (typeof all)[number]) => `  ${claim} ${bound.text}`;
  return claimGroups.flatMap(({ source, title }) => {
    if (source === 'abstract' && Object.keys(abstract).length === 0) return [];
    if (source === 'abstract')
      return [
        title,
        ...Object.entries(abstract).flatMap(([key, words]) => [
          `  “${words}”`,
          ...all
            .filter((claim) => claim.source === 'abstract' && claim.words === key)
            .map((claim) => `  ${line(claim)}`),
          ...(unmeasured[key] ? [`    not measured: ${unmeasured[key]}`] : []),
        ]),
        '',
      ];
    const own = [...new Set(all.filter((claim) => claim.source === source).map(line))];
    return own.length > 0 ? [title, ...own, ''] : [];
  });
}
