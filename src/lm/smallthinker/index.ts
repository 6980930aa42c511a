// SmallThinker (Song et al. 2025, arXiv 2507.20984): the sizes of its releases, a predictor of the
// vocabulary rows that the head needs, and averages of checkpoints. Its layers are those of the
// runtime and of `MixtureOfExperts` with `early`; its experts are read by `WeightStore`.

export { averageWeights } from './average.js';
export { type HeadPredictorOptions, type HeadTraining, trainHeadPredictor } from './head-predictor.js';
export { smallThinker4B, smallThinker21B, smallThinkerParameters } from './shapes.js';
