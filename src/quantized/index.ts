// Floor 3: int8, block-quantised and binary weights, and the products that read them without
// dequantisation.

export { BitMatrix, PlaneSums, type SignedPlane } from './bits.js';
export {
  BLOCK,
  type BlockFormat,
  BlockMatrix,
  type BlockReader,
  blockBytes,
  blockFormats,
  panelBytes,
  type QuantizedFormat,
  quantizeBlocks,
} from './blocks.js';
export { type ChannelLists, channelLists, depthsOf, type Parent, parentOf, slicesFor } from './channel-tree.js';
export {
  type BlockWeights,
  blockMajor,
  blocksDown,
  blocksUp,
  type ExpertBlockSizes,
  fitsFormat,
  usedBlocks,
} from './expert-blocks.js';
export { floatToHalf, halfToFloat } from './half.js';
export { type ActivationBits, Int8Matrix, quantizeInt8 } from './int8.js';
export {
  Int8Convolution,
  type Int8ConvolutionOptions,
  limitsOf,
  pitchOf,
  type Quantization,
  quantizationOf,
  type Windows,
  writeFloats,
  writeWindows,
} from './int8-convolution.js';
export {
  type PoolAxes,
  type QuantizedImage,
  writeGated,
  writeJoined,
  writeLargest,
  writeMapped,
  writeMeans,
  writePixelSums,
  writeSum,
} from './int8-maps.js';
export { PlaneGrid, type PlaneMap } from './plane-grid.js';
export {
  PlaneConvolution,
  type PlaneConvolutionOptions,
  type PlaneSchedule,
  type SignThreshold,
  signPlanes,
} from './planes.js';
export { gatedNeurons, type NeuronExpert, type RowFormat, RowMatrix, rowBytes } from './rows.js';
export { Int8SparseFilters } from './sparse-filters.js';
