import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { generatedText, writeSafetensors } from '../../src/data/index.js';
import { byteCharacters } from '../../src/lm/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { type configs, namedTensors } from '../lm/models.js';
import { commandInFolder, main } from './command.js';

const { folder, gossamer } = commandInFolder('compress');
const path = (name: string) => join(folder, name);

const compress = (model: string, out: string, ...more: string[]) =>
  gossamer(...['lm', 'compress', model, '--data', 'text.txt', '-o', out, '--length', '32', '--threads', '1'], ...more);
const short = ['--recover', '12', '--batch', '4', '--calibration', '32'];

describe.skipIf(!existsSync(main))('experts merged on the command line (needs a build)', () => {
  beforeAll(() => {
    writeFileSync(path('text.txt'), generatedText(20_000, new Random(1)));
    const sizes = ['--features', '32', '--hidden', '24', '--layers', '2', '--heads', '2', '--length', '32'];
    const { status } = gossamer(
      ...['lm', 'train', 'text.txt', '--experts', '5', '--top', '2', '--steps', '60', '--threads', '1', ...sizes],
      ...['-o', 'moe.safetensors'],
    );
    expect(status).toBe(0);
  }, 60_000);

  test('a smaller file goes on with a text, and says what it is', () => {
    const made = compress('moe.safetensors', 'small.safetensors', '--experts', '2', '--rank', '4', ...short, '--json');
    expect(made.status).toBe(0);
    const { before, after, agreement, layers } = JSON.parse(made.stdout);
    expect(after.parameters).toBeLessThan(0.6 * before.parameters);
    expect(after.multiplyAdds).toBeLessThan(before.multiplyAdds);
    expect(agreement).toBeGreaterThan(0.2);
    expect(layers).toHaveLength(2);
    // The file holds what was counted, and the places of rows with it.
    expect(readFileSync(path('small.safetensors')).length).toBeLessThan(4 * after.parameters + 20_000);
    const text = gossamer('lm', 'generate', 'small.safetensors', '--prompt', 'The', '--max-tokens', '10');
    expect([text.status, text.stdout.length]).toEqual([0, 13]);
    expect(gossamer('info', 'small.safetensors').stdout).toContain('5 experts merged to ');
    const same = ['--experts', '2', '--rank', '4', ...short];
    expect(compress('moe.safetensors', 'small.gguf', ...same, '--quantize', 'Q8_0').status).toBe(0);
    expect(readFileSync(path('small.gguf')).length).toBeLessThan(readFileSync(path('small.safetensors')).length);
    const quantised = gossamer('lm', 'generate', 'small.gguf', '--prompt', 'The', '--max-tokens', '10');
    expect([quantised.status, quantised.stdout.length]).toEqual([0, 13]);
    expect(gossamer('info', 'small.gguf').stdout).toContain('5 experts merged to ');
    expect(compress('small.safetensors', 'again.safetensors', '--experts', '1')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('merged already'),
    });
  }, 120_000);

  test.each([
    [['--experts', '5'], 'a layer has 5, so that 1 to 4 are possible'],
    [['--experts', '2', '--rank', '25'], 'the rank must be from 1 to 24, got 25'],
    [[], 'give --experts, --rank, or both'],
    [['--experts', '2', '--recover', 'soon'], '--recover takes a number of steps or "router", not "soon"'],
    [['--experts', '2', '--rows', '3'], '--rows is a share from 0 to 1'],
    [['--experts', '2', '--length', '4000'], 'too few for windows of 4000'],
    [['--experts', '2', '--quantize', 'Q8_0'], '--quantize is for a result in GGUF'],
    [['--experts', '2', '--resume'], 'there is no "bad.safetensors.checkpoint"'],
  ])('%j is refused, and nothing is written', (more, message) => {
    const { status, stderr } = compress('moe.safetensors', 'bad.safetensors', ...short, ...more);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(readdirSync(folder).filter((name) => name.startsWith('bad'))).toEqual([]);
  });

  test('ways to merge, without recovery or of the router alone', () => {
    for (const more of [
      ['--method', 'average'],
      ['--method', 'prune', '--uniform'],
      ['--align', 'dominant', '--recover', 'router'],
    ]) {
      const steps = more.includes('--recover') ? [] : ['--recover', '0'];
      const own = ['--experts', '2', '--calibration', '32', '--batch', '2', ...steps, ...more];
      const { status, stdout } = compress('moe.safetensors', 'other.safetensors', ...own);
      expect(status).toBe(0);
      expect(stdout).toContain('layer 1: ');
    }
  }, 120_000);

  test('a folder with config.json stays a folder, and runs', () => {
    const model: typeof configs.llama = {
      ...{ architecture: 'qwen3moe', vocabulary: 256, features: 32, layers: 2, heads: 2, keyHeads: 1, headDim: 16 },
      ...{ hidden: 16, context: 128, ropeBase: 10000, interleaved: false, epsilon: 1e-6, window: 0 },
      experts: { count: 4, k: 2, normalised: true },
    };
    const random = new Random(4);
    let at = 0;
    const weights = namedTensors(
      model,
      {
        matrix: (_, rows, columns) => random.split(at++).normal([rows, columns], 0, 0.1),
        vector: (_, size, mean) => tensor(new Float32Array(size).fill(mean)),
      },
      true,
    );
    const source = mkdtempSync(path('qwen-'));
    const vocab = Object.fromEntries(byteCharacters().map((character, id) => [character, id]));
    const tokenizer = {
      ...{ model: { type: 'BPE', vocab, merges: [] }, added_tokens: [], normalizer: null, post_processor: null },
      ...{ pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false }, decoder: { type: 'ByteLevel' } },
    };
    writeFileSync(join(source, 'tokenizer.json'), JSON.stringify(tokenizer));
    writeFileSync(join(source, 'model.safetensors'), writeSafetensors(weights));
    writeFileSync(
      join(source, 'config.json'),
      JSON.stringify({
        ...{ model_type: 'qwen3_moe', vocab_size: 256, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2 },
        ...{ num_key_value_heads: 1, head_dim: 16, intermediate_size: 16, moe_intermediate_size: 16, num_experts: 4 },
        ...{ num_experts_per_tok: 2, norm_topk_prob: true, max_position_embeddings: 128, rms_norm_eps: 1e-6 },
        ...{ rope_theta: 10000, tie_word_embeddings: true, decoder_sparse_step: 1, mlp_only_layers: [] },
      }),
    );
    const made = compress(source, 'merged', '--experts', '2', '--rank', '3', '--recover', '0', '--calibration', '32');
    expect(made.stderr).toContain('MiB of tensor memory');
    expect(made.status).toBe(0);
    expect(readdirSync(path('merged')).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    const text = gossamer('lm', 'generate', 'merged', '--prompt', 'The', '--max-tokens', '5', '--temperature', '0');
    expect(text.status).toBe(0);
    const own = ['--experts', '2', '--rank', '3', '--recover', '0', '--calibration', '32'];
    expect(compress(source, 'merged.gguf', ...own).status).toBe(0);
    const again = gossamer(
      'lm',
      'generate',
      'merged.gguf',
      '--prompt',
      'The',
      '--max-tokens',
      '5',
      '--temperature',
      '0',
    );
    expect(again.stdout).toBe(text.stdout);
    expect(compress(source, 'merged', '--experts', '2', '--recover', '0')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('"merged" exists already'),
    });
  }, 60_000);
});
