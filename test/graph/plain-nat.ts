// NAT in plain objects: dictionaries and scalar loops, by the rules of the paper and its code.

import { hashUnit, type NAT, oddMultiplier } from '../../src/graph/index.js';
import { stateOf } from '../../src/nn/index.js';
import type { TemporalGraph } from '../../src/structure/index.js';

interface Entry {
  key: number;
  event: number;
  time: number;
  z: number[];
}

/** An entry as a batch reads it, with z′. */
interface ReadEntry {
  readonly hop: number;
  readonly slot: number;
  readonly entry: Entry;
  readonly z: number[];
}

interface PlainOptions {
  readonly slots: readonly number[];
  readonly replace: number;
  readonly seed: number;
  readonly timeUnit: number;
  readonly selfWidth: number;
  readonly width: number;
  readonly heads: number;
  readonly outWidth: number;
  readonly nodeFeatures?: readonly (readonly number[])[];
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export class PlainNAT {
  readonly selves = new Map<number, number[]>();
  readonly previous = new Map<number, { partner: number; event: number; time: number }>();
  /** By hop: `node:slot` → entry. */
  readonly caches: Map<string, Entry>[];
  readonly #weights: Record<string, { rows: number[][]; flat: number[] }>;
  #readSelves = new Map<number, number[]>();
  #read = new Map<number, ReadEntry[]>();
  #observed = 0;

  constructor(
    network: NAT,
    readonly graph: TemporalGraph,
    readonly options: PlainOptions,
  ) {
    this.caches = [1, ...options.slots].map(() => new Map());
    this.#weights = Object.fromEntries(
      Object.entries(stateOf(network)).map(([name, value]) => {
        const flat = Array.from(value.dataSync() as Float32Array);
        const columns = value.shape.at(-1) as number;
        const rows = Array.from({ length: flat.length / columns }, (_, i) =>
          flat.slice(i * columns, (i + 1) * columns),
        );
        return [name, { rows, flat }];
      }),
    );
  }

