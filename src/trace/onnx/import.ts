// ONNX models as callable modules: initializers become parameters, nodes run through our
// operations, so an imported model can be run, compiled to a plan, fine-tuned or exported again.
//
// What a file says is either followed or refused at import: operators, domains, opset versions,
// attributes, inputs and outputs that no reader knows are errors.

import { keep, scope, sizeOf, type Tensor, tensor, zeros } from '../../tensor/index.js';
import { isTracing } from '../graph.js';
import { constantReaders } from './read/constant.js';
import { convolutionReaders } from './read/convolution.js';
import { elementwiseReaders } from './read/elementwise.js';
import { valueOf } from './read/initializer.js';
import { type Edge, NodeInputs } from './read/inputs.js';
import { OnnxNode, type Operator, type Run } from './read/node.js';
import { normalizationReaders } from './read/normalization.js';
import { poolReaders } from './read/pool.js';
import { productReaders } from './read/product.js';
import { reductionReaders } from './read/reduction.js';
import { resizeReaders } from './read/resize.js';
import { selectionReaders } from './read/selection.js';
import { shapeReaders } from './read/shape.js';
import { asInt32, type Ints, isInts, MOST_ELEMENTS } from './read/value.js';
import { unchangedSince } from './read/versions.js';
import {
  DATA_TYPE,
  decodeModel,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './schema.js';

/** Readers by ONNX operator. */
const readers: ReadonlyMap<string, Operator> = new Map(
  Object.entries<Operator>({
    ...convolutionReaders,
    ...poolReaders,
    ...resizeReaders,
    ...productReaders,
    ...normalizationReaders,
    ...elementwiseReaders,
    ...reductionReaders,
    ...shapeReaders,
    ...selectionReaders,
    ...constantReaders,
  }),
);

/** Opset versions whose operators the readers know; before 11, of some operators alone. */
const OPSETS = { oldest: 1, complete: 11, newest: 23 } as const;

/** How tensors of ONNX's element types are given to a model. */
const GIVEN_AS: ReadonlyMap<number, Tensor['dtype']> = new Map([
  [DATA_TYPE.float, 'f32'],
  [DATA_TYPE.double, 'f32'],
  [DATA_TYPE.bool, 'f32'],
  [DATA_TYPE.int32, 'i32'],
  [DATA_TYPE.int64, 'i32'],
]);

/** Options of `importOnnx`. */
export interface ImportOptions {
  /**
   * Most elements of a tensor that the model may make, so that a damaged file does not take all
   * memory. Default 64 times those of its inputs, weights and outputs together, and at least 2²².
   */
  readonly mostElements?: number;
}

/** Elements of tensors that the file declares. */
function declaredElements({ input = [], output = [], initializer = [] }: GraphProto): number {
  const lengths = [
    ...[...input, ...output].map(({ type }) =>
      (type?.tensorType?.shape?.dim ?? []).map(({ dimValue }) => dimValue ?? 1),
    ),
    ...initializer.map(({ dims }) => dims ?? []),
  ];
  return lengths.reduce((total, shape) => total + Math.max(0, sizeOf(shape)), 0);
}

/** What the file declares of an input. */
interface DeclaredInput {
  readonly name: string;
  readonly dtype: Tensor['dtype'];
  /** Whether it holds 64-bit integers. */
  readonly long: boolean;
  /** Lengths of the axes, where they are fixed; undefined where not even the rank is. */
  readonly lengths: readonly (number | undefined)[] | undefined;
}

/** A node, ready to run. */
interface Step {
  readonly node: OnnxNode;
  readonly run: Run;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whether its results depend on the values that the model is given. */
  readonly dependent: boolean;
}

/** An imported model: a module whose `weights` are parameters under the names of the file. */
export class OnnxModel {
  /** Initialisers of floats by their name in the file. */
  readonly weights: Record<string, Tensor> = {};
  /** Names of the inputs, in the order of the arguments. */
  readonly inputNames: readonly string[];
  /** Names of the outputs, in the order of the results. */
  readonly outputNames: readonly string[];
  readonly #inputs: readonly DeclaredInput[];
  readonly #ints: Record<string, Ints> = {};
  readonly #steps: readonly Step[];

  constructor(bytes: Uint8Array, options: ImportOptions = {}) {
    const model = parse(bytes);
    const version = versionOf(model);
    const graph = graphOf(model);
    const initializers = graph.initializer ?? [];
    const initialized = new Set(initializers.map(({ name }) => name ?? ''));
    if (initialized.size < initializers.length || initialized.has(''))
      throw new Error('importOnnx: two initializers have one name, or one has none');
    this.#inputs = (graph.input ?? []).filter(({ name }) => !initialized.has(name ?? '')).map(declaredInput);
    this.inputNames = this.#inputs.map(({ name }) => name);
    this.outputNames = (graph.output ?? []).map(({ name }) => name ?? '');
    if (!this.outputNames.length) throw new Error('importOnnx: the model has no output');
    const mostElements =
      options.mostElements ?? Math.min(MOST_ELEMENTS, Math.max(2 ** 22, 64 * declaredElements(graph)));
    this.#steps = stepsOf(graph.node ?? [], { version, mostElements }, initialized, this.inputNames);
    const made = new Set([...initialized, ...this.inputNames, ...this.#steps.flatMap(({ outputs }) => outputs)]);
    const missing = this.outputNames.find((name) => !made.has(name));
    if (missing !== undefined) throw new Error(`importOnnx: no node makes the output "${missing}"`);
    this.#readInitializers(initializers);
  }

  /** Keeps the weights, unless one of them is refused. */
  #readInitializers(initializers: readonly TensorProto[]): void {
    const trained = new Set<Tensor>();
    scope(() => {
      for (const proto of initializers) {
        const { name = '', dataType } = proto;
        const value = valueOf(proto, name);
        if (isInts(value)) {
          this.#ints[name] = value;
        } else {
          this.weights[name] = value;
          if (dataType === DATA_TYPE.float || dataType === DATA_TYPE.double) trained.add(value);
        }
      }
      for (const weight of Object.values(this.weights))
        keep(weight).role = trained.has(weight) ? 'parameter' : 'buffer';
    });
  }

  /** Inputs of the declared sizes, filled with 0; lengths that the file leaves open are 1. */
  exampleInputs(): Tensor[] {
    return this.#inputs.map(({ name, dtype, lengths }) => {
      if (!lengths) throw new Error(`importOnnx: the file does not say how many axes input "${name}" has`);
      const shape = lengths.map((length) => length ?? 1);
      return dtype === 'i32' ? tensor(new Int32Array(sizeOf(shape)), shape) : zeros(shape);
    });
  }

  /**
   * Runs the model; inputs in the order of `inputNames`. Integers of 64 bits are given and returned
   * as i32, booleans as f32.
   *
   * @throws Error naming the input that does not fit what the file declares, or the node that
   * cannot be computed.
   */
  forward(...inputs: readonly Tensor[]): Tensor[] {
    if (inputs.length !== this.inputNames.length)
      throw new Error(
        `OnnxModel: expected ${this.inputNames.length} inputs (${this.inputNames.join(', ')}), got ${inputs.length}`,
      );
    const edges = new Map<string, Edge>();
    for (const [name, value] of Object.entries(this.weights)) edges.set(name, { value, dependent: false, long: false });
    for (const [name, value] of Object.entries(this.#ints)) edges.set(name, { value, dependent: false, long: true });
    this.#inputs.forEach((declared, at) => {
      edges.set(declared.name, given(declared, inputs[at] as Tensor));
    });
    for (const step of this.#steps) runStep(step, edges);
    return this.outputNames.map((name) => {
      const { value } = edges.get(name) as Edge;
      return isInts(value) ? asInt32(value, `output "${name}"`) : value;
    });
  }
}

function runStep({ node, run, inputs, outputs, dependent }: Step, edges: Map<string, Edge>): void {
  const own = inputs.map((name) => (name === '' ? undefined : edges.get(name)));
  const nodeInputs = new NodeInputs(node, own);
  const results = [runNamed(node, () => run(nodeInputs))].flat();
  outputs.forEach((name, i) => {
    if (name === '') return;
    const value = results[i] ?? node.fail(`gives no output ${i}`);
    node.requireRoom(value.shape);
    const long =
      isInts(value) || (value.dtype === 'i32' && (nodeInputs.isLong(value) || own.some((edge) => edge?.long)));
    edges.set(name, { value, dependent, long: long === true });
  });
}

/** Puts the node's name in front of what operations say is wrong. */
function runNamed<T>(node: OnnxNode, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof Error) || error.message.startsWith('importOnnx')) throw error;
    throw new Error(`importOnnx: ${node.label}: ${error.message}`, { cause: error });
  }
}

