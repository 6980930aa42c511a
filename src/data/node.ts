// Files, data sets and checkpoints in Node.

export { type AttributedGraphOptions, loadAttributedGraph } from './attributed-files.js';
export { checkpointAsked, fileCheckpoint, loadModel, saveModel } from './checkpoint.js';
export { type LabelledFile, type ListedPictures, listPictures, unusableReason } from './class-folders.js';
export { hasText, loadText, textNames } from './corpora.js';
export { type CountedPicturesOptions, decodeCounted, readCountedPictures } from './counted-folder.js';
export { contentDigest, sha256, type VerifiedFile, verifyDataset } from './digests.js';
export { downloadHypergraph, type FetchOptions, fetchDataset, fetchIfMissing, fetchImages } from './download.js';
export { type EdgeFileOptions, isGraphFile, loadEdges, loadGraphDocument } from './edges.js';
export { type FileBytes, openBytes, readBytes, readJson, readText, readUnpacked, readUnpackedText } from './files.js';
export { cacheFolder, dataFolders, findData, hasDataset, knownArchive } from './folders.js';
export { isFolder, loadGraphFolder, loadNamedGraph, loadNodeLabels, tableIn } from './graph-folder.js';
export {
  type EdgeGraph,
  graphNames,
  type LoadGraphOptions,
  loadEdgeGraph,
  loadGraph,
  loadMultiLabelGraph,
} from './graph-sets.js';
export {
  type HeteroFileOptions,
  hasHeteroGraph,
  hasTypedTables,
  heteroGraphNames,
  loadHeteroGraph,
} from './hetero-files.js';
export {
  type CachedSnapshot,
  cachedSnapshot,
  type FetchFilesOptions,
  fetchFiles,
  type HubSettings,
  hubSettings,
} from './hub/cache.js';
export { hasHypergraph, hypergraphNames, loadHypergraph } from './hypergraph-sets.js';
export { type ImageFolderOptions, readImages } from './image-folder.js';
export { hasImages, imageSetNames, loadImages } from './image-sets.js';
export { type IncidenceFileOptions, loadIncidences, textEndings } from './incidence-sets.js';
export { loadInteractions } from './interaction-sets.js';
export { interruptSignal } from './interrupt.js';
export { hasLabelledTexts, type LabelledTexts, loadLabelledTexts } from './labelled-texts.js';
export { loadNamedHypergraph } from './named-hypergraph-files.js';
export { OnnxTextEncoder, type OnnxTextFiles, type OnnxTextOptions } from './onnx-text-encoder.js';
export { type FilePartStore, filePartStore } from './part-files.js';
export { type FolderFiles, filesBelow, type Subfolder, subfoldersOf } from './picture-files.js';
export {
  type ClassProfile,
  isPictureFolder,
  type PictureProfile,
  type PictureProfileOptions,
  pictureProfileLines,
  profilePictures,
} from './picture-profile.js';
export {
  isCatalogue,
  loadCatalogue,
  loadNewProducts,
  loadNewValues,
  loadVectors,
  type NewProducts,
  type NewValues,
} from './products/files.js';
export { hasQuestions, loadQuestionSet, loadQuestions, type QuestionSet, questionSetNames } from './question-sets.js';
export { loadShownGraph } from './shown-graph.js';
export { isSoundFolder, loadSound, loadSounds, type SoundFolderOptions, wavFilesIn } from './sound-folder.js';
export {
  hasSources,
  type LabelledSources,
  loadSources,
  type SourceFile,
  type SourceOptions,
  sourceFilesIn,
} from './sources.js';
export {
  loadLabelledTable,
  loadRows,
  loadTable,
  loadTables,
  type NamedTable,
  type TableFileOptions,
} from './table-files.js';
export { loadTemporal } from './temporal-sets.js';
export {
  isTextGraph,
  type LoadedTextEncoder,
  loadClassTexts,
  loadOnnxTextEncoder,
  loadTextGraph,
} from './text-graph-files.js';
export { loadTriples, type NamedTriples } from './triples.js';
export { loadUserTable } from './user-folder.js';
export { type NamedVectors, requireVectorNames, vectorFormatOf, vectorFormats, writeVectors } from './vectors.js';
export { isGraph6, loadWholeGraphs } from './whole-graph-sets.js';
export { type Contents, requireWritable, writeFileAtomic } from './write.js';
