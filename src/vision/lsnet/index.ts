// LSNet: a backbone of large-kernel perception and small-kernel aggregation (Wang, Chen, Lin, Han,
// Ding, "LSNet: See Large, Focus Small", CVPR 2025).
//
// LS convolution: a large static kernel computes 3×3 weights for each pixel and each of C/8 channel
// groups, and a small dynamic kernel aggregates with them:
//
//   ω = GroupNorm(W₄·ReLU(W₃·(D₇ₓ₇ ∗ ReLU(W₁·x))))
//   y[c, h, w] = Σ_uv ω[c mod C/8, 3u + v, h, w]·x[c, h + u − 1, w + v − 1], then norm, plus x
//
// Blocks alternate between re-parametrised depthwise convolution with squeeze-and-excitation and LS
// convolution (attention in the last stage); each is followed by a feed-forward layer.

export { StaticMixer, type StaticMixerOptions, type StaticMixerShape } from './blocks.js';
export { LSConv, type LSConvOptions } from './convolution.js';
export { hardDistillation } from './distillation.js';
export { LSNet, type LSNetOptions, lsNets } from './network.js';
