import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../src/data/index.js';
import { chooseModel, decoderConfig, decoderOf, trainBpe, vocabularyOf } from '../../src/lm/index.js';
import { cachedLanguageModel, fetchLanguageModel, loadLanguageModel, saveLanguageModel } from '../../src/lm/node.js';
import { Random } from '../../src/tensor/index.js';
import { main } from '../cli/command.js';
import { type HubServer, hubServer } from '../data/hub-server.js';
import { base, weightsOf } from './models.js';

const GIB = 2 ** 30;

describe('the choice of files', () => {
  const sizes = { F16: 2, Q8_0: 1.06, Q6_K: 0.82, Q5_K_M: 0.71, Q4_K_M: 0.6, Q4_0: 0.56, Q2_K: 0.4, IQ2_XS: 0.3 };
  const quants = Object.entries(sizes).map(([name, size]) => ({ path: `qwen-1B-${name}.gguf`, size: size * GIB }));
  const all = [...quants, { path: 'mmproj-Q8_0.gguf', size: GIB }, { path: 'README.md', size: 10 }];
  const chosen = (memory: number, wanted?: string, files = all) => chooseModel(files, 'owner/name', wanted, memory);

  test.each([
    [3, 'qwen-1B-Q8_0.gguf', true],
    [1.2, 'qwen-1B-Q8_0.gguf', true],
    // Five and six bits take a byte each in memory, so that they need more than Q8_0.
    [1, 'qwen-1B-Q4_K_M.gguf', true],
    [0.7, 'qwen-1B-Q4_0.gguf', true],
    [0.3, 'qwen-1B-Q4_0.gguf', false],
  ])('with %d GiB is %s', (memory, open, fits) => {
    expect(chosen(memory * GIB)).toMatchObject({ open, fits });
  });

  test('is that of the quantisation or path that is named, in capitals or not', () => {
    expect(chosen(GIB, 'q5_k_m').open).toBe('qwen-1B-Q5_K_M.gguf');
    expect(chosen(GIB, 'qwen-1B-Q2_K.gguf').open).toBe('qwen-1B-Q2_K.gguf');
    expect(() => chosen(GIB, 'Q3_K_M')).toThrow(/owner\/name has no "Q3_K_M" that is whole; it has qwen-1B-F16.gguf, /);
  });

  test('does not guess between models of one quantisation', () => {
    const two = ['7B', '13B'].map((name) => ({ path: `m-${name}-Q4_0.gguf`, size: GIB }));
    for (const wanted of [undefined, 'Q4_0'])
      expect(() => chosen(4 * GIB, wanted, two)).toThrow(
        'owner/name has several models of that kind: m-7B-Q4_0.gguf, m-13B-Q4_0.gguf; name one',
      );
    const odd = [{ path: 'model.gguf', size: GIB }, ...two.slice(1)];
    expect(chosen(4 * GIB, undefined, odd).open).toBe('m-13B-Q4_0.gguf');
    expect(chosen(4 * GIB, undefined, odd.slice(0, 1)).open).toBe('model.gguf');
  });

  test('takes all parts of a split model, and none that lacks one', () => {
    const parts = [2, 1, 3].map((i) => ({ path: `big/m-Q8_0-0000${i}-of-00003.gguf`, size: GIB }));
    const { open, files } = chosen(4 * GIB, undefined, parts);
    expect(open).toBe('big/m-Q8_0-00001-of-00003.gguf');
    expect(files.map(({ path }) => path.slice(11, 16))).toEqual(['00001', '00002', '00003']);
    expect(() => chosen(4 * GIB, undefined, parts.slice(1))).toThrow('has no model that Gossamer reads');
  });

  test('is safetensors where there is no GGUF, without the same weights in another layout', () => {
    const folder = ['config.json', 'tokenizer.json', 'model.safetensors', 'consolidated.safetensors', 'original.pth'];
    const files = folder.map((path) => ({ path, size: 1000 }));
    expect(chosen(GIB, undefined, files)).toMatchObject({ open: undefined, bytes: 2000 });
    expect(chosen(GIB, undefined, files).files.map(({ path }) => path)).toEqual(folder.slice(0, 3));
    const split = files.with(2, { path: 'model-00001-of-00002.safetensors', size: 1000 });
    expect(() => chosen(GIB, undefined, split)).toThrow('has no model that Gossamer reads');
  });
});

