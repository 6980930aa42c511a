export * from './binary.js';
export * from './gather.js';
export * from './layout.js';
export * from './matmul.js';
export * from './normalize.js';
export * from './reduce.js';
export * from './softmax.js';
export * from './unary.js';
