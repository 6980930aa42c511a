// Floor 3: dense linear algebra of small matrices, Krylov methods for large ones, hyperbolic space.

export { type AssignmentOptions, linearAssignment } from './assignment.js';
export { BandedMatrix } from './banded.js';
export { cholesky, qr, solve, svd, symmetricEigen, symmetricEigen64, truncatedSvd } from './decompositions.js';
export {
  conjugateGradients,
  type HermitianEigenpairs,
  hermitianEigenpairs,
  type IterationOptions,
  type LanczosOptions,
  type Product,
} from './krylov.js';
export { PoincareBall64, requireCurvature } from './poincare.js';
