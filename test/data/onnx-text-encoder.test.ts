import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadOnnxTextEncoder, OnnxTextEncoder } from '../../src/data/node.js';
import { expectClose, uniform } from '../oracle.js';
import { floats, longs, modelFile, node } from '../trace/onnx-models.js';
import { SPECIAL, wordTokenizer } from './sentence-models.js';

const WORDS = [...SPECIAL, 'red', 'green', 'blue', 'shoe', 'sock', 'hat'];
const [D, HEADS, POSITIONS] = [8, 2, 16];

const tokenizer = wordTokenizer(WORDS.slice(4));

const weights = (name: string, seed: number, ...dims: number[]) =>
  floats(
    name,
    [
      ...uniform(
        seed,
        dims.reduce((a, b) => a * b, 1),
        -0.7,
        0.7,
      ),
    ],
    dims,
  );

/** Layer norm in the operators that exporters of PyTorch write. */
const norm = (x: string, y: string) => [
  node('ReduceMean', [x], [`${y}m`], { axes: [-1], keepdims: 1 }),
  node('Sub', [x, `${y}m`], [`${y}c`]),
  node('Pow', [`${y}c`, 'two'], [`${y}q`]),
  node('ReduceMean', [`${y}q`], [`${y}v`], { axes: [-1], keepdims: 1 }),
  node('Add', [`${y}v`, 'eps'], [`${y}e`]),
  node('Sqrt', [`${y}e`], [`${y}s`]),
  node('Div', [`${y}c`, `${y}s`], [`${y}n`]),
  node('Mul', [`${y}n`, 'gamma'], [`${y}g`]),
  node('Add', [`${y}g`, 'beta'], [y]),
];

/** [n, t, D] → [n, heads, t, D/heads], with the lengths taken from the values. */
const headsOf = (x: string, y: string) => [
  node('MatMul', ['h0', `w${x}`], [`${y}p`]),
  node('Reshape', [`${y}p`, 'split'], [`${y}r`]),
  node('Transpose', [`${y}r`], [y], { perm: [0, 2, 1, 3] }),
];

const any = undefined as unknown as number;
const given = ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => ({
  name,
  shape: [any, any],
  type: 'int64' as const,
}));

/** BERT of one layer with random weights, in the form of an export from PyTorch. */
const bert = modelFile({
  inputs: given,
  outputs: { last_hidden_state: 'float' },
  initializers: [
    weights('words', 1, WORDS.length, D),
    weights('positions', 2, POSITIONS, D),
    weights('types', 3, 2, D),
    weights('gamma', 4, D),
    weights('beta', 5, D),
    ...['q', 'k', 'v', 'o'].map((name, i) => weights(`w${name}`, 6 + i, D, D)),
    weights('up', 11, D, 2 * D),
    weights('down', 12, 2 * D, D),
    floats('two', [2], []),
    floats('half', [0.5], []),
    floats('root', [Math.SQRT2], []),
    floats('one', [1], []),
    floats('eps', [1e-5], []),
    floats('scale', [1 / Math.sqrt(D / HEADS)], []),
    floats('far', [-10000], []),
    longs('first', [0], []),
    longs('second', [1], []),
    longs('axis0', [0]),
    longs('zero', [0]),
    longs('minusOne', [-1]),
    longs('masked', [1, 2]),
    longs('heads', [HEADS]),
    longs('depth', [D / HEADS]),
    longs('width', [D]),
    longs(
      'all',
      Array.from({ length: POSITIONS }, (_, i) => i),
      [1, POSITIONS],
    ),
    longs('axis1', [1]),
  ],
  nodes: [
    node('Shape', ['input_ids'], ['shape']),
    node('Gather', ['shape', 'first'], ['n0'], { axis: 0 }),
    node('Gather', ['shape', 'second'], ['t0'], { axis: 0 }),
    node('Unsqueeze', ['n0', 'axis0'], ['n']),
    node('Unsqueeze', ['t0', 'axis0'], ['t']),
    node('Slice', ['all', 'zero', 't', 'axis1'], ['position_ids']),
    node('Gather', ['words', 'input_ids'], ['e0']),
    node('Gather', ['types', 'token_type_ids'], ['e1']),
    node('Gather', ['positions', 'position_ids'], ['e2']),
    node('Add', ['e0', 'e1'], ['e3']),
    node('Add', ['e3', 'e2'], ['e4']),
    ...norm('e4', 'h0'),
    node('Unsqueeze', ['attention_mask', 'masked'], ['mask4']),
    node('Cast', ['mask4'], ['maskf'], { to: 1 }),
    node('Sub', ['one', 'maskf'], ['hidden']),
    node('Mul', ['hidden', 'far'], ['bias']),
    node('Concat', ['n', 't', 'heads', 'depth'], ['split'], { axis: 0 }),
    node('Concat', ['n', 't', 'width'], ['join'], { axis: 0 }),
    ...headsOf('q', 'q'),
    ...headsOf('k', 'k'),
    ...headsOf('v', 'v'),
    node('Transpose', ['k'], ['kt'], { perm: [0, 1, 3, 2] }),
    node('MatMul', ['q', 'kt'], ['scores0']),
    node('Mul', ['scores0', 'scale'], ['scores1']),
    node('Add', ['scores1', 'bias'], ['scores']),
    node('Softmax', ['scores'], ['attention'], { axis: -1 }),
    node('MatMul', ['attention', 'v'], ['mixed']),
    node('Transpose', ['mixed'], ['mixedt'], { perm: [0, 2, 1, 3] }),
    node('Reshape', ['mixedt', 'join'], ['joined']),
    node('MatMul', ['joined', 'wo'], ['projected']),
    node('Add', ['projected', 'h0'], ['a0']),
    ...norm('a0', 'h1'),
    node('MatMul', ['h1', 'up'], ['f0']),
    node('Div', ['f0', 'root'], ['f1']),
    node('Erf', ['f1'], ['f2']),
    node('Add', ['f2', 'one'], ['f3']),
    node('Mul', ['f0', 'f3'], ['f4']),
    node('Mul', ['f4', 'half'], ['f5']),
    node('MatMul', ['f5', 'down'], ['f6']),
    node('Add', ['f6', 'h1'], ['a1']),
    ...norm('a1', 'last_hidden_state'),
  ],
});

