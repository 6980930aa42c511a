// Readers of data files, and valid files of each.

import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import sharp from 'sharp';
import { unpacked } from '../../src/data/files.js';
import { edgesFromSparse } from '../../src/data/formats/graphs/scipy.js';
import { readParquet } from '../../src/data/formats/parquet.js';
import { decodeText } from '../../src/data/formats/unicode.js';
import { colourImages } from '../../src/data/image-sets.js';
import {
  bytesInMemory,
  columnsOf,
  decodePicture,
  graphFromArrays,
  graphFromDocument,
  graphOfEdges,
  hypergraphFromArrays,
  hypergraphFromTables,
  incidencesFromArrays,
  isPlan,
  labelledTable,
  modelSystem,
  multiLabelGraphFromArrays,
  type NamedArray,
  readBmp,
  readCsv,
  readEdgeList,
  readGguf,
  readGraph,
  readIdx,
  readModelFile,
  readNpy,
  readNpz,
  readPickle,
  readSafetensors,
  readWav,
  temporalFromTable,
  writeGguf,
  writeIdx,
  writeModelFile,
  writeNpy,
  writeNpz,
  writeSafetensors,
  writeWav,
} from '../../src/data/index.js';
import { inference, MLP } from '../../src/nn/index.js';
import { quantizeBlocks } from '../../src/quantized/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { compile, exportOnnx, importOnnx, savePlan } from '../../src/trace/index.js';
import type { FuzzCase } from '../fuzz/cases.js';

/** A WAV file of two channels and so many bits a sample; format 1 is PCM, 3 floats. */
function wave(bits: number, format = 1): Uint8Array {
  const [block, frames] = [bits / 4, 5];
  const file = new Uint8Array(44 + block * frames);
  const view = new DataView(file.buffer);
  [...'RIFF', ...'\0\0\0\0', ...'WAVEfmt '].forEach((letter, i) => {
    file[i] = letter.charCodeAt(0);
  });
  view.setUint32(16, 16, true);
  [format, 2].forEach((value, i) => {
    view.setUint16(20 + 2 * i, value, true);
  });
  view.setUint32(24, 8000, true);
  view.setUint32(28, 8000 * block, true);
  view.setUint16(32, block, true);
  view.setUint16(34, bits, true);
  [...'data'].forEach((letter, i) => {
    file[36 + i] = letter.charCodeAt(0);
  });
  view.setUint32(40, block * frames, true);
  return file;
}

const text = (content: string) => new TextEncoder().encode(content);
const ints = (shape: readonly number[], ...values: readonly number[]): NamedArray => ({
  shape,
  values: Int32Array.from(values),
});
const floats = (shape: readonly number[]): NamedArray => ({
  shape,
  values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 3),
});
const bytes = (shape: readonly number[]): NamedArray => ({
  shape,
  values: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (37 * i) % 256),
});

const table = `name,size,colour,t\n${Array.from({ length: 8 }, (_, i) => `"a, ${i}",${i / 3},${i % 2 ? 'red' : 'NA'},${i % 2}`).join('\n')}\n`;
const kind = { system: 'fuzzed', version: '1', madeBy: 'a test' };
const weights = { a: tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]), b: tensor(Int32Array.of(1, 2), [2]) };
// 32-bit zeros behind a small number are 64-bit integers that fit.
const int64 = new Uint8Array(Buffer.concat([writeNpy(ints([2], 5, 0)), new Uint8Array(8)]));
int64.set(text("'<i8'"), 10 + 10);

/** Python's pickle.dumps of {'a': [1, 2.5, 'x', None], 'b': {3, 4}} in protocols 0, 2 and 4. */
const pickles = [
  '(dp0\nVa\np1\n(lp2\nI1\naF2.5\naVx\np3\naNasVb\np4\nc__builtin__\nset\np5\n((lp6\nI3\naI4\natp7\nRp8\ns.',
  '\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01G@\x04\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00xq\x03NeX\x01\x00\x00\x00bq\x04c__builtin__\nset\nq\x05]q\x06(K\x03K\x04e\x85q\x07Rq\x08u.',
  '\x80\x04\x95\x2b\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01G@\x04\x00\x00\x00\x00\x00\x00\x8c\x01x\x94Ne\x8c\x01b\x94\x8f\x94(K\x03K\x04\x90u.',
  '\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02c_codecs\nencode\nq\x03X\x01\x00\x00\x00bq\x04X\x06\x00\x00\x00latin1q\x05\x86q\x06Rq\x07\x87q\x08Rq\x09(K\x01K\x02\x85q\x0acnumpy\ndtype\nq\x0bX\x02\x00\x00\x00i2q\x0cK\x00K\x01\x87q\x0dRq\x0e(K\x03X\x01\x00\x00\x00<q\x0fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x10b\x89h\x03X\x04\x00\x00\x00abcdq\x11h\x05\x86q\x12Rq\x13tq\x14b.',
].map((content) => Uint8Array.from(content, (character) => character.charCodeAt(0)));

