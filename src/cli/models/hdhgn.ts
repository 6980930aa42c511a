// Classifiers of source files, made by `gossamer fit --model hdhgn`.

import { isFolder, readBytes, readText, sourceFilesIn } from '../../data/node.js';
import {
  type Explanation,
  languageOf,
  languages,
  loadParser,
  ProgramModel,
  type SyntaxHypergraph,
} from '../../hypergraph/index.js';
import { type AttentionOnFile, attentionPage } from './attention-page.js';
import type { Predictions, PredictOptions, Predictor } from './predictor.js';

/** A file that was read. */
interface Read {
  readonly path: string;
  readonly source: string;
  readonly program: SyntaxHypergraph;
}

/** Vertices that `--explain` lists for a file. */
const LISTED = 5;

export function open(path: string): Predictor {
  const model = ProgramModel.load(readBytes(path), path);
  return {
    describe: () => describe(model),
    reads: [],
    predict: (paths, options) => classifyFiles(model, paths, options),
  };
}

function describe({ description }: ProgramModel): string[] {
  const { language, grammar, classes, options, anonymise, vocabulary } = description;
  const counts = vocabulary.values.map((list) => list.length);
  return [
    `classes of ${languages[language].title} files, by HDHGN (grammar: ${grammar})`,
    `classes: ${classes.join(', ')}`,
    `vocabulary: ${counts.join(' + ')} values, ${vocabulary.types.length} types of hyperedges`,
    `names and strings are ${anonymise ? 'replaced' : 'read'}`,
    `options: ${Object.entries(options)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ')}`,
  ];
}

/** The most probable classes of each file; files of a folder that cannot be read are noted. */
async function classifyFiles(
  model: ProgramModel,
  paths: readonly string[],
  { top = 1, explain = false, note }: PredictOptions,
): Promise<Predictions> {
  const read = await readFiles(model, paths, note);
  const unknown = new Set(read.flatMap(({ program }) => model.vocabulary.unknownTypes(program)));
  if (unknown.size > 0) note(`node types that training did not know: ${[...unknown].sort().join(', ')}`);
  const { classes } = model.description;
  const all = model.predictProba(read.map(({ program }) => program));
  const rows = read.flatMap(({ path }, at) => {
    const probabilities = all[at] as Float32Array;
    const order = [...probabilities.keys()].sort((a, b) => (probabilities[b] as number) - (probabilities[a] as number));
    return order
      .slice(0, top)
      .map((code, rank) => [path, rank + 1, classes[code] as string, (probabilities[code] as number).toFixed(4)]);
  });
  const columns = ['file', 'rank', 'class', 'probability'];
  if (!explain) return { columns, rows };
  const explained = read.map((own) => attentionOn(own, model.explain(own.program), classes));
  for (const { path, places } of explained)
    for (const { line, column, text, share } of places.slice(0, LISTED))
      process.stderr.write(
        `${path}:${line}:${column}: ${(100 * share).toFixed(1)} % of attention on ${JSON.stringify(text)}\n`,
      );
  return { columns, rows, page: attentionPage(explained) };
}

/** @throws Error for a file named by itself that cannot be read, or when nothing can */
async function readFiles(model: ProgramModel, paths: readonly string[], note: PredictOptions['note']): Promise<Read[]> {
  const { language } = model.description;
  const { endings, title } = languages[language];
  const parser = await loadParser(language);
  const readOne = (path: string): Read => {
    const own = languageOf(path);
    if (own === undefined)
      throw new Error(
        `file "${path}" is in no language that is known by its ending; the model reads ${endings.join(', ')}`,
      );
    if (own !== language)
      throw new Error(`file "${path}" is ${languages[own].title}, the model was trained on ${title}`);
    const source = readText(path);
    return { path, source, program: model.read(parser, source, path) };
  };
  const read = paths.flatMap((path): Read[] => {
    if (!isFolder(path)) return [readOne(path)];
    return sourceFilesIn(path, endings).flatMap((file): Read[] => {
      try {
        return [readOne(file)];
      } catch (error) {
        note(`${(error as Error).message}; left out`);
        return [];
      }
    });
  });
  if (read.length === 0)
    throw new Error(`${paths.map((path) => `"${path}"`).join(', ')}: no ${title} file that can be read`);
  return read;
}

/** Where the attention of a file is, most of it first. */
function attentionOn(
  { path, source, program }: Read,
  { attention, probabilities }: Explanation,
  classes: readonly string[],
): AttentionOnFile {
  const lines = source.split('\n');
  const starts = new Int32Array(lines.length);
  for (let line = 1; line < lines.length; line++)
    starts[line] = (starts[line - 1] as number) + (lines[line - 1] as string).length + 1;
  const lineOf = (at: number) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const onLine = new Float64Array(lines.length);
  const places = Array.from(attention, (share, v) => {
    const start = program.starts[v] as number;
    const line = lineOf(start);
    onLine[line] = (onLine[line] as number) + share;
    return { line: line + 1, column: start - (starts[line] as number) + 1, text: program.values[v] as string, share };
  }).sort((a, b) => b.share - a.share);
  const best = probabilities.indexOf(Math.max(...probabilities));
  return { path, lines, onLine, places, verdict: `${classes[best]} (${(probabilities[best] as number).toFixed(3)})` };
}
