// Made search problems: accuracy that grows concavely with every gene, with pairs that act together
// and noise; latency that adds up, and waits for the slowest of three groups.

import { frontOf, GeneSpace, hypervolume, type Measurement, nsga2, paretoFront } from '../../compress/index.js';
import type { Configuration } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { nadirOf, type SearchProblem, type Trace } from './search-arms.js';

/** A problem with the hypervolume of its front. */
export interface Landscape extends SearchProblem {
  readonly truth: (configuration: Configuration) => Measurement;
  /** Hypervolume of the true front; of a space too large to list, of the best known one. */
  readonly whole: number;
}

/** Standard deviation of a measured accuracy, in points. */
const NOISE = 0.1;
/** Configurations up to which a space is listed. */
const LISTED = 100_000;
/** Groups whose slowest the latency waits for. */
const GROUPS = 3;

/** Weights of genes, and of latency on one of several devices. */
function weightsOf(count: number, random: Random, device: number) {
  const draws = (stream: Random, low: number, high: number) =>
    Array.from({ length: count }, () => low + (high - low) * stream.float());
  const gain = draws(random.split('gain'), 0.3, 1.3);
  const own = draws(random.split(`latency ${device}`), 0, 0.6);
  const pairing = random.split('pairs');
  return {
    gain,
    cost: gain.map((value, i) => 0.6 * value + (own[i] as number)),
    pairs: Array.from(
      { length: count },
      () => [pairing.integer(count), pairing.integer(count), 0.6 * (pairing.float() - 0.5)] as const,
    ),
    group: Array.from({ length: count }, (_, i) => i % GROUPS),
  };
}

/**
 * A problem of genes with three choices each.
 *
 * @param seed which problem; the noise of a measurement depends on it and the configuration
 * @param device the latency of which of several devices
 */
export async function landscape(genes: number, seed: number, device = 0): Promise<Landscape> {
  const random = new Random(seed).split('landscape');
  const { gain, cost, pairs, group } = weightsOf(genes, random, device);
  const all = gain.reduce((sum, value) => sum + value, 0);
  const truth = ({ gene = [] }: Configuration): Measurement => {
    const x = gene.map((choice) => choice / 2);
    let accuracy = x.reduce((sum, value, i) => sum + (gain[i] as number) * Math.sqrt(value), 0);
    for (const [a, b, strength] of pairs) accuracy += strength * (x[a] as number) * (x[b] as number);
    const slowest = new Float64Array(GROUPS);
    x.forEach((value, i) => {
      const at = group[i] as number;
      slowest[at] = (slowest[at] as number) + (cost[i] as number) * value;
    });
    const latency = 5 + slowest.reduce((sum, value) => sum + value, 0) + Math.max(...slowest);
    return { accuracy: 60 + (30 * accuracy) / all, latency };
  };
  const noise = random.split('noise');
  const problem = {
    space: new GeneSpace({ gene: { count: genes, values: [0, 1, 2] } }),
    objectives: ['accuracy', 'latency'] as const,
    truth,
    evaluate: (configuration: Configuration) => {
      const { accuracy = 0, latency = 0 } = truth(configuration);
      const drawn = noise.split(configuration.gene?.join('') ?? '').gaussian();
      return { accuracy: accuracy + NOISE * drawn, latency };
    },
  };
  const sample = random.split('sample');
  const reference = await nadirOf(
    problem,
    Array.from({ length: 100 }, () => problem.space.sample(sample)),
  );
  return { ...problem, reference, whole: hypervolume(bestFront(problem, random.split('front')), reference) };
}

/** The true front of a small space; of a large one that of a long search without noise. */
function bestFront({ space, truth }: Pick<Landscape, 'space' | 'truth'>, random: Random): Trace {
  const point = (genome: Int32Array): [number, number] => {
    const { accuracy = 0, latency = 0 } = truth(space.decode(genome));
    return [-accuracy, latency];
  };
  if (space.size <= LISTED) return front([...space.all()].map(point));
  const evolution = nsga2(space, random, { population: 100 });
  for (let generation = 0; generation < 200; generation++)
    evolution.tell(evolution.ask().map((genome) => ({ genome, values: point(genome) })));
  return front(evolution.population.map(({ values }) => Array.from(values)));
}

const front = (points: Trace): Trace => paretoFront(points).map((i) => points[i] as readonly number[]);

/** Configurations of the front of some measurements, such as to begin another search with. */
export const warmFrom = (
  evaluations: readonly { readonly configuration: Configuration; readonly measured: Measurement }[],
): readonly Configuration[] => frontOf(evaluations, ['accuracy', 'latency']).map(({ configuration }) => configuration);
