// Policy gradient over topologies. Per query M sketches are drawn and played; sketch m counts with
// its advantage:
//
//   u = correct − β·tokens/tokens_full,  a_m = (u_m − mean of the other M − 1)/std over the batch
//   ∇ ≈ 1/(B·M) Σ a_m·∇ ln P(S_m),  ln P(S) = Σ_p [S_p·ϖ_p − softplus(ϖ_p)]
//
// Counterfactual credit plays each sketch again with one pair changed, and credits a pair with what
// it alone changes, which is the gradient with the draw of that pair summed out (local expectation
// gradients; Titsias, Lázaro-Gredilla, NeurIPS 2015):
//
//   ∂E[u]/∂ϖ_p ≈ σ(ϖ_p)·σ(−ϖ_p)·1/M Σ_m [u(S_m with p) − u(S_m without p)]
//
// It costs P more plays a sketch, so it is for teams that can be simulated.

import { Adam, type FitResult, fit, type TrainingHooks } from '../../nn/index.js';
import {
  add,
  type Key,
  multiply,
  Random,
  reshape,
  scope,
  softplus,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import type { Topology } from '../agents/topology.js';

/** What came of a discussion. */
export interface Outcome {
  /** Whether the answer was right, 1 or 0; or the probability of that. */
  readonly correct: number;
  /** Tokens of all calls. */
  readonly tokens: number;
}

/** u = correct − β·tokens/tokens_full. */
export function utilityOf({ correct, tokens }: Outcome, beta: number, fullTokens: number): number {
  return correct - (beta * tokens) / fullTokens;
}

/** A sketch: what was drawn, and the topology that it stands for. */
export interface Sketch {
  /** 1 for each choice that was drawn [L]. */
  readonly chosen: Uint8Array;
  /** 1 for each choice that was open [L]; all when left out. */
  readonly open?: Uint8Array;
  /** Who reads whom in it. */
  readonly topology: Topology;
}

/** A module that draws sketches for queries, which are rows of a table that it knows. */
export interface SketchModel {
  /** Number of choices L of a sketch. */
  readonly choices: number;
  /** Logits [B, L] of the choices for queries, and a penalty on the module; with noise if given. */
  score(queries: ArrayLike<number>, random?: Random): { readonly logits: Tensor; readonly penalty?: Tensor };
  /** A sketch from logits [L] and uniform numbers in [0, 1) [L]. */
  draw(logits: Float32Array, uniform: Float32Array): Sketch;
  /** The topology of given choices. */
  topologyOf(chosen: Uint8Array): Topology;
}

/** Options of `trainTopology`. */
export interface TopologyTrainingOptions extends TrainingHooks {
  /** Passes over the queries. Default: 150. */
  readonly epochs?: number;
  /** Queries of a step. Default: 20. */
  readonly batch?: number;
  /** M: sketches drawn for a query. Default: 10. */
  readonly samples?: number;
  /** Adam's learning rate. Default: 2e-3. */
  readonly learningRate?: number;
  /** β: what the tokens of the complete topology cost, in answers. Default: 0.5. */
  readonly beta?: number;
  /** Tokens that β is for: those of the complete topology. */
  readonly fullTokens: number;
  /** Weight of the module's penalty. Default: 1e-3. */
  readonly penaltyWeight?: number;
  /** Steps between checkpoints. Default: 1. */
  readonly checkpointEvery?: number;
  /** What a choice is credited with; see the header. Default: `sketch`. */
  readonly credit?: 'sketch' | 'counterfactual';
}

/** Plays a topology for a query; `draw` tells apart plays of one query in one step. */
export type Play = (query: number, topology: Topology, draw: number) => Outcome | Promise<Outcome>;

/** Weights of S_p·ϖ_p and of softplus(ϖ_p) in the objective, summed over sketches: [B, L] each. */
interface Credit {
  readonly chosen: Float32Array;
  readonly open: Float32Array;
}

/** What a step learns from. */
export interface TopologyStep extends Credit {
  readonly queries: Int32Array;
  readonly noise: Key;
}

/**
 * Trains a module in place. Progress, checkpoints and an abort are by step.
 *
 * @param queries number of queries
 * @throws RangeError unless there are 2 samples and a query
 */
export async function trainTopology(
  model: SketchModel,
  queries: number,
  play: Play,
  random: Random,
  options: TopologyTrainingOptions,
): Promise<FitResult> {
  const { epochs = 150, batch = 20, samples = 10, learningRate = 2e-3, penaltyWeight = 1e-3 } = options;
  if (!(Number.isInteger(samples) && samples >= 2))
    throw new RangeError(`trainTopology: samples must be at least 2, got ${samples}; each is compared with the others`);
  if (!(queries >= 1)) throw new RangeError('trainTopology: there is no query to train on');
  const steps = Math.ceil(queries / batch);
  let done = 0;
  return fit<SketchModel & object, TopologyStep>({
    model,
    // A step is an epoch of its own: what was played for it may have been paid for.
    epochs: epochs * steps,
    random,
    optimizer: new Adam({ learningRate }),
    batches: async function* (stream) {
      const permuted = random
        .split('passes')
        .split(Math.floor(done / steps))
        .permutation(queries);
      const from = (done % steps) * batch;
      yield await rollOut(model, permuted.slice(from, from + batch), play, stream, options);
    },
    loss: (live, step) => surrogateLoss(live, step, penaltyWeight),
    signal: options.signal,
    checkpoint: options.checkpoint,
    checkpointEvery: options.checkpointEvery ?? 1,
    onEpoch: (report) => {
      done = report.epoch;
      options.onEpoch?.(report);
    },
  });
}

/** −Σ credit·ln P, with the noise that the sketches were drawn under, plus the penalty. */
export function surrogateLoss(
  live: SketchModel,
  { queries, noise, chosen, open }: TopologyStep,
  penaltyWeight: number,
): Tensor {
  const { logits, penalty } = live.score(queries, new Random(noise));
  const gain = policyObjective(logits, { chosen, open });
  const loss = multiply(gain, -1 / queries.length);
  return penalty ? add(loss, multiply(penalty, penaltyWeight)) : loss;
}

/** Σ [chosen·ϖ − open·softplus(ϖ)]: with chosen = Σ a·S and open = Σ a it is Σ a·ln P(S). */
export function policyObjective(logits: Tensor, { chosen, open }: Credit): Tensor {
  const weights = (values: Float32Array) => tensor(values, logits.shape);
  return sum(subtract(multiply(weights(chosen), logits), multiply(weights(open), softplus(logits))));
}

/** Draws and plays the sketches of a step; an aborted one is empty. */
export async function rollOut(
  model: SketchModel,
  queries: Int32Array,
  play: Play,
  random: Random,
  options: TopologyTrainingOptions,
): Promise<TopologyStep> {
  const { samples = 10, credit = 'sketch', signal } = options;
  const noise = random.split('noise').key;
  const L = model.choices;
  const [logits, uniform] = scope(() => [
    reshape(model.score(queries, new Random(noise)).logits, [-1])
      .dataSync<Float32Array>()
      .slice(),
    random.split('sketches').uniform([queries.length, samples, L]).dataSync<Float32Array>().slice(),
  ]) as [Float32Array, Float32Array];
  const drawn = Array.from({ length: queries.length * samples }, (_, at) => {
    const query = Math.floor(at / samples);
    return model.draw(logits.subarray(query * L, (query + 1) * L), uniform.subarray(at * L, (at + 1) * L));
  });
  const queryOf = (at: number) => queries[Math.floor(at / samples)] as number;
  try {
    const utilities = await playAll(
      drawn.map(({ topology }, at) => [queryOf(at), topology, at] as const),
      play,
      options,
    );
    const normalized = advantages(utilities, samples);
    if (credit === 'sketch') return { queries, noise, ...sketchCredit(drawn, normalized.values, samples) };
    const changed = drawn.flatMap(({ chosen }, at) =>
      Array.from({ length: L }, (_, choice) => {
        const other = chosen.slice();
        other[choice] = 1 - (other[choice] as number);
        return [queryOf(at), model.topologyOf(other), at] as const;
      }),
    );
    const others = await playAll(changed, play, options);
    return { queries, noise, ...counterfactualCredit(drawn, { logits, utilities, others, samples, ...normalized }) };
  } catch (error) {
    if (!signal?.aborted) throw error;
    const none = new Float32Array(queries.length * L);
    return { queries, noise, chosen: none, open: none };
  }
}

/** Utilities of plays; promises are awaited together. */
async function playAll(
  plays: readonly (readonly [query: number, topology: Topology, draw: number])[],
  play: Play,
  { beta = 0.5, fullTokens }: TopologyTrainingOptions,
): Promise<Float64Array> {
  const outcomes = plays.map((each) => play(...each));
  const all = outcomes.some((outcome) => outcome instanceof Promise) ? await Promise.all(outcomes) : outcomes;
  return Float64Array.from(all as Outcome[], (outcome) => utilityOf(outcome, beta, fullTokens));
}

/**
 * Advantages of utilities, `samples` for a query one after the other: each less the mean of the
 * others of its query, divided by the deviation over the batch (at least 10⁻⁶).
 */
export function advantages(
  utilities: Float64Array,
  samples: number,
): { readonly values: Float64Array; readonly deviation: number } {
  const raw = utilities.map((own, at) => {
    const from = at - (at % samples);
    const total = utilities.subarray(from, from + samples).reduce((sum, value) => sum + value, 0);
    return own - (total - own) / (samples - 1);
  });
  const center = raw.reduce((sum, value) => sum + value, 0) / raw.length;
  const variance = raw.reduce((sum, value) => sum + (value - center) ** 2, 0) / raw.length;
  const deviation = Math.max(Math.sqrt(variance), 1e-6);
  return { values: raw.map((value) => value / deviation), deviation };
}

/** Every choice that was open counts with the advantage of its sketch. */
function sketchCredit(drawn: readonly Sketch[], values: Float64Array, samples: number): Credit {
  const L = drawn[0]?.chosen.length ?? 0;
  const size = (drawn.length / samples) * L;
  const [chosen, open] = [new Float32Array(size), new Float32Array(size)];
  drawn.forEach((sketch, at) => {
    const from = Math.floor(at / samples) * L;
    const share = (values[at] as number) / samples;
    for (let choice = 0; choice < L; choice++) {
      if (sketch.open?.[choice] === 0) continue;
      open[from + choice] = (open[from + choice] as number) + share;
      chosen[from + choice] = (chosen[from + choice] as number) + share * (sketch.chosen[choice] as number);
    }
  });
  return { chosen, open };
}

/** Every choice counts with what it alone changes. */
function counterfactualCredit(
  drawn: readonly Sketch[],
  {
    logits,
    utilities,
    others,
    samples,
    deviation,
  }: {
    readonly logits: Float32Array;
    readonly utilities: Float64Array;
    readonly others: Float64Array;
    readonly samples: number;
    readonly deviation: number;
  },
): Credit {
  const L = drawn[0]?.chosen.length ?? 0;
  const chosen = new Float32Array((drawn.length / samples) * L);
  drawn.forEach((sketch, at) => {
    const from = Math.floor(at / samples) * L;
    for (let choice = 0; choice < L; choice++) {
      const sign = sketch.chosen[choice] === 1 ? 1 : -1;
      const gain = sign * ((utilities[at] as number) - (others[at * L + choice] as number));
      const probability = 1 / (1 + Math.exp(-(logits[from + choice] as number)));
      const share = (gain * probability * (1 - probability)) / (samples * deviation);
      chosen[from + choice] = (chosen[from + choice] as number) + share;
    }
  });
  return { chosen, open: new Float32Array(chosen.length) };
}
