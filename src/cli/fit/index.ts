// `gossamer fit`: the data decides the kind, --model the method.

import { statSync } from 'node:fs';
import { Command, Option } from 'commander';
import { readBytes, requireWritable, sha256, writeFileAtomic } from '../../data/node.js';
import { type OptionTable, resolveOptions } from '../../experiments/parts/options.js';
import { Random } from '../../tensor/index.js';
import { number, shareKept } from '../arguments.js';
import { type ChatFlags, chatOnly, withChatOptions } from '../chat.js';
import { writeNote } from '../output.js';
import {
  type ClassifierFlags,
  classifierOnly,
  pictureOnly,
  withBackgroundOption,
  withClassifierOptions,
  withPictureOptions,
} from '../pictures.js';
import { readingOnly, readingText, TABLE_FORMS, withTableOptions } from '../tables.js';
import { useThreads } from '../threads.js';
import { trainResumably } from '../training.js';
import { kindOf } from './kinds.js';
import type { DataKind, Fitted, Learner } from './learner.js';
import { learners, usualLearner } from './learners.js';
import { fitTable, type TableFitFlags, tableOnly, withTableFitOptions } from './table.js';

interface Flags extends TableFitFlags, ChatFlags, ClassifierFlags {
  readonly data?: string;
  readonly encoder?: string;
  readonly continue?: string;
  readonly init?: string;
  readonly density?: number;
  readonly models?: readonly string[];
  readonly set: readonly string[];
  readonly resume: boolean;
  readonly seed: number;
  readonly threads?: number;
  readonly directed?: boolean;
  readonly undirected?: boolean;
}

