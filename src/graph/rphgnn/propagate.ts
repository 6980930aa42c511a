// The pre-computation of RpHGNN: K propagate-then-update iterations over a heterogeneous graph.
//
// An iteration follows every relation e = (s → t), with M_e the mean over neighbours:
//
//   O = M_e·X_s        odd step, lands on type t, key (odd, e)
//   E = M_rev(e)·O     even step, lands back on type s, key (even, e)
//
// What lands on the target type is collected, relation by relation. Then every type's features are
// replaced by the sum over its keys of projections back to its own width (random projection
// squashing), so that widths, and the cost of an iteration, stay as they are:
//
//   X_t ← Σ_keys l2row(H_key·R_key)

import { cpu } from '../../engine/index.js';
import { type Features, featureCount } from '../../nn/index.js';
import { SparseMatrix } from '../../sparse/index.js';
import type { HeteroGraph, Relation } from '../../structure/index.js';
import { keep, type Random, scope, type Tensor, zeros } from '../../tensor/index.js';
import { type TypedFeatures, typesNeeded } from '../conv/index.js';
import { MeanChain, type ProjectionEntries, RandomProjection } from './projection.js';

/** Options of the pre-computation. */
export interface PropagationOptions extends ProjectionEntries {
  /** K: propagate-then-update iterations. Default: 3. */
  readonly iterations?: number;
  /** Steps along a relation and back in an iteration, even. Default: 2. */
  readonly innerSteps?: number;
  /**
   * Steps whose results are collected and squashed; `odd` doubles K, as information then travels
   * one step an iteration. Default: 'all'.
   */
  readonly steps?: 'all' | 'odd' | 'even';
  /**
   * How a type's results become its features: by random projection, or without one, as their sum,
   * mean, or sum of rows of length 1, which takes features of one width. Default: 'projection'.
   */
  readonly squash?: 'projection' | 'sum' | 'mean' | 'normalized';
  /**
   * What is collected: each relation's results, or what squashing makes of them all, one tensor an
   * iteration. Default: 'relations'.
   */
  readonly collection?: 'relations' | 'merged';
}

/** The options with their defaults. */
export type Propagation = Required<PropagationOptions>;

export const propagationDefaults: Propagation = {
  iterations: 3,
  innerSteps: 2,
  steps: 'all',
  squash: 'projection',
  collection: 'relations',
  entries: 'signs',
  sparsity: 3,
};

/** Tensors of one key, in the order in which they land. */
export interface GroupShape {
  /** Step and relation, such as `even paper rev_writes author`. */
  readonly name: string;
  /** Tensors of the group. */
  readonly count: number;
  /** Their width. */
  readonly width: number;
}

/** Called with each tensor [n, width] that lands on the target type, valid during the call. */
export type LandingVisitor = (group: string, values: Tensor) => void;

const MERGED = 'merged';

/** A step of an iteration along a relation. */
interface Step {
  readonly number: number;
  /** Type on which it lands. */
  readonly type: string;
  readonly name: string;
}

/** The steps of a relation whose results are wanted. */
function stepsOf({ source, target, key }: Relation, { innerSteps, steps }: Propagation): Step[] {
  return Array.from({ length: innerSteps }, (_, i): Step => {
    const isOdd = i % 2 === 0;
    const name = `${isOdd ? 'odd' : 'even'}${i < 2 ? '' : ` ${i + 1}`} ${key}`;
    return { number: i + 1, type: isOdd ? target : source, name };
  }).filter(({ number }) => steps === 'all' || (steps === 'odd') === (number % 2 === 1));
}

/** K, which odd steps alone double. */
const iterationsOf = ({ iterations, steps }: Propagation) => (steps === 'odd' ? 2 * iterations : iterations);

/**
 * What the pre-computation collects: for each key that lands on the target type, its K tensors.
 *
 * @param widths width of the features of each type
 */
export function landingGroups(
  graph: HeteroGraph,
  widths: ReadonlyMap<string, number>,
  target: string,
  options: PropagationOptions = {},
): GroupShape[] {
  const all = { ...propagationDefaults, ...options };
  const count = iterationsOf(all);
  const widthOf = (type: string) => widths.get(type) as number;
  if (all.collection === 'merged') return [{ name: MERGED, count, width: widthOf(target) }];
  return graph.relations.flatMap((relation) =>
    stepsOf(relation, all).flatMap(({ type, name }) =>
      type === target ? [{ name, count, width: widthOf(relation.source) }] : [],
    ),
  );
}

/**
 * Runs the pre-computation, calling `visit` for every tensor of `landingGroups`. Features that
 * cannot reach the target type in the iterations that are left are not computed.
 *
 * Memory: the features of all types before and after an update, and the tensors of one relation.
 *
 * @param features of every type [n, d]
 * @param random stream of the projections, a matrix of its own for each key and iteration
 * @throws Error where a type has no features, or squashing without projection meets two widths
 * @throws RangeError for options out of range
 * @see Hu, Hooi, He, "Efficient Heterogeneous Graph Learning via Random Projection", TKDE 2024
 */
