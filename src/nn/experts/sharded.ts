// Expert parallelism: feed-forward experts spread over ranks. Only rows for experts of other ranks
// are exchanged; whatever a layer computes beside them stays on the rank of the token.

import { type Communicator, shareOf } from '../../distributed/index.js';
import { Segments } from '../../sparse/index.js';
import { Random, reshape, scope, slice, type Tensor, tensor } from '../../tensor/index.js';
import { type ExpertActivation, ExpertBank, type ExpertSet } from './bank.js';
import { DispatchPlan } from './dispatch.js';

/** Bytes of an element of a row. */
const BYTES = 4;

/**
 * The experts of a bank, rank r of R holding those from ⌊r·E/R⌋ to ⌊(r+1)·E/R⌋. Every rank calls
 * `forward` with rows of its own tokens. For inference: gradients do not cross ranks.
 */
export class ShardedExperts implements ExpertSet {
  readonly count: number;
  /** Ranks wait for each other, so a rank without rows calls `forward` too. */
  readonly collective = true;
  readonly #features: number;
  readonly #local: ExpertBank;
  /** Experts [begin, end) of each rank. */
  readonly #shares: readonly (readonly [number, number])[];
  #bytes = 0;
  #rows = 0;

  constructor(
    bank: ExpertBank,
    readonly communicator: Communicator,
  ) {
    const { count, features, hidden, activation } = bank;
    const { rank, size } = communicator;
    if (size > count) throw new RangeError(`ShardedExperts: ${count} experts cannot be spread over ${size} ranks`);
    this.count = count;
    this.#features = features;
    this.#shares = Array.from({ length: size }, (_, r) => shareOf(count, { rank: r, size }));
    const [begin, end] = this.#shares[rank] as readonly [number, number];
    this.#local = new ExpertBank(end - begin, features, hidden, new Random(0), { activation });
    this.#local.up = slice(bank.up, [begin, end]);
    this.#local.down = slice(bank.down, [begin, end]);
  }

  /** Bytes of rows and outputs that this rank has sent to other ranks. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Rows that the experts of this rank have computed. */
  get rows(): number {
    return this.#rows;
  }

  forward(rows: Tensor, { segments: { offsets } }: Pick<DispatchPlan, 'segments'>): Tensor {
    const { communicator } = this;
    const sizes = Int32Array.from(
      { length: this.count },
      (_, e) => (offsets[e + 1] as number) - (offsets[e] as number),
    );
    const experts = this.#shares.map(([begin, end]) => end - begin);
    const elements = this.#shares.map(
      ([begin, end]) => this.#features * ((offsets[end] as number) - (offsets[begin] as number)),
    );
    const incoming = communicator.allToAll(sizes, experts).data; // [ranks, own experts]
    const { data, counts } = communicator.allToAll(rows.dataSync(), elements);
    const back = communicator.allToAll(this.#compute(data, incoming), counts).data;
    this.#bytes += BYTES * (this.#toOthers(elements) + this.#toOthers(counts));
    return tensor(back, [rows.shape[0] as number, this.#features]);
  }

  #toOthers(counts: readonly number[]): number {
    return counts.reduce((sum, count, rank) => sum + (rank === this.communicator.rank ? 0 : count), 0);
  }

  /** Outputs for received rows, which are sorted by rank, then expert; in that order. */
  #compute(data: Float32Array, incoming: Int32Array): Float32Array {
    const experts = this.#local.count;
    const totals = new Int32Array(experts);
    for (let i = 0; i < incoming.length; i++)
      totals[i % experts] = (totals[i % experts] as number) + (incoming[i] as number);
    const segments = Segments.fromSizes(totals);
    const next = segments.offsets.slice(0, experts);
    const places = Array.from(incoming, (size, i) => {
      const place = next[i % experts] as number;
      next[i % experts] = place + size;
      return place;
    });
    const sorted = moved(data, this.#features, incoming, places, 'to');
    this.#rows += segments.size;
    const outputs = scope(() =>
      this.#local
        .forward(tensor(sorted, [segments.size, this.#features]), { segments })
        .dataSync()
        .slice(),
    );
    return moved(outputs, this.#features, incoming, places, 'from');
  }
}

/** Runs of rows copied to given places, or from there to where they follow each other. */
function moved(
  data: Float32Array,
  features: number,
  sizes: Int32Array,
  places: readonly number[],
  direction: 'to' | 'from',
): Float32Array {
  const result = new Float32Array(data.length);
  let at = 0;
  for (let i = 0; i < sizes.length; i++) {
    const size = sizes[i] as number;
    const [source, target] = direction === 'to' ? [at, places[i] as number] : [places[i] as number, at];
    result.set(data.subarray(source * features, (source + size) * features), target * features);
    at += size;
  }
  return result;
}

/** A layer's experts and the routing of a batch, as plain arrays that can be posted to a worker. */
export interface ShardedJob {
  /** Feed-forward experts. */
  readonly experts: number;
  /** Width of a token. */
  readonly features: number;
  /** Width of an expert's hidden layer. */
  readonly hidden: number;
  /** Activation of the hidden layer. */
  readonly activation: ExpertActivation;
  /** First weights of all experts, as in `ExpertBank`. */
  readonly up: Float32Array;
  /** Second weights of all experts. */
  readonly down: Float32Array;
  /** Token vectors [T, features]. */
  readonly tokens: Float32Array;
  /** Experts of a token. */
  readonly k: number;
  /** Chosen experts [T, k]; numbers from `experts` on are not dispatched. */
  readonly choices: Int32Array;
  /** Gates of the chosen experts [T, k]. */
  readonly gates: Float32Array;
}

/** What one rank did for a job. */
export interface ShardedResult {
  /** Bytes sent to other ranks. */
  readonly bytes: number;
  /** Rows that the rank's experts computed. */
  readonly rows: number;
  /** Output of the feed-forward experts for the rank's tokens [share of T, features]. */
  readonly output: Float32Array;
}

/** Runs jobs on the ranks of a communicator, each rank taking its share of the tokens. */
export function runSharded(communicator: Communicator, jobs: readonly ShardedJob[]): ShardedResult[] {
  return jobs.map((job) =>
    scope(() => {
      const { experts: count, features, hidden, activation, k } = job;
      const bank = new ExpertBank(count, features, hidden, new Random(0), { activation });
      bank.up.assign(tensor(job.up, bank.up.shape));
      bank.down.assign(tensor(job.down, bank.down.shape));
      const experts = new ShardedExperts(bank, communicator);
      const [begin, end] = shareOf(job.choices.length / k, communicator);
      const tokens = tensor(job.tokens.slice(begin * features, end * features), [end - begin, features]);
      const plan = new DispatchPlan(tensor(job.choices.slice(begin * k, end * k), [end - begin, k]), count);
      const gates = tensor(job.gates.slice(begin * k, end * k), [end - begin, k]);
      const outputs = experts.forward(plan.gather(tokens), plan);
      const output = reshape(plan.combine(outputs, gates), [-1]).dataSync().slice();
      return { bytes: experts.bytes, rows: experts.rows, output };
    }),
  );
}
