// ONNX models as callable modules: initializers become parameters, nodes run through our
// operations, so an imported model can be run, compiled to a plan, fine-tuned or exported again.

import { keep, type Tensor, tensor } from '../../tensor/index.js';
import { constantReaders } from './read/constant.js';
import { convolutionReaders } from './read/convolution.js';
import { elementwiseReaders } from './read/elementwise.js';
import { valueOf } from './read/initializer.js';
import { type ImportedValue, type Ints, isInts, type NodeReader, OnnxNode } from './read/node.js';
import { normalizationReaders } from './read/normalization.js';
import { productReaders } from './read/product.js';
import { reductionReaders } from './read/reduction.js';
import { selectionReaders } from './read/selection.js';
import { shapeReaders } from './read/shape.js';
import { decodeModel, type ModelProto, type NodeProto } from './schema.js';

/** Readers by ONNX operator. */
const readers: ReadonlyMap<string, NodeReader> = new Map(
  Object.entries<NodeReader>({
    ...convolutionReaders,
    ...productReaders,
    ...normalizationReaders,
    ...elementwiseReaders,
    ...reductionReaders,
    ...shapeReaders,
    ...selectionReaders,
    ...constantReaders,
  }),
);

/** An imported model: a module whose `weights` are parameters under the names of the file. */
export class OnnxModel {
  /** Initialisers of floats by their name in the file. */
  readonly weights: Record<string, Tensor> = {};
  /** Names of the inputs, in the order of the arguments. */
  readonly inputNames: readonly string[];
  /** Names of the outputs, in the order of the results. */
  readonly outputNames: readonly string[];
  readonly #ints: Record<string, Ints> = {};
  readonly #nodes: readonly NodeProto[];

  constructor(bytes: Uint8Array) {
    const { graph, opsetImport } = parse(bytes);
    const version = opsetImport?.find(({ domain }) => !domain || domain === 'ai.onnx')?.version ?? 0;
    if (version < 11) throw new Error(`importOnnx: the model needs opset ${version}; 11 and later are supported`);
    for (const proto of graph?.initializer ?? []) {
      const value = valueOf(proto, proto.name ?? 'an initializer');
      if (isInts(value)) {
        this.#ints[proto.name ?? ''] = value;
      } else {
        value.role = value.dtype === 'f32' ? 'parameter' : 'buffer';
        this.weights[proto.name ?? ''] = keep(value);
      }
    }
    const initialized = new Set([...Object.keys(this.weights), ...Object.keys(this.#ints)]);
    this.inputNames = (graph?.input ?? []).flatMap(({ name }) => (name && !initialized.has(name) ? [name] : []));
    this.outputNames = (graph?.output ?? []).flatMap(({ name }) => name ?? []);
    this.#nodes = graph?.node ?? [];
    const unknown = [
      ...new Set(this.#nodes.flatMap(({ opType }) => (readers.has(opType ?? '') ? [] : [opType ?? '?']))),
    ];
    if (unknown.length)
      throw new Error(`importOnnx: the model uses operations that are not supported: ${unknown.join(', ')}`);
    if (!this.outputNames.length) throw new Error('importOnnx: the model has no output');
  }

  /** Runs the model; inputs in the order of `inputNames`. */
  forward(...inputs: readonly Tensor[]): Tensor[] {
    if (inputs.length !== this.inputNames.length)
      throw new Error(
        `OnnxModel: expected ${this.inputNames.length} inputs (${this.inputNames.join(', ')}), got ${inputs.length}`,
      );
    const values = new Map<string, ImportedValue>([...Object.entries(this.weights), ...Object.entries(this.#ints)]);
    this.inputNames.forEach((name, i) => {
      values.set(name, inputs[i] as Tensor);
    });
    for (const proto of this.#nodes) {
      const node = new OnnxNode(
        proto,
        (proto.input ?? []).map((name) => (name === '' ? undefined : values.get(name))),
      );
      const results = (readers.get(proto.opType ?? '') as NodeReader)(node);
      const list = Array.isArray(results) ? (results as readonly ImportedValue[]) : [results as ImportedValue];
      proto.output?.forEach((name, i) => {
        const result = list[i];
        if (result) values.set(name, result);
      });
    }
    return this.outputNames.map((name) => {
      const value = values.get(name);
      if (!value) throw new Error(`importOnnx: no node makes the output "${name}"`);
      return isInts(value) ? tensor(Int32Array.from(value.ints), value.shape, 'i32') : value;
    });
  }
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (error) {
    throw new Error(`importOnnx: the file is no readable ONNX model (${(error as Error).message})`);
  }
}

/**
 * Reads an `.onnx` file (opset 11 and later).
 *
 * @throws Error naming the operations, tensors or attributes that are not supported.
 */
export function importOnnx(bytes: Uint8Array): OnnxModel {
  return new OnnxModel(bytes);
}
