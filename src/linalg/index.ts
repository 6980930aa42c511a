// Floor 3: small dense linear algebra.

export { cholesky, qr, solve, svd, symmetricEigen, symmetricEigen64 } from './decompositions.js';
export { PoincareBall64, requireCurvature } from './poincare.js';
