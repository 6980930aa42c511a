// Embeddings of knowledge graphs on the grid: triples (head, relation, tail) fall into blocks by
// the parts of head and tail, and blocks without a common part train side by side, negatives drawn
// from their own parts. Relations are few: each block trains a copy, and the changes are added up
// after every group.
//
//   TransE   γ − Σ |h + r − t|          Bordes et al., NeurIPS 2013
//   DistMult Σ h·r·t                    Yang et al., ICLR 2015
//   ComplEx  Re Σ h·r·conj(t)           Trouillon et al., ICML 2016
//   RotatE   γ − Σ |h∘e^{ir} − t|       Sun et al., ICLR 2019, whose negatives weigh by their
//   scores

import { cpu, eventTurn } from '../../engine/index.js';
import { emptyTensor, keep, Random, scope, type Tensor, tensor, zeros } from '../../tensor/index.js';
import { gridSchedule, zigzagParts } from '../grid.js';
import type { GraphViteHooks } from './options.js';
import { ints } from './pools.js';

/** Names of the scores, in the order of the kernel's numbers. */
export const knowledgeModels = ['transe', 'rotate', 'distmult', 'complex'] as const;
/** Name of a score. */
export type KnowledgeModelName = (typeof knowledgeModels)[number];

/** Facts: heads[i] is in relation relations[i] to tails[i]. */
export interface Triples {
  /** Entity numbers. */
  readonly heads: Int32Array;
  /** Relation numbers, as many. */
  readonly relations: Int32Array;
  /** Entity numbers, as many. */
  readonly tails: Int32Array;
}

/** Hyperparameters of embeddings of knowledge graphs. */
export interface KnowledgeOptions extends GraphViteHooks {
  /** The score. Default: 'rotate'. */
  readonly model?: KnowledgeModelName;
  /**
   * Floats of an entity, a multiple of 8; half of them are real for RotatE and ComplEx. Default:
   * 64.
   */
  readonly dim?: number;
  /** Passes over the triples. Default: 200. */
  readonly epochs?: number;
  /** Negatives of a triple. Default: 16. */
  readonly negatives?: number;
  /** γ of TransE and RotatE. Default: 9. */
  readonly margin?: number;
  /** Sharpness of the weights of negatives by their scores; 0 weighs all alike. Default: 1. */
  readonly adversarial?: number;
  /** Learning rate of AdaGrad, which falls linearly to a hundredth. Default: 0.1. */
  readonly learningRate?: number;
  /** L2 decay of rows. Default: 0, of DistMult and ComplEx 0.001. */
  readonly decay?: number;
  /** Parts of the entities. Default: 4, of fewer than 64 entities 1. */
  readonly parts?: number;
  /** Seed of all random draws. Default: 42. */
  readonly seed?: number;
}

const knowledgeDefaults = {
  model: 'rotate',
  dim: 64,
  epochs: 200,
  negatives: 16,
  margin: 9,
  adversarial: 1,
  learningRate: 0.1,
  seed: 42,
} as const;
/** Decay of the scores that are products. */
const PRODUCT_DECAY = 1e-3;
/** Entities below which the grid has one part, and its parts otherwise. */
const SMALL = 64;
const PARTS = 4;
/** Initial rows lie within ±(γ + 2)/dim, as RotatE's authors have them. */
const SLACK = 2;
/** The learning rate ends at this share of it. */
const LAST_RATE = 0.01;
/** Queries that are scored at a time. */
const QUERIES = 64;

/** A trained model: rows of entities and relations, and how triples are scored. */
export class KnowledgeModel {
  constructor(
    /** The score. */
    readonly model: KnowledgeModelName,
    /** γ of TransE and RotatE. */
    readonly margin: number,
    /** [entities, dim] */
    readonly entities: Tensor,
    /** [relations, dim] */
    readonly relations: Tensor,
  ) {}

