// Tokens a second of SmallThinker's sizes in Q4_0, in memory and within a limit, on weights that are
// filled at random: their routing is near uniform, the worst case of a cache of experts.
//
//   node bench/smallthinker.mjs [4b|21b] [--memory 1G] [--tokens 24]
//
// Without --memory: once with 3 GiB, then with 1 GiB, each in a process of its own. Prints tokens a
// second, the share of chosen experts in memory, the time of waiting, the peak of the process's
// memory, and the rate over the limit: bandwidth of reads over bytes of weights that a token reads.

import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ggufParts } from '../dist/data/index.js';
import { scope } from '../dist/index.js';
import { byteCharacters, smallThinker4B, smallThinker21B } from '../dist/lm/index.js';
import { loadLanguageModel } from '../dist/lm/node.js';
import { blockBytes, floatToHalf } from '../dist/quantized/index.js';

const shapes = { '4b': smallThinker4B, '21b': smallThinker21B };
const flag = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const [, , name = '4b'] = process.argv;
const config = shapes[name];
if (!config) throw new Error(`"${name}" is no shape; there are ${Object.keys(shapes).join(', ')}`);

/** Blocks of random nibbles with one scale, so that values stay small. */
function randomBlocks(rows, columns) {
  const bytes = randomFillSync(new Uint8Array(blockBytes('Q4_0', rows, columns)));
  const scale = floatToHalf(0.004);
  for (let at = 0; at < bytes.length; at += 18) {
    bytes[at] = scale & 255;
    bytes[at + 1] = scale >> 8;
    // Quanta from −7 to 7: with −8 their mean would be below 0, and the same in all rows.
    for (let i = at + 2; i < at + 18; i++) {
      if ((bytes[i] & 15) === 0) bytes[i] |= 8;
      if (bytes[i] >> 4 === 0) bytes[i] |= 128;
    }
  }
  return bytes;
}

/** Writes the model's file, downs by neuron, unless it is there. */
function randomFile() {
  const { vocabulary, features, layers, heads, keyHeads, headDim, hidden, context, experts, window } = config;
  const path = join(tmpdir(), `gossamer-smallthinker-${name}.gguf`);
  if (existsSync(path) && statSync(path).size > 0) return path;
  const matrix = (title, ...shape) => {
    const [rows, columns] = [shape.slice(0, -1).reduce((a, b) => a * b, 1), shape.at(-1)];
    const byteLength = blockBytes('Q4_0', rows, columns);
    return { name: title, shape, type: 'Q4_0', bytes: () => randomBlocks(rows, columns), byteLength };
  };
  const floats = (title, shape, make) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, make);
    return { name: title, shape, type: 'F32', bytes: new Uint8Array(values.buffer) };
  };
  const norm = (title) => floats(title, [features], () => 1);
  const tensors = [
    ...[matrix('token_embd.weight', vocabulary, features), matrix('output.weight', vocabulary, features)],
    norm('output_norm.weight'),
  ];
  for (let layer = 0; layer < layers; layer++) {
    const at = `blk.${layer}`;
    tensors.push(
      ...[norm(`${at}.attn_norm.weight`), norm(`${at}.ffn_norm.weight`)],
      matrix(`${at}.attn_q.weight`, heads * headDim, features),
      matrix(`${at}.attn_k.weight`, keyHeads * headDim, features),
      matrix(`${at}.attn_v.weight`, keyHeads * headDim, features),
      matrix(`${at}.attn_output.weight`, features, heads * headDim),
      floats(`${at}.ffn_gate_inp.weight`, [experts.count, features], () => Math.random() - 0.5),
      ...['gate', 'up', 'down'].map((role) => matrix(`${at}.ffn_${role}_exps.weight`, experts.count, hidden, features)),
    );
  }
  const characters = byteCharacters();
  const tokens = Array.from({ length: vocabulary }, (_, i) => characters[i] ?? `<${i}>`);
  const own = (key) => `smallthinker.${key}`;
  const metadata = {
    'general.architecture': ['string', 'smallthinker'],
    [own('block_count')]: ['u32', layers],
    [own('context_length')]: ['u32', context],
    [own('embedding_length')]: ['u32', features],
    [own('expert_feed_forward_length')]: ['u32', hidden],
    [own('attention.head_count')]: ['u32', heads],
    [own('attention.head_count_kv')]: ['u32', keyHeads],
    [own('attention.key_length')]: ['u32', headDim],
    [own('attention.layer_norm_rms_epsilon')]: ['f32', 1e-6],
    [own('rope.freq_base')]: ['f32', 1.5e6],
    [own('expert_count')]: ['u32', experts.count],
    [own('expert_used_count')]: ['u32', experts.k],
    [own('expert_gating_func')]: ['u32', 2],
    ...(window > 0 && { [own('attention.sliding_window')]: ['u32', window] }),
    'tokenizer.ggml.model': ['string', 'gpt2'],
    'tokenizer.ggml.pre': ['string', 'qwen2'],
    'tokenizer.ggml.tokens': ['strings', tokens],
    'tokenizer.ggml.token_type': ['i32s', tokens.map(() => 1)],
    'tokenizer.ggml.merges': ['strings', []],
    'tokenizer.ggml.eos_token_id': ['u32', vocabulary - 1],
  };
  const file = openSync(`${path}.part`, 'w');
  for (const part of ggufParts(metadata, tensors)) writeSync(file, part);
  closeSync(file);
  renameSync(`${path}.part`, path);
  return path;
}

