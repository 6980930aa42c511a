// Networks on pairs of nodes as files: weights, how attributes become features, and which
// polynomials are computed for new graphs.

import { type ModelKind, readModelFile, type WholeGraphs } from '../../data/index.js';
import { loadState } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import {
  type AnswerOptions,
  attributeSizes,
  encodeAttributes,
  GraphBatches,
  outputsOfTask,
  type WholeGraphDescription,
  WholeGraphModel,
} from '../dense/index.js';
import { type PolynomialEncoding, pairPolynomials } from './features.js';
import { PPGN, type PPGNOptions } from './network.js';

/** Name and version of the model file. */
export const PPGN_MODEL: ModelKind = {
  system: 'equivariant-polynomials',
  version: '1',
  madeBy: 'gossamer fit --model ppgn++',
};

/** What the file says beside its weights. */
export interface PPGNDescription extends WholeGraphDescription {
  /** Polynomials that are channels of the input. */
  readonly polynomials: PolynomialEncoding;
  /** Layout of the network. */
  readonly options: PPGNOptions;
}

/** Predicts classes or numbers of graphs. */
export class PPGNModel extends WholeGraphModel<PPGNDescription, PPGN> {
  constructor(description: PPGNDescription, network: PPGN) {
    super(PPGN_MODEL, description, network);
  }

  /** A network of the description's layout with new weights. */
  static create(description: PPGNDescription, random: Random): PPGNModel {
    const { encoding, task, polynomials, options } = description;
    const pairs = polynomials.patterns.length;
    const sizes = { ...attributeSizes(encoding), pairs, outputs: outputsOfTask(task) };
    return new PPGNModel(description, new PPGN(sizes, random, options));
  }

  override batches(data: WholeGraphs, onUnknown?: AnswerOptions['onUnknown']): GraphBatches {
    const { encoding, polynomials } = this.description;
    return new GraphBatches({
      ...encodeAttributes(data, encoding, onUnknown),
      pairs: pairPolynomials(data.graphs, polynomials),
    });
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): PPGNModel {
    const { description, tensors } = readModelFile<PPGNDescription>(PPGN_MODEL, bytes, name);
    const model = PPGNModel.create(description, new Random(0));
    loadState(model.network, tensors);
    return model;
  }
}
