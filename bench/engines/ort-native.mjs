// ONNX Runtime in Node: native code, for scale.

import { createRequire } from 'node:module';
import { askedThreads, engineOf } from './onnx.mjs';

const ort = createRequire(import.meta.url)('onnxruntime-node');
const threads = askedThreads();

export const name = 'ort-native';
export const multithreaded = false;
export const detail = () => `${ort.env.versions.node}, ${threads} thr.`;
export async function setUp() {}
export const engine = engineOf(ort, { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 });
