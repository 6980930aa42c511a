import { describe, expect, test } from 'vitest';
import {
  decodePicture,
  fromTorchName,
  loadTorchState,
  pictureTensor,
  readGguf,
  readPickle,
  writeGguf,
} from '../../src/data/index.js';
import { textOfBytes } from '../../src/lm/token-bytes.js';
import { ResNet } from '../../src/models/index.js';
import { stateOf } from '../../src/nn/index.js';
import { BlockMatrix, floatToHalf, quantizeBlocks } from '../../src/quantized/index.js';
import { Random, type Tensor } from '../../src/tensor/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

describe('GGUF', () => {
  const weights = uniform(1, 512, -2, 2);
  const halves = Uint8Array.from(Array.from(uniform(2, 6)).flatMap((v) => [floatToHalf(v) & 255, floatToHalf(v) >> 8]));

  test('metadata of every type, and plain tensors', () => {
    const file = readGguf(
      writeGguf(
        {
          'general.name': ['string', 'small'],
          count: ['u32', 7],
          big: ['u64', 2n ** 40n],
          ratio: ['f32', 0.5],
          flag: ['bool', true],
          list: ['i32s', [1, -2, 3]],
          words: ['strings', ['a', 'bc']],
        },
        [{ name: 'w', shape: [2, 3], type: 'F16', bytes: halves }],
      ),
    );
    expect(file.metadata).toEqual({
      'general.name': 'small',
      count: 7,
      big: 2n ** 40n,
      ratio: 0.5,
      flag: true,
      list: [1, -2, 3],
      words: ['a', 'bc'],
    });
    expect(file.tensor('w').shape).toEqual([2, 3]);
    expectClose(file.tensor('w').view(), uniform(2, 6), 1e-3);
  });

  test('quantised blocks decode to their values and multiply as they are', () => {
    for (const format of ['Q8_0', 'Q4_0'] as const) {
      const file = readGguf(
        writeGguf({}, [{ name: 'w', shape: [8, 64], type: format, bytes: quantizeBlocks(weights, format) }]),
      );
      expectClose(file.tensor('w').view(), weights, format === 'Q8_0' ? 0.02 : 0.3);
      const x = uniformTensor(3, [2, 64]);
      expectClose(file.blocks('w').multiply(x).view(), x.matmul(file.tensor('w'), { transposeB: true }).view(), 0.1);
    }
  });

  test('K-quants and five bits, by hand', () => {
    const one = [floatToHalf(1) & 255, floatToHalf(1) >> 8];
    // Q4_K: d = 1, dmin = 1, scales 2 and minima 3 everywhere, all nibbles 5 (low) and 6 (high).
    const q4k = Uint8Array.from([
      ...one,
      ...one,
      2,
      2,
      2,
      2,
      3,
      3,
      3,
      3,
      0x32,
      0x32,
      0x32,
      0x32,
      ...new Array<number>(128).fill(0x65),
    ]);
    const decoded = readGguf(writeGguf({}, [{ name: 'w', shape: [256], type: 'Q4_K', bytes: q4k }]))
      .tensor('w')
      .view();
    expect([decoded[0], decoded[31], decoded[32], decoded[255]]).toEqual([2 * 5 - 3, 7, 2 * 6 - 3, 9]);
    // Q5_K: the same with the fifth bit set for sub-block 1 alone.
    const q5k = Uint8Array.from([...q4k.subarray(0, 16), ...new Array<number>(32).fill(2), ...q4k.subarray(16)]);
    const fifth = readGguf(writeGguf({}, [{ name: 'w', shape: [256], type: 'Q5_K', bytes: q5k }]))
      .tensor('w')
      .view();
    expect([fifth[0], fifth[32], fifth[64]]).toEqual([7, 2 * 22 - 3, 7]);
    // Q6_K: low nibbles 1, high bits 2 → q = 33 − 32; scale 3.
    const q6k = Uint8Array.from([
      ...new Array<number>(128).fill(0x11),
      ...new Array<number>(64).fill(0xaa),
      ...new Array<number>(16).fill(3),
      ...one,
    ]);
    expect(
      new Set(
        readGguf(writeGguf({}, [{ name: 'w', shape: [256], type: 'Q6_K', bytes: q6k }]))
          .tensor('w')
          .view(),
      ),
    ).toEqual(new Set([3]));
    // Q5_1: d = 1, m = 1, fifth bit of element 0 set, nibbles 2.
    const q51 = Uint8Array.from([...one, ...one, 1, 0, 0, 0, ...new Array<number>(16).fill(0x22)]);
    expect([
      ...readGguf(writeGguf({}, [{ name: 'w', shape: [32], type: 'Q5_1', bytes: q51 }]))
        .tensor('w')
        .view()
        .subarray(0, 2),
    ]).toEqual([19, 3]);
  });

  test.each([
    ['Q4_1', 32, 20],
    ['Q5_0', 32, 22],
    ['Q5_1', 32, 24],
    ['Q4_K', 256, 144],
    ['Q5_K', 256, 176],
    ['Q6_K', 256, 210],
  ] as const)('%s as a matrix holds the values that the format means, and multiplies by them', (name, values, size) => {
    const [rows, columns] = [6, 512];
    const draws = uniform(size, (rows * columns * size) / values, 0, 256);
    const bytes = Uint8Array.from(draws);
    // Half-precision numbers of ordinary size in the places of scales and minima.
    const small = floatToHalf(0.01);
    for (let at = 0; at < bytes.length; at += size)
      for (const place of name === 'Q6_K' ? [208] : [0, ...(name.endsWith('_0') ? [] : [2])]) {
        bytes[at + place] = small & 255;
        bytes[at + place + 1] = small >> 8;
      }
    const file = readGguf(writeGguf({}, [{ name: 'w', shape: [rows, columns], type: name, bytes }]));
    const matrix = file.blocks('w');
    expectClose(matrix.dequantize().view(), file.tensor('w').view(), 1e-5);
    expectClose(
      matrix.rowsAt([4, 1]).view().subarray(0, columns),
      file
        .tensor('w')
        .view()
        .subarray(4 * columns, 5 * columns),
      1e-5,
    );
    for (const m of [1, 5]) {
      const seen = BlockMatrix.quantize(uniformTensor(3, [m, columns]), 'Q8_0').dequantize();
      const expected = seen.matmul(file.tensor('w'), { transposeB: true }).view();
      const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      expectClose(
        matrix
          .multiply(seen)
          .view()
          .map((v) => v / largest),
        expected.map((v) => v / largest),
        5e-3,
      );
    }
  });

  test('errors say what is wrong', () => {
    const file = writeGguf({}, [{ name: 'w', shape: [2, 3], type: 'F16', bytes: halves }]);
    expect(() => readGguf(file.subarray(0, file.length - 24), 'x')).toThrow('"x" declares 12 bytes for tensor "w"');
    expect(() => readGguf(file.subarray(0, 40))).toThrow('ends within its header');
    expect(() => readGguf(new Uint8Array(30))).toThrow('is not a GGUF file');
    const odd = readGguf(writeGguf({}, [{ name: 'w', shape: [256], type: 10, bytes: new Uint8Array(84) }]));
    expect(() => odd.tensor('w')).toThrow('tensor "w" of type Q2_K, which is not supported');
  });

  test('names given twice, overlaps and odd places are refused', () => {
    const tensors = ['aa', 'bb'].map((name) => ({ name, shape: [2, 3], type: 'F16', bytes: halves }) as const);
    const file = writeGguf({ 'key.a': ['u32', 1], 'key.b': ['u32', 2] }, tensors);
    /** The file with the bytes after a text changed. */
    const edited = (text: string, change: (view: DataView, at: number) => void) => {
      const bytes = file.slice();
      change(new DataView(bytes.buffer), Buffer.from(bytes).indexOf(text));
      return () => readGguf(bytes, 'x');
    };
    const renamed = (text: string, letter: string) =>
      edited(text, (view, at) => {
        for (let i = 0; i < text.length; i++) if (text[i] === text.at(-1)) view.setUint8(at + i, letter.charCodeAt(0));
      });
    expect(renamed('key.b', 'a')).toThrow('"x" gives the metadata key "key.a" twice');
    expect(renamed('bb', 'a')).toThrow('"x" gives the tensor "aa" twice');
    // Behind a name: rank, two lengths, type, offset.
    const moved = (offset: number) => edited('bb', (view, at) => view.setBigUint64(at + 26, BigInt(offset), true));
    expect(moved(32)).not.toThrow();
    expect(moved(0)).toThrow('"x" has tensors "aa" and "bb" overlap at byte 0 of the data');
    expect(moved(20)).toThrow('"x" has tensor "bb" at 20, no multiple of 32 bytes');
  });

  test('texts that begin with U+FEFF keep it', () => {
    const tokens = ['\uFEFF', '\uFEFFusing', 'using'];
    expect(readGguf(writeGguf({ tokens: ['strings', tokens] }, [])).metadata.tokens).toEqual(tokens);
    expect(readPickle(Uint8Array.of(0x80, 4, 0x8c, 4, 0xef, 0xbb, 0xbf, 0x61, 0x2e))).toBe('\uFEFFa');
    expect(textOfBytes([0xef, 0xbb, 0xbf, 0x61])).toBe('\uFEFFa');
  });
});

