export { type Int8Options, rangesOf } from './calibrate.js';
export { useInt8Kernels } from './rewrite.js';
