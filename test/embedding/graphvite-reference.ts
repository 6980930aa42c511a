// GraphVite in plain JavaScript, block after block: the oracle of its kernels. Gradients are finite
// differences of the loss.

import type { GridTrainer } from '../../src/embedding/index.js';
import { Random } from '../../src/tensor/index.js';

const MASK = (1n << 64n) - 1n;
const GOLDEN = 0x9e3779b97f4a7c15n;

function mix(z: bigint): bigint {
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/** SplitMix64 from a key and a stream number. */
class Stream {
  #state: bigint;
  constructor([a, b]: readonly [number, number], stream: bigint) {
    this.#state = mix((mix((BigInt(a >>> 0) << 32n) | BigInt(b >>> 0)) + stream * GOLDEN) & MASK);
  }
  word(): bigint {
    this.#state = (this.#state + GOLDEN) & MASK;
    return mix(this.#state);
  }
  /** A draw from alias columns [first, first + count). */
  draw(probabilities: Float32Array | null, aliases: Int32Array | null, first: number, count: number): number {
    const word = this.word();
    const column = Number(((word >> 32n) * BigInt(count)) >> 32n);
    const unit = Number((word & 0xffffffffn) >> 8n) * 2 ** -24;
    if (!probabilities || unit < (probabilities[first + column] as number)) return column;
    return (aliases as Int32Array)[first + column] as number;
  }
}

const intsOf = (x: { view(): Float32Array } | null) => x && (x.view() as unknown as Int32Array);

/** The pairs of an episode as the samplers would draw them one after the other, in places. */
export function referencePool(trainer: GridTrainer, episode: number, sizes: readonly number[]): [number, number][][] {
  const { grid, settings, plan } = trainer;
  const { graph, parts } = grid;
  const key = new Random(settings.seed).split('graphvite').split('draws').key;
  const indptr = intsOf(grid.indptr) as Int32Array;
  const indices = intsOf(grid.indices) as Int32Array;
  const partOf = grid.partOf.view() as unknown as Uint8Array;
  const pools = sizes.map((size) => new Array<[number, number]>(size));
  for (let s = 0; s < plan.samplers; s++) {
    const stream = new Stream(key, (1n << 40n) + BigInt(episode) * 4096n + BigInt(s));
    const from = sizes.map((size) => Math.floor((size * s) / plan.samplers));
    const room = sizes.map((size, cell) => Math.floor((size * (s + 1)) / plan.samplers) - (from[cell] as number));
    const filled = sizes.map(() => 0);
    while (filled.some((count, cell) => count < (room[cell] as number))) {
      const edge = stream.draw(null, null, 0, graph.successors.nnz);
      const walk = [indptr.findLastIndex((start) => start <= edge), indices[edge] as number];
      for (; settings.step > 1 && walk.length <= settings.walkLength; ) {
        const node = walk.at(-1) as number;
        const degree = (indptr[node + 1] as number) - (indptr[node] as number);
        if (degree === 0) break;
        walk.push(indices[(indptr[node] as number) + stream.draw(null, null, 0, degree)] as number);
      }
      for (let j = 0; j < walk.length; j++)
        for (let t = 1; t <= settings.step && j + t < walk.length; t++) {
          const [head, tail] = [walk[j] as number, walk[j + t] as number];
          const cell = (partOf[head] as number) * parts + (partOf[tail] as number);
          const [order, size] = [filled[cell] as number, room[cell] as number];
          if (order === size) continue;
          const columns = settings.form === 'line' ? settings.step : 1;
          // Column by column: the places of earlier columns, then the row.
          let place = Math.floor(order / columns);
          for (let column = 0; column < order % columns; column++) place += Math.ceil((size - column) / columns);
          (pools[cell] as [number, number][])[(from[cell] as number) + place] = [head, tail];
          filled[cell] = order + 1;
        }
    }
  }
  return pools;
}

const softplus = (x: number) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));

/** The step of one sample: both rows descend the gradient of weight · loss at once, with decay. */
export function referenceSample(
  v: number[],
  c: number[],
  positive: boolean,
  weight: number,
  rate: number,
  decay: number,
): void {
  const loss = (a: number[], b: number[]) => {
    const logit = a.reduce((sum, value, k) => sum + value * (b[k] as number), 0);
    return weight * softplus(positive ? -logit : logit);
  };
  const H = 1e-5;
  const slope = (of: (delta: number) => number) => (of(H) - of(-H)) / (2 * H);
  const moved = (x: number[], k: number, delta: number) => x.map((value, i) => (i === k ? value + delta : value));
  const forV = v.map((_, k) => slope((delta) => loss(moved(v, k, delta), c)));
  const forC = c.map((_, k) => slope((delta) => loss(v, moved(c, k, delta))));
  for (let k = 0; k < v.length; k++) {
    v[k] = (v[k] as number) - rate * ((forV[k] as number) + weight * decay * (v[k] as number));
    c[k] = (c[k] as number) - rate * ((forC[k] as number) + weight * decay * (c[k] as number));
  }
}

/** Trains the pools of all episodes block after block, in the order of the schedule. */
export function referenceTraining(trainer: GridTrainer, v: number[][], c: number[][]): void {
  const { grid, settings, plan, schedule } = trainer;
  const { parts, bounds } = grid;
  const key = new Random(settings.seed).split('graphvite').split('draws').key;
  const [probabilities, aliases] = [grid.probabilities.view(), intsOf(grid.aliases)];
  for (let episode = 0, batches = 0; episode < plan.episodes; episode++) {
    const blocks = schedule.flat();
    const last = Math.floor(((episode + 1) * plan.batches) / plan.episodes);
    const own = last - batches;
    const count = (k: number) => Math.floor(((k + 1) * own) / blocks.length) - Math.floor((k * own) / blocks.length);
    const sizes = new Array<number>(blocks.length);
    blocks.forEach(([row, column], k) => {
      sizes[row * parts + column] = count(k) * settings.batch;
    });
    const pools = referencePool(trainer, episode, sizes);
    let k = 0;
    for (const group of schedule) {
      const first = batches;
      group.forEach(([row, column], worker) => {
        const cell = row * parts + column;
        const stream = new Stream(key, BigInt(episode * parts ** 2 + cell));
        const low = bounds[column] as number;
        (pools[cell] as [number, number][]).forEach(([head, tail], i) => {
          const number = first + Math.floor(i / settings.batch) * group.length + worker;
          const rate = settings.learningRate * Math.max(1 - number / plan.batches, 1e-4);
          for (let m = 0; m < settings.negatives; m++) {
            const other = low + stream.draw(probabilities, aliases, low, (bounds[column + 1] as number) - low);
            referenceSample(
              v[head] as number[],
              c[other] as number[],
              false,
              settings.negativeWeight,
              rate,
              settings.decay,
            );
          }
          referenceSample(v[head] as number[], c[tail] as number[], true, 1, rate, settings.decay);
        });
        batches += count(k++);
      });
    }
  }
}
