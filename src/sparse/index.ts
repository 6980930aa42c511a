// Floor 3: sparse matrices and segments.

export { attentionPool } from './attention.js';
export { blockDiagonalMatmul } from './block-diagonal.js';
export { ChangingPattern } from './changing-pattern.js';
export { type BlockHeight, ChannelMatrix, fillsBlocks } from './channel-major.js';
export { embeddingBag } from './embedding-bag.js';
export { type FilterEntries, packFilters, packTaps, SparseFilters } from './filters.js';
export { groupedMatmul } from './grouped.js';
export { isIndex, isPositiveFloat, requireIndices, requireLimit, shown } from './indices.js';
export { SparseMatrix } from './matrix.js';
export { type SparseOperand, type StoredPattern, sddmm, spmm } from './ops.js';
export { SparsePattern } from './pattern.js';
export { type ProductOptions, productWork, sparseProduct } from './product.js';
export { type ProjectionOptions, sparseProjection } from './random-projection.js';
export { Segments, segmentMax, segmentMean, segmentSoftmax, segmentSum } from './segments.js';