const pixels = Uint8Array.from({ length: 12 * 10 * 3 }, (_, i) => (i * 7) % 256);
const picture = () => sharp(pixels, { raw: { width: 12, height: 10, channels: 3 } });

/** A BMP of 5×3 pixels with a palette of so many colours. */
function bitmap(bits: number, colours: number): Uint8Array {
  const start = 54 + 4 * colours;
  const file = Buffer.alloc(start + 3 * 4 * Math.ceil((5 * bits) / 32), 0);
  file.write('BM');
  for (const [at, value] of [
    [10, start],
    [14, 40],
    [18, 5],
    [22, 3],
    [28, bits],
    [46, colours],
  ] as const)
    file.writeUInt32LE(value, at);
  return new Uint8Array(file);
}

function parquet(): Uint8Array {
  const count = 40;
  const list = <T>(of: (i: number) => T) => Array.from({ length: count }, (_, i) => of(i));
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'source', data: list((i) => i), type: 'INT32' },
        { name: 'target', data: list((i) => BigInt(i * 3)), type: 'INT64' },
        { name: 'weight', data: list((i) => (i % 5 ? i / 4 : null)), type: 'DOUBLE', nullable: true },
        { name: 'name', data: list((i) => `n${i % 4}`), type: 'STRING' },
        { name: 'flag', data: list((i) => i % 7 > 3), type: 'BOOLEAN' },
      ],
    }),
  );
}

