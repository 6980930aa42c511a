import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { glyphImages, readSafetensors, writeIdx } from '../../src/data/index.js';
import { LeNet } from '../../src/models/index.js';
import { inference, stateOf } from '../../src/nn/index.js';
import { Random, zeros } from '../../src/tensor/index.js';
import { exportOnnx } from '../../src/trace/index.js';
import { commandInFolder, main } from './command.js';
import { runDocument, runShell } from './document.js';

describe.skipIf(!existsSync(main))('gossamer fit --model logah', () => {
  const { folder, gossamer } = commandInFolder('logah');
  const json = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  const data = glyphImages(200, 60, new Random(1));
  mkdirSync(join(folder, 'digits'));
  for (const [part, { count, height, width, pixels, labels }] of [
    ['train', data.train],
    ['t10k', data.test],
  ] as const) {
    const write = (name: string, shape: readonly number[], values: Uint8Array) =>
      writeFileSync(join(folder, 'digits', `${part}-${name}`), writeIdx({ shape: [...shape], values }));
    write('images-idx3-ubyte', [count, height, width], pixels);
    write('labels-idx1-ubyte', [count], Uint8Array.from(labels));
  }
  const small = ['--set', 'steps=6', '--set', 'batch=8', '--set', 'widths=8,16', '--set', 'features=16'];

  test('pictures: learns, says what it is, predicts deeper networks, and starts a training', () => {
    const fitted = gossamer(
      'fit',
      'digits',
      '--model',
      'logah',
      '--set',
      'family=mlp',
      ...small,
      '-o',
      'ghn.safetensors',
    );
    expect(fitted.stderr + fitted.stdout).toContain('6 networks of the family mlp');
    expect(fitted.stdout).toMatch(/untrained, on test data: accuracy \d/);
    expect(gossamer('info', 'ghn.safetensors').stdout).toContain('mlp of 1, 2, 3 layers and widths 8, 16');
    json('deeper.json', { layers: 4, features: 24 });
    const predicted = gossamer('predict', 'ghn.safetensors', 'deeper.json', '-o', 'weights.safetensors');
    expect(predicted.stdout).toContain('weights predicted (100 %), 10 tensors');
    const { tensors } = readSafetensors(readFileSync(join(folder, 'weights.safetensors')));
    expect(tensors['blocks.3.linear.weight']?.shape).toEqual([24, 24]);
    json('resnet.json', { model: 'resnet8', size: 28, channels: 1 });
    expect(gossamer('predict', 'ghn.safetensors', 'resnet.json', '-o', 'r.safetensors', '--type', 'BF16').status).toBe(
      0,
    );
    json('gpt.json', { model_type: 'gpt2', n_embd: 16, n_layer: 1, n_head: 2, vocab_size: 40, n_positions: 8 });
    gossamer('predict', 'ghn.safetensors', 'gpt.json', '-o', 'gpt.safetensors');
    const names = Object.keys(readSafetensors(readFileSync(join(folder, 'gpt.safetensors'))).tensors);
    expect(names).toContain('transformer.h.0.attn.c_attn.weight');
    expect(names).not.toContain('lm_head.weight');
    const net = new LeNet(new Random(2), { channels: 1, size: 28 });
    const weights = stateOf(net);
    const onnx = exportOnnx((x) => net.forward(x, inference), [zeros([1, 1, 28, 28])], { weights });
    writeFileSync(join(folder, 'lenet.onnx'), onnx);
    expect(gossamer('predict', 'ghn.safetensors', 'lenet.onnx', '-o', 'l.safetensors').stdout).toContain('(100 %)');
    const trained = gossamer('fit', 'digits', '--model', 'lenet', '--set', 'epochs=1', '--init', 'ghn.safetensors');
    expect(trained.stderr).toContain('weights predicted (100 %)');
    expect(trained.status).toBe(0);
  }, 180_000);

  test('a text: decoders, and a start for gossamer lm train', () => {
    writeFileSync(join(folder, 'book.txt'), 'the old fox follows a river near the sea. '.repeat(200));
    const options = [...small, '--set', 'length=16'];
    const fitted = gossamer('fit', 'book.txt', '--model', 'logah', ...options, '-o', 'text.safetensors');
    expect(fitted.stdout).toMatch(/loss \d/);
    const args = ['--features', '16', '--layers', '1', '--heads', '2', '--length', '16', '--steps', '2'];
    const trained = gossamer('lm', 'train', 'book.txt', ...args, '--init', 'text.safetensors');
    expect(trained.stderr).toContain('weights predicted');
    expect(trained.status).toBe(0);
  }, 180_000);

  test('the page leads from a text to a predicted start, and its code runs', () => {
    const shell = runShell('systems/logah.md', '### From a text to a predicted start');
    expect([shell.status, shell.stderr.includes('rror')]).toEqual([0, false]);
    expect(shell.stdout).toContain('weights predicted (100 %)');
    const { status, stdout } = runDocument('systems/logah.md');
    expect([status, stdout.includes('clsToken [1, 1, 48]')]).toEqual([0, true]);
  }, 180_000);

  test('says what is wrong', () => {
    const message = (...args: string[]) => {
      const { status, stderr } = gossamer(...args);
      expect(status).toBe(2);
      return stderr;
    };
    const predict = (file: string) => message('predict', 'ghn.safetensors', file, '-o', 'w.safetensors');
    json('odd.json', { layers: 2, features: 16, colour: 1 });
    expect(predict('odd.json')).toContain('has no "colour"');
    json('half.json', { family: 'vit', layers: 2 });
    expect(predict('half.json')).toContain('needs "imageSize"');
    json('bert.json', { model_type: 'bert' });
    expect(predict('bert.json')).toContain('GPT-2 alone is read');
    expect(predict('gpt7')).toContain('neither a file');
    expect(message('predict', 'ghn.safetensors', 'deeper.json')).toContain('-o weights.safetensors');
    expect(message('fit', 'digits', '--model', 'logah', '--set', 'layers=a')).toContain('whole numbers with commas');
    expect(message('fit', 'book.txt', '--model', 'logah', '--set', 'family=vit')).toContain('is for pictures');
    expect(message('fit', 'digits', '--model', 'lenet', '--init', 'weights.safetensors')).toContain('no model file');
  }, 180_000);
});
