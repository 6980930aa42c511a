// ONNX Runtime Web on its WebAssembly backend. In Node it runs on one thread: with more it fetches
// its own file, which Node's fetch refuses.

import * as ort from 'onnxruntime-web/wasm';
import { engineOf } from './onnx.mjs';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

export const name = 'ort-web';
export const multithreaded = false;
export const detail = () => `${ort.env.versions.web ?? ort.env.versions.common} wasm`;
export async function setUp() {}
export const engine = engineOf(ort, { executionProviders: ['wasm'] });
