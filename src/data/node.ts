// Files, data sets and checkpoints in Node.

export { fileCheckpoint, loadModel, saveModel } from './checkpoint.js';
export { hasText, loadText, textNames } from './corpora.js';
export { fetchIfMissing, hasHypergraph, hypergraphNames, loadHypergraph } from './datasets.js';
export { contentDigest, downloadHypergraph } from './download.js';
export { type EdgeFileOptions, loadEdges } from './edges.js';
export { type FileBytes, openBytes, readBytes, readJson, readText, writeFileAtomic } from './files.js';
export { dataFolders, knownArchive } from './folders.js';
export { graphNames, loadGraph } from './graph-sets.js';
export { type ImageFolderOptions, readImages } from './image-folder.js';
export { fetchImages, hasImages, imageSetNames, loadImages } from './image-sets.js';
export { interruptSignal } from './interrupt.js';
export { loadTable } from './table-files.js';
export { type NamedVectors, vectorFormatOf, vectorFormats, writeVectors } from './vectors.js';
