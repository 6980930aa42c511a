export { type ArrayValues, type NamedArray, toInts, toTensor } from './array.js';
export { csvField, readCsv, readLines, type Table, writeCsv } from './csv.js';
export { type EdgeList, type NodeNames, readEdgeList } from './edge-list.js';
export { GgufFile, type GgufTensorInfo, type GgufValue, readGguf } from './gguf.js';
export { type GgufEntry, type GgufOutput, ggufParts, writeGguf } from './gguf-write.js';
export { readIdx, writeIdx } from './idx.js';
export { npyHeader, readNpy, readNpz, writeNpy, writeNpz } from './npy.js';
export { type Pickled, type PickledObject, readPickle } from './pickle.js';
export { readSafetensors, type SafetensorsFile, SafetensorsReader, writeSafetensors } from './safetensors.js';
