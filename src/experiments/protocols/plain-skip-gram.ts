// Skip-gram with negative sampling as a plain loop, the rival of the kernel.

/** What the loop reads and changes. */
export interface PlainSkipGram {
  /** V [n, dim]. */
  readonly vertices: Float32Array;
  /** C [n, dim]. */
  readonly contexts: Float32Array;
  readonly dim: number;
  readonly heads: Int32Array;
  readonly tails: Int32Array;
  /** A negative of each pair. */
  readonly negatives: Int32Array;
  readonly weight: number;
  readonly rate: number;
  readonly decay: number;
}

/** Trains on all pairs in order, the negative of each before the pair itself. */
export function trainPlain(run: PlainSkipGram): void {
  const { vertices, contexts, dim, heads, tails, negatives, weight, rate, decay } = run;
  const sample = (v: number, c: number, label: number, step: number) => {
    let logit = 0;
    for (let k = 0; k < dim; k++) logit += (vertices[v + k] as number) * (contexts[c + k] as number);
    const g = step * (label - 1 / (1 + Math.exp(-Math.max(-30, Math.min(30, logit)))));
    const kept = 1 - step * decay;
    for (let k = 0; k < dim; k++) {
      const [a, b] = [vertices[v + k] as number, contexts[c + k] as number];
      vertices[v + k] = kept * a + g * b;
      contexts[c + k] = kept * b + g * a;
    }
  };
  for (let i = 0; i < heads.length; i++) {
    const v = (heads[i] as number) * dim;
    sample(v, (negatives[i] as number) * dim, 0, rate * weight);
    sample(v, (tails[i] as number) * dim, 1, rate);
  }
}
