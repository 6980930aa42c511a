import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium, type Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { describe, expect, test } from 'vitest';
import { chosenWeights, pruneOnce } from '../../src/compress/index.js';
import { readGguf, writeSafetensors } from '../../src/data/index.js';
import {
  HDHGN,
  type LanguageName,
  languages,
  loadParser,
  ProgramModel,
  ProgramVocabulary,
  sourceHypergraph,
} from '../../src/hypergraph/index.js';
import { generate, LanguageModel, type LanguageModelConfig, namedWeights, trainBpe } from '../../src/lm/index.js';
import { MobileNetV1 } from '../../src/models/index.js';
import { inference } from '../../src/nn/index.js';
import { Random, type Tensor } from '../../src/tensor/index.js';
import { compile, savePlan } from '../../src/trace/index.js';
import { hubServer } from '../data/hub-server.js';
import { asGguf, configs, prompt, weightsOf } from '../lm/models.js';
import { expectClose } from '../oracle.js';

const root = join(import.meta.dirname, '../..');
const browser = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);

interface Outcome {
  readonly first: number;
  readonly last: number;
  readonly threads: number;
  readonly isolated: boolean;
  readonly level: string;
}

/** Serves the built package; cross-origin isolated or not. */
async function serve(isolated: boolean, scripts: Readonly<Record<string, string>> = {}): Promise<Server> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] as string;
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (path === '/') {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>Gossamer</title>');
      return;
    }
    const script = scripts[path];
    if (script !== undefined) {
      response.setHeader('Content-Type', 'text/javascript');
      response.end(script);
      return;
    }
    const file = join(root, path);
    if (!file.startsWith(root) || !existsSync(file)) {
      response.statusCode = 404;
      response.end();
      return;
    }
    response.setHeader('Content-Type', 'text/javascript');
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Opens a page of a server of the package, for as long as `body` uses it. */
async function onPage<T>(
  isolated: boolean,
  scripts: Readonly<Record<string, string>>,
  body: (page: Page) => Promise<T>,
): Promise<T> {
  const server = await serve(isolated, scripts);
  const chrome = await chromium.launch({
    executablePath: browser as string,
    args: ['--no-sandbox', '--disable-background-networking'],
  });
  try {
    const page = await chrome.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await body(page);
  } finally {
    await chrome.close();
    server.close();
  }
}

/** What a worker of a page answers to a message. */
function askWorker<T>(page: Page, message: unknown): Promise<T> {
  return page.evaluate(
    (order) =>
      new Promise<T>((resolve, reject) => {
        const worker = new Worker('/bundle.mjs', { type: 'module' });
        // The engine starts before the worker listens.
        worker.onmessage = ({ data }) => (data === 'ready' ? worker.postMessage(order) : resolve(data));
        worker.onerror = (event) => reject(new Error(event.message));
      }),
    message,
  );
}

describe.skipIf(!browser)('in a headless browser [needs Chromium]', () => {
  test.each([
    ['cross-origin isolated: shared memory and threads', true],
    ['not isolated: one thread', false],
  ])(
    'LeNet trains 100 steps in a worker, %s',
    async (_, isolated) => {
      const outcome = await onPage(isolated, {}, (page) =>
        page.evaluate(
          () =>
            new Promise<Outcome>((resolve, reject) => {
              const worker = new Worker('/test/browser/train-worker.mjs', { type: 'module' });
              worker.onmessage = ({ data }) => resolve(data);
              worker.onerror = (event) => reject(new Error(event.message));
            }),
        ),
      );
      expect(outcome.isolated).toBe(isolated);
      expect(outcome.threads > 1).toBe(isolated);
      expect(outcome.level).toBe('relaxed');
      expect(outcome.first).toBeGreaterThan(2);
      expect(outcome.last).toBeLessThan(0.5);
    },
    120_000,
  );
});

test.skipIf(!browser).each([
  ['cross-origin isolated', true],
  ['not isolated', false],
])(
  'in a page that is %s, a loop without a scope makes more than memory holds, and views stay valid [needs Chromium]',
  async (_, isolated) => {
    const outcome = await onPage(isolated, {}, (page) =>
      page.evaluate(
        () =>
          new Promise((resolve, reject) => {
            const worker = new Worker('/test/browser/loop-worker.mjs', { type: 'module' });
            worker.onmessage = ({ data }) => resolve(data);
            worker.onerror = (event) => reject(new Error(event.message));
          }),
      ),
    );
    expect(outcome).toEqual({ results: [200, 200], view: [1, 7, 3], tensor: [1, 7, 3], isolated });
  },
  120_000,
);