/** Bytes a second that one thread reads of memory far larger than its caches. */
function bandwidth() {
  const numbers = new Float64Array(2 ** 26);
  numbers.fill(1);
  let best = 0;
  for (let round = 0; round < 3; round++) {
    const started = performance.now();
    let total = 0;
    // One number of each cache line.
    for (let i = 0; i < numbers.length; i += 8) total += numbers[i];
    if (total > 0) best = Math.max(best, (1000 * numbers.byteLength) / (performance.now() - started));
  }
  return best;
}

const path = randomFile();
if (!process.argv.includes('--memory')) {
  for (const memory of ['3G', '1G'])
    spawnSync(
      process.execPath,
      [fileURLToPath(import.meta.url), name, '--memory', memory, '--tokens', flag('tokens', '24')],
      {
        stdio: 'inherit',
      },
    );
} else {
  const given = flag('memory', '1G');
  const memory = Number.parseFloat(given) * (given.endsWith('G') ? 2 ** 30 : 2 ** 20);
  const count = Number(flag('tokens', '24'));
  const speed = bandwidth();
  const bundle = loadLanguageModel(path, { memory });
  const { model, store } = bundle;
  model.load();
  const cache = model.cache({ format: 'f16', limit: 2 * count + 16 });
  let [token, state] = [1, 7];
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    token = state % config.vocabulary;
    scope(() => void model.forward([token], cache));
  };
  for (let i = 0; i < 8; i++) next();
  const before = store.statistics;
  const started = performance.now();
  for (let i = 0; i < count; i++) next();
  const seconds = (performance.now() - started) / 1000;
  const { hits, misses, waitSeconds, bytesRead } = store.statistics;
  const hit = (hits - before.hits) / (hits - before.hits + misses - before.misses);
  const rate = count / seconds;
  const limit = speed / model.bytesPerToken;
  const peak = process.resourceUsage().maxRSS * 1024;
  const closed = model.closedNeurons.reduce((a, b) => a + b, 0) / config.layers;
  console.log(
    [
      `smallthinker-${name}, ${given} for weights of ${(model.bytes / 2 ** 30).toFixed(2)} GiB:`,
      `${rate.toFixed(2)} tokens a second (20 in the abstract)`,
      `${(100 * hit).toFixed(0)} % of chosen experts in memory`,
      `${((1000 * (waitSeconds - before.waitSeconds)) / count).toFixed(0)} ms a token waited`,
      `${((bytesRead - before.bytesRead) / count / 2 ** 20).toFixed(0)} MiB a token read`,
      `${(100 * closed).toFixed(0)} % of gates closed`,
      `peak of the process ${(peak / 2 ** 30).toFixed(2)} GiB`,
      `${(100 * (rate / limit)).toFixed(0)} % of ${limit.toFixed(1)}, ${(speed / 1e9).toFixed(1)} GB/s over ${(model.bytesPerToken / 2 ** 20).toFixed(0)} MiB`,
    ].join('; '),
  );
  bundle.close();
}
