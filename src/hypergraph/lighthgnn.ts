// LightHGNN: distillation of a hypergraph network into a plain MLP. The student reads the features
// of a vertex alone, so inference needs no hypergraph.
//
//   LightHGNN L = λ·CE(s, y) over labelled vertices + (1 − λ)·mean_v KL(t_v ‖ s_v) LightHGNN⁺ adds
//   (1 − λ)·mean_e KL(t_e ‖ s_e) over hyperedges sampled by reliability ρ_e, with t_e, s_e the mean
//   soft label of the members of e
//
// ρ_e = 1 − δ_e / max δ, with δ_e the change of the mean prediction entropy of e when the teacher's
// features are multiplied by noise. Soft labels t cover every vertex that the teacher was trained
// on, including test vertices: in the transductive setting the student is trained on soft labels of
// the vertices that it is tested on.
//
// Paper: Feng, Luo, Ying, Gao, "LightHGNN: Distilling Hypergraph Neural Networks into MLPs for 100×
// Faster Inference", ICLR 2024.

import {
  type Features,
  type FitResult,
  labelledLoss,
  logKlDivergence,
  type MLP,
  type Mode,
  trainByValidation,
} from '../nn/index.js';
import { SparseMatrix, spmm } from '../sparse/index.js';
import { type Hypergraph, meanPropagation } from '../structure/index.js';
import {
  abs,
  add,
  exp,
  gatherKnownRows,
  keep,
  log,
  logSoftmax,
  maximum,
  mean,
  multiply,
  type Random,
  scope,
  softmax,
  sqrt,
  square,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../tensor/index.js';
import { type Labelled, newPerceptron, type TrainingOptions, trainingDefaults } from './training.js';

/** A trained network as a function of features [N, d] and hypergraph: logits [N, classes]. */
export type Teacher = (features: Features, hypergraph: Hypergraph) => Tensor;

/** Hyperparameters of distillation. */
export interface DistillOptions extends TrainingOptions {
  /** Adds the high-order term over reliable hyperedges (LightHGNN⁺). Default: false. */
  readonly plus?: boolean;
  /** Hidden width of the student. Default: 128. */
  readonly hidden?: number;
  /** λ: weight of the ground-truth term. Default: 0. */
  readonly lambda?: number;
  /** τ of the high-order term: logits are divided by it. Default: 1. */
  readonly temperature?: number;
  /** α: scale of the noise that reliability is measured with. Default: 1. */
  readonly noise?: number;
  /**
   * 'kl' is the paper's loss; 'released' that of the released code, Σ_c e^{t_c}(t_c − ln s_c).
   * Default: 'kl'.
   */
  readonly divergence?: 'kl' | 'released';
}

/**
 * Distils a trained teacher into an MLP.
 *
 * @param random stream of weights, dropout, noise and hyperedge sampling
 * @returns the student, whose `forward(features, inference)` needs no hypergraph, and the history
 * of its training
 */
export async function distill(
  teacher: Teacher,
  data: Labelled,
  random: Random,
  options: DistillOptions = {},
): Promise<{ student: MLP; training: FitResult }> {
  const {
    plus = false,
    hidden = 128,
    lambda = 0,
    temperature = 1,
    noise = 1,
    divergence = 'kl',
    dropout = trainingDefaults.dropout,
  } = options;
  const student = newPerceptron(data, hidden, dropout, random);
  const teacherLogits = keep(scope(() => stopGradient(teacher(data.features, data.hypergraph))));
  const soft = keep(scope(() => logSoftmax(teacherLogits)));
  const constraint = plus
    ? highOrderConstraint(
        teacherLogits,
        data.hypergraph,
        reliability(teacher, data.features, data.hypergraph, random.split('noise'), noise),
        { temperature, divergence },
      )
    : undefined;
  const supervised = lambda > 0 ? labelledLoss(data.labels, data.train) : undefined;
  const loss = (logits: Tensor, mode: Mode) => {
    const vertices = divergences[divergence](logSoftmax(logits), soft);
    const distilled = constraint
      ? add(vertices, constraint(logits, (mode.random as Random).split('hyperedges')))
      : vertices;
    return supervised ? add(multiply(supervised(logits), lambda), multiply(distilled, 1 - lambda)) : distilled;
  };
  const result = await trainByValidation(
    student,
    data,
    (live, mode) => live.forward(data.features, mode),
    loss,
    random,
    options,
  );
  teacherLogits.dispose();
  soft.dispose();
  return { student, training: result };
}

/** Mean over rows of the divergence of predictions s from targets t, given as log-probabilities. */
const divergences = {
  kl: logKlDivergence,
  released: (logPrediction: Tensor, logTarget: Tensor) => {
    const target = exp(logTarget);
    return multiply(
      sum(multiply(exp(target), subtract(target, logPrediction))),
      1 / (logPrediction.shape[0] as number),
    );
  },
} satisfies Record<string, (logPrediction: Tensor, logTarget: Tensor) => Tensor>;

/** Probabilities are clamped to at least this before their logarithm is taken. */
const TINY = 1e-30;

/**
 * Entropy H[p] = −Σ_c p_c·ln p_c of the predictions, averaged over the members of each hyperedge:
 * logits [N, classes] → [M].
 */
export function hyperedgeEntropy(logits: Tensor, hypergraph: Hypergraph): Tensor {
  const logProbabilities = logSoftmax(logits);
  const entropy = sum(multiply(multiply(exp(logProbabilities), maximum(logProbabilities, Math.log(TINY))), -1), -1, {
    keepAxes: true,
  });
  return spmm(meanPropagation(hypergraph).toHyperedges, entropy).reshape([-1]);
}

/**
 * Reliability ρ_e = 1 − δ_e / max δ of each hyperedge, in [0, 1], with δ_e the absolute change of
 * its entropy when features are multiplied by (1 + ε)·α, ε ~ N(0, 1). All 1 when no entropy
 * changes.
 *
 * @param noise α. Default: 1
 * @returns [M]
 */
export function reliability(
  teacher: Teacher,
  features: Features,
  hypergraph: Hypergraph,
  random: Random,
  noise = 1,
): Float32Array {
  return scope(() => {
    const clean = hyperedgeEntropy(teacher(features, hypergraph), hypergraph);
    const noisy = hyperedgeEntropy(teacher(withNoise(features, random, noise), hypergraph), hypergraph);
    const change = Float32Array.from(abs(subtract(noisy, clean)).view());
    const largest = change.reduce((most, value) => Math.max(most, value), 0);
    return Float32Array.from(change, (value) => (largest === 0 ? 1 : 1 - value / largest));
  });
}

/** X ⊙ (1 + ε)·α; zeros stay zeros, so a sparse X keeps its pattern. */
function withNoise(features: Features, random: Random, noise: number): Features {
  if (!(features instanceof SparseMatrix)) return multiply(features, random.normal(features.shape, noise, noise));
  const factors = random.normal([features.nnz], noise, noise);
  return new SparseMatrix(features.pattern, features.values ? multiply(features.values, factors) : factors);
}

/**
 * The high-order soft-target constraint as a function of the student's logits: the mean over
 * sampled hyperedges of KL(t_e ‖ s_e), 0 when none is sampled. Every call samples each hyperedge e
 * with probability ρ_e from the given stream.
 *
 * @param teacherLogits [N, classes]
 * @param reliabilities ρ [M]
 */
export function highOrderConstraint(
  teacherLogits: Tensor,
  hypergraph: Hypergraph,
  reliabilities: Float32Array,
  { temperature = 1, divergence = 'kl' }: Pick<DistillOptions, 'temperature' | 'divergence'> = {},
) {
  const means = meanPropagation(hypergraph).toHyperedges;
  const hyperedgeLabels = (logits: Tensor) => spmm(means, softmax(multiply(logits, 1 / temperature)));
  const logOf = (probabilities: Tensor) => log(maximum(probabilities, TINY));
  const target = keep(scope(() => logOf(hyperedgeLabels(teacherLogits))));
  return (logits: Tensor, random: Random): Tensor => {
    const sampled = tensor(
      Int32Array.from(reliabilities.keys()).filter((e) => random.float() < (reliabilities[e] as number)),
    );
    if (sampled.size === 0) return multiply(sum(logits), 0);
    const rows = (x: Tensor) => gatherKnownRows(x, sampled);
    return divergences[divergence](rows(logOf(hyperedgeLabels(logits))), rows(target));
  };
}

/**
 * Mean over hyperedges of the mean distance of members to their centroid: near 0 when the vertices
 * of each hyperedge have collapsed to one point.
 *
 * @param embeddings [N, d]
 */
export function topologyScore(embeddings: Tensor, hypergraph: Hypergraph): number {
  return scope(() => {
    const { members } = hypergraph;
    const { toHyperedges } = meanPropagation(hypergraph);
    const centres = gatherKnownRows(spmm(toHyperedges, embeddings), members.segments.ids); // (nnz, d)
    const distances = sqrt(sum(square(subtract(centres, gatherKnownRows(embeddings, members.indexTensor))), -1)); // (nnz)
    return mean(multiply(distances, toHyperedges.values ?? 1)).item() * (members.nnz / members.rows);
  });
}
