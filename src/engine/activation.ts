// Activations that kernels can apply to their results before storing them, by the code that
// kernels/activation.ts knows.

/** Activations by name, with the code that kernels take. */
export const activations = {
  none: 0,
  relu: 1,
  relu6: 2,
  hardSwish: 3,
  silu: 4,
  sigmoid: 5,
  hardSigmoid: 6,
  gelu: 7,
  tanh: 8,
} as const;

/** An activation that a kernel can apply to its result. */
export type Activation = keyof typeof activations;
