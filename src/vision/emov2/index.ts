// EMOv2: one kind of block with one shortcut for convolution and attention (Zhang, Hu, He, Xue,
// Wang, Wang, Liu, Li, Tao: "EMOv2: Pushing 5M Vision Model Frontier", 2024; before it "Rethinking
// Mobile Block for Efficient Attention-based Models", ICCV 2023).
//
//   u = Expand(Norm(x)): 1×1 convolution, or attention within windows of neighbours and of pixels
//   far apart, summed; u′ = u + SiLU(BN(DW₅ₓ₅ ∗ u)); y = x + γ ⊙ (W·u′)
//
// The first two stages expand by convolution, the last two by attention.

export { EMOv2Block, type EMOv2BlockOptions, type EMOv2Form, type ExpandedAttention } from './block.js';
export { Enlarged, type SoftDistillationOptions, softDistillation } from './distillation.js';
export { EMOv2, type EMOv2Options, strideOfAll, windowFor, windowsFit } from './network.js';
export { type EMOv2Figures, emov2Figures, emov2s, emov2Training, firstVersion } from './presets.js';