/** The value of an input. Integers of 64 bits are read, so that arithmetic on them is exact. */
function given({ name, dtype, long, lengths }: DeclaredInput, input: Tensor): Edge {
  const fits =
    input.dtype === dtype &&
    (!lengths ||
      (lengths.length === input.rank &&
        lengths.every((length, axis) => (length ?? input.shape[axis]) === input.shape[axis])));
  if (!fits)
    throw new Error(
      `OnnxModel: input "${name}" is ${input}, expected ${dtype}${lengths ? formatLengths(lengths) : ''} as the file declares`,
    );
  const read = long && !isTracing();
  const value = read ? { ints: [...input.view<Int32Array>()], shape: input.shape } : input;
  return { value, dependent: true, long };
}

function formatLengths(lengths: readonly (number | undefined)[]): string {
  return `[${lengths.map((length) => length ?? 'any').join(', ')}]`;
}

function declaredInput({ name, type }: ValueInfoProto): DeclaredInput {
  const element = type?.tensorType?.elemType ?? 0;
  const dtype = GIVEN_AS.get(element);
  if (!name || !dtype)
    throw new Error(`importOnnx: input "${name ?? ''}" is no tensor of a supported type (element type ${element})`);
  const lengths = type?.tensorType?.shape && (type.tensorType.shape.dim ?? []).map(({ dimValue }) => dimValue);
  return { name, dtype, long: element === DATA_TYPE.int64, lengths };
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (error) {
    const reason = error instanceof RangeError ? 'a field is cut short' : (error as Error).message;
    throw new Error(`importOnnx: the file is no readable ONNX model (${reason})`);
  }
}