  /**
   * Scores of all entities in the open place of each query, whose head or tail is −1; larger is
   * more likely.
   *
   * @returns [queries, entities], row after row
   */
  scores(queries: Triples): Float32Array {
    const [count, d] = this.entities.shape as [number, number];
    const rows = queries.heads.length;
    const packed = new Int32Array(3 * rows);
    for (let i = 0; i < rows; i++)
      packed.set([queries.heads[i], queries.relations[i], queries.tails[i]] as number[], 3 * i);
    return scope(() => {
      const scores = emptyTensor([rows, count], 'f32');
      cpu.run('scoreEntities', {
        queries: tensor(packed),
        entities: this.entities,
        relations: this.relations,
        count,
        d,
        model: knowledgeModels.indexOf(this.model),
        margin: this.margin,
        scores,
        rows,
      });
      return scores.dataSync<Float32Array>();
    });
  }

  /** Frees the tensors. */
  dispose(): void {
    this.entities.dispose();
    this.relations.dispose();
  }
}

/**
 * Trains embeddings of a knowledge graph. Results do not depend on the number of threads.
 *
 * @throws RangeError for options out of range, numbers of entities or relations that are none, or
 * no triple; the reason of `signal` when it aborts
 */
export async function embedKnowledge(
  triples: Triples,
  { entities, relations }: { readonly entities: number; readonly relations: number },
  options: KnowledgeOptions = {},
): Promise<KnowledgeModel> {
  const settings = { ...knowledgeDefaults, ...options };
  requireTriples(triples, entities, relations);
  const { model, dim, epochs, negatives, margin, learningRate, adversarial, seed, onProgress, signal } = settings;
  if (!(Number.isInteger(dim) && dim >= 8 && dim % 8 === 0))
    throw new RangeError(`embedKnowledge: dim must be a multiple of 8, got ${dim}`);
  for (const name of ['epochs', 'negatives'] as const)
    if (!(Number.isInteger(settings[name]) && settings[name] >= 1))
      throw new RangeError(`embedKnowledge: ${name} must be a positive integer, got ${settings[name]}`);
  const isProduct = model === 'distmult' || model === 'complex';
  const { decay = isProduct ? PRODUCT_DECAY : 0, parts = entities < SMALL ? 1 : PARTS } = options;
  if (!(Number.isInteger(parts) && parts >= 1 && parts <= entities))
    throw new RangeError(`embedKnowledge: parts must be from 1 to ${entities}, got ${parts}`);
  const random = new Random(seed).split('knowledge');
  const blocks = blocksOf(triples, entities, parts);
  const schedule = gridSchedule(parts, true);
  const copies = Math.max(...schedule.map(({ length }) => length));
  const range = (margin + SLACK) / dim;
  const rows = keep(random.split('entities').uniform([entities, dim], -range, range));
  const kinds = keep(random.split('relations').uniform([relations, dim], -1, 1));
  const spread = model === 'rotate' ? Math.PI : range;
  kinds.view().forEach((value, i, all) => {
    all[i] = value * spread;
  });
  const entitySums = keep(zeros([entities]));
  const relationSums = keep(zeros([relations]));
  const ownRelations = keep(zeros([copies, relations, dim]));
  const ownSums = keep(zeros([copies, relations]));
  const losses = keep(zeros([4 * copies]));
  const packed = keep(emptyTensor([3 * triples.heads.length], 'i32'));
  const started = performance.now();
  let [trained, stream] = [0, 0];
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const starts = blocks.shuffle(ints(packed), random.split('order').split(epoch));
      const rate = learningRate * Math.max(1 - epoch / epochs, LAST_RATE);
      let [sum, count] = [0, 0];
      for (const group of schedule) {
        spreadOut(kinds, ownRelations, relationSums, ownSums, group.length);
        const tasks = group.flatMap(([row, column]) => {
          const cell = row * parts + column;
          const span = (part: number) => [
            blocks.bounds[part] as number,
            (blocks.bounds[part + 1] as number) - (blocks.bounds[part] as number),
          ];
          stream = (stream + 1) & 0x7fffffff;
          return [starts[cell] as number, starts[cell + 1] as number, ...span(row), ...span(column), stream, 0];
        });
        scope(() =>
          cpu.run('trainTriples', {
            tasks: tensor(Int32Array.from(tasks)),
            triples: packed,
            entities: rows,
            entitySums,
            relations: ownRelations,
            relationSums: ownSums,
            relationCount: relations,
            d: dim,
            model: knowledgeModels.indexOf(model),
            negatives,
            margin,
            adversarial,
            rate,
            decay,
            losses,
            key: random.split('negatives').key,
            blocks: group.length,
          }),
        );
        addUp(kinds, ownRelations, group.length);
        addUp(relationSums, ownSums, group.length);
        const totals = new Float64Array(losses.view().slice(0, 4 * group.length).buffer);
        for (let task = 0; task < group.length; task++) {
          sum += totals[2 * task] as number;
          count += totals[2 * task + 1] as number;
        }
      }
      trained += count;
      const seconds = (performance.now() - started) / 1000;
      onProgress?.({
        done: (epoch + 1) / epochs,
        pairs: trained,
        pairsPerSecond: trained / Math.max(seconds, 1e-9),
        loss: sum / count,
      });
      await eventTurn(signal);
    }
    return new KnowledgeModel(model, margin, inOrder(rows, blocks.places), keep(kinds));
  } catch (error) {
    kinds.dispose();
    throw error;
  } finally {
    for (const held of [rows, entitySums, relationSums, ownRelations, ownSums, losses, packed]) held.dispose();
  }
}

