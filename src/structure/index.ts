// Floor 4: validated data structures on sparse matrices.

export {
  cliqueOperator,
  coreNumbers,
  eigenvectorCentrality,
  type LinearMap,
  pageRank,
  truncatedSvd,
} from './centrality.js';
export {
  changGraphs,
  completeGraph,
  cycles,
  furerBases,
  furerPair,
  graphOfPairs,
  graphOfText,
  lineGraph,
  rookGraph,
  seidelSwitching,
  shrikhandeGraph,
} from './constructions.js';
export * from './directed/index.js';
export {
  type DisjointGraphs,
  type DisjointHypergraphs,
  disjointGraphs,
  disjointHypergraphs,
  operatorByParts,
} from './disjoint.js';
export { type Cuts, cutsOf, hopDistances, resistanceCodes, UNREACHABLE } from './distances.js';
export {
  dualHypergraph,
  dualIncidences,
  dualPropagation,
  edgeIncidences,
  edgesOfIncidences,
  type FeaturedIncidences,
} from './dual.js';
export {
  type BlockModelOptions,
  blockModel,
  connectedGraph,
  erdosRenyi,
  type PlantedHypergraph,
  type PlantedOptions,
  plantedHypergraph,
  rmat,
  triadicStream,
  uniformHypergraph,
} from './generators.js';
export { Graph, type GraphOptions } from './graph.js';
export { type EdgeEnds, GraphCollection, type Neighbours, type SelectedGraphs } from './graph-collection.js';
export { type PlantedPapers, type PlantedPapersOptions, plantedPapers } from './hetero-generator.js';
export { HeteroGraph, Relation, type RelationEdges } from './hetero-graph.js';
export {
  type DirectedHyperedge,
  type DisjointHeterogeneous,
  disjointHeterogeneous,
  HEAD,
  HeterogeneousHypergraph,
  TAIL,
} from './heterogeneous.js';
export { Hypergraph, type MergeRule } from './hypergraph.js';
export { consecutiveGroups, type Grouping, IncidenceList } from './incidence.js';
export { type IncidenceLevel, type IncidenceSample, IncidenceSampler } from './incidence-sampling.js';
export { type LinkHeuristic, linkHeuristic, linkHeuristics } from './link-heuristics.js';
export { memo } from './memo.js';
export {
  graphOperator,
  meanPropagation,
  type OperatorOptions,
  type Propagation,
  powers,
  scaled,
  sumPropagation,
  symmetricAdjacency,
  symmetricPropagation,
  withUnitLoops,
} from './operators.js';
export { gaussianOfNames } from './random-gaussian.js';
export { randomSigns } from './random-signs.js';
export { type Restricted, restrict } from './restrict.js';
export {
  AliasTable,
  fillAlias,
  holdOutEdges,
  type SampledLayer,
  sampleNeighbours,
  sampleNonEdges,
} from './sampling.js';
export { applyStatistics, type ColumnStatistics, standardizeTable } from './standardize.js';
export { type TemporalEvents, TemporalGraph } from './temporal.js';
