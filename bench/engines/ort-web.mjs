// ONNX Runtime Web on its WebAssembly backend.

import * as ort from 'onnxruntime-web/wasm';
import { askedThreads, engineOf } from './onnx.mjs';

const threads = askedThreads();
ort.env.wasm.numThreads = threads;
ort.env.logLevel = 'error';

export const name = 'ort-web';
export const multithreaded = false;
export const detail = () => `${ort.env.versions.web ?? ort.env.versions.common} wasm, ${threads} thr.`;
export async function setUp() {}
export const engine = engineOf(ort, { executionProviders: ['wasm'] });