/** A worker and all that it imports in one file, as a page's bundler makes it. */
async function bundled(file: string): Promise<string> {
  const bundle = await rolldown({
    input: file,
    platform: 'browser',
    external: [/^node:/],
    plugins: [{ name: 'dist', resolveId: (id) => (id.startsWith('/dist/') ? join(root, id) : undefined) }],
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  return output[0].code;
}

test.skipIf(!browser)(
  'a compressed network predicts in a page what it predicts here [needs Chromium]',
  async () => {
    const model = new MobileNetV1(new Random(1), {
      channels: 1,
      classes: 10,
      stem: [8, 2],
      blocks: [
        [16, 1],
        [32, 2],
      ],
    });
    pruneOnce(chosenWeights(model, 'pointwise'), { sparsity: 0.8, pattern: 'block4' });
    const images = Array.from({ length: 5 }, (_, i) => new Random(i).normal([1, 1, 28, 28]));
    const plans = [
      compile((x) => model.forward(x, inference), [images[0] as Tensor]),
      compile((x) => model.forward(x, inference), [images[0] as Tensor], {
        int8: { calibration: images.map((x) => [x]) },
      }),
    ];
    const worker = await bundled(join(import.meta.dirname, 'plan-worker.mjs'));
    await onPage(true, { '/bundle.mjs': worker }, async (page) => {
      for (const plan of plans) {
        const expected = images.map((x) => Array.from(plan.run(x)[0]?.dataSync() ?? []));
        const outputs = await askWorker<number[][]>(page, {
          plan: Array.from(savePlan(plan)),
          images: images.map((x) => Array.from(x.dataSync())),
        });
        outputs.forEach((output, i) => {
          expectClose(output, expected[i] as number[], 1e-4);
        });
      }
    });
  },
  60_000,
);

test.skipIf(!browser)(
  'a GGUF file goes on with a text in a page as it does here [needs Chromium]',
  async () => {
    const config = configs.qwen2 as LanguageModelConfig;
    const file = asGguf(config, weightsOf(config, 3), 'Q4_0');
    const model = LanguageModel.fromGguf(readGguf(file));
    const made: number[] = [];
    for await (const token of generate(model, prompt, { temperature: 0, maxTokens: 12 })) made.push(token);
    const worker = await bundled(join(import.meta.dirname, 'language-worker.mjs'));
    for (const isolated of [true, false])
      await onPage(isolated, { '/bundle.mjs': worker }, async (page) => {
        expect(await askWorker(page, { file: Array.from(file), prompt })).toEqual(made);
      });
  },
  60_000,
);

test.skipIf(!browser)(
  'a page fetches a model of a hub range by range into its storage, once, and goes on where it broke off [needs Chromium]',
  async () => {
    const config = { ...(configs.llama as LanguageModelConfig), vocabulary: 258 };
    const weights = weightsOf(config, 3);
    const tokenizer = new TextEncoder().encode(JSON.stringify(trainBpe('the cat sat on the mat', 258)));
    const fields = {
      ...{ model_type: 'llama', vocab_size: 258, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4 },
      ...{ num_key_value_heads: 2, head_dim: 16, intermediate_size: 96, max_position_embeddings: 700 },
      ...{ rms_norm_eps: 1e-6, rope_theta: 10000, tie_word_embeddings: true },
    };
    const file = writeSafetensors(weights);
    const hub = await hubServer({
      'config.json': new TextEncoder().encode(JSON.stringify(fields)),
      'tokenizer.json': tokenizer,
      'model.safetensors': file,
    });
    const model = new LanguageModel({ ...config, interleaved: false }, namedWeights(weights));
    const made: number[] = [];
    for await (const token of generate(model, prompt, { temperature: 0, maxTokens: 8 })) made.push(token);
    const worker = await bundled(join(import.meta.dirname, 'hub-worker.mjs'));
    const slice = Math.ceil(file.length / 3);
    const options = { endpoint: hub.endpoint, slice, attempts: 3, pause: 1 };
    const order = { name: 'hf:owner/name', options, prompt };
    const downloads = () => hub.requests.filter(({ at, headers }) => at === 'network' && headers.range);
    await onPage(true, { '/bundle.mjs': worker }, async (page) => {
      hub.troubles.push('other bytes');
      expect(await askWorker(page, order)).toEqual({
        error: 'owner/name/config.json has another digest than the hub says; nothing of it is kept',
      });
      const first = { ...order, options: { ...options, attempts: 1 } };
      hub.troubles.push(...['new etag', 'new etag', 'new etag'].map(() => ({ breakAfter: 1e9 })), { breakAfter: 1000 });
      expect(await askWorker<object>(page, first)).toHaveProperty('error');
      hub.troubles.length = 0;
      const { made: here, progress } = await askWorker<{ made: number[]; progress: number[] }>(page, order);
      expect(here).toEqual(made);
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      expect(downloads().map(({ headers }) => headers.range)).toContain(`bytes=${slice + 1000}-${2 * slice + 999}`);
      hub.requests.length = 0;
      expect((await askWorker<{ made: number[] }>(page, order)).made).toEqual(made);
      expect(hub.requests.map(({ at }) => at)).toEqual(['hub']);
      hub.refusals.push({ status: 401 });
      expect(await askWorker(page, order)).toEqual({
        error: 'owner/name does not exist, or is private (401): check the name, or set HF_TOKEN',
      });
    });
    hub.close();
  },
  60_000,
);

test.skipIf(!browser).each([
  ['python', 'def f(a, b):\n    return "é𝕏" if a - b else [b, -a]  # c\n'],
  ['java', 'class A { static int f(int a, int b) { return a - b; } }'],
  ['typescript', 'function f(a: number, b: number) { return a - b; }'],
] as const)(
  'a page parses and classifies %s as it is done here [needs Chromium]',
  async (language: LanguageName, source) => {
    const parser = await loadParser(language);
    const program = sourceHypergraph(parser, source);
    const vocabulary = ProgramVocabulary.from([program]);
    const sizes = { values: vocabulary.valueCounts, types: vocabulary.typeCount, classes: 3 };
    const options = { width: 8, heads: 2, hidden: 8 };
    const description = {
      ...{ language, grammar: parser.grammarVersion, classes: ['a', 'b', 'c'], options },
      vocabulary: vocabulary.state,
    };
    const model = new ProgramModel(description, new HDHGN(sizes, new Random(2), options));
    const order = { language, source, model: Array.from(model.save()) };
    const { package: name, wasm } = languages[language];
    const files = {
      runtime: '/node_modules/web-tree-sitter/web-tree-sitter.wasm',
      grammar: `/node_modules/${name}/${wasm}`,
    };
    const worker = await bundled(join(import.meta.dirname, 'source-worker.mjs'));
    await onPage(true, { '/bundle.mjs': worker }, async (page) => {
      const { probabilities, attention, ...rest } = await askWorker<ReturnType<typeof described>>(page, {
        ...order,
        files,
      });
      const here = described();
      expect(rest).toEqual({ nnz: here.nnz, values: here.values, types: here.types });
      expectClose(probabilities, here.probabilities, 1e-5);
      expectClose(attention, here.attention, 1e-5);
      for (const [given, missing] of [
        [{}, wasm],
        [{ grammar: files.grammar }, 'web-tree-sitter.wasm'],
      ] as const)
        expect(await askWorker(page, { ...order, files: given })).toEqual({
          error: `outside Node the bytes of "${missing}" must be given to loadParser`,
        });
    });

    function described() {
      const { probabilities, attention } = model.explain(program);
      const { nnz, values, types } = program;
      return { nnz, values, types, probabilities: Array.from(probabilities), attention: Array.from(attention) };
    }
  },
  60_000,
);

test('what a page loads for tensors, layers and kernels stays under 150 KB gzipped', async () => {
  const bundle = await rolldown({
    input: 'page',
    platform: 'browser',
    external: [/^node:/],
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === 'page' ? id : undefined),
        load: (id) =>
          id === 'page'
            ? `export * from '${root}/dist/index.js'; export * from '${root}/dist/nn/index.js';`
            : undefined,
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  const size = (part: (typeof output)[number]) => ('code' in part ? gzipSync(part.code).length : 0);
  const entry = output.filter((part) => part.type === 'chunk' && part.isEntry);
  // A page loads one of the two kernel modules.
  const kernels = output.filter((part) => part.type === 'chunk' && !part.isEntry).map(size);
  expect(kernels.length).toBe(2);
  expect(entry.reduce((total, part) => total + size(part), 0) + Math.max(...kernels)).toBeLessThan(150_000);
});
