// Floor 5: file formats, data sets, splits. Everything here works on bytes and text, in Node and in
// browsers; `gossamer/data/node` reads files.

export { ambisonicClasses, ambisonicSounds } from './ambisonics.js';
export {
  type AttributedGraph,
  allDiffer,
  classColumn,
  columnNamed,
  type GivenSplit,
  givenSplit,
  type NodeClasses,
  nodeClasses,
  textsOrGaps,
} from './attributed-graph.js';
export { type Augmentation, augment } from './augment.js';
export { type ByteSource, bytesInMemory, type TensorPart } from './bytes.js';
export {
  catalogue,
  type DatasetDownload,
  type DatasetFile,
  type DatasetKind,
  type DatasetKindRecord,
  type DatasetRecord,
  type DatasetSource,
  datasetKinds,
  datasetOf,
  datasetsNamed,
  namesOf,
  tableGroups,
} from './catalogue.js';
export { type EncodedColumn, encodeColumns, encodedWidth, encodingOf } from './column-encoding.js';
export { partNamed, SPLIT_COLUMN } from './column-names.js';
export {
  encodeTable,
  fitFeatures,
  isCategory,
  type Rows,
  type TableFeatures,
  takeRows,
  tensorOf,
  unseenNote,
  widthOf,
} from './columns/encoding.js';
export {
  type CountedPicture,
  type CountedPictures,
  type CountedReading,
  type Places,
  pixelStatistics,
  placesOf,
} from './counted-pictures.js';
export {
  DIGIT_CLASSES,
  DIGIT_PIXELS,
  type DigitImages,
  drawDigits,
  glyphDigits,
  glyphImages,
  pooledDigits,
} from './digits.js';
export {
  type EventQuestions,
  type EventTable,
  type EventTableOptions,
  eventsFromTable,
  questionsFromTable,
  timeOf,
} from './event-tables.js';
export { type Arrays, featuresFromArrays, normalizeRows, requiredArrays } from './features.js';
export * from './formats/index.js';
export { writePng } from './formats/png.js';
export { decodeText } from './formats/unicode.js';
export { graphProfileLines, heteroProfileLines, wholeGraphProfileLines } from './graph-profile.js';
export {
  type GraphTableOptions,
  type GraphTables,
  graphFromDocument,
  graphFromTables,
  type NamedGraph,
} from './graph-tables.js';
export {
  type GraphArrayOptions,
  type GraphDataset,
  graphFromArrays,
  graphOfEdges,
  labelsIn,
  type MultiLabelGraph,
  multiLabelGraphFromArrays,
  oneLabelEach,
  splitOf,
} from './graphs.js';
export { heatColour, heatMap, heatOverlay, type NumberMap, pictureGrid } from './heat-maps.js';
export { type HeteroArrayOptions, heteroGraphFromArrays } from './hetero-archive.js';
export { heteroGraphFromTables, type TableOfFile } from './hetero-tables.js';
export { type GeneratedTextGraphs, type HierTagOptions, hierTag, textEdges } from './hier-tag.js';
export * from './hub/index.js';
export {
  featuresFromTable,
  type HypergraphDataset,
  type HypergraphTables,
  hypergraphFromArrays,
  hypergraphFromTables,
  plantedDataset,
} from './hypergraphs.js';
export {
  firstImages,
  type ImageBatch,
  type ImageDataset,
  imageBatches,
  imageHalves,
  imageStatistics,
  imageTensor,
  type LabelledImages,
  selectedImages,
  trainingBatches,
} from './images.js';
export {
  type IncidenceReading,
  type IncidenceTables,
  incidencesFromLines,
  incidencesFromTables,
  type NamedIncidence,
  namedIncidences,
  namesIncidences,
} from './incidence-tables.js';
export {
  type IncidenceDataset,
  type IncidenceNames,
  incidencesFromArrays,
  roleDataset,
} from './incidences.js';
export {
  densePart,
  type InteractionOptions,
  type InteractionSet,
  type Interactions,
  interactionsFromArrays,
  interactionsFromTable,
  itemsOf,
  withLists,
} from './interactions.js';
export { LatentTextEncoder, type LatentTextOptions, type LatentTextState } from './latent-text-encoder.js';
export { DataLoader, type DataLoaderOptions } from './loader.js';
export {
  isPlan,
  type ModelFile,
  type ModelKind,
  modelDescription,
  modelMetadata,
  modelSystem,
  readModelFile,
  writeModelFile,
} from './model-file.js';
export {
  type NamedHeteroGraph,
  type NodesOfType,
  requireRelations,
  type TargetNodes,
  targetNodes,
} from './named-hetero-graph.js';
export { type NamedHypergraph, type NamedHypergraphTexts, namedHypergraph } from './named-hypergraph.js';
export { edgeEnds } from './node-tables.js';
export {
  type Background,
  decodePicture,
  imageNetStatistics,
  isGrey,
  isPicture,
  type Picture,
  type PictureFormat,
  type PictureHeader,
  type PictureOptions,
  pictureFormat,
  pictureHeader,
  pictureTensor,
  planesOf,
} from './pictures.js';
export { wordPapers } from './planted-papers.js';
export { predictedGraph } from './predicted-graph.js';
export * from './products/index.js';
export { parseQuestions, type Question } from './questions.js';
export {
  frameCount,
  type LabelledSound,
  resampled,
  type SoundEvent,
  type SoundSet,
  type SpectrogramOptions,
  secondsOf,
  soundProfileLines,
  spectrogram,
} from './sounds.js';
export { type PartSizes, type Split, splitByShare, splitGroups, splitPerClass, stratifiedFolds } from './splits.js';
export { type ColumnProfile, leftOutOf, profileLines, profileOf } from './table-profile.js';
export {
  type Categorical,
  type Column,
  type ColumnNote,
  type ColumnTable,
  columnsOf,
  type DecimalMark,
  type LabelledTable,
  labelledTable,
  noteText,
  type RareClasses,
  type ReadingOptions,
  splitTarget,
  type TableLike,
  tableOf,
  tableRows,
  textsOf,
  type ValuedTable,
  valuedTable,
  withLabels,
  withoutGaps,
  withoutRare,
} from './tables.js';
export {
  type NodePairs,
  pairsFromTable,
  type TemporalDataset,
  type TemporalTableOptions,
  temporalFromTable,
} from './temporal.js';
export {
  CharacterVocabulary,
  generatedText,
  PADDING,
  randomWindows,
  splitTokens,
  type TokenBatch,
  type TokenSplit,
  windowsAt,
} from './text.js';
export {
  HashedTextEncoder,
  type HashedTextOptions,
  type HashedTextState,
  type SentenceEncoder,
  wordsOf,
} from './text-encoder.js';
export {
  type ClassText,
  classTexts,
  halvesOf,
  type TextGraph,
  textGraphFromTables,
  textGraphLines,
} from './text-graph.js';
export { thumbnail } from './thumbnails.js';
export { fromTorchName, loadTorchState, type TorchLoadOptions } from './torch.js';
export {
  classOf,
  columnsFor,
  type TextOptions,
  type VertexRows,
  type VertexRowsOptions,
  vertexRows,
} from './vertex-rows.js';
export {
  type WholeGraphs,
  type WholeGraphTables,
  wholeGraphsFromArrays,
  wholeGraphsFromTables,
} from './whole-graphs.js';
export { wholeGraphsFromGraph6 } from './whole-graphs-graph6.js';
export { wordBlocks } from './word-blocks.js';