  #rows(name: string): number[][] {
    return this.#weights[name]?.rows as number[][];
  }

  #flat(name: string): number[] {
    return this.#weights[name]?.flat as number[];
  }

  #gru(name: string, x: readonly number[], h: readonly number[]): number[] {
    const [wi, wh] = [this.#rows(`${name}.weightIh`), this.#rows(`${name}.weightHh`)];
    const [bi, bh] = [this.#flat(`${name}.biasIh`), this.#flat(`${name}.biasHh`)];
    const n = h.length;
    const input = (gate: number, i: number) => dot(wi[gate * n + i] as number[], x) + (bi[gate * n + i] as number);
    const state = (gate: number, i: number) => dot(wh[gate * n + i] as number[], h) + (bh[gate * n + i] as number);
    return h.map((own, i) => {
      const r = sigmoid(input(0, i) + state(0, i));
      const z = sigmoid(input(1, i) + state(1, i));
      return (1 - z) * Math.tanh(input(2, i) + r * state(2, i)) + z * own;
    });
  }

  #self(node: number): number[] {
    return this.selves.get(node) ?? new Array<number>(this.options.selfWidth).fill(0);
  }

  /** W[r ‖ x_e ‖ φ(t)]. */
  #input(layer: string, partner: number | undefined, event: number, time: number): number[] {
    const { selfWidth, timeUnit } = this.options;
    const features = this.graph.features;
    const d = features?.shape[1] ?? 0;
    const own = (features?.dataSync() as Float32Array | undefined)?.subarray(event * d, (event + 1) * d);
    const x = event < 0 ? new Array<number>(d).fill(0) : Array.from(own ?? []);
    const t = event < 0 ? 0 : (time - (this.graph.times[0] as number)) / timeUnit;
    const frequencies = this.#flat('time.frequencies');
    const phi = frequencies.map((w, i) => Math.cos(Math.fround(t) * w + (this.#flat('time.phases')[i] as number)));
    const r = partner === undefined ? new Array<number>(selfWidth).fill(0) : this.#self(partner);
    return this.#rows(`${layer}.weight`).map((row) => dot(row, [...r, ...x, ...phi]));
  }

  #readNode(node: number): ReadEntry[] {
    const known = this.#read.get(node);
    if (known) return known;
    const rows: ReadEntry[] = [];
    for (const [hop, cache] of this.caches.entries())
      for (let slot = 0; slot < ([1, ...this.options.slots][hop] as number); slot++) {
        const held = cache.get(`${node}:${slot}`);
        if (held) {
          const x = this.#input('entryInput', held.key, held.event, held.time);
          rows.push({ hop, slot, entry: { ...held }, z: this.#gru('entryCell', x, held.z) });
        } else if (hop === 0) {
          const z = new Array<number>(this.options.width).fill(0);
          rows.push({ hop, slot, entry: { key: node, event: -1, time: 0, z }, z });
        }
      }
    this.#read.set(node, rows);
    const last = this.previous.get(node);
    const x = this.#input('selfInput', last?.partner, last?.event ?? -1, last?.time ?? 0);
    this.#readSelves.set(node, this.#gru('selfCell', x, this.#self(node)));
    return rows;
  }

  /** Logits of pairs, all from the current state. */
  score(left: readonly number[], right: readonly number[]): number[] {
    this.#read = new Map();
    this.#readSelves = new Map();
    return left.map((u, p) => {
      const v = right[p] as number;
      const joint = new Map<number, { z: number[]; bits: number }>();
      for (const [side, node] of [u, v].entries())
        for (const { hop, entry, z } of this.#readNode(node)) {
          const row = joint.get(entry.key) ?? { z: z.map(() => 0), bits: 0 };
          row.bits += 2 ** hop * (side === 0 ? 1 : 8);
          row.z = row.z.map((value, j) => value + (z[j] as number));
          joint.set(entry.key, row);
        }
      const rows = Array.from(joint, ([key, { z, bits }]) => [
        ...(this.options.nodeFeatures?.[key] ?? []),
        ...z,
        ...(this.#rows('positions.weight')[bits] as number[]),
      ]);
      const { heads, outWidth } = this.options;
      const pooled = new Array<number>(outWidth).fill(0).map((_, j) => this.#flat('poolBias')[j] as number);
      for (let head = 0; head < heads; head++) {
        const mapped = rows.map((row) =>
          this.#rows('pool.weight')
            .slice(head * outWidth, (head + 1) * outWidth)
            .map((own) => dot(own, row)),
        );
        const vector = this.#weights.attention && (this.#rows('attention')[head] as number[]);
        const exponents = mapped.map((own) =>
          vector
            ? Math.exp(
                dot(
                  vector,
                  own.map((x) => (x > 0 ? x : 0.2 * x)),
                ),
              )
            : 1,
        );
        const total = vector ? exponents.reduce((a, b) => a + b, 0) : 1;
        for (let j = 0; j < outWidth; j++)
          for (const [i, own] of mapped.entries())
            pooled[j] = (pooled[j] as number) + ((own[j] as number) * (exponents[i] as number)) / total / heads;
      }
      const pair = [...pooled, ...(this.#readSelves.get(u) as number[]), ...(this.#readSelves.get(v) as number[])];
      const hidden = this.#rows('hidden.weight').map((row, i) =>
        Math.max(0, dot(row, pair) + (this.#flat('hidden.bias')[i] as number)),
      );
      return dot(this.#flat('head.weight'), hidden) + (this.#flat('head.bias')[0] as number);
    });
  }

  #write(
    hop: number,
    node: number,
    { key, event, time, z }: Entry,
    draw: number,
    replace = this.options.replace,
  ): void {
    const slots = BigInt([1, ...this.options.slots][hop] as number);
    const q = BigInt(oddMultiplier(this.options.seed));
    const slot = (BigInt(key) * q + BigInt(key) ** 2n * (q + 1n)) % slots;
    const at = `${node}:${slot}`;
    const held = this.caches[hop]?.get(at);
    if (held && held.key !== key && !(draw < replace)) return;
    this.caches[hop]?.set(at, { key, event, time, z: z.map(Math.fround) });
  }

  /** Writes the events of a batch that was scored. */
  observe(events: readonly number[]): void {
    const { sources, targets, times } = this.graph;
    const { seed, width } = this.options;
    const sides = events.flatMap((event, i) => {
      const [u, v] = [sources[event] as number, targets[event] as number];
      const turn = 2 * (this.#observed + i);
      const time = times[event] as number;
      return [
        { node: u, partner: v, event, time, turn },
        { node: v, partner: u, event, time, turn: turn + 1 },
      ];
    });
    this.#observed += events.length;
    const entries = (node: number, hop: number) => this.#readNode(node).filter((row) => row.hop === hop);
    for (const { node, partner, event, time } of sides) {
      this.selves.set(node, (this.#readSelves.get(node) as number[]).map(Math.fround));
      this.previous.set(node, { partner, event, time });
    }
    if (this.caches.length > 2)
      for (const { node, partner, turn } of sides)
        for (const { slot, entry, z } of entries(partner, 1))
          this.#write(2, node, { ...entry, z }, hashUnit(seed, turn, 2, slot));
    if (this.caches.length > 1)
      for (const { node, partner, event, time, turn } of sides) {
        const known = entries(node, 1).find(({ entry }) => entry.key === partner);
        const z = known?.z ?? new Array<number>(width).fill(0);
        this.#write(1, node, { key: partner, event, time, z }, hashUnit(seed, turn, 1, 0));
      }
    for (const { node, event, time } of sides)
      this.#write(0, node, { key: node, event, time, z: entries(node, 0)[0]?.z as number[] }, 0, 1);
  }
}