export function propagateAndUpdate(
  graph: HeteroGraph,
  features: TypedFeatures,
  target: string,
  random: Random,
  options: PropagationOptions,
  visit: LandingVisitor,
): void {
  const all = { ...propagationDefaults, ...options };
  requirePropagation(graph, features, target, all);
  const merged = all.collection === 'merged';
  const iterations = iterationsOf(all);
  const needed = typesNeeded(graph, target, iterations);
  let current = features;
  for (let k = 0; k < iterations; k++) {
    const isLast = k + 1 === iterations && !merged;
    const next = new Updates(graph, current, isLast ? new Set() : (needed[k + 1] as Set<string>), all);
    const dense = new DenseFeatures(current);
    for (const relation of graph.relations)
      scope(() => {
        const chain = new MeanChain(current.get(relation.source) as Features, () => dense.of(relation.source));
        for (let i = 0; i < all.innerSteps; i++) chain.push((i % 2 === 0 ? relation : relation.reverse).mean);
        for (const { number, type, name } of stepsOf(relation, all)) {
          if (type === target && !merged) visit(name, chain.at(number));
          next.add(type, chain, number, random.split(k).split(name));
        }
      });
    dense.dispose();
    const updated = next.finish();
    if (k > 0) disposeAll(current);
    current = updated;
    if (merged) visit(MERGED, current.get(target) as Tensor);
  }
  disposeAll(current);
}

/** Frees features that updates have made. */
function disposeAll(values: TypedFeatures): void {
  for (const own of values.values()) if (!(own instanceof SparseMatrix)) own.dispose();
}

/** Features as tensors, sparse ones made dense when they are first asked for. */
class DenseFeatures {
  readonly #made = new Map<string, Tensor>();

  constructor(readonly features: TypedFeatures) {}

  of(type: string): Tensor {
    const own = this.features.get(type) as Features;
    if (!(own instanceof SparseMatrix)) return own;
    const made = this.#made.get(type) ?? keep(own.toDense());
    this.#made.set(type, made);
    return made;
  }

  dispose(): void {
    for (const made of this.#made.values()) made.dispose();
  }
}

/** The features of some types after an update: sums over the keys that land on them. */
class Updates {
  readonly #sums = new Map<string, Tensor>();
  /** Keys that land on each type. */
  readonly #keys = new Map<string, number>();

  constructor(
    graph: HeteroGraph,
    readonly current: TypedFeatures,
    readonly types: ReadonlySet<string>,
    readonly options: Propagation,
  ) {
    for (const { type } of graph.relations.flatMap((relation) => stepsOf(relation, options)))
      this.#keys.set(type, (this.#keys.get(type) ?? 0) + 1);
  }

  /** Adds what a key gives a type, unless the type's features are not needed. */
  add(type: string, chain: MeanChain, step: number, random: Random): void {
    if (!this.types.has(type)) return;
    const { squash } = this.options;
    const width = featureCount(this.current.get(type) as Features);
    const projection =
      squash === 'projection' ? new RandomProjection(chain.width, width, random, this.options) : undefined;
    const x = projection ? chain.projected(step, projection) : chain.at(step);
    projection?.dispose();
    const rows = x.shape[0] as number;
    const y = this.#sums.get(type) ?? keep(zeros([rows, width]));
    this.#sums.set(type, y);
    const alpha = squash === 'mean' ? 1 / (this.#keys.get(type) as number) : 1;
    const normalize = Number(squash === 'projection' || squash === 'normalized');
    cpu.run('addNormalizedRows', { x, y, alpha, normalize, rows, width, d: width });
  }

  /** A type on which nothing lands keeps its features. */
  finish(): TypedFeatures {
    const current = (type: string) => copyOf(this.current.get(type) as Features);
    return new Map([...this.types].map((type): [string, Features] => [type, this.#sums.get(type) ?? current(type)]));
  }
}

const copyOf = (values: Features): Features => (values instanceof SparseMatrix ? values : keep(values.clone()));

function requirePropagation(graph: HeteroGraph, features: TypedFeatures, target: string, options: Propagation): void {
  const { iterations, innerSteps, squash, sparsity } = options;
  if (!(Number.isInteger(iterations) && iterations >= 1))
    throw new RangeError(`propagateAndUpdate: expected one iteration or more, got ${iterations}`);
  if (!(Number.isInteger(innerSteps) && innerSteps >= 2 && innerSteps % 2 === 0))
    throw new RangeError(`propagateAndUpdate: expected an even number of inner steps, got ${innerSteps}`);
  if (!(sparsity >= 1)) throw new RangeError(`propagateAndUpdate: the sparsity must be at least 1, got ${sparsity}`);
  if (graph.into(target).length === 0)
    throw new Error(`propagateAndUpdate: nodes of type "${target}" are in no relation`);
  const inRelations = new Set(graph.relations.map(({ source }) => source));
  for (const type of inRelations) {
    const own = features.get(type);
    const rows = own instanceof SparseMatrix ? own.rows : own?.shape[0];
    if (rows !== graph.countOf(type))
      throw new Error(
        `propagateAndUpdate: ${rows ?? 'no'} rows of features for ${graph.countOf(type)} nodes of type "${type}"`,
      );
  }
  if (squash === 'projection') return;
  const widths = new Set([...features.values()].map(featureCount));
  if (widths.size > 1)
    throw new Error(
      `propagateAndUpdate: squash "${squash}" takes features of one width, got ${[...widths].join(', ')}; "projection" takes any`,
    );
}
