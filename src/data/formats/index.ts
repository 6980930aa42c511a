export { type ArrayValues, type NamedArray, toInts, toTensor } from './array.js';
export { type Bitmap, readBmp } from './bmp.js';
export { csvField, readCsv, readLines, type Table, writeCsv } from './csv.js';
export { type EdgeList, readEdgeList } from './edge-list.js';
export { GgufFile, type GgufTensorInfo, type GgufValue, readGguf } from './gguf.js';
export { type GgufEntry, type GgufOutput, ggufParts, writeGguf } from './gguf-write.js';
export { readGraph6, writeGraph6 } from './graphs/graph6.js';
export { type GraphDocument, readGraph, writeGraphML, writeNodeLink } from './graphs/index.js';
export { widenHalves } from './halves.js';
export { readIdx, writeIdx } from './idx.js';
export type { InflateOptions } from './inflate.js';
export type { NodeNames } from './node-names.js';
export { npyHeader, readNpy, readNpz, writeNpy, writeNpz } from './npy.js';
export { type Pickled, type PickledObject, readPickle } from './pickle.js';
export {
  readSafetensors,
  type SafetensorsFile,
  SafetensorsReader,
  type StreamedTensor,
  safetensorsPieces,
  writeSafetensors,
} from './safetensors.js';
export { readWav, type Sound, writeWav } from './wav.js';