describe('a model by its name', () => {
  let server: HubServer;
  let environment: NodeJS.ProcessEnv;
  const text = 'the cat sat on the mat. '.repeat(40);
  beforeAll(async () => {
    const tokenizer = JSON.stringify(trainBpe(text, 258));
    const config = { ...base, vocabulary: 258, architecture: 'llama' };
    const json = {
      ...{ model_type: 'llama', vocab_size: 258, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4 },
      ...{ num_key_value_heads: 2, head_dim: 16, intermediate_size: 96, max_position_embeddings: 700 },
      ...{ rms_norm_eps: 1e-6, rope_theta: 10000, tie_word_embeddings: true },
    };
    const vocabulary = vocabularyOf(text);
    const size = 'characters' in vocabulary ? vocabulary.characters.length : 0;
    const own = decoderConfig({ vocabulary: size, features: 32, layers: 1, heads: 2, context: 64 });
    server = await hubServer({
      'config.json': new TextEncoder().encode(JSON.stringify(json)),
      'tokenizer.json': new TextEncoder().encode(tokenizer),
      'chat_template.jinja': new TextEncoder().encode('{{ messages[0].content }}'),
      'model.safetensors': writeSafetensors(weightsOf(config)),
      'mine.safetensors': saveLanguageModel(decoderOf(own, new Random(1)), own, vocabulary),
    });
  });
  afterAll(() => server.close());
  beforeEach(() => {
    server.requests.length = 0;
    environment = { HF_HOME: mkdtempSync(join(tmpdir(), 'gossamer-hf-')), HF_ENDPOINT: server.endpoint };
  });
  const options = () => ({ environment, attempts: 2, pause: 1 });

  test('is fetched, and opened as the folder that it is', async () => {
    const path = await fetchLanguageModel('hf:owner/name', options());
    const bundle = loadLanguageModel(path);
    expect(bundle.model.config.features).toBe(64);
    expect(bundle.tokenizer.decode(bundle.tokenizer.encode('the cat'))).toBe('the cat');
    expect(bundle.tokenizer.chatTemplate).toBe('{{ messages[0].content }}');
    bundle.close();
    expect(server.requests.some(({ path: asked }) => asked.includes('mine'))).toBe(false);
    const mine = loadLanguageModel(await fetchLanguageModel('hf:owner/name:mine.safetensors', options()));
    expect(mine.model.config.features).toBe(32);
    mine.close();
  });

  test('is opened from the cache without requests when offline, or when the hub cannot be reached', async () => {
    const path = await fetchLanguageModel('hf:owner/name', options());
    server.requests.length = 0;
    environment = { ...environment, HF_HUB_OFFLINE: '1' };
    expect(await fetchLanguageModel('hf:owner/name', options())).toBe(path);
    expect(cachedLanguageModel('hf:owner/name', options())).toBe(path);
    await expect(fetchLanguageModel('hf:owner/other', options())).rejects.toThrow(
      /"hf:owner\/other" is not in the cache ".*"; unset HF_HUB_OFFLINE to fetch it/,
    );
    expect(server.requests).toEqual([]);
    environment = { ...environment, HF_HUB_OFFLINE: '', HF_ENDPOINT: 'http://127.0.0.1:1' };
    const notes: string[] = [];
    expect(await fetchLanguageModel('hf:owner/name', { ...options(), onNote: (note) => notes.push(note) })).toBe(path);
    expect(notes[0]).toMatch(/cannot be fetched from .* the copy in the cache is used$/);
    await expect(fetchLanguageModel('hf:owner/name:mine.safetensors', options())).rejects.toThrow('cannot be fetched');
    expect(() => loadLanguageModel('hf:owner/never')).toThrow('fetch it first: await fetchLanguageModel(name)');
  });

  test.skipIf(!existsSync(main))(
    'two commands at once fetch it once (needs a build)',
    async () => {
      const run = () =>
        new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
          const child = spawn(process.execPath, [main, 'info', 'hf:owner/name:mine.safetensors'], {
            env: { ...process.env, ...environment },
          });
          let [stdout, stderr] = ['', ''];
          child.stdout.on('data', (part) => (stdout += part));
          child.stderr.on('data', (part) => (stderr += part));
          child.once('close', (status) => resolve({ status, stdout, stderr }));
        });
      const [first, second] = await Promise.all([run(), run()]);
      expect([first.status, second.status]).toEqual([0, 0]);
      expect(first.stdout).toContain('llama: 1 layers of 32');
      expect(second.stdout).toBe(first.stdout);
      expect(first.stderr).toContain('hf:owner/name:mine.safetensors: mine.safetensors, ');
      expect(server.requests.filter(({ at }) => at === 'network').length).toBe(1);
      server.refusals.push({ status: 401 });
      const { status, stderr } = await run();
      expect(status).toBe(2);
      expect(stderr).toContain('owner/name does not exist, or is private (401): check the name, or set HF_TOKEN');
    },
    60_000,
  );
});