const examples = `
Examples
  gossamer fit table.csv --target outcome                        compares all methods, keeps the best in model.safetensors
  gossamer fit table.parquet --target species --methods hypertab,forest -o species.safetensors
  gossamer fit table.csv --target y --categorical zip,month --ignore id
  gossamer fit table.csv --target y --model hypertab --tune 20   HyperTab alone, the best of 20 settings
  gossamer fit table.csv --target price                          a number in place of a class
  gossamer predict model.safetensors new.csv -o predictions.csv

  gossamer fit windows.csv --target activity --model semipfl --set user=user --set donors=3,7,9   a model for each user

  gossamer fit papers/ --model conhd                             a role for each vertex in each hyperedge: hyperedges.csv
  gossamer fit groups/ --model lighthgnn                         classes of vertices: hyperedges.csv and nodes.csv
  gossamer fit events.csv --model nat                            who meets whom next: source,target,time

  gossamer fit graph/ --model dgmlp                              classes of nodes: nodes.csv and edges.csv
  gossamer fit graph.gexf --model gcn --target party --set hidden=32
  gossamer predict model.safetensors graph/ -o nodes.csv
  gossamer fit graph/ --model dir-sage --set tune=yes            directed edges; gossamer diagnose graph/ says if they matter
  gossamer fit graph/ --model magnet --task direction            which way an arc leads
  gossamer fit library/ --model rphgnn --target paper.label       several types: nodes_paper.csv, edges_author_paper.csv, …
  gossamer fit molecules/ --model gin --target logp              numbers of graphs by gcn, gat, gin …, a baseline of sswl-plus
  gossamer fit molecules/ --model hyperdrop -o m.safetensors     classes of graphs: graphs.csv, edges.csv, nodes.csv
  gossamer predict m.safetensors new/ -o out.csv --edges kept.csv

  gossamer fit flowers/ --model vit-softhgnn --size 32 --set hyperedges=16   a vision transformer with soft hyperedges
  gossamer fit crowds/ --model count-softhgnn -o count.safetensors   how many, and where: pictures and points.csv (picture,x,y)
  gossamer predict count.safetensors new/ --maps densities/ -o counts.csv

  gossamer fit papers/ products/ --model h4g -o zero.safetensors classes of nodes never seen: nodes.csv with texts, edges.csv
  gossamer predict zero.safetensors new-graph/ --classes classes.csv -o out.csv

  gossamer fit programs/ --model hdhgn -o code.safetensors       a folder of .py, .java or .ts files for each class
  gossamer fit code.jsonl --model hdhgn --set language=python    a table with the columns code and label
  gossamer predict code.safetensors new.py more/ --top 3 --explain

  gossamer fit sounds/ --model phc-seld-nano -o sounds.safetensors   WAV files: events.csv (file,event,start,end), or a folder for each class
  gossamer predict sounds.safetensors new.wav more/ -o found.csv

  gossamer fit flowers/ --model lsnet-nano --size 32             classes of pictures: a folder of pictures for each class
  gossamer fit digits/ --model resnet20 --set epochs=20 --set augment=yes --test-share 0.2 -o digits.safetensors
  gossamer fit letters/ --from digits.safetensors --freeze -o letters.safetensors   other classes on the same backbone

  gossamer fit flowers/ --model logah --size 32 -o ghn.safetensors   initial weights of vision transformers, from their architecture
  gossamer predict ghn.safetensors architecture.json -o weights.safetensors
  gossamer fit flowers/ --model vit-nano --size 32 --init ghn.safetensors
  gossamer fit book.txt --model logah -o text-ghn.safetensors    of decoders: gossamer lm train book.txt --init text-ghn.safetensors

  gossamer fit flowers/ --model metapruning --models a.safetensors b.safetensors c.safetensors -o meta.safetensors   networks of gossamer train
  gossamer compress d.safetensors --data flowers/ --recipe metapruning --metanetwork meta.safetensors --speedup 3 -o small/

  gossamer fit tasks/ --model hyperinterval --size 16 -o m.safetensors       tasks one after another: tasks/<task>/<class>/*.png
  gossamer fit monday.csv --target fault --model dp-hypernet -o m.safetensors
  gossamer fit tuesday.csv --target fault --model dp-hypernet --continue m.safetensors -o m.safetensors   without Monday's rows

  gossamer fit agents.json --model hyperagent --data questions.jsonl --dry-run      a team: what learning would cost
  gossamer fit agents.json --model hyperagent --data questions.jsonl --endpoint http://127.0.0.1:8080/v1 -o team.safetensors
  gossamer predict team.safetensors questions.jsonl --endpoint http://127.0.0.1:8080/v1 -o answers.csv

  gossamer fit ratings.csv --task recommend -o rec.safetensors   items for users: user,item and maybe rating and time
  gossamer fit ratings.parquet --task recommend --model multvae --density 0.1 -o rec.safetensors   sparse from the first step on
  gossamer predict rec.safetensors --users alice,bob --top 20 -o top.csv

  gossamer fit gentle --model hypino --set steps=5000 -o hypino.safetensors   differential equations, from random ones
  gossamer solve problem.json --model hypino.safetensors -o solution.npz

  gossamer fit catalogue/ --model hyperpave -o pave.safetensors  attribute values: products.csv and attributes.csv
  gossamer predict pave.safetensors new-products.csv --values new-values.csv --top 5 -o out.csv

\`gossamer info DATA\` shows how data are read: numbers with decimal points or commas, separators of thousands, percent signs or a currency; dates, as calendar features; all else as categories, also what --categorical names. Gaps are empty fields, NA, N/A, #N/A, NaN, null, none or ?, and in columns of numbers -, ., infinities and unknown. Scores of a table are means over stratified folds; the method of the best balanced accuracy (the mean over
classes of the share of their rows that is right) is then trained on all rows. A number is learnt by squared error, and the smallest root mean squared error is the best. --tune chooses each method's settings by these within the training rows of each fold, and again on all rows for the model; options of HyperTab that are given stay as given.
Ctrl-C keeps a training in <out>.checkpoint, and --resume goes on from there; a comparison of tables starts again.`;

