// Floor 3: small dense linear algebra.

export { cholesky, qr, solve, svd, symmetricEigen } from './decompositions.js';
