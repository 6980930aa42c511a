// `gossamer diagnose`: what there is to know of a graph before a network is chosen.

import { Command } from 'commander';
import { requireWritable, writeFileAtomic } from '../../data/node.js';
import { directednessReport } from '../../graph/index.js';
import { number } from '../arguments.js';
import { kindOf } from '../fit/kinds.js';
import { writeNote } from '../output.js';
import { TABLE_FORMS, type TableFlags, withTableOptions } from '../tables.js';
import { useThreads } from '../threads.js';
import { reportJson } from './json.js';
import { loadDiagnosed } from './load.js';
import { reportText } from './text.js';

interface Flags extends TableFlags {
  readonly target?: string;
  readonly out?: string;
  readonly json: boolean;
  readonly threads?: number;
}

const examples = `
Examples
  gossamer diagnose graph/                         a folder with nodes.csv and edges.csv (source,target)
  gossamer diagnose graph/ -o report.html          the same as a page with plots
  gossamer diagnose graph.gexf --target party --json
  gossamer diagnose cora-ml                        a known set

The report says whether the directions of edges carry information on the labels (S, with the pairs of nodes behind it), which patterns of arcs join a class, how arcs are laid out (reciprocity, degrees, bow-tie, trophic levels), what the magnetic Laplacian and walks show, how fast features are smoothed, and what follows for the choice of a network. Labels of nodes in split "test" are not read.`;

export function diagnoseCommand(): Command {
  return withTableOptions(new Command('diagnose'))
    .description('report on a graph: whether directions matter, homophily, depth, and which network to try')
    .argument('<data>', `a folder with edges and nodes (${TABLE_FORMS}); a graph file; or a known set`)
    .option('--target <column>', 'the attribute of classes; label or class when left out')
    .option('-o, --out <file>', 'write the report as a page (.html), or as JSON (.json)')
    .option('--json', 'print the report as JSON', false)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .addHelpText('after', examples)
    .action(diagnose);
}

async function diagnose(path: string, flags: Flags): Promise<void> {
  const { out, json } = flags;
  if (out !== undefined && !/\.(html?|json)$/i.test(out))
    throw new Error(`--out "${out}": a report is a page (.html) or JSON (.json)`);
  if (out !== undefined) requireWritable(out);
  useThreads(flags.threads);
  const kind = kindOf(path);
  if (kind !== 'graph') throw new Error(`"${path}" is no graph; gossamer info describes other data`);
  const data = await loadDiagnosed(path, flags, writeNote);
  const report = directednessReport(data);
  if (out !== undefined) {
    const isJson = /\.json$/i.test(out);
    writeFileAtomic(
      out,
      isJson ? `${reportJson(data, report)}\n` : (await import('./page.js')).reportPage(data, report),
    );
  }
  if (json) process.stdout.write(`${reportJson(data, report)}\n`);
  else process.stdout.write(`${reportText(data, report).join('\n')}\n${out === undefined ? '' : `\nreport: ${out}\n`}`);
}
