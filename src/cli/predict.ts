// `gossamer predict`

import { Command, Option } from 'commander';
import { predictedGraph, writeCsv, writeGraphML, writeNodeLink } from '../data/index.js';
import { requireWritable, writeFileAtomic } from '../data/node.js';
import { list, number } from './arguments.js';
import { Bar } from './bar.js';
import { chatOnly, withChatOptions } from './chat.js';
import type { Predictions, Predictor, TalkFlags } from './models/predictor.js';
import { openModel } from './models.js';
import { writeNote, writeOutput } from './output.js';
import { maxPixelsOption } from './pictures.js';
import { readingOnly, TABLE_FORMS, type TableFlags, tableOptionsOf, withTableOptions } from './tables.js';

const examples = `
Examples
  gossamer predict model.safetensors new.csv -o predictions.csv          rows of a table, by a model of gossamer fit
  gossamer predict model.safetensors graph/ -o nodes.graphml             nodes of a graph, written with it for Gephi
  gossamer predict runs/mine/model.safetensors new-vertices.csv          vertices, by a student of lighthgnn
  gossamer predict runs/mine/model.safetensors new-hyperedges.csv        vertices in hyperedges, by a model of conhd
  gossamer predict runs/mine/model.safetensors new.csv --condition angle=0.3   rows under one condition, by a model of mip
  gossamer predict nat.safetensors pairs.csv                             pairs of nodes, by a model of nat
  gossamer predict nat.safetensors sources.csv --top 5                   their likeliest partners
  gossamer predict runs/mine/model.safetensors new.csv --task berlin      rows of a task, by a model of hypernet-review
  gossamer predict m.safetensors new/ --task monday                      pictures or rows of a task, by a model of hyperinterval or dp-hypernet
  gossamer predict m.safetensors new/ --task monday --extract monday.safetensors   the same, and the plain network that answered
  gossamer predict pave.safetensors new-products.csv --values new-values.csv --top 5 -o out.csv   products, by a model of hyperpave
  gossamer predict zero.safetensors new-graph/ --classes classes.csv -o out.csv   nodes among classes never seen, by a model of h4g
  gossamer predict zero.safetensors new-graph/ --classes classes.csv --explain -o radii.html   their radii as a picture
  gossamer predict team.safetensors questions.jsonl --dry-run            groups and estimated tokens of each question
  gossamer predict team.safetensors questions.jsonl --endpoint http://127.0.0.1:8080/v1 --max-tokens 4000 -o answers.csv
  gossamer predict m.safetensors new/ -o out.csv --edges kept.csv       graphs in a folder, by a model of hyperdrop
  gossamer predict small/model.plan photos/ --top 3                      pictures, by a model of gossamer train or compress
  gossamer predict ghn.safetensors architecture.json -o weights.safetensors   initial weights of a network, by a model of logah
  gossamer predict ghn.safetensors gpt2-large -o large.safetensors --type BF16
  gossamer predict count.safetensors photos/ --maps densities/           how many things are in each picture, and where, by a model of count-softhgnn
  gossamer predict sounds.safetensors new.wav more/ -o found.csv         events in WAV files, or their classes, by a model of phc-seld
  gossamer predict rec.safetensors --users alice,bob --top 20 -o top.csv   items for users, by a recommender
  gossamer predict rec.safetensors --history new-users.csv -o top.csv    users that it does not know, by their items (user,item)
  gossamer predict u.safetensors points.csv                              u at points, by a solution of gossamer solve --save
  gossamer predict code.safetensors file.py more/ --top 3 --explain      source files, by a model of hdhgn, and what it looked at
  gossamer predict code.safetensors file.py --explain -o explain.html    the lines that decided, as a page

A table has the columns of training, in any order and maybe others; the result holds the class of each row and the probability of all classes, or the number of each row. A table of vertices has a header \`vertex,…\` and the same feature columns as in training; no
hypergraph is needed. A table of hyperedges has the columns edge and node; a table of nodes with their features may follow it.`;

