// Runs the conformance cases of ONNX, one operator each, directly and as a compiled plan, and counts
// how many come out right, are refused with a reason, or are wrong. None may be wrong.
//
// apt-get install libonnx-testdata && npm run build
// node scripts/onnx-conformance.mjs [--folder /usr/share/libonnx-testdata/data/node] [--list]

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BinaryReader } from '@bufbuild/protobuf/wire';

/** Where Debian's libonnx-testdata puts the cases. */
export const DEFAULT_FOLDER = '/usr/share/libonnx-testdata/data/node';

/** How far results may be from those of the case. */
const TOLERANCE = { relative: 1e-3, absolute: 1e-5 };

/** Arrays that hold raw data, by ONNX's number of the element type. */
const rawArrays = new Map([
  [1, Float32Array],
  [2, Uint8Array],
  [3, Int8Array],
  [4, Uint16Array],
  [5, Int16Array],
  [6, Int32Array],
  [7, BigInt64Array],
  [9, Uint8Array],
  [11, Float64Array],
  [12, Uint32Array],
  [13, BigUint64Array],
]);

/** Fields of a tensor that list its values, and how each value is read. */
const lists = new Map([
  [4, (reader) => reader.float()],
  [5, (reader) => reader.int32()],
  [7, (reader) => Number(reader.int64())],
  [10, (reader) => reader.double()],
  [11, (reader) => Number(reader.uint64())],
]);

/** A tensor as the cases store it: element type, shape and values. */
function readTensor(bytes) {
  const reader = new BinaryReader(bytes);
  const tensor = { type: 0, shape: [], values: [] };
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    const read = field === 1 ? (packed) => Number(packed.int64()) : lists.get(field);
    if (read) {
      const target = field === 1 ? tensor.shape : tensor.values;
      const packed = wire === 2 ? new BinaryReader(reader.bytes()) : undefined;
      if (packed) while (packed.pos < packed.len) target.push(read(packed));
      else target.push(read(reader));
    } else if (field === 2) {
      tensor.type = reader.int32();
    } else if (field === 9) {
      const { buffer } = new Uint8Array(reader.bytes());
      const Values = rawArrays.get(tensor.type);
      if (!Values) throw new Error(`the case holds a tensor of element type ${tensor.type}`);
      tensor.values = Array.from(new Values(buffer), Number);
    } else {
      reader.skip(wire, field);
    }
  }
  return tensor;
}

/** The inputs or outputs of a case, in order. */
function readAll(folder, prefix) {
  const count = readdirSync(folder).filter((name) => name.startsWith(prefix)).length;
  return Array.from({ length: count }, (_, i) => readTensor(readFileSync(join(folder, `${prefix}_${i}.pb`))));
}

/** What differs between a result and the expected tensor; undefined where nothing does. */
function difference(result, { shape, values, type }) {
  if (result.shape.join() !== shape.join()) return `shape [${result.shape}], expected [${shape}]`;
  const whole = type !== 1 && type !== 11;
  const actual = result.dataSync();
  for (let i = 0; i < values.length; i++) {
    const [got, wanted] = [actual[i], values[i]];
    if (Object.is(got, wanted) || got === wanted) continue;
    const limit = whole ? 0 : TOLERANCE.absolute + TOLERANCE.relative * Math.abs(wanted);
    if (!(Math.abs(got - wanted) <= limit)) return `element ${i} is ${got}, expected ${wanted}`;
  }
  return undefined;
}

/** Whether an error is a message of ours and not a slip of the program. */
function isRefusal(thrown) {
  const error = thrown.cause ?? thrown;
  return !(error instanceof TypeError || error instanceof ReferenceError || error instanceof WebAssembly.RuntimeError);
}

/** Runs one case. Gives its outcome and why. */
function runCase(folder, run, { importOnnx, scope, tensor }) {
  return scope(() => {
    try {
      const model = importOnnx(readFileSync(join(folder, 'model.onnx')));
      const set = join(folder, 'test_data_set_0');
      const inputs = readAll(set, 'input').map(({ type, shape, values }) =>
        tensor(values, shape, type === 6 || type === 7 ? 'i32' : 'f32'),
      );
      const results = run(model, inputs);
      const reasons = readAll(set, 'output').map((expected, i) => difference(results[i], expected));
      const reason = reasons.find((found) => found !== undefined);
      return reason === undefined ? { outcome: 'right', reason: '' } : { outcome: 'wrong', reason };
    } catch (error) {
      return { outcome: isRefusal(error) ? 'refused' : 'wrong', reason: String(error.message) };
    }
  });
}

/** The ways in which a model may run. */
export function waysToRun({ compile, loadPlan, savePlan }) {
  const planned = (model, inputs) => compile((...given) => model.forward(...given), inputs);
  return {
    directly: (model, inputs) => model.forward(...inputs),
    'as a plan': (model, inputs) => planned(model, inputs).run(...inputs),
    'as a saved plan': (model, inputs) => loadPlan(savePlan(planned(model, inputs))).run(...inputs),
  };
}

/** Runs every case in a folder. */
export function runConformance(folder, run, library) {
  return readdirSync(folder)
    .sort()
    .filter((name) => existsSync(join(folder, name, 'model.onnx')))
    .map((name) => ({ name, ...runCase(join(folder, name), run, library) }));
}

/** How many cases had each outcome. */
export function countOutcomes(results) {
  const count = (wanted) => results.filter(({ outcome }) => outcome === wanted).length;
  return { right: count('right'), refused: count('refused'), wrong: count('wrong') };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values: flags } = parseArgs({
    options: { folder: { type: 'string', default: DEFAULT_FOLDER }, list: { type: 'boolean', default: false } },
  });
  if (!existsSync(flags.folder)) throw new Error(`${flags.folder} is not there: apt-get install libonnx-testdata`);
  const library = { ...(await import('../dist/index.js')), ...(await import('../dist/trace/index.js')) };
  for (const [way, run] of Object.entries(waysToRun(library))) {
    const results = runConformance(flags.folder, run, library);
    const { right, refused, wrong } = countOutcomes(results);
    console.log(`${way}: ${right} right, ${refused} refused, ${wrong} wrong of ${results.length}`);
    for (const { name, outcome, reason } of results)
      if (outcome === 'wrong' || (flags.list && outcome === 'refused')) console.log(`  ${outcome} ${name}: ${reason}`);
    if (wrong) process.exitCode = 1;
  }
}