const net = new MLP([4, 5, 3], new Random(1));
const forward = (x: Parameters<typeof net.forward>[0]) => net.forward(x, inference);
const zeros = (shape: readonly number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

const arrays = {
  labels: ints([4], 0, 1, 1, 0),
  edges: ints([3, 2], 0, 1, 1, 2, 3, 0),
  x: floats([4, 2]),
  split: ints([4], 0, 1, 2, 0),
  num: ints([2], 4, 2),
  label_indptr: ints([5], 0, 1, 1, 2, 3),
  label_indices: ints([3], 0, 1, 0),
};
const hyperedges = { he_indptr: ints([3], 0, 2, 4), he_indices: ints([4], 0, 1, 2, 3) };
const sparse = {
  labels: arrays.labels,
  ...hyperedges,
  x_indptr: ints([5], 0, 1, 2, 2, 3),
  x_indices: ints([3], 0, 1, 2),
  x_shape: ints([2], 4, 3),
  pin_labels: ints([4], 0, 1, 0, 1),
  split: ints([2], 0, 1),
};

const images = { y: bytes([2, 4, 4]), cb: bytes([2, 2, 2]), cr: bytes([2, 2, 2]), label: bytes([2]) };

/** Graphs that are recognised by how they begin. */
const graphs = [
  '<?xml version="1.0"?><graphml><key id="w" for="edge" attr.name="weight"/><graph edgedefault="directed"><node id="a"/><node id="b"/><edge source="a" target="b"><data key="w">2</data></edge></graph></graphml>',
  '<gexf><graph defaultedgetype="mutual"><attributes class="node"><attribute id="0" title="age"/></attributes><nodes><node id="1" label="x"><attvalues><attvalue for="0" value="3"/></attvalues></node><node id="2"/></nodes><edges><edge source="1" target="2" weight="2"/></edges></graph></gexf>',
  'graph [ directed 1 node [ id 1 label "a&#60;" x 2.5 ] node [ id 2 label "b" ] edge [ source 1 target 2 value 3 ] ]',
  '*Vertices 3\n1 "a b" 0.5 0.5\n2 b\n3 c\n*Arcs\n1 2 2\n*Edgeslist\n1 2 3\n',
  '*Vertices 2\n*Matrix\n0 1\n2 0\n',
  '%%MatrixMarket matrix coordinate real general\n% a comment\n3 3 2\n1 2 2.5\n3 1 1e-3\n',
  '{"directed": true, "nodes": [{"id": 1, "age": 2}, {"id": "b"}], "links": [{"source": 1, "target": "b", "weight": 2}]}',
  '{"nodes": [{"id": 1}, {"id": 2}], "adjacency": [[{"id": 2, "weight": 3}], [{"id": 1}]]}',
  "0 1 {'weight': 2.5, 'kind': 'a b'}\n2 1 {}\n",
];
const csr = {
  ...{ format: { shape: [3], values: text('csr') }, shape: ints([2], 3, 3), data: floats([3]) },
  ...{ indices: ints([3], 1, 0, 2), indptr: ints([4], 0, 1, 2, 3) },
};
const readAsGraph = (name: string) => (file: Uint8Array) => graphFromDocument(readGraph(file, name), name);

export const dataCases: readonly FuzzCase[] = [
  { name: 'graphs of other programs', seeds: () => graphs.map(text), read: readAsGraph('fuzzed') },
  {
    name: 'metis',
    seeds: () => [text('% c\n3 2 011 1\n7 2 5\n8 1 5 3 2\n1 2 2\n')],
    read: readAsGraph('fuzzed.graph'),
  },
  { name: 'adjacency list', seeds: () => [text('# c\na b c\nb\nc b\n')], read: readAsGraph('fuzzed.adjlist') },
  {
    name: 'sparse matrix',
    seeds: () => [writeNpz(csr)],
    read: (file) => graphOfEdges(edgesFromSparse(readNpz(file), 'fuzzed')),
  },
  { name: 'npy', seeds: () => [writeNpy(floats([2, 3])), writeNpy(bytes([7])), int64], read: (file) => readNpy(file) },
  { name: 'npz', seeds: () => [writeNpz({ a: floats([2, 3]), b: ints([2], 1, 2) })], read: (file) => readNpz(file) },
  {
    name: 'gzip',
    seeds: () => [gzipSync(text(table)), Buffer.concat([gzipSync('a\n'), gzipSync('b\n')])],
    read: (file) => unpacked(file, 'fuzzed.gz'),
  },
  {
    name: 'idx',
    seeds: () => [
      writeIdx({ shape: [3, 4, 4], values: bytes([48]).values as Uint8Array }),
      Uint8Array.of(0, 0, 13, 1, 0, 0, 0, 2, 0, 0, 128, 63, 0, 0, 0, 64),
      gzipSync(writeIdx({ shape: [9], values: new Uint8Array(9) })),
    ],
    read: (file) => readIdx(file),
  },
  {
    name: 'bmp',
    seeds: () => [bitmap(24, 0), bitmap(8, 12), bitmap(1, 8)],
    read: (file) => readBmp(file),
  },
  {
    name: 'wav',
    seeds: () => [wave(16), wave(24), wave(32, 3), writeWav({ rate: 8000, channels: [Float32Array.of(0, 0.5, -1)] })],
    read: (file) => readWav(file),
  },
  {
    name: 'cifar',
    seeds: () => [bundled(images)],
    read: (file) => colourImages(unbundled(file, images), 'fuzzed'),
  },
  {
    name: 'safetensors',
    seeds: () => [writeSafetensors(weights, { note: 'x' }), halves()],
    read: (file) => readSafetensors(file),
  },
  {
    name: 'model file',
    seeds: () => [
      writeModelFile(kind, { sizes: [4, 5, 3] }, weights),
      savePlan(compile(forward, [zeros([2, 4])]), { format: 'gossamer-model', system: 'fuzzed' }),
    ],
    read: (file) => {
      const source = bytesInMemory(file, 'fuzzed');
      modelSystem(source);
      if (!isPlan(source)) readModelFile(kind, file);
    },
  },
  { name: 'gguf by reader', seeds: () => [gguf()], read: readAllOfGguf },
  {
    name: 'onnx of a perceptron',
    seeds: () => [exportOnnx(forward, [zeros([2, 4])])],
    read: (file) => importOnnx(file),
  },
  {
    name: 'table',
    seeds: () => [text(table), text(table.replaceAll(',', '\t')), utf16(table)],
    read: (file) => labelledTable(columnsOf(readCsv(decodeText(file, 'fuzzed.csv'))), 't'),
  },
  {
    name: 'edge list',
    seeds: () => [
      text('source,target,weight\n1,2,3\n2,3,0.5\n1,9,2\n'),
      text('# names\n"x,y",b\nb,"q ""z"""\n'),
      text('5 9\n9\t2\n2 5\n'),
      utf16('a;b\nb;c\n'),
    ],
    read: async (file) => {
      const { names } = await readEdgeList(() => [file], 'fuzzed.csv');
      for (let node = 0; node < names.count; node++) names.find(names.of(node));
    },
  },
  {
    name: 'events',
    seeds: () => [text('source,target,t,amount\na,b,1,2\nb,c,2,3\n')],
    read: (file) => temporalFromTable(decodeText(file, 'fuzzed.csv'), 'fuzzed'),
  },
  {
    name: 'hypergraph tables',
    seeds: () => [text('hyperedge,vertex\ne,a\ne,b\nf,a\n'), text('a,b,c\nc,d\n')],
    read: (file) => hypergraphFromTables({ hyperedges: decodeText(file, 'fuzzed.csv') }, 'fuzzed'),
  },
  {
    name: 'graph arrays',
    seeds: () => [bundled(arrays)],
    read: (file) => {
      const own = unbundled(file, arrays);
      graphFromArrays(own, 'fuzzed', { directed: true, keep: true, scaleRows: true });
      multiLabelGraphFromArrays(own, 'fuzzed');
    },
  },
  {
    name: 'hypergraph arrays',
    seeds: () => [bundled(sparse)],
    read: (file) => {
      const own = unbundled(file, sparse);
      hypergraphFromArrays(own, 'fuzzed');
      incidencesFromArrays(own, 'fuzzed');
    },
  },
  { name: 'pickle', seeds: () => pickles, read: (file) => readPickle(file) },
  { name: 'parquet', seeds: () => [parquet()], read: (file) => readParquet(file, 'fuzzed.parquet') },
  {
    name: 'png',
    seeds: async () => [
      await picture().png().toBuffer(),
      await picture().greyscale().png({ palette: true }).toBuffer(),
    ],
    read: (file) => decodePicture(file),
  },
  { name: 'jpeg', seeds: async () => [await picture().jpeg().toBuffer()], read: (file) => decodePicture(file) },
  {
    name: 'webp, gif and tiff',
    seeds: () => Promise.all([picture().webp().toBuffer(), picture().gif().toBuffer(), picture().tiff().toBuffer()]),
    read: (file) => decodePicture(file),
  },
];

/** Arrays one after the other; an archive's checksums would refuse all damage before their reader. */
function bundled(own: Readonly<Record<string, NamedArray>>): Uint8Array {
  return Buffer.concat(
    Object.values(own).map((array) => {
      const file = writeNpy(array);
      return Buffer.concat([new Uint8Array(Uint32Array.of(file.length).buffer), file]);
    }),
  );
}

function unbundled(file: Uint8Array, names: object): Record<string, NamedArray> {
  let at = 0;
  return Object.fromEntries(
    Object.keys(names).map((name) => {
      if (at + 4 > file.length) throw new Error('the bundle is cut short');
      const length = new DataView(file.buffer, file.byteOffset).getUint32(at, true);
      at += 4 + length;
      return [name, readNpy(file.subarray(at - length, at), name)];
    }),
  );
}

function utf16(content: string): Uint8Array {
  return new Uint8Array(Buffer.from(`\uFEFF${content}`, 'utf16le'));
}

function halves(): Uint8Array {
  const header = text(
    JSON.stringify({
      h: { dtype: 'F16', shape: [4], data_offsets: [0, 8] },
      d: { dtype: 'F64', shape: [1], data_offsets: [8, 16] },
      l: { dtype: 'I64', shape: [1], data_offsets: [16, 24] },
    }),
  );
  const file = new Uint8Array(8 + header.length + 24);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  return file;
}

function gguf(): Uint8Array {
  const blocks = quantizeBlocks(
    Float32Array.from({ length: 64 }, (_, i) => i / 64),
    'Q8_0',
  );
  return writeGguf({ 'general.name': ['string', 'x'], list: ['strings', ['a', 'b']] }, [
    { name: 'w', shape: [2, 32], type: 'Q8_0', bytes: blocks },
  ]);
}

function readAllOfGguf(file: Uint8Array): void {
  const own = readGguf(file);
  for (const name of own.tensors.keys()) own.tensor(name);
}