export function fitCommand(): Command {
  const command = withTableOptions(new Command('fit'))
    .description(
      'train a model on your own data: a table, a graph, a hypergraph, events, interactions, products, source files, pictures, sounds or a team of agents',
    )
    .argument(
      '<data...>',
      `a table with a header (${TABLE_FORMS}); a folder, for h4g maybe several; a graph file; or a known set`,
    )
    .option('--target <column>', 'what to predict; a table needs it')
    .option('-o, --out <file>', 'the model', 'model.safetensors')
    .option('--model <name>', 'the method; that of the kind of data when left out')
    .option('--task <kind>', 'what is predicted, where the data leave it open; of a table class or number')
    .option(
      '--set <name=value>',
      'a hyperparameter of the model (repeatable)',
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .addOption(new Option('--directed', 'graphs: edges lead from source to target only').conflicts('undirected'))
    .addOption(new Option('--undirected', 'graphs: edges go both ways, which is the default of most models'))
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--resume', 'go on from <out>.checkpoint', false)
    .option('--json', 'print the result as JSON', false);
  command.option('--density <share>', 'recommenders: share of the weights that are stored, in training too', shareKept);
  command.option('--data <questions>', 'hyperagent: lines of {"question": …, "answer": …}, or gsm8k');
  command.option('--continue <file>', 'hyperinterval, dp-hypernet: the model that learns these tasks, too');
  command.option(
    '--encoder <file>',
    'h4g, hyperpave: a sentence model in ONNX that encodes the texts, tokenizer.json beside it',
  );
  command.option('--init <file>', 'pictures: initial weights by a model of logah');
  command.option(
    '--models <files...>',
    'metapruning: trained networks of one architecture; the last chooses the epoch, the others are learnt from',
  );
  const of = 'pictures: ';
  const pictures = withClassifierOptions(withBackgroundOption(withPictureOptions(command, { of }), of), of);
  return withTableFitOptions(withChatOptions(pictures))
    .addHelpText('after', ({ command: own }) => `${modelsText(own.opts<Partial<Flags>>().model)}${examples}`)
    .action(fit);
}

/** The models of other data than tables, or the options of one. */
function modelsText(name: string | undefined): string {
  const learner = name !== undefined && Object.hasOwn(learners, name) ? learners[name] : undefined;
  if (learner) {
    const { options, ofGraphs } = learner;
    const onGraphs = ofGraphs ? `\nOf sets of graphs\n${optionLines(ofGraphs.options)}\n` : '';
    return `\nOptions of ${name} (--set name=value)\n${optionLines(options)}\n${onGraphs}`;
  }
  const lines = Object.entries(learners)
    .filter(([, { data, ofNetworks }]) => data !== 'pictures' || ofNetworks)
    .map(([own, { data, about }]) => `  ${own.padEnd(14)} ${data}: ${about}`);
  const pictures = `  of pictures: ${namesFor('pictures')}`;
  return `\nModels beside those of tables (--model NAME --help lists their options)\n${[...lines, pictures].join('\n')}\n`;
}

function optionLines(options: OptionTable): string {
  const lines = Object.entries(options).map(
    ([option, { default: value, about }]) => `  ${`${option}=${value}`.padEnd(26)} ${about}`,
  );
  return lines.join('\n');
}

async function fit([path = '', ...more]: readonly string[], given: Flags, command: Command): Promise<void> {
  const flags = given.model === undefined ? { ...given, ...(await modelOf(given)) } : given;
  useThreads(flags.threads);
  requireWritable(flags.out);
  const learner = learnerOf(path, flags);
  if (more.length > 0 && !learner?.several)
    throw new Error(`fit learns from "${path}" alone, got ${more.join(', ')} too; models of h4g take several graphs`);
  if (flags.continue !== undefined && !learner?.continues)
    throw new Error('--continue is for models of tasks that arrive one after another: hyperinterval, dp-hypernet');
  if (flags.encoder !== undefined && !learner?.encodes)
    throw new Error('--encoder is for models that encode texts: h4g, hyperpave');
  if (flags.models !== undefined && !learner?.takesModels)
    throw new Error('--models is for models that learn from trained networks: metapruning');
  if (flags.density !== undefined && learner?.data !== 'interactions')
    throw new Error('--density is for recommenders: gossamer fit ratings.csv --task recommend');
  if (flags.init !== undefined && (learner?.data !== 'pictures' || learner.ofNetworks))
    throw new Error('--init is for networks that classify pictures; gossamer lm train has it for texts');
  if (learner?.data !== 'graph' && (flags.directed || flags.undirected))
    throw new Error(`--${flags.directed ? '' : 'un'}directed is for graphs; "${path}" is learnt by another model`);
  if (!learner) {
    if (flags.set.length > 0) throw new Error('--set is for other models than those of tables');
    if (flags.resume) throw new Error('--resume: a comparison of tables keeps no checkpoint');
    refuse([...chatOnly, 'data'], 'is for models that talk, such as hyperagent', command);
    refuse([...pictureOnly, ...classifierOnly], `is for pictures; "${path}" is read as a table`, command);
    return fitTable(path, flags);
  }
  requireFitting(path, flags, learner, command);
  await train([path, ...more], flags, learner);
}

/** The network in the model that training begins with. */
async function modelOf({ from }: Flags): Promise<Pick<Flags, 'model'>> {
  return from === undefined ? {} : { model: (await import('./pictures.js')).architectureIn(from) };
}

/** The model that the data or --model names; undefined for the estimators of tables. */
function learnerOf(path: string, { model, methods, task }: Flags): Learner | undefined {
  if (model === undefined && task === 'recommend') return learners[usualLearner.interactions as string];
  if (model !== undefined && Object.hasOwn(learners, model)) return learnerOn(learners[model] as Learner, path);
  const kind = methods === undefined ? kindOf(path) : 'table';
  if (kind === 'table') return undefined;
  if (model !== undefined)
    throw new Error(`unknown model "${model}" for ${nouns[kind]} ("${path}"); there are ${namesFor(kind)}`);
  const usual = usualLearner[kind];
  if (usual === undefined) throw new Error(`"${path}" holds ${nouns[kind]}; name a model: ${namesFor(kind)}`);
  return learners[usual];
}

/** A learner, with the options and training of sets of graphs where the data are one. */
function learnerOn({ ofGraphs, ...learner }: Learner, path: string): Learner {
  return ofGraphs && kindOf(path) === 'graphs' ? { ...learner, ...ofGraphs, data: 'graphs', tasks: [] } : learner;
}

const nouns: Readonly<Record<DataKind, string>> = {
  table: 'a table',
  pictures: 'pictures',
  points: 'pictures with points',
  graph: 'a graph',
  'hetero-graph': 'a graph of several types of nodes',
  graphs: 'a set of graphs',
  hypergraph: 'a hypergraph',
  events: 'events',
  products: 'products',
  team: 'a team of agents',
  tasks: 'tasks one after another',
  sources: 'source files',
  sounds: 'sounds',
  problems: 'a family of problems',
  interactions: 'interactions',
};

/** Flags of reading that each kind of data takes. */
const readingOf: Readonly<Record<DataKind, readonly string[]>> = {
  ...{ table: readingOnly, tasks: readingOnly, graph: readingOnly, 'hetero-graph': readingOnly, sources: readingOnly },
  interactions: readingOnly,
  ...{ hypergraph: readingText, events: readingText },
  ...{ pictures: [], points: [], graphs: [], products: [], team: [], problems: [], sounds: [] },
};

function namesFor(kind: DataKind): string {
  const names = Object.entries(learners).filter(
    ([, { data, ofGraphs }]) => data === kind || (kind === 'graphs' && ofGraphs),
  );
  return names.map(([name]) => name).join(', ') || 'none learns from it yet';
}

/** @throws Error for an option of tables, or a task that the model does not know */
function requireFitting(path: string, { model, task }: Flags, learner: Learner, command: Command): void {
  const { tasks = [], talks, data, ofNetworks } = learner;
  refuse(tableOnly, `is for tables; "${path}" is learnt by ${model ?? 'a model'} with --set name=value`, command);
  const unread = readingOnly.filter((name) => !readingOf[data].includes(name));
  refuse(unread, `is not for ${nouns[data]}, which "${path}" is read as`, command);
  if (data !== 'pictures' || ofNetworks)
    refuse(classifierOnly, 'is for networks that learn classes of pictures', command);
  // Tasks are folders of pictures, or tables.
  if (data === 'tasks') {
    if (kindOf(path) === 'pictures') refuse(['target'], 'is for tables; the class of a picture is its folder', command);
    else refuse(pictureOnly, `is for pictures; "${path}" is read as a table`, command);
  } else if (data === 'pictures') {
    refuse(['target'], 'is for tables and graphs; the class of a picture is the name of its folder', command);
  } else if (data === 'points') {
    refuse(['size'], 'is for classes of pictures; counting takes --set scale=0.5', command);
    refuse(['target', 'strict'], 'is not for counting; points.csv says what is counted, in which pictures', command);
  } else refuse(pictureOnly, `is for pictures; "${path}" is read as ${nouns[data]}`, command);
  if (!talks) refuse([...chatOnly, 'data'], 'is for models that talk, such as hyperagent', command);
  if (task !== undefined && !tasks.includes(task))
    throw new Error(`--task ${task}: expected ${tasks.length > 0 ? tasks.join(', ') : 'none for this model'}`);
}

/** @throws Error with a reason when one of some options is given */
function refuse(names: readonly string[], reason: string, command: Command): void {
  const given = names.find((name) => command.getOptionValueSource(name) === 'cli');
  const option = command.options.find((own) => own.attributeName() === given);
  if (option) throw new Error(`${option.long} ${reason}`);
}

/** --density as an assignment. @throws Error for a recommender without weights */
function densityOf({ density }: Flags, { options }: Learner): string[] {
  if (density === undefined) return [];
  if (!Object.hasOwn(options, 'density')) throw new Error('--density: this recommender stores no weights');
  return [`density=${density}`];
}

/** What a training depends on: a checkpoint goes on with the same alone. */
function askedOf(path: string, { model, seed }: Flags, values: object): object {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile();
  const digest = isFile ? sha256(readBytes(path)).slice(0, 8) : path;
  return { model: model ?? null, seed, ...values, table: digest };
}

async function train(paths: readonly string[], flags: Flags, learner: Learner): Promise<void> {
  const [path = '', ...more] = paths;
  const values = resolveOptions(learner.options, { assignments: [...flags.set, ...densityOf(flags, learner)] });
  const run = await learner.load();
  let fitted: Fitted | undefined;
  const ended = await trainResumably(
    learner.data === 'interactions' ? { ...flags, asked: askedOf(path, flags, values) } : flags,
    async (hooks) => {
      fitted = await run(path, {
        values,
        more,
        encoder: flags.encoder,
        continued: flags.continue,
        init: flags.init,
        models: flags.models,
        target: flags.target,
        task: flags.task,
        directed: flags.directed ?? (flags.undirected ? false : undefined),
        random: new Random(flags.seed),
        seed: flags.seed,
        reading: flags,
        pictures: flags,
        chat: flags,
        hooks,
        note: writeNote,
      });
      return fitted;
    },
    () => fitted?.file && writeFileAtomic(flags.out, fitted.file()),
  );
  if (!ended || !fitted) return;
  const { lines, details = [], scores, file } = fitted;
  if (flags.json)
    process.stdout.write(
      `${JSON.stringify({ data: paths.join(' '), ...scores, ...(file && { model: flags.out }) })}\n`,
    );
  else process.stdout.write(`${[...lines, ...details, ...(file ? [`model: ${flags.out}`] : [])].join('\n')}\n`);
}