/** Copies relations and their accumulators for each task. */
function spreadOut(relations: Tensor, copies: Tensor, sums: Tensor, ownSums: Tensor, tasks: number): void {
  for (let task = 0; task < tasks; task++) {
    copies.view().set(relations.view(), task * relations.size);
    ownSums.view().set(sums.view(), task * sums.size);
  }
}

/** Adds to each value what the copies have changed, in the order of the tasks. */
function addUp(target: Tensor, copies: Tensor, tasks: number): void {
  const [values, changed] = [target.view(), copies.view()];
  for (let i = 0; i < values.length; i++) {
    const before = values[i] as number;
    let sum = before;
    for (let task = 0; task < tasks; task++) sum += (changed[task * values.length + i] as number) - before;
    values[i] = sum;
  }
}

/** Rows of entities in the order of their numbers. */
function inOrder(rows: Tensor, places: Int32Array): Tensor {
  const [n, d] = rows.shape as [number, number];
  const values = new Float32Array(n * d);
  const ordered = rows.view();
  places.forEach((place, entity) => {
    values.set(ordered.subarray(place * d, (place + 1) * d), entity * d);
  });
  return keep(tensor(values, [n, d]));
}

/** Triples by blocks of a zig-zag partition by degree. */
function blocksOf({ heads, relations, tails }: Triples, entities: number, parts: number) {
  const degrees = new Float64Array(entities);
  for (const side of [heads, tails]) for (const v of side) degrees[v] = (degrees[v] as number) + 1;
  const places = new Int32Array(entities);
  const partOf = new Int32Array(entities);
  const bounds = new Int32Array(parts + 1);
  zigzagParts(degrees, parts).forEach((members, part) => {
    const first = bounds[part] as number;
    members.forEach((v, i) => {
      places[v] = first + i;
      partOf[v] = part;
    });
    bounds[part + 1] = first + members.length;
  });
  const cells = Int32Array.from(
    heads,
    (h, i) => (partOf[h] as number) * parts + (partOf[tails[i] as number] as number),
  );
  const starts = new Int32Array(parts ** 2 + 1);
  for (const cell of cells) starts[cell + 1] = (starts[cell + 1] as number) + 1;
  for (let cell = 0; cell < parts ** 2; cell++)
    starts[cell + 1] = (starts[cell + 1] as number) + (starts[cell] as number);
  return {
    places,
    bounds,
    /**
     * Writes (head, relation, tail) by blocks, each in a random order; gives where blocks start.
     */
    shuffle(into: Int32Array, random: Random): Int32Array {
      const next = starts.slice();
      for (const i of random.permutation(heads.length)) {
        const cell = cells[i] as number;
        const at = 3 * (next[cell] as number);
        next[cell] = (next[cell] as number) + 1;
        into[at] = places[heads[i] as number] as number;
        into[at + 1] = relations[i] as number;
        into[at + 2] = places[tails[i] as number] as number;
      }
      return starts;
    },
  };
}

