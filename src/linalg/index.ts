// Floor 3: dense linear algebra of small matrices, Krylov methods for large ones, hyperbolic space.

export { BandedMatrix } from './banded.js';
export { cholesky, qr, solve, svd, symmetricEigen, symmetricEigen64 } from './decompositions.js';
export {
  conjugateGradients,
  type HermitianEigenpairs,
  hermitianEigenpairs,
  type IterationOptions,
  type LanczosOptions,
  type Product,
} from './krylov.js';
export { PoincareBall64, requireCurvature } from './poincare.js';
