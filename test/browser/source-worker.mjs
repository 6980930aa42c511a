// Runs in a browser's worker: fetches a parser and classifies a source file by a saved model.

import { loadParser, ProgramModel } from '/dist/hypergraph/index.js';

const fetched = async ([name, url]) => [name, new Uint8Array(await (await fetch(url)).arrayBuffer())];

self.onmessage = async ({ data: { language, files, model, source } }) => {
  try {
    const bytes = await Promise.all(Object.entries(files).map(fetched));
    const parser = await loadParser(language, Object.fromEntries(bytes));
    const classifier = ProgramModel.load(Uint8Array.from(model));
    const program = classifier.read(parser, source, 'page');
    const { nnz, values, types } = program;
    const [probabilities] = classifier.predictProba([program]).map((row) => Array.from(row));
    postMessage({ nnz, values, types, probabilities, attention: Array.from(classifier.explain(program).attention) });
  } catch (error) {
    postMessage({ error: error.message });
  }
};
postMessage('ready');