export function predictCommand(): Command {
  return withTableOptions(withChatOptions(new Command('predict')))
    .description('answer for new data with a saved model of any kind')
    .argument('<model>', 'model file; it names what it is')
    .argument('[data...]', `pictures, source files, or a table: ${TABLE_FORMS}; recommenders need none`)
    .option(
      '-o, --out <file>',
      'file for the predictions (.csv; of graphs also .graphml, .json); standard output when left out',
    )
    .option('--edges <file>', 'models of hyperdrop: the score of each edge, and whether it was kept')
    .option(
      '--maps <folder>',
      'models of count-softhgnn: the density over each picture; of vit-softhgnn: who takes part in which hyperedge',
    )
    .option('--observe <events>', 'models of nat: take these events in first, and write the model back')
    .option(
      '--top <k>',
      'pictures, sounds and source files: classes to list for each, one when left out; products: values; fastrp: new links of each node; fully-ppr: nodes; nat: partners of each source; recommenders: items, 20 when left out',
      number(1),
    )
    .addOption(maxPixelsOption('pictures: '))
    .option('--classes <table>', 'models of h4g: the classes to choose from, columns name and maybe description')
    .option(
      '--threshold <p>',
      'models of h4g: least probability of a class, below which a node is unknown; that of the model when left out, 0 for none',
      number(0, false),
    )
    .option(
      '--encoder <file>',
      'models of h4g and hyperpave: the sentence model in ONNX that the model was trained with',
    )
    .option('--users <names>', 'recommenders: users to answer for, with commas between; all when left out', list)
    .option(
      '--history <table>',
      'recommenders: interactions (user,item) that the model has not seen, also of new users',
    )
    .option('--values <table>', 'models of hyperpave: values (attribute,value) that no product has yet')
    .option('--within-category', 'models of hyperpave: only attributes that are known for the category', false)
    .option(
      '--condition <name=value>',
      'models of mip: a condition of all rows, in place of its column (repeatable)',
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option(
      '--task <id>',
      'models of several tasks: the task of all rows; hypernet-review learns a new one from the rows with a target',
    )
    .option(
      '--extract <file>',
      'models of hyperinterval and dp-hypernet: also writes the plain network of the task, or of scenario domain the one for all tasks, as a model of its own',
    )
    .option(
      '--explain',
      'HyperTab: how much each column contributes, HDHGN: what attention was on; on standard error, or of HDHGN with -o page.html as a page',
      false,
    )
    .option(
      '--max-tokens <n>',
      'hyperagent: most tokens of a question, by estimate; less talk where more would be needed',
      number(1),
    )
    .addOption(
      new Option('--type <type>', 'models of logah: type of the numbers that are written')
        .choices(['F32', 'BF16'])
        .default('F32'),
    )
    .option('--agents <file>', 'hyperagent: another team than the one that was learnt with')
    .option('--chat-model <name>', 'hyperagent: another model of the agents')
    .addHelpText('after', examples)
    .action(predict);
}

interface Flags extends TableFlags, TalkFlags {
  readonly out?: string;
  readonly top?: number;
  readonly classes?: string;
  readonly threshold?: number;
  readonly encoder?: string;
  readonly maxPixels?: number;
  readonly users?: string[];
  readonly history?: string;
  readonly values?: string;
  readonly withinCategory: boolean;
  readonly condition: readonly string[];
  readonly explain: boolean;
  readonly task?: string;
  readonly extract?: string;
  readonly observe?: string;
  readonly edges?: string;
  readonly maps?: string;
  readonly type: 'F32' | 'BF16';
}

async function predict(modelPath: string, paths: readonly string[], flags: Flags, command: Command): Promise<void> {
  const { out, top, maxPixels, explain, task, extract, observe, edges, values, withinCategory, maps } = flags;
  for (const file of [out, edges, extract]) if (file) requireWritable(file);
  if (observe) requireWritable(modelPath);
  const model = await openModel(modelPath);
  requireAsked(modelPath, model, paths, flags);
  if (!model.talks) refuseTalk(modelPath, command);
  refuseReading(modelPath, model, command);
  if (model.writeWeights) return writeWeights(model.writeWeights, paths, flags, command);
  if (command.getOptionValueSource('type') === 'cli')
    throw new Error(`--type: the model in "${modelPath}" writes no weights; models of logah do`);
  const conditions = conditionsOf(flags.condition);
  if (flags.condition.length > 0 && !model.conditions)
    throw new Error(`--condition: file "${modelPath}" is a model without conditions`);
  if (task !== undefined && !model.tasks)
    throw new Error(`--task: file "${modelPath}" is not a model of several tasks`);
  if ((values !== undefined || withinCategory) && !model.takesValues)
    throw new Error(
      `--${values !== undefined ? 'values' : 'within-category'}: the model in "${modelPath}" is none of products; models of hyperpave are`,
    );
  if (maps !== undefined && !model.maps)
    throw new Error(`--maps: the model in "${modelPath}" draws none; models of vit-softhgnn and count-softhgnn do`);
  requireClasses(modelPath, model, flags);
  if (edges && !model.edges)
    throw new Error(`--edges: the model in "${modelPath}" scores no edges; models of hyperdrop do`);
  if (extract !== undefined && !model.extract)
    throw new Error(
      `--extract: the model in "${modelPath}" makes no networks; models of hyperinterval and dp-hypernet do`,
    );
  const extracted = extract !== undefined && model.extract?.(task);
  if (observe) {
    if (!model.observe) throw new Error(`--observe: the model in "${modelPath}" keeps no state; models of nat do`);
    writeFileAtomic(modelPath, await model.observe(observe, writeNote, tableOptionsOf(flags)));
  }
  const predictions = await model.predict(paths, {
    ...(top !== undefined && { top }),
    ...(maxPixels !== undefined && { maxPixels }),
    ...(values !== undefined && { values }),
    ...(maps !== undefined && { maps }),
    ...(flags.users !== undefined && { users: flags.users }),
    ...(flags.history !== undefined && { history: flags.history }),
    ...(flags.classes !== undefined && { classes: flags.classes }),
    ...(flags.threshold !== undefined && { threshold: flags.threshold }),
    ...(flags.encoder !== undefined && { encoder: flags.encoder }),
    withinCategory,
    explain,
    conditions,
    note: writeNote,
    talk: flags,
    ...(task !== undefined && { task }),
    table: tableOptionsOf(flags),
  });
  if (edges && predictions.edges) writePredictions(predictions.edges, edges);
  writePredictions(predictions, out);
  if (extract && extracted) writeFileAtomic(extract, extracted);
}

/** @throws Error without a file to write to, or for more than one architecture */
function writeWeights(
  write: NonNullable<Predictor['writeWeights']>,
  paths: readonly string[],
  { out, type }: Flags,
  command: Command,
): void {
  const [architecture, second] = paths;
  if (architecture === undefined || second !== undefined)
    throw new Error(`weights are predicted for one architecture at a time, got ${paths.join(', ')}`);
  if (out === undefined) throw new Error('weights go to a file: -o weights.safetensors');
  const given = command.options.find(
    (own) =>
      !['out', 'type'].includes(own.attributeName()) && command.getOptionValueSource(own.attributeName()) === 'cli',
  );
  if (given) throw new Error(`${given.long} is not for models of logah`);
  const bar = new Bar('predicting', 'weights');
  try {
    const lines = write(architecture, out, { type, onProgress: (share) => bar.update(share, Math.round(100 * share)) });
    bar.close();
    process.stdout.write(`${[...lines, `weights: ${out}`].join('\n')}\n`);
  } finally {
    bar.close();
  }
}

/** @throws Error when a flag of reading tables is given that the model would not heed */
function refuseReading(modelPath: string, { reads }: Predictor, command: Command): void {
  const given = readingOnly.find(
    (name) => reads && !reads.includes(name) && command.getOptionValueSource(name) === 'cli',
  );
  const option = command.options.find((own) => own.attributeName() === given);
  if (option) throw new Error(`${option.long}: the model in "${modelPath}" does not read data that it is for`);
}

/** @throws Error when a flag of models that choose among given classes is given to another */
function requireClasses(modelPath: string, { takesClasses, takesEncoder }: Predictor, flags: Flags): void {
  const given = (['classes', 'threshold'] as const).find((name) => flags[name] !== undefined);
  if (given !== undefined && !takesClasses)
    throw new Error(`--${given}: the model in "${modelPath}" has its own classes; models of h4g are given them`);
  if (flags.encoder !== undefined && !takesEncoder)
    throw new Error(`--encoder: the model in "${modelPath}" reads no texts by one; models of h4g and hyperpave do`);
}

/** @throws Error without data where a model needs some, and for flags of recommenders elsewhere */
function requireAsked(modelPath: string, { recommends }: Predictor, paths: readonly string[], flags: Flags): void {
  const given = (['users', 'history'] as const).find((name) => flags[name] !== undefined);
  if (given !== undefined && !recommends)
    throw new Error(`--${given}: the model in "${modelPath}" does not recommend; see gossamer fit --task recommend`);
  if (paths.length === 0 && !recommends)
    throw new Error(`name the data that the model in "${modelPath}" is to answer for`);
}

/** @throws Error when a flag of models that talk is given */
function refuseTalk(modelPath: string, command: Command): void {
  const given = [...chatOnly, 'maxTokens', 'agents', 'chatModel'].find(
    (name) => command.getOptionValueSource(name) === 'cli',
  );
  const option = command.options.find((own) => own.attributeName() === given);
  if (option) throw new Error(`${option.long}: the model in "${modelPath}" does not talk; teams of hyperagent do`);
}

/** @throws Error when an assignment is not `name=number` */
function conditionsOf(assignments: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    assignments.map((assignment) => {
      const at = assignment.lastIndexOf('=');
      const text = assignment.slice(at + 1).trim();
      const value = Number(text);
      if (at < 1 || text === '' || !Number.isFinite(value))
        throw new Error(`--condition: expected name=number, got "${assignment}"`);
      return [assignment.slice(0, at), value];
    }),
  );
}

/** Files that hold the graph with the predictions as attributes of its nodes, by their ending. */
const graphWriters = [
  { ending: /\.graphml$/i, write: writeGraphML },
  { ending: /\.json$/i, write: writeNodeLink },
];

/**
 * As CSV, or the page where the file is one, to a file or to standard output; of the nodes of a
 * graph also as GraphML or node-link JSON.
 *
 * @throws Error for the form of a graph where the predictions are about none
 */
export function writePredictions({ columns, rows, page, graph }: Predictions, out: string | undefined): void {
  const writer = graphWriters.find(({ ending }) => out !== undefined && ending.test(out));
  if (!writer) {
    const asPage = /\.html?$/i.test(out ?? '');
    if (asPage && page === undefined)
      throw new Error(
        `"${out}": a page is written by models of hdhgn and h4g with --explain; name a .csv file for predictions`,
      );
    writeOutput([asPage && page !== undefined ? page : writeCsv(columns, rows)], out);
    return;
  }
  if (!graph) throw new Error(`"${out}" is a form of graphs; these predictions are a table, so write a .csv`);
  const [, ...others] = columns;
  const values = rows.map(([, ...own]) => own);
  writeOutput([writer.write(predictedGraph(graph, others, values))], out);
}
