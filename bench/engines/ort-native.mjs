// ONNX Runtime in Node: native code, for scale.

import { createRequire } from 'node:module';
import { askedThreads, engineOf } from './onnx.mjs';

const ort = createRequire(import.meta.url)('onnxruntime-node');
const threads = askedThreads();

export const name = 'ort-native';
export const multithreaded = false;
export const detail = () => `${ort.env.versions.node}, ${threads} thr.`;
export async function setUp() {}
// Threads that spin while they wait would take the others' turns from them.
const extra = { session: { intra_op: { allow_spinning: '0' } } };
export const engine = engineOf(ort, { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3, extra });
