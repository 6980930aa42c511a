// The lowest eigenvectors of the magnetic Laplacian as coordinates of nodes.

import { hermitianEigenpairs } from '../../linalg/index.js';
import { Random } from '../../tensor/index.js';
import { Graph } from '../graph.js';
import { memo } from '../memo.js';
import { type ComplexMatrix, magneticOperator } from './magnetic.js';

/** Low eigenpairs of L = I − H of one connected component. */
export interface MagneticSpectrum {
  /** Eigenvalues in ascending order [k]. */
  readonly values: Float64Array;
  /** Real parts, then imaginary parts of each eigenvector, [2n] each, in the order of the nodes. */
  readonly vectors: readonly Float64Array[];
}

/** Wider spaces than usual: the spectra of graphs are dense next to the lowest eigenvalues. */
const DIMENSION = 64;

/**
 * The k lowest eigenpairs of the magnetic Laplacian of a graph, each vector of unit length and
 * turned so that its largest element is real and positive.
 *
 * @param k at most n
 * @param tolerance residual of an eigenvector; errors of eigenvalues are of its square. Default:
 * 1e-6
 */
export function magneticSpectrum(graph: Graph, q: number, k: number, tolerance = 1e-6): MagneticSpectrum {
  return memo(graph, `magneticSpectrum ${q} ${k} ${tolerance}`, () => {
    const hermitian: ComplexMatrix = magneticOperator(graph, q);
    const random = new Random(0).split('magneticSpectrum');
    const { values, vectors } = hermitianEigenpairs((x) => hermitian.times(x), graph.nodeCount, k, random, {
      tolerance,
      dimension: DIMENSION,
    });
    return { values: values.map((value) => 1 - value), vectors: vectors.map(turned) };
  });
}

/** e^{iφ}·x whose element of the largest magnitude, of equals the first, is real and positive. */
function turned(x: Float64Array): Float64Array {
  const n = x.length / 2;
  const size = (v: number) => (x[v] as number) ** 2 + (x[n + v] as number) ** 2;
  let largest = 0;
  // Equal magnitudes differ by rounding.
  for (let v = 1; v < n; v++) if (size(v) > size(largest) * (1 + 1e-9)) largest = v;
  const length = Math.sqrt(size(largest));
  const [c, s] = [(x[largest] as number) / length, -(x[n + largest] as number) / length];
  return Float64Array.from(x, (value, i) => {
    const partner = x[i < n ? i + n : i - n] as number;
    return i < n ? value * c - partner * s : partner * s + value * c;
  });
}

/**
 * Real and imaginary parts of the k lowest magnetic eigenvectors at each node, side by side [n, 2k]
 * row after row, scaled by √n of the component: those of the node's own connected component, 0
 * beyond its size. Vectors of equal eigenvalues are defined up to a rotation among them.
 */
export function magneticCoordinates(graph: Graph, q: number, k: number): Float32Array {
  return memo(graph, `magneticCoordinates ${q} ${k}`, () => {
    const coordinates = new Float32Array(graph.nodeCount * 2 * k);
    for (const { nodes, own } of componentsOf(graph)) {
      const { vectors } = magneticSpectrum(own, q, Math.min(k, nodes.length));
      const scale = Math.sqrt(nodes.length);
      vectors.forEach((vector, j) => {
        nodes.forEach((v, i) => {
          coordinates[v * 2 * k + 2 * j] = scale * (vector[i] as number);
          coordinates[v * 2 * k + 2 * j + 1] = scale * (vector[nodes.length + i] as number);
        });
      });
    }
    return coordinates;
  });
}

/** The connected components, directions ignored, each with the nodes that it is made of. */
function componentsOf(graph: Graph): { readonly nodes: readonly number[]; readonly own: Graph }[] {
  const { components, nodeCount } = graph;
  const members: number[][] = [];
  const place = new Int32Array(nodeCount);
  components.forEach((component, v) => {
    members[component] ??= [];
    place[v] = (members[component] as number[]).push(v) - 1;
  });
  if (members.length === 1) return [{ nodes: members[0] as number[], own: graph }];
  const edges = members.map(() => ({ sources: [] as number[], targets: [] as number[], weights: [] as number[] }));
  const { sources, targets, weights } = graph.edges();
  sources.forEach((u, e) => {
    const own = edges[components[u] as number] as (typeof edges)[number];
    own.sources.push(place[u] as number);
    own.targets.push(place[targets[e] as number] as number);
    own.weights.push(weights?.[e] ?? 1);
  });
  return members.map((nodes, component) => {
    const { sources: from, targets: to, weights: own } = edges[component] as (typeof edges)[number];
    const options = { directed: graph.directed, ...(weights && { weights: own }) };
    return { nodes, own: Graph.fromEdges(nodes.length, from, to, options) };
  });
}
