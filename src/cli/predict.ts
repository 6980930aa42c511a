// `gossamer predict`

import { Command } from 'commander';
import { predictedGraph, writeCsv, writeGraphML, writeNodeLink } from '../data/index.js';
import { requireWritable, writeFileAtomic } from '../data/node.js';
import { number } from './arguments.js';
import type { Predictions } from './models/predictor.js';
import { openModel } from './models.js';
import { writeNote, writeOutput } from './output.js';
import { TABLE_FORMS, type TableFlags, tableOptionsOf, withTableOptions } from './tables.js';

const examples = `
Examples
  gossamer predict model.safetensors new.csv -o predictions.csv          rows of a table, by a model of gossamer fit
  gossamer predict model.safetensors graph/ -o nodes.graphml             nodes of a graph, written with it for Gephi
  gossamer predict runs/mine/model.safetensors new-vertices.csv          vertices, by a student of lighthgnn
  gossamer predict runs/mine/model.safetensors new-hyperedges.csv        vertices in hyperedges, by a model of conhd
  gossamer predict runs/mine/model.safetensors new.csv --condition angle=0.3   rows under one condition, by a model of mip
  gossamer predict runs/mine/model.safetensors pairs.csv                 pairs of nodes, by a model of nat
  gossamer predict runs/mine/model.safetensors new.csv --task berlin      rows of a task, by a model of hypernet-review
  gossamer predict small/model.plan photos/ --top 3                      pictures, by a model of gossamer train or compress

A table has the columns of training, in any order and maybe others; the result holds the class of each row and the probability of all classes, or the number of each row. A table of vertices has a header \`vertex,…\` and the same feature columns as in training; no
hypergraph is needed. A table of hyperedges has the columns edge and node; a table of nodes with their features may follow it.`;

export function predictCommand(): Command {
  return withTableOptions(new Command('predict'))
    .description('answer for new data with a saved model of any kind')
    .argument('<model>', 'model file; it names what it is')
    .argument('<data...>', `pictures, or a table: ${TABLE_FORMS}`)
    .option(
      '-o, --out <file>',
      'file for the predictions (.csv; of graphs also .graphml, .json); standard output when left out',
    )
    .option('--observe <events>', 'models of nat: take these events in first, and write the model back')
    .option(
      '--top <k>',
      'what to list for each: classes of a picture, new links of a node (fastrp), the closest nodes (fully-ppr)',
      number(1),
      1,
    )
    .option(
      '--condition <name=value>',
      'models of mip: a condition of all rows, in place of its column (repeatable)',
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option(
      '--task <id>',
      'models of hypernet-review: the task of all rows; a new one is learnt from the rows with a target',
    )
    .option('--explain', 'HyperTab: how much each column contributes to the predictions, on standard error', false)
    .addHelpText('after', examples)
    .action(predict);
}

interface Flags extends TableFlags {
  readonly out?: string;
  readonly top: number;
  readonly condition: readonly string[];
  readonly explain: boolean;
  readonly task?: string;
  readonly observe?: string;
}

async function predict(modelPath: string, paths: readonly string[], flags: Flags): Promise<void> {
  const { out, top, explain, task, observe } = flags;
  if (out) requireWritable(out);
  if (observe) requireWritable(modelPath);
  const model = await openModel(modelPath);
  const conditions = conditionsOf(flags.condition);
  if (flags.condition.length > 0 && !model.conditions)
    throw new Error(`--condition: file "${modelPath}" is a model without conditions`);
  if (task !== undefined && !model.tasks)
    throw new Error(`--task: file "${modelPath}" is not a model of several tasks`);
  if (observe) {
    if (!model.observe) throw new Error(`--observe: the model in "${modelPath}" keeps no state; models of nat do`);
    writeFileAtomic(modelPath, await model.observe(observe));
  }
  writePredictions(
    await model.predict(paths, {
      top,
      explain,
      conditions,
      note: writeNote,
      ...(task !== undefined && { task }),
      table: tableOptionsOf(flags),
    }),
    out,
  );
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
 * As CSV, to a file or to standard output; of the nodes of a graph also as GraphML or node-link
 * JSON.
 *
 * @throws Error for the form of a graph where the predictions are about none
 */
export function writePredictions({ columns, rows, graph }: Predictions, out: string | undefined): void {
  const writer = graphWriters.find(({ ending }) => out !== undefined && ending.test(out));
  if (!writer) {
    writeOutput([writeCsv(columns, rows)], out);
    return;
  }
  if (!graph) throw new Error(`"${out}" is a form of graphs; these predictions are a table, so write a .csv`);
  const [, ...others] = columns;
  const values = rows.map(([, ...own]) => own);
  writeOutput([writer.write(predictedGraph(graph, others, values))], out);
}
