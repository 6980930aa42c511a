// The hypernetwork: a problem → the weights of a network that solves it.

import { readModelFile, writeModelFile } from '../../data/index.js';
import { loadState, stateOf, type Weights } from '../../nn/index.js';
import { Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { ProblemBatch } from './batch.js';
import { type DecoderSizes, WeightDecoder } from './decoder.js';
import { type EncoderSizes, ProblemEncoder } from './encoder.js';
import type { FamilyName } from './family.js';
import { type LossTerms, lossTerms } from './loss.js';
import type { Coefficients } from './problem.js';
import { ModulatedMLP, type ModulatedSizes } from './target.js';

/** Sizes of all parts of a HyPINO. */
export interface HyPINOSizes {
  /** Default: as published. */
  readonly encoder?: EncoderSizes;
  /** Default: as published. */
  readonly decoder?: DecoderSizes;
  /** Default: as published. */
  readonly target?: ModulatedSizes;
}

/** Sizes by name. */
export const presets = {
  /** As published: grids of 224, networks of 5,409 numbers. */
  published: {},
  /** Grids of 32, for one processor. */
  nano: {
    encoder: { grid: 32, stem: 32, depths: [1, 1], heads: [2, 4], window: 4 },
    decoder: { input: 96, latent: 96, small: 32, code: 128 },
    target: { width: 16, latents: 2, frequencies: 4 },
  },
} as const satisfies Record<string, HyPINOSizes>;

/** What training has shown to a model, for warnings. */
export interface TrainingSummary {
  /** Family of the problems. */
  readonly family: FamilyName;
  /** Optimiser steps. */
  readonly steps: number;
  /** Mean residual and error of Dirichlet data on fresh problems, relative to their sizes. */
  readonly residual: number;
  /** Root mean square error of Dirichlet data, relative to the size of solutions. */
  readonly boundary: number;
}

/** What a file of a model says. */
interface Description {
  readonly sizes: HyPINOSizes;
  readonly trained: TrainingSummary | null;
}

/** Files of models. */
export const HYPINO_MODEL = { system: 'hypino', version: '1', madeBy: 'gossamer fit --model hypino' };

/**
 * HyPINO: a hypernetwork that maps a linear differential equation with its data to a small network
 * u(x, y) that solves it. Bischof, Piovarči, Kraus, Mishra, Bickel, "HyPINO: Multi-Physics Neural
 * Operators via HyperPINNs and the Method of Manufactured Solutions", 2025 (arXiv 2509.05117).
 */
export class HyPINO {
  /** Problems → tokens. */
  readonly encoder: ProblemEncoder;
  /** Tokens → weights. */
  readonly decoder: WeightDecoder;
  /** The networks that it makes. */
  readonly target: ModulatedMLP;
  /** What it was trained on; undefined before. */
  trained: TrainingSummary | undefined;

  constructor(
    readonly sizes: HyPINOSizes,
    random: Random,
  ) {
    this.target = new ModulatedMLP(sizes.target);
    this.encoder = new ProblemEncoder(random.split('encoder'), sizes.encoder);
    this.decoder = new WeightDecoder(this.target, this.encoder.widths, random.split('decoder'), sizes.decoder);
  }

  /** Pixels a side of the grids that it reads. */
  get grid(): number {
    return this.encoder.grid;
  }

  /**
   * Weights of the networks for B problems, by name, each [B, …shape].
   *
   * @param grids [B, 5, n, n], with data divided by the size of the solution
   * @param operators [B, 5], of equations in canonical form
   */
  generate(grids: Tensor, operators: Tensor): Weights {
    return this.decoder.forward(this.encoder.forward(grids, operators));
  }

  /** Weights for one problem, kept beyond the current scope. */
  generateFor(values: Float32Array, operator: Coefficients): Record<string, Float32Array> {
    const n = this.grid;
    return scope(() => {
      const weights = this.generate(
        tensor(values).reshape([1, 5, n, n]),
        tensor(Float32Array.from(operator)).reshape([1, 5]),
      );
      return Object.fromEntries(
        Object.entries(weights).map(([name, weight]) => [name, Float32Array.from(weight.view())]),
      );
    });
  }

  /** The terms of the loss of a batch. */
  losses(batch: ProblemBatch): LossTerms {
    const { target } = this;
    const weights = this.generate(batch.grids, batch.operators);
    const interior = target.forward(weights, target.featuresAt(batch.points, 2));
    const count = batch.operators.shape[0] as number;
    const onBoundary = target.featuresAt(batch.boundary.points, 1, count);
    return lossTerms(batch, interior, target.forward(weights, onBoundary));
  }

  /** The model as a file. */
  save(): Uint8Array {
    const description: Description = { sizes: this.sizes, trained: this.trained ?? null };
    return writeModelFile(HYPINO_MODEL, description, stateOf({ encoder: this.encoder, decoder: this.decoder }));
  }

  /** Reads a file of `save`. @throws Error when it is another file or damaged */
  static load(bytes: Uint8Array, name = 'model'): HyPINO {
    const { description, tensors } = readModelFile<Description>(HYPINO_MODEL, bytes, name);
    const model = new HyPINO(description.sizes, new Random(0));
    loadState({ encoder: model.encoder, decoder: model.decoder }, tensors);
    model.trained = description.trained ?? undefined;
    return model;
  }
}
