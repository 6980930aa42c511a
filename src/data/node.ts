// Files, data sets and checkpoints in Node.

export { fileCheckpoint, loadModel, saveModel } from './checkpoint.js';
export { dataFolders, fetchIfMissing, hasHypergraph, hypergraphNames, loadHypergraph } from './datasets.js';
export { contentDigest, downloadHypergraph } from './download.js';
export { readBytes, readJson, readText, writeFileAtomic } from './files.js';
export { interruptSignal } from './interrupt.js';
