// The protocol by which GraphVite's authors score vectors: a linear layer trained by gradient
// descent on vectors as they are, and links by V·C.

import { areaUnderCurve } from '../../nn/index.js';
import { gatherRows, keep, matmul, scope, sigmoid, type Tensor, tensor, zeros } from '../../tensor/index.js';
import {
  f1Scores,
  type MultiLabels,
  type NodeScores,
  type NodeSplit,
  type Pairs,
  targetsOf,
  topLabels,
} from '../evaluate.js';

/** Descent of the linear layer. */
const RATE = 1;
const MOMENTUM = 0.9;
const DECAY = 2e-5;
const PATIENCE = 100;

/**
 * F1 of a linear layer with bias, trained by full-batch gradient descent (rate 1, momentum 0.9,
 * decay 2e-5) on the mean binary cross-entropy, each node once for each of its labels with that
 * label as its target. It ends when the loss has not fallen for 100 steps. Test nodes get as many
 * labels as they truly have, those of the highest logits.
 *
 * @param vectors [n, dim]
 * @param steps most steps of descent. Default: 2000
 */
export function linearProbe(
  vectors: Tensor,
  labels: MultiLabels,
  { train, test }: NodeSplit,
  steps = 2000,
): NodeScores {
  return scope(() => {
    const x = gatherRows(vectors, tensor(train));
    const targets = targetsOf(labels, train);
    const { indptr, count } = labels;
    const copies = tensor(
      Float32Array.from(train, (v) => (indptr[v + 1] as number) - (indptr[v] as number)),
      [train.length, 1],
    );
    const total = copies.sum().item() * count;
    const dim = x.shape[1] as number;
    const weights = keep(zeros([dim, count]));
    const bias = keep(zeros([1, count]));
    let [best, waited] = [Number.POSITIVE_INFINITY, 0];
    const speeds = [keep(zeros([dim, count])), keep(zeros([1, count]))] as [Tensor, Tensor];
    for (let step = 0; step < steps && waited < PATIENCE; step++) {
      const loss = scope(() => {
        const logits = matmul(x, weights).add(bias);
        // Σ of the copies' losses: copies·softplus(z) − targets·z.
        const value = copies.multiply(logits.softplus()).subtract(targets.multiply(logits)).sum().divide(total).item();
        const slope = sigmoid(logits).multiply(copies).subtract(targets).divide(total);
        const gradients = [matmul(x, slope, { transposeA: true }), slope.sum(0).reshape([1, count])];
        [weights, bias].forEach((values, i) => {
          const speed = speeds[i] as Tensor;
          speed.assign(
            speed
              .multiply(MOMENTUM)
              .add(gradients[i] as Tensor)
              .add(values.multiply(DECAY)),
          );
          values.assign(values.subtract(speed.multiply(RATE)));
        });
        return value;
      });
      waited = loss < best ? 0 : waited + 1;
      best = Math.min(best, loss);
    }
    const scores = matmul(gatherRows(vectors, tensor(test)), weights)
      .add(bias)
      .view();
    for (const held of [weights, bias, ...speeds]) held.dispose();
    return f1Scores(labels, test, (i, k) => topLabels(scores.subarray(i * count, (i + 1) * count), k));
  });
}

/**
 * Area under the ROC curve of V_head·C_tail, of pairs with an edge against pairs without one.
 *
 * @param vertices [n, dim]
 * @param contexts [n, dim]
 */
export function linkArea(vertices: Tensor, contexts: Tensor, edges: Pairs, nonEdges: Pairs): number {
  const [v, c] = [vertices.view(), contexts.view()];
  const dim = vertices.shape[1] as number;
  const score = (head: number, tail: number) => {
    let sum = 0;
    for (let k = 0; k < dim; k++) sum += (v[head * dim + k] as number) * (c[tail * dim + k] as number);
    return sum;
  };
  const all = [edges, nonEdges].flatMap(({ sources, targets }) =>
    Array.from(sources, (u, i) => score(u, targets[i] as number)),
  );
  const isEdge = new Float32Array(all.length).fill(1, 0, edges.sources.length);
  return areaUnderCurve(Float32Array.from(all), isEdge);
}
