// Megabytes of source that one thread parses and converts to hypergraphs in a second.
//
//   node bench/syntax.mjs [folder of sources, or a known set; default code-gcj] [rounds]

import { loadSources } from '../dist/data/node.js';
import { languageNames, languageOf, languages, loadParser, sourceHypergraph } from '../dist/hypergraph/index.js';

const [path = 'code-gcj', rounds = '7'] = process.argv.slice(2);
const endings = languageNames.flatMap((name) => languages[name].endings);
const { files } = await loadSources(path, endings);
const parser = await loadParser(languageOf(files[0].path) ?? 'java');
const bytes = files.reduce((sum, { source }) => sum + Buffer.byteLength(source), 0);

/** The best of the rounds, in MB/s. */
function measured(work) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < Number(rounds); round++) {
    const start = performance.now();
    for (const { source } of files) work(source);
    best = Math.min(best, performance.now() - start);
  }
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