function requireTriples({ heads, relations, tails }: Triples, entities: number, kinds: number): void {
  if (heads.length === 0 || heads.length !== relations.length || heads.length !== tails.length)
    throw new RangeError(
      `embedKnowledge: ${heads.length} heads, ${relations.length} relations and ${tails.length} tails are no triples`,
    );
  const outside = (values: Int32Array, count: number) => values.find((v) => !(v >= 0 && v < count));
  for (const [name, values, count] of [
    ['entity', heads, entities],
    ['entity', tails, entities],
    ['relation', relations, kinds],
  ] as const) {
    const wrong = outside(values, count);
    if (wrong !== undefined) throw new RangeError(`embedKnowledge: ${name} ${wrong} is outside 0…${count - 1}`);
  }
}

/** Ranks of the true answers among all entities that make no known triple. */
export interface RankScores {
  /** Mean of 1/rank. */
  readonly mrr: number;
  /** Mean rank. */
  readonly meanRank: number;
  /** Share of ranks of 1. */
  readonly hits1: number;
  /** Share of ranks up to 3. */
  readonly hits3: number;
  /** Share of ranks up to 10. */
  readonly hits10: number;
}

/**
 * Filtered ranking: for each test triple the tail among all entities for (head, relation), and the
 * head likewise; other entities that make a known triple do not count. Entities of an equal score
 * share the mean of their ranks.
 *
 * @param known all triples of training, validation and test
 */
export function filteredRanks(model: KnowledgeModel, test: Triples, known: readonly Triples[]): RankScores {
  const answers = new Map<string, Set<number>>();
  const note = (key: string, entity: number) => answers.set(key, (answers.get(key) ?? new Set()).add(entity));
  for (const { heads, relations, tails } of [...known, test])
    heads.forEach((head, i) => {
      note(`${head} ${relations[i]} ?`, tails[i] as number);
      note(`? ${relations[i]} ${tails[i]}`, head);
    });
  const ranks: number[] = [];
  const n = model.entities.shape[0] as number;
  for (const open of ['tails', 'heads'] as const)
    for (let from = 0; from < test.heads.length; from += QUERIES) {
      const part = (values: Int32Array) => values.slice(from, from + QUERIES);
      const queries = { heads: part(test.heads), relations: part(test.relations), tails: part(test.tails) };
      const truth = queries[open].slice();
      const keys = Array.from(truth, (_, i) =>
        open === 'tails'
          ? `${queries.heads[i]} ${queries.relations[i]} ?`
          : `? ${queries.relations[i]} ${queries.tails[i]}`,
      );
      const scores = model.scores({ ...queries, [open]: truth.map(() => -1) });
      truth.forEach((entity, i) => {
        ranks.push(rankOf(scores.subarray(i * n, (i + 1) * n), entity, answers.get(keys[i] as string) as Set<number>));
      });
    }
  const share = (k: number) => ranks.filter((rank) => rank <= k).length / ranks.length;
  const mean = (of: (rank: number) => number) => ranks.reduce((sum, rank) => sum + of(rank), 0) / ranks.length;
  return { mrr: mean((r) => 1 / r), meanRank: mean((r) => r), hits1: share(1), hits3: share(3), hits10: share(10) };
}

function rankOf(scores: Float32Array, truth: number, known: ReadonlySet<number>): number {
  const own = scores[truth] as number;
  let [above, equal] = [0, 0];
  scores.forEach((score, entity) => {
    if (entity === truth || known.has(entity)) return;
    if (score > own) above += 1;
    else if (score === own) equal += 1;
  });
  return 1 + above + equal / 2;
}
