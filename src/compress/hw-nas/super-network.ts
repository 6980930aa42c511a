// Evaluation of the sub-networks of an elastic network: taken out with copies of their weights,
// statistics estimated anew, and measured as they would run. The elastic network is only read.

import {
  type Configuration,
  disposeWeights,
  type Elastic,
  estimateStatistics,
  extractSubNetwork,
  type Genes,
  inference,
  type Layer,
  parameters,
  stateOf,
} from '../../nn/index.js';
import { scope, type Tensor } from '../../tensor/index.js';
import { type CompileOptions, compile, cost, type Int8Options, type Plan } from '../../trace/index.js';
import { type HardwareSetting, type LatencyOptions, planLatency, withThreads } from './latency.js';
import type { Measurement } from './log.js';

/** What sub-networks are measured on. */
export interface EvaluationData {
  /** Inputs of which the statistics of batch norms are estimated, some hundreds. */
  readonly statistics: () => Iterable<Tensor>;
  /** Share of correct answers of a network. */
  readonly accuracy: (logits: (inputs: Tensor) => Tensor) => number;
  /** Inputs of a number, for latency and counts: [batch, …]. */
  readonly example: (batch: number) => Tensor;
  /** Calibration of int8 plans, for a batch. Needed where bits are searched. */
  readonly calibration?: (batch: number) => Int8Options['calibration'];
}

/** Options of `SubNetworkEvaluator`. */
export interface EvaluatorOptions extends HardwareSetting, LatencyOptions {
  /** What is measured. Default: all. */
  readonly metrics?: readonly SubNetworkMetric[];
  /** Bits to choose from, among 7, 8 and 32, for the whole network. Default: 32 alone. */
  readonly bits?: readonly number[];
  /** Inputs of a pass that measures accuracy. Default: 100. */
  readonly passes?: number;
}

/**
 * What the evaluator measures: a share, milliseconds of a pass, multiply-adds of an input, weights.
 */
export const subNetworkMetrics = ['accuracy', 'latency', 'macs', 'params'] as const;

/** A metric of sub-networks. */
export type SubNetworkMetric = (typeof subNetworkMetrics)[number];

/** Bits that plans have kernels for. */
const KNOWN_BITS: readonly number[] = [7, 8, 32];

/**
 * Measures sub-networks for `search`.
 *
 * @example
 * const evaluator = new SubNetworkEvaluator(network, data, { threads: 1, batch: 1 });
 * const { front } = await search({
 *   genes: evaluator.genes,
 *   evaluate: (configuration) => evaluator.evaluate(configuration),
 *   objectives: ['accuracy', 'latency'],
 * });
 */
export class SubNetworkEvaluator {
  /** Genes of the network, and `bits` where there is a choice. */
  readonly genes: Genes;

  /** @throws RangeError for bits without kernels, or without calibration */
  constructor(
    readonly network: Elastic,
    readonly data: EvaluationData,
    readonly options: EvaluatorOptions = {},
  ) {
    const { bits = [32] } = options;
    const unknown = bits.find((own) => !KNOWN_BITS.includes(own));
    if (unknown !== undefined || bits.length === 0)
      throw new RangeError(`hw-nas: bits are among ${KNOWN_BITS.join(', ')}, got ${unknown ?? 'none'}`);
    if (bits.some((own) => own < 32) && !data.calibration)
      throw new RangeError('hw-nas: int8 needs inputs for calibration');
    const isPlain = bits.length === 1 && bits[0] === 32;
    this.genes = { ...network.genes, ...(!isPlain && { bits: { count: 1, values: [...bits].sort((a, b) => a - b) } }) };
  }

  /** The sub-network by itself, with its own statistics. */
  extract({ bits: _, ...configuration }: Configuration): Layer {
    const sub = extractSubNetwork(this.network, configuration);
    estimateStatistics(sub, this.data.statistics());
    return sub;
  }

  /** The plan of a network for a batch, in the bits of its configuration. */
  plan(sub: Layer, { bits: [bits = 32] = [] }: Configuration, batch: number): Plan {
    const example = this.data.example(batch);
    const calibration = bits === 32 ? [] : (this.data.calibration?.(batch) ?? []);
    const options: CompileOptions = bits === 32 ? {} : { int8: { calibration, bits: bits as 7 | 8 } };
    try {
      return compile((x) => sub.forward(x, inference), [example], options);
    } finally {
      for (const input of [example, ...calibration.flat()]) input.dispose();
    }
  }

  /** Measures a sub-network; it is freed afterwards. */
  evaluate(configuration: Configuration): Measurement {
    const sub = this.extract(configuration);
    try {
      return this.measure(sub, configuration);
    } finally {
      disposeWeights(stateOf(sub));
    }
  }

  /** Measures a network that `extract` gave. */
  measure(sub: Layer, configuration: Configuration): Measurement {
    const { metrics = subNetworkMetrics } = this.options;
    const all: Record<SubNetworkMetric, () => number> = {
      accuracy: () => this.accuracy(sub, configuration),
      latency: () => this.latency(sub, configuration),
      macs: () => this.#cost(sub).multiplyAdds,
      params: () => this.#cost(sub).parameters,
    };
    return Object.fromEntries(metrics.map((name) => [name, all[name]()]));
  }

  /** Share of correct answers through the plan. */
  accuracy(sub: Layer, configuration: Configuration, accuracy = this.data.accuracy): number {
    const plan = this.plan(sub, configuration, this.options.passes ?? 100);
    try {
      return accuracy((inputs) => plan.run(inputs)[0] as Tensor);
    } finally {
      plan.dispose();
    }
  }

  /** Milliseconds of a pass. */
  latency(sub: Layer, configuration: Configuration): number {
    const { threads = 1, batch = 1 } = this.options;
    return withThreads(threads, () => {
      const plan = this.plan(sub, configuration, batch);
      const example = this.data.example(batch);
      try {
        plan.feed([example]);
        return planLatency(plan, batch, this.options);
      } finally {
        plan.dispose();
        example.dispose();
      }
    });
  }

  #cost(sub: Layer) {
    return scope(() => cost((x) => sub.forward(x, inference), [this.data.example(1)], parameters(sub)));
  }
}
