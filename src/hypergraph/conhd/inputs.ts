// Inputs for incidences without features of their own: singular vectors and centralities of
// vertices, and ranks within hyperedges.

import { type Features, featureCount } from '../../nn/index.js';
import { SparseMatrix } from '../../sparse/index.js';
import {
  type ColumnStatistics,
  cliqueOperator,
  coreNumbers,
  eigenvectorCentrality,
  Graph,
  type IncidenceList,
  memo,
  pageRank,
  powers,
  scaled,
  standardizeTable,
  truncatedSvd,
} from '../../structure/index.js';
import { keep, type Random, scope, type Tensor, tensor } from '../../tensor/index.js';

/**
 * Degree, eigenvector centrality, PageRank and core number of each vertex, [N] each, on the
 * weighted clique expansion (core numbers on the unweighted one).
 */
export function centralities(incidences: IncidenceList): readonly ArrayLike<number>[] {
  return memo(incidences, 'centralities', () => {
    const { hypergraph } = incidences;
    const n = hypergraph.vertexCount;
    const operator = cliqueOperator(hypergraph);
    const graph = Graph.fromEdges(n, ...cliqueEdges(incidences));
    return [hypergraph.vertexDegrees, eigenvectorCentrality(operator, n), pageRank(operator, n), coreNumbers(graph)];
  });
}

/** Every pair of members of every hyperedge. */
function cliqueEdges(incidences: IncidenceList): [Int32Array, Int32Array] {
  const sources: number[] = [];
  const targets: number[] = [];
  for (const members of incidences.hypergraph.hyperedges())
    for (let i = 0; i < members.length; i++)
      for (let j = i + 1; j < members.length; j++) {
        sources.push(members[i] as number);
        targets.push(members[j] as number);
      }
  return [Int32Array.from(sources), Int32Array.from(targets)];
}

/**
 * Positional encoding of incidences: for each centrality, the dense rank of v among the members of
 * e (ties share a rank, the smallest is 1), divided by |e|: [nnz, 4].
 */
export function rankPositions(incidences: IncidenceList): Tensor {
  return positionsOf(incidences, centralities(incidences));
}

/** `rankPositions` by given centralities, [N] each: [nnz, centralities]. */
export function positionsOf(incidences: IncidenceList, all: readonly ArrayLike<number>[]): Tensor {
  const { offsets } = incidences.hyperedges;
  const values = new Float32Array(incidences.count * all.length);
  for (let e = 0; e < incidences.hyperedgeCount; e++) {
    const [begin, end] = [offsets[e] as number, offsets[e + 1] as number];
    const members = incidences.vertices.subarray(begin, end);
    all.forEach((centrality, c) => {
      const scores = Float64Array.from(members, (v) => centrality[v] as number);
      const ranks = denseRanks(scores);
      for (let i = 0; i < scores.length; i++)
        values[(begin + i) * all.length + c] = (ranks[i] as number) / scores.length;
    });
  }
  return keep(tensor(values, [incidences.count, all.length]));
}

/** Ranks from 1, equal scores sharing one. */
function denseRanks(scores: Float64Array): Int32Array {
  const distinct = Float64Array.from(new Set(scores)).sort();
  return Int32Array.from(scores, (score) => distinct.indexOf(score) + 1);
}

/**
 * Given vertex features with mean 0 and deviation 1 over the vertices of labelled training
 * incidences, dense: [N, F]; and what `applyStatistics` needs for other vertices.
 */
export function standardizedFeatures(
  features: Features,
  incidences: IncidenceList,
  train: Int32Array,
): { features: Tensor; statistics: ColumnStatistics } {
  const width = featureCount(features);
  const dense = features instanceof SparseMatrix ? scope(() => features.toDense().dataSync()) : features.dataSync();
  const vertices = Int32Array.from(new Set(train.map((row) => incidences.vertices[row] as number)));
  const table = Float32Array.from(dense);
  const statistics = standardizeTable(table, width, vertices);
  return { features: keep(tensor(table, [table.length / width, width])), statistics };
}

/**
 * Vertex features from structure: the leading left singular vectors of D_v^{-1/2}HD_e^{-1/2} times
 * their singular values, and log(1 + x) of the centralities, columns standardised: [N, vectors +
 * 4].
 *
 * @param vectors number of singular vectors. Default: 40
 */
export function structuralFeatures(incidences: IncidenceList, random: Random, vectors = 40): Tensor {
  const { hypergraph } = incidences;
  return scope(() => {
    const matrix = scaled(
      new SparseMatrix(hypergraph.incidence),
      powers(hypergraph.vertexDegrees, -0.5),
      powers(hypergraph.hyperedgeSizes, -0.5),
    );
    const { vectors: left, values } = truncatedSvd(matrix, vectors, random);
    const all = centralities(incidences);
    const n = hypergraph.vertexCount;
    const k = values.length;
    const width = k + all.length;
    const table = new Float32Array(n * width);
    const leftValues = left.view();
    for (let v = 0; v < n; v++) {
      for (let j = 0; j < k; j++) table[v * width + j] = (leftValues[v * k + j] as number) * (values[j] as number);
      all.forEach((centrality, c) => {
        table[v * width + k + c] = Math.log1p(centrality[v] as number);
      });
    }
    standardizeTable(table, width);
    return keep(tensor(table, [n, width]));
  });
}
