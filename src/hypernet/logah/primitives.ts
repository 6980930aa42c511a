// The vocabulary of computational graphs: what a node may be.

/**
 * Primitive operations, in the order of their embeddings. `conv` also stands for linear layers,
 * which are convolutions of 1×1; `msa` for the softmax of attention, `cse` for products of two
 * branches such as channel attention and gates, `pos_enc` for embedding tables, `ln` also for other
 * norms of an example.
 */
export const primitives = [
  'max_pool',
  'avg_pool',
  'sep_conv',
  'dil_conv',
  'conv',
  'msa',
  'cse',
  'sum',
  'concat',
  'input',
  'bias',
  'bn',
  'ln',
  'pos_enc',
  'glob_avg',
] as const;

/** What a node of a computational graph is. */
export type Primitive = (typeof primitives)[number];

/** Norms, whose gain and bias are predicted from one node. */
export function isNorm(primitive: Primitive): boolean {
  return primitive === 'bn' || primitive === 'ln';
}
