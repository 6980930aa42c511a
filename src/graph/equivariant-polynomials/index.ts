// Equivariant polynomials (Puny, Lim, Kiani, Maron, Lipman, "Equivariant Polynomials for Graph
// Neural Networks", ICML 2023): what a graph network can compute, by the degree of polynomials.
//
// Every permutation-equivariant polynomial of a graph is a sum of P_H(X), one for each small
// multigraph H with red nodes (`polynomialBasis`); its value is a tensor contraction
// (`evaluatePattern`). A network computes P_H when nodes of H can be eliminated with few
// neighbours,
// one for message passing, two for networks on pairs of nodes (`isComputable`). What a network
// lacks
// is added as features (`missingPatterns`) or as an aggregation (`triangleSum`); PPGN++ has the
// transpose and the identity that plain PPGN lacks:
//
//   M₁ = MLP₁([T ; Tᵀ]),  M₂ = MLP₂(T),  T' = W·[T ; M₁·M₂] + b

export { type BasisOptions, connectedPatterns, polynomialBasis } from './basis.js';
export {
  type ContractionLimits,
  type ContractionStep,
  contractionOrder,
  denseValue,
  evaluatePattern,
  type PatternValue,
  type SparseInput,
  sparseInput,
} from './contract.js';
export {
  adjacencyInput,
  automorphisms,
  type CountKind,
  countPattern,
  type PatternCounts,
  quotients,
} from './counts.js';
export { type Distinction, DoublePPGN, toldApart } from './double.js';
export {
  type FeatureOptions,
  missingPatterns,
  nodePolynomials,
  type PolynomialChannels,
  type PolynomialEncoding,
  type PolynomialFeature,
  pairPolynomials,
  polynomialChannels,
  polynomialEncoding,
  polynomialFeatures,
  withNodePolynomials,
} from './features.js';
export { PPGN_MODEL, type PPGNDescription, PPGNModel } from './model.js';
export { namedPatterns, patternNamed } from './named.js';
export { PPGN, PPGNBlock, type PPGNOptions, type PPGNSizes } from './network.js';
export {
  canonicalForm,
  type Directedness,
  letterOf,
  type NamedPattern,
  type Pattern,
  type PatternEdge,
  parsePattern,
  patternOf,
  patternText,
} from './pattern.js';
export {
  type Computability,
  type EliminationStep,
  isComputable,
  type PolynomialModel,
  runSequence,
  sequenceLines,
} from './reduce.js';
export { TriangleNetwork, type TriangleOptions, type Triangles, triangleSum, trianglesOf } from './triangles.js';
