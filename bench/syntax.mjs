// Megabytes of source that one thread parses and converts to hypergraphs in a second, and files that
// an HDHGN of width 64 and two layers then classifies in a second.
//
//   node bench/syntax.mjs [folder of sources, or a known set; default code-gcj] [rounds]

import { loadSources } from '../dist/data/node.js';
import {
  encodeProgram,
  HDHGN,
  languageNames,
  languageOf,
  languages,
  loadParser,
  ProgramVocabulary,
  programProbabilities,
  sourceHypergraph,
} from '../dist/hypergraph/index.js';
import { Random, threads } from '../dist/index.js';

const [path = 'code-gcj', rounds = '7'] = process.argv.slice(2);
const endings = languageNames.flatMap((name) => languages[name].endings);
const { files } = await loadSources(path, endings);
const parser = await loadParser(languageOf(files[0].path) ?? 'java');
const bytes = files.reduce((sum, { source }) => sum + Buffer.byteLength(source), 0);

/** The shortest time of the rounds, in ms. */
function shortest(work) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < Number(rounds); round++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** MB/s of the best round. */
function measured(work) {
  const best = shortest(() => {
    for (const { source } of files) work(source);
  });
  return (bytes / 1000 / best).toFixed(2);
}

const quietly = (work) => (source) => {
  try {
    return work(source);
  } catch {
    // Files with syntax errors cost their parsing.
    return undefined;
  }
};

console.log(`${files.length} files, ${(bytes / 1e6).toFixed(2)} MB, ${parser.grammarVersion}, Node ${process.version}`);
console.log(`parse alone              ${measured((source) => parser.parse(source).delete())} MB/s`);
console.log(`parse and convert        ${measured(quietly((source) => sourceHypergraph(parser, source)))} MB/s`);
const slow = { ...parser, module: {} };
console.log(`  by the public cursor   ${measured(quietly((source) => sourceHypergraph(slow, source)))} MB/s`);
console.log(
  `  and build the structure ${measured(quietly((source) => sourceHypergraph(parser, source).structure(() => 0)))} MB/s`,
);

const programs = files.flatMap(({ source }) => quietly((own) => [sourceHypergraph(parser, own)])(source) ?? []);
const vocabulary = ProgramVocabulary.from(programs);
const sizes = { values: vocabulary.valueCounts, types: vocabulary.typeCount, classes: 10 };
const network = new HDHGN(sizes, new Random(0), { width: 64 });
const encoded = programs.map((program) => encodeProgram(program, vocabulary));
const vertices = programs.reduce((sum, { vertexCount }) => sum + vertexCount, 0);
const best = shortest(() => programProbabilities(network, encoded));
console.log(
  `classify                 ${((1000 * programs.length) / best).toFixed(0)} files/s of ${(vertices / programs.length).toFixed(0)} vertices on the mean, ${threads()} threads`,
);
console.log(`peak memory              ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
