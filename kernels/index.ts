// Every kernel of a module. They take byte offsets and sizes, allocate nothing, and work on a range
// [begin, end) of their outer dimension, so that any thread can do any part.

export { aggregate, aggregateFilterGradient, aggregateInputGradient } from "./aggregation";
export { attention, attentionKeyGradient, attentionQueryGradient, rotate } from "./attention";
export { matmulBits, packSigns, sumPlanes } from "./binary";
export { encodeBlocks, packBlocks, widenHalves } from "./block-formats";
export { matmulInt4, matmulInt6, matmulInt8, matmulUint4, matmulUint5, quantizeBlocks } from "./blocks";
export { appendCache, attendCache } from "./cached-attention";
export { sparseChannels1, sparseChannels2, sparseChannels4 } from "./channel-major";
export { batchNormGradient, channelAffine, channelMoments, channelProducts } from "./channels";
export { convolve, filterGradient, packFilters } from "./convolution";
export { depthwise, depthwiseFilterGradient } from "./depthwise";
export { squaredDistances } from "./distance";
export * from "./elementwise";
export { fourier } from "./fourier";
export { gemm, gemmGrouped, gemmPackB } from "./gemm";
export { gemmFewRows } from "./gemm-few-rows";
export { gatherRows, putRows, scatterAddRows, takeRows } from "./gather";
export { gemmInt8, packInt8, quantizeRows } from "./int8";
export { convolveInt8, dequantizeInt8, depthwiseInt8, windowsInt8 } from "./int8-convolution";
export { copyStrided, transpose } from "./layout";
export { standardize } from "./normalize";
export { adam, sgd } from "./optimizer";
export { advanceWalkers, walkEnds } from "./page-rank";
export { averagePool, averageUnpool, maxPool, pickPositions, resize, resizeTransposed, unpool } from "./pool";
export { resetProgram, runProgram } from "./program";
export { dropout, randomBits, randomNormal, randomUniform } from "./random";
export { argmax, logSumExp, max_ as max, min_ as min, sum } from "./reduce";
export { segmentMax, segmentSoftmax } from "./segment";
export { logSoftmax, softmax } from "./softmax";
export { skipGram } from "./skip-gram";
export { addNormalizedRows, addRowSquares, addRowsOverNorm, sddmm, spmm, spmmScaled, spmmSparse, spmmTransposed } from "./sparse";
export { argsort, cumulativeSum, linearScan, topK } from "./sort";
export { initialize } from "./thread";
export { binColumns, nodeHistogram, splitRows } from "./trees";
export { cos, sin } from "./trigonometry";
export { edgePairs, randomWalks, walkPairs } from "./walks";
