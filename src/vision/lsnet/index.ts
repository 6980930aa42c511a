// LSNet: a backbone whose convolution sees large and focuses small (Wang, Chen, Lin, Han, Ding: LSNet: See Large, Focus Small, CVPR 2025).
//
// LS convolution. A large static kernel perceives: ω = GroupNorm(W₄·ReLU(W₃·(D₇ₓ₇ ∗ ReLU(W₁·x)))) gives each pixel 3×3 weights for each of C/8 groups of channels. A small dynamic kernel aggregates with them:
//   y[c, h, w] = Σ_uv ω[c mod C/8, 3u + v, h, w]·x[c, h + u − 1, w + v − 1], then norm, plus x.
// Blocks alternate: re-parametrised depthwise convolution with squeeze-and-excitation, then LS convolution, or in the last stage attention; each followed by a feed-forward layer.

export { StaticMixer, type StaticMixerOptions } from './blocks.js';
export { LSConv } from './convolution.js';
export { LSNet, type LSNetOptions, lsNets } from './network.js';
