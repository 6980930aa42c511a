// Hyperbolic space: the Poincaré ball, the hyperboloid, and maps that set the radius of points.

export { LARGEST_NORM, PoincareBall } from './ball.js';
export { BlockScaling, type BlockScalingOptions, type ScalingForm, spectralNorms } from './block-scaling.js';
export { arsinh, artanh, cosh, sinh } from './functions.js';
export { fromLorentz, lorentzDistances, lorentzExp, tangentDistances, toLorentz } from './lorentz.js';
