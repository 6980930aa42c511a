// HyPINO (Bischof, Piovarči, Kraus, Mishra, Bickel, "HyPINO: Multi-Physics Neural Operators via
// HyperPINNs and the Method of Manufactured Solutions", 2025, arXiv 2509.05117).
//
// A hypernetwork reads a linear differential equation of second order in two dimensions, as five
// pictures and five coefficients, and makes the weights of a small network u(x, y) that solves it;
// forward passes alone refine the answer, or it starts a physics-informed training. It learns from
// problems with manufactured solutions and, by the equation alone, from problems without.

export {
  type BatchSizes,
  type BoundaryBatch,
  type BoundaryPoint,
  batchOf,
  boundaryPoints,
  drawBatch,
  drawPrepared,
  type PreparedProblem,
  type ProblemBatch,
  prepared,
  type Supervision,
} from './batch.js';
export { type BenchmarkName, benchmark, benchmarkNames, benchmarks, referenceOf } from './benchmarks.js';
export { type DecoderSizes, WeightDecoder } from './decoder.js';
export { compressed, type EncoderSizes, ProblemEncoder } from './encoder.js';
export { errorsOf, gridPoints, type SolutionErrors } from './errors.js';
export { type DrawnProblem, drawProblem, type FamilyName, families, type ProblemFamily } from './family.js';
export {
  type FineTuneOptions,
  fineTune,
  type PINNWeights,
  pinnWeights,
  type ReptileOptions,
  reptile,
} from './fine-tune.js';
export { type GridSolution, interpolated, solveByDifferences } from './finite-differences.js';
export { type Field, FORMULA_WORDS, formula } from './formula.js';
export { type Corners, disk, type Nearest, polygon, type Region, rectangle } from './geometry.js';
export {
  FourierOperator,
  type GridOperator,
  type GridTraining,
  solveByOperator,
  trainGridOperator,
  UNetOperator,
} from './grid-operators.js';
export { channels, dividedBy, gridsOf, type ProblemGrids, type ProblemScale, positionOf, scaleOf } from './grids.js';
export {
  type LossTerms,
  type LossWeights,
  lossTerms,
  lossWeights,
  normalDerivative,
  operatorOf,
  residualOf,
  weightedLoss,
} from './loss.js';
export {
  applyOperator,
  type CurveName,
  curves,
  drawSteps,
  type ManufacturedRanges,
  type ManufacturedStep,
  manufacturedAt,
  type PointJet,
} from './manufactured.js';
export { HYPINO_MODEL, HyPINO, type HyPINOSizes, presets, type TrainingSummary } from './model.js';
export {
  type BoundaryData,
  type BoundaryField,
  type Coefficients,
  canonical,
  domainDistance,
  type Edge,
  edges,
  type Hole,
  isCutOff,
  isEvolution,
  kindOf,
  type Piece,
  type Problem,
  type ProblemKind,
  piecesOf,
  requireProblem,
  terms,
} from './problem.js';
export {
  type BoundaryDescription,
  type FieldDescription,
  type GridValues,
  type HoleDescription,
  type ProblemBox,
  type ProblemDescription,
  problemOf,
  type StatedProblem,
} from './problem-file.js';
export {
  discrepancyOf,
  imageOf,
  type NetworkMaker,
  type RefinedSolution,
  type RefinementOptions,
  solveByNetwork,
} from './refine.js';
export { reportOf, reportOfDifferences, type SolutionReport } from './report.js';
export { type Member, SOLUTION_MODEL, Solution, slicesOf, summed } from './solution.js';
export { ModulatedMLP, type ModulatedSizes } from './target.js';
export { batchDefaults, type HyPINOTraining, sizeOfModel, trainHyPINO } from './train.js';
