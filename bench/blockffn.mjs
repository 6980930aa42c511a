// A layer of blocks with those in use alone, beside the same layer with all of them: f32 and Q8_0,
// one token and chunks, at given sparsity. The limit of the speed-up is 1/(1 − TLS) for one token
// and 1/(1 − CLS) for a chunk; products with blocks should reach most of it.
//
//   node bench/blockffn.mjs [--features 512] [--blocks 64] [--width 64] [--chunks 1,8,32]
//                           [--sparsity 0.5,0.7,0.8,0.9] [--threads 1]
//
// Masks are random, the same blocks of a chunk being open to all its tokens, each of which uses
// two thirds of them; those of trained models are timed by `gossamer run blockffn`.

import { parseArgs } from 'node:util';
import { linear, multiply, Random, reshape, scope, setThreads, silu, tensor } from '../dist/index.js';
import { BlockMatrix, blockMajor, blocksDown, blocksUp, usedBlocks } from '../dist/quantized/index.js';
import { fastest } from './in-turns.mjs';

const { values: flags } = parseArgs({
  options: {
    features: { type: 'string', default: '512' },
    blocks: { type: 'string', default: '64' },
    width: { type: 'string', default: '64' },
    chunks: { type: 'string', default: '1,8,32' },
    sparsity: { type: 'string', default: '0.5,0.7,0.8,0.9' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '15' },
  },
});
setThreads(Number(flags.threads));
const [features, count, width] = [Number(flags.features), Number(flags.blocks), Number(flags.width)];
const layout = { features, count, width };
const random = new Random(1);
const up = random.normal([count * width, features]);
const down = random.normal([features, count * width]);
const formats = {
  f32: { up, down: blockMajor(down, layout), whole: down },
  Q8_0: {
    up: BlockMatrix.quantize(up, 'Q8_0'),
    down: blockMajor(down, layout, 'Q8_0'),
    whole: BlockMatrix.quantize(down, 'Q8_0'),
  },
};

/** Gates of n tokens that use blocks of a union of the given share. */
function gatesOf(n, sparsity) {
  const open = [...random.permutation(count).subarray(0, Math.max(1, Math.round(count * (1 - sparsity))))];
  const gates = new Float32Array(n * count);
  open.forEach((block, i) => {
    for (let t = 0; t < n; t++) if (t === i % n || random.float() < 2 / 3) gates[t * count + block] = 1;
  });
  return tensor(gates, [n, count]);
}

const product = (x, weights) => (weights instanceof BlockMatrix ? weights.multiply(x) : linear(x, weights));

function all(x, gates, { up: first, whole }) {
  const n = x.shape[0];
  const inner = reshape(silu(product(x, first)), [n, count, width]);
  return product(reshape(multiply(inner, reshape(gates, [n, count, 1])), [n, count * width]), whole);
}

function used(x, gates, { up: first, down: second }) {
  const list = usedBlocks(gates);
  return blocksDown(blocksUp(x, first, gates, list, width), second, list, features);
}

/** Calls a body times, each with masks of its own, so that weights are not those of the call before. */
const MASKS = 16;

console.log(`${count} blocks ${features} → ${width} → ${features}, ${flags.threads} thread(s); µs a token`);
console.log('format  chunk  unused    all    used  speed-up  limit  share');
for (const [format, weights] of Object.entries(formats))
  for (const n of flags.chunks.split(',').map(Number))
    for (const sparsity of flags.sparsity.split(',').map(Number)) {
      const calls = Array.from({ length: MASKS }, () => ({
        x: random.normal([n, features]),
        gates: gatesOf(n, sparsity),
      }));
      const body = (layer) => () => {
        for (const { x, gates } of calls) scope(() => void layer(x, gates, weights));
      };
      const times = await fastest(
        [
          ['all', body(all)],
          ['used', body(used)],
        ],
        Number(flags.rounds),
      );
      const unused = 1 - calls.reduce((sum, { gates }) => sum + usedBlocks(gates).length, 0) / (MASKS * count);
      const [speedUp, limit] = [times.all / times.used, 1 / (1 - unused)];
      const micro = (ms) => ((1000 * ms) / (MASKS * n)).toFixed(1).padStart(7);
      console.log(
        `${format.padEnd(6)} ${String(n).padStart(6)} ${unused.toFixed(3).padStart(7)}${micro(times.all)}${micro(times.used)} ${speedUp.toFixed(2).padStart(9)} ${limit.toFixed(2).padStart(6)} ${(speedUp / limit).toFixed(2).padStart(6)}`,
      );
    }
