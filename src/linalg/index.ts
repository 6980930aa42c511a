// Floor 3: dense linear algebra of small matrices, and Krylov methods for large ones.

export { cholesky, qr, solve, svd, symmetricEigen, symmetricEigen64 } from './decompositions.js';
<<<<<<< HEAD
export {
  conjugateGradients,
  type HermitianEigenpairs,
  hermitianEigenpairs,
  type IterationOptions,
  type LanczosOptions,
  type Product,
} from './krylov.js';
=======
export { PoincareBall64, requireCurvature } from './poincare.js';
>>>>>>> main