describe('PyTorch names', () => {
  test('map to fields', () => {
    expect(fromTorchName('layer1.0.bn1.running_var')).toBe('layer1.0.bn1.runningVariance');
    expect(fromTorchName('model.layers.3.self_attn.q_proj.weight')).toBe('model.layers.3.selfAttn.qProj.weight');
  });
  test('a torchvision checkpoint of ResNet-18 loads; what does not fit is named', () => {
    const [from, to] = [new ResNet(18, new Random(1), { classes: 3 }), new ResNet(18, new Random(2), { classes: 3 })];
    const torchName = (name: string) =>
      name.replace('runningMean', 'running_mean').replace('runningVariance', 'running_var');
    const checkpoint: Record<string, Tensor> = Object.fromEntries(
      Object.entries(stateOf(from)).map(([name, t]) => [torchName(name), t]),
    );
    loadTorchState(to, { ...checkpoint, 'bn1.num_batches_tracked': uniformTensor(1, [1]) });
    expectClose(
      to.layer4[1]?.conv1.weight.view() as Float32Array,
      from.layer4[1]?.conv1.weight.view() as Float32Array,
      0,
    );
    expect(() => loadTorchState(to, { ...checkpoint, 'extra.weight': uniformTensor(1, [1]) })).toThrow(
      'no place for extra.weight',
    );
    const { 'fc.bias': _, ...short } = checkpoint;
    expect(() => loadTorchState(to, short)).toThrow('lacks fc.bias');
    loadTorchState(to, Object.fromEntries(Object.entries(checkpoint).map(([name, t]) => [`module.${name}`, t])), {
      rename: (name) => name.slice(7),
    });
  });
});

test('pictures: PNG and JPEG to RGB', async () => {
  const { default: sharp } = await import('sharp');
  const pixels = Uint8Array.from({ length: 4 * 5 * 3 }, (_, i) => (i * 7) % 256);
  const png = await sharp(pixels, { raw: { width: 5, height: 4, channels: 3 } })
    .png()
    .toBuffer();
  const picture = await decodePicture(new Uint8Array(png));
  expect([picture.height, picture.width]).toEqual([4, 5]);
  expect(picture.pixels).toEqual(pixels);
  expectClose([pictureTensor(picture).view()[20] as number], [((pixels[1] as number) / 255 - 0.456) / 0.224]);
  const jpeg = await sharp({ create: { width: 8, height: 6, channels: 3, background: { r: 200, g: 100, b: 50 } } })
    .jpeg()
    .toBuffer();
  const grey = await decodePicture(new Uint8Array(jpeg));
  expect(Math.abs((grey.pixels[0] as number) - 200)).toBeLessThan(4);
  await expect(decodePicture(Uint8Array.from([1, 2, 3]))).rejects.toThrow('no readable picture');
});
