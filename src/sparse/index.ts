// Floor 3: sparse matrices and segments.

export { SparseMatrix, SparsePattern } from './matrix.js';
export { sddmm, spmm } from './ops.js';
export { Segments, segmentMax, segmentMean, segmentSoftmax, segmentSum } from './segments.js';
