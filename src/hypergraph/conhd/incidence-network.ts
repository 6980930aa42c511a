// What networks that classify incidences read, and what training asks of them.

import type { Features, Mode } from '../../nn/index.js';
import type { IncidenceLevel, IncidenceList } from '../../structure/index.js';
import { gatherKnownRows, type Tensor } from '../../tensor/index.js';

/** Input of networks on incidences: all of them, or a batch. */
export interface IncidenceInput {
  /** Vertex features [N, d], dense or sparse. */
  readonly features: Features;
  /** The incidences, nnz in number. */
  readonly incidences: IncidenceList;
  /** Positional encoding of each incidence, [nnz, positions], such as `rankPositions`. */
  readonly positions?: Tensor;
  /** Of a batch: the levels inside, see `IncidenceSampler`. */
  readonly levels?: readonly IncidenceLevel[];
  /** Of a batch: the incidences to classify, i32. */
  readonly asked?: Tensor;
}

/** A network that classifies incidences. */
export interface IncidenceNetwork {
  /** Steps of `IncidenceSampler` within which the incidences lie that an output depends on. */
  readonly reach: number;
  /** Logits [nnz, classes], of a batch [asked, classes]. */
  forward(input: IncidenceInput, mode: Mode): Tensor;
}

/** The rows to classify. */
export function askedRows(x: Tensor, asked: Tensor | undefined): Tensor {
  return asked ? gatherKnownRows(x, asked) : x;
}