const texts = ['Red shoe', 'a green hat', 'blue', '', 'red green blue sock hat shoe', 'blue hat'];
const idsOf = (text: string) => [
  2,
  ...(text.toLowerCase().match(/\w+/g) ?? []).map((word) => Math.max(1, WORDS.indexOf(word))),
  3,
];

/** Mean pooling over the mask in onnxruntime, all texts in one padded batch. */
async function oracle(all: readonly (readonly number[])[]): Promise<number[]> {
  const session = await InferenceSession.create(bert);
  const longest = Math.max(...all.map(({ length }) => length));
  const padded = (of: (ids: readonly number[], at: number) => number) =>
    new OrtTensor(
      'int64',
      BigInt64Array.from(all.flatMap((ids) => Array.from({ length: longest }, (_, at) => BigInt(of(ids, at))))),
      [all.length, longest],
    );
  const { last_hidden_state: hidden } = await session.run({
    input_ids: padded((ids, at) => ids[at] ?? 0),
    attention_mask: padded((ids, at) => Number(at < ids.length)),
    token_type_ids: padded(() => 0),
  });
  const values = hidden?.data as Float32Array;
  return all.flatMap((ids, row) => {
    const sums = Array.from({ length: D }, (_, k) =>
      ids.reduce((sum, _, at) => sum + (values[(row * longest + at) * D + k] as number), 0),
    );
    const length = Math.hypot(...sums);
    return sums.map((value) => value / length);
  });
}

describe('OnnxTextEncoder', () => {
  const encoder = new OnnxTextEncoder({ model: bert, tokenizer }, { batch: 2 });
  let expected: number[] = [];
  beforeAll(async () => {
    expected = await oracle(texts.map(idsOf));
  });

  test('is the mean of the last hidden states over the mask, as onnxruntime has it', () => {
    expect(encoder.dimension).toBe(D);
    expectClose(encoder.encode(texts).view(), expected, 1e-4);
  });

  test('long texts are cut, and keep the closing token', async () => {
    const short = new OnnxTextEncoder({ model: bert, tokenizer }, { tokens: 4 });
    const cut = [...idsOf(texts[4] as string).slice(0, 3), 3];
    expectClose(short.encode([texts[4] as string]).view(), await oracle([cut]), 1e-4);
  });

  test('reads files, with the tokenizer beside the model or one folder up', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gossamer-onnx-'));
    mkdirSync(join(folder, 'onnx'));
    const path = join(folder, 'onnx', 'model.onnx');
    writeFileSync(path, bert);
    expect(() => loadOnnxTextEncoder(path)).toThrow('needs its tokenizer.json beside it, or one folder up');
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
    const { encoder: loaded, digest } = loadOnnxTextEncoder(path);
    expectClose(loaded.encode(texts).view(), expected, 1e-4);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    writeFileSync(path, bert.subarray(0, 100));
    expect(() => loadOnnxTextEncoder(path)).toThrow('importOnnx');
  });

  test('refuses models that are none of sentences', () => {
    const image = modelFile({ inputs: [{ name: 'x', shape: [1, 3] }], nodes: [node('Relu', ['x'], ['y'])] });
    expect(() => new OnnxTextEncoder({ model: image, tokenizer })).toThrow('has the inputs x; a sentence model has');
    const pooled = modelFile({
      inputs: given.slice(0, 1),
      initializers: [weights('words', 1, WORDS.length, D)],
      nodes: [
        node('Gather', ['words', 'input_ids'], ['e']),
        node('ReduceMean', ['e'], ['y'], { axes: [1], keepdims: 0 }),
      ],
    });
    expect(() => new OnnxTextEncoder({ model: pooled, tokenizer })).toThrow('expected the last hidden states');
  });
});