function isStandard(domain: string | undefined): boolean {
  return !domain || domain === 'ai.onnx';
}

/** The version of the standard operators. */
function versionOf({ opsetImport = [] }: ModelProto): number {
  const versions = opsetImport.filter(({ domain }) => isStandard(domain)).map(({ version }) => version ?? 0);
  const [version = 0] = versions;
  if (versions.length > 1) throw new Error(`importOnnx: the model names ${versions.length} versions of its operators`);
  if (version < OPSETS.oldest || version > OPSETS.newest)
    throw new Error(
      `importOnnx: the model needs opset ${version}; ${OPSETS.complete} to ${OPSETS.newest} are supported`,
    );
  return version;
}

function graphOf({ graph, functions, trainingInfo }: ModelProto): GraphProto {
  const refuse = (part: string): never => {
    throw new Error(`importOnnx: the model has ${part}, which are not supported`);
  };
  if (functions) refuse('functions of its own');
  if (trainingInfo) refuse('training graphs');
  if (graph?.sparseInitializer) refuse('sparse initializers');
  if (graph?.quantizationAnnotation) refuse('quantisation annotations');
  return graph ?? {};
}

/** Nodes in their order, each read. @throws Error naming what is not supported. */
function stepsOf(
  nodes: readonly NodeProto[],
  { version, mostElements }: { readonly version: number; readonly mostElements: number },
  initialized: ReadonlySet<string>,
  inputNames: readonly string[],
): Step[] {
  const unknown = nodes.filter(({ opType = '', domain }) => !isStandard(domain) || !readers.has(opType));
  if (unknown.length) {
    const names = unknown.map(({ opType = '?', domain }) => (isStandard(domain) ? opType : `${domain}.${opType}`));
    throw new Error(`importOnnx: the model uses operations that are not supported: ${[...new Set(names)].join(', ')}`);
  }
  const made = new Set([...initialized, ...inputNames]);
  const dependents = new Set(inputNames);
  return nodes.map((proto) => {
    const node = new OnnxNode(proto, version, mostElements);
    const since = unchangedSince.get(proto.opType ?? '') ?? OPSETS.complete;
    if (version < since) node.fail(`has the meaning of opset ${version}; ${since} to ${OPSETS.newest} are supported`);
    const [inputs, outputs] = [proto.input ?? [], proto.output ?? []];
    for (const name of inputs)
      if (name !== '' && !made.has(name)) node.fail(`reads "${name}", which nothing made before`);
    const run = node.read(readers.get(proto.opType ?? '') as Operator);
    const ofShapes = proto.opType === 'Shape' || proto.opType === 'Size';
    const dependent = !ofShapes && inputs.some((name) => dependents.has(name));
    for (const name of outputs) {
      if (name === '') continue;
      if (made.has(name)) node.fail(`makes "${name}", which is there already`);
      made.add(name);
      if (dependent) dependents.add(name);
    }
    return { node, run, inputs, outputs, dependent };
  });
}

/**
 * Reads an `.onnx` file of opset 11 to 23, or of an older one whose operators meant the same. What
 * the file says is followed or refused, never ignored.
 *
 * @throws Error naming the operations, tensors, inputs or attributes that are not supported.
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): OnnxModel {
  return new OnnxModel(bytes, options);
}
