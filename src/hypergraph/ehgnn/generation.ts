// MolGAN (De Cao & Kipf, 2018) on small molecules: a generator of atoms and bonds, and critics
// whose messages pass between nodes (R-GCN) or between edges (EHGNN).
//
// A molecule of at most n atoms is atoms [n, A] and bonds [n(n − 1)/2, B], each one-hot or a
// distribution; atom 0 and bond 0 are "none".

import { Adam, gradientsOf, gumbelSoftmax, Linear, parameters } from '../../nn/index.js';
import {
  add,
  clip,
  concatenate,
  einsum,
  gatherKnownRows,
  grad,
  keep,
  maximum,
  mean,
  multiply,
  type Random,
  relu,
  reshape,
  scope,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';

/** Molecules, dense. */
export interface DenseMolecules {
  /** Distribution of the kind of each atom [batch, n, A]. */
  readonly atoms: Tensor;
  /** Distribution of the type of each bond [batch, pairs, B], in the order of `atomPairs`. */
  readonly bonds: Tensor;
}

/** Sizes of dense molecules. */
export interface MoleculeSizes {
  /** Largest number of atoms n. */
  readonly atoms: number;
  /** Kinds of atoms A, none among them. */
  readonly kinds: number;
  /** Types of bonds B, none among them. */
  readonly types: number;
}

/** The pairs u < v of n atoms, in order. */
export function atomPairs(n: number): (readonly [number, number])[] {
  return Array.from({ length: n }, (_, u) => u).flatMap((u) =>
    Array.from({ length: n - u - 1 }, (_, i) => [u, u + 1 + i] as const),
  );
}

/** z → 128 → 256 → logits of atoms and bonds, drawn by Gumbel-softmax. */
export class MoleculeGenerator {
  /** Hidden layers. */
  readonly hidden: readonly [Linear, Linear];
  /** Logits of the atoms. */
  readonly atoms: Linear;
  /** Logits of the bonds. */
  readonly bonds: Linear;

  constructor(
    /** Sizes of the molecules. */
    readonly sizes: MoleculeSizes,
    /** Dimension of z. */
    readonly noise: number,
    random: Random,
  ) {
    const { atoms, kinds, types } = sizes;
    this.hidden = [new Linear(noise, 128, random.split('hidden 1')), new Linear(128, 256, random.split('hidden 2'))];
    this.atoms = new Linear(256, atoms * kinds, random.split('atoms'));
    this.bonds = new Linear(256, ((atoms * (atoms - 1)) / 2) * types, random.split('bonds'));
  }

  /** Molecules [count, …] with one-hot atoms and bonds; gradients go through the soft draw. */
  forward(count: number, random: Random): DenseMolecules {
    const { atoms, kinds, types } = this.sizes;
    const z = random.split('noise').normal([count, this.noise]);
    const h = this.hidden[1].forward(this.hidden[0].forward(z, 'relu'), 'relu');
    const drawn = (logits: Tensor, width: number, label: string) =>
      gumbelSoftmax(reshape(logits, [-1, width]), random.split(label), { hard: true });
    return {
      atoms: reshape(drawn(this.atoms.forward(h), kinds, 'atoms'), [count, atoms, kinds]),
      bonds: reshape(drawn(this.bonds.forward(h), types, 'bonds'), [count, (atoms * (atoms - 1)) / 2, types]),
    };
  }
}

/** Scores molecules: [batch]. */
export interface MoleculeCritic {
  /** The score of each molecule [batch]. */
  forward(molecules: DenseMolecules): Tensor;
}

/** Which atoms each pair joins [n, pairs], as 0 and 1. */
function incidenceOf(n: number): Tensor {
  const pairs = atomPairs(n);
  const values = new Float32Array(n * pairs.length);
  pairs.forEach(([u, v], p) => {
    values[u * pairs.length + p] = 1;
    values[v * pairs.length + p] = 1;
  });
  return keep(tensor(values, [n, pairs.length]));
}

/** How much of a bond is there: 1 − p(none) [batch, pairs, 1]. */
function presence(bonds: Tensor): Tensor {
  return subtract(1, bonds.slice(null, null, [0, 1]));
}

/** Two R-GCN layers on atoms, with bond types as weights, and the mean over atoms. */
export class NodeCritic implements MoleculeCritic {
  /** W₀ of each layer. */
  readonly own: readonly Linear[];
  /** W_r of each layer and type that is a bond, one after another. */
  readonly relations: readonly Linear[];
  /** From the mean to the score. */
  readonly head: readonly [Linear, Linear];
  readonly #types: number;
  readonly #pairOf: Int32Array;

  /** @param hidden width of the layers */
  constructor(sizes: MoleculeSizes, hidden: number, random: Random) {
    const widths = [sizes.kinds, hidden, hidden];
    this.#types = sizes.types - 1;
    this.own = [0, 1].map((l) => new Linear(widths[l] as number, hidden, random.split('own').split(l)));
    this.relations = [0, 1].map(
      (l) => new Linear(widths[l] as number, this.#types * hidden, random.split('relations').split(l), { bias: false }),
    );
    this.head = [new Linear(hidden, hidden, random.split('head 1')), new Linear(hidden, 1, random.split('head 2'))];
    const n = sizes.atoms;
    const numbers = new Map(atomPairs(n).map(([u, v], p) => [u * n + v, p]));
    // Row u·n + v is the pair of u and v; the diagonal reads a row of zeros behind the pairs.
    this.#pairOf = Int32Array.from({ length: n * n }, (_, at) => {
      const [u, v] = [Math.floor(at / n), at % n];
      return u === v ? numbers.size : (numbers.get(Math.min(u, v) * n + Math.max(u, v)) as number);
    });
  }

  forward({ atoms, bonds }: DenseMolecules): Tensor {
    const [batch, n] = atoms.shape as [number, number];
    const byType = bonds.slice(null, null, [1, this.#types + 1]).permute([1, 0, 2]); // (pairs, batch, types)
    const flat = reshape(byType, [byType.shape[0] as number, -1]);
    const padded = concatenate([flat, multiply(flat.slice([0, 1], null), 0)]);
    const adjacency = reshape(gatherKnownRows(padded, tensor(this.#pairOf)), [n, n, batch, this.#types]);
    let x = atoms;
    this.own.forEach((own, l) => {
      const messages = reshape((this.relations[l] as Linear).forward(x), [batch, n, this.#types, -1]);
      const received = einsum('uvbt,bvtd->bud', adjacency, messages);
      x = relu(add(own.forward(x), received));
    });
    return reshape(this.head[1].forward(this.head[0].forward(mean(x, 1), 'relu')), [batch]);
  }
}

/**
 * Two convolutions on the dual hypergraph of the bonds that are there, each bond weighted by its
 * presence, then bonds summed over the number of atoms, beside the mean of the atoms themselves,
 * which are the features of the hyperedges. A bond starts from its type and the sum of its atoms.
 */
export class EdgeCritic implements MoleculeCritic {
  /** Θ of each layer. */
  readonly layers: readonly Linear[];
  /** From the mean to the score. */
  readonly head: readonly [Linear, Linear];
  readonly #incidence: Tensor;

  /** @param hidden width of the layers */
  constructor(sizes: MoleculeSizes, hidden: number, random: Random) {
    this.layers = [
      new Linear(sizes.types + sizes.kinds, hidden, random.split('in')),
      new Linear(hidden, hidden, random.split('hidden')),
    ];
    this.head = [
      new Linear(hidden + sizes.kinds, hidden, random.split('head 1')),
      new Linear(hidden, 1, random.split('head 2')),
    ];
    this.#incidence = incidenceOf(sizes.atoms);
  }

  forward({ atoms, bonds }: DenseMolecules): Tensor {
    const there = presence(bonds); // (batch, pairs, 1)
    const incidence = this.#incidence;
    const degrees = einsum('np,bpo->bno', incidence, there);
    const shared = clip(subtract(degrees, 1), 0, 1); // (batch, n, 1): whether an atom has two bonds
    const ends = add(einsum('np,bno->bpo', incidence, shared), 1).reciprocal();
    const shares = multiply(shared, maximum(degrees, 1).reciprocal());
    let edges = concatenate([bonds, einsum('np,bnk->bpk', incidence, atoms)], 2);
    for (const layer of this.layers) {
      const z = layer.forward(edges);
      const means = multiply(einsum('np,bpd->bnd', incidence, multiply(there, z)), shares);
      edges = relu(multiply(add(einsum('np,bnd->bpd', incidence, means), z), ends));
    }
    // Means over places, empty ones among them, as the critic of nodes takes them.
    const atomCount = atoms.shape[1] as number;
    const pooled = concatenate([multiply(sum(multiply(there, edges), 1), 1 / atomCount), mean(atoms, 1)], 1);
    return reshape(this.head[1].forward(this.head[0].forward(pooled, 'relu')), [-1]);
  }
}

/** Training of a generator against a critic. */
export interface AdversarialOptions {
  /** Steps of the generator. Default: 500. */
  readonly steps?: number;
  /** Steps of the critic for each of them. Default: 5. */
  readonly criticSteps?: number;
  /** Molecules in a batch. Default: 64. */
  readonly batch?: number;
  /** λ of the gradient penalty. Default: 10. */
  readonly penalty?: number;
  /** Learning rate of Adam for both. Default: 1e-3. */
  readonly learningRate?: number;
  /** Aborting ends the training with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the steps that are done. */
  readonly onProgress?: (share: number) => void;
}

/**
 * Wasserstein GAN with gradient penalty (Gulrajani et al., NeurIPS 2017): the critic minimises
 * D(fake) − D(real) + λ·(‖∇D(x̂)‖ − 1)² with x̂ on the line between the two, the generator
 * −D(fake).
 *
 * @param real draws molecules of the data
 */
export function trainAdversarially(
  generator: MoleculeGenerator,
  critic: MoleculeCritic & object,
  real: (count: number, random: Random) => DenseMolecules,
  random: Random,
  options: AdversarialOptions = {},
): void {
  const { steps = 500, criticSteps = 5, batch = 64, penalty = 10, learningRate = 1e-3 } = options;
  const optimizers = [0, 1].map(() => new Adam({ learningRate, beta1: 0.5, beta2: 0.9 })) as [Adam, Adam];
  for (let step = 0; step < steps; step++) {
    options.signal?.throwIfAborted();
    const own = random.split(step);
    for (let c = 0; c < criticSteps; c++)
      scope(() => {
        const draws = own.split(c);
        const fake = generator.forward(batch, draws.split('fake'));
        const truth = real(batch, draws.split('real'));
        const { gradients } = gradientsOf(critic, (live) =>
          add(
            subtract(mean(live.forward(fake)), mean(live.forward(truth))),
            multiply(gradientPenalty(live, truth, fake, draws.split('between')), penalty),
          ),
        );
        optimizers[0].update(parameters(critic), gradients, 1);
      });
    scope(() => {
      const { gradients } = gradientsOf(generator, (live) =>
        multiply(mean(critic.forward(live.forward(batch, own.split('generator')))), -1),
      );
      optimizers[1].update(parameters(generator), gradients, 1);
    });
    options.onProgress?.((step + 1) / steps);
  }
}

/** Mean of (‖∇D(x̂)‖ − 1)² over molecules between true and made ones. */
function gradientPenalty(critic: MoleculeCritic, real: DenseMolecules, fake: DenseMolecules, random: Random): Tensor {
  const share = random.uniform([real.atoms.shape[0] as number, 1, 1], 0, 1);
  const between = (a: Tensor, b: Tensor) => add(multiply(a, share), multiply(b, subtract(1, share)));
  const slopes = grad((x: { atoms: Tensor; bonds: Tensor }) => sum(critic.forward(x)))({
    atoms: between(real.atoms, fake.atoms),
    bonds: between(real.bonds, fake.bonds),
  });
  const squares = add(sum(square(slopes.atoms), [1, 2]), sum(square(slopes.bonds), [1, 2]));
  return mean(square(subtract(sqrt(add(squares, 1e-12)), 1)));
}
