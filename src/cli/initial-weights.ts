// --init: initial weights of a network by a graph hypernetwork.

import { readBytes } from '../data/node.js';
import { assignWeights, HypernetModel, predictWeights, reportLines, type TraceableModule } from '../hypernet/index.js';
import type { Tensor } from '../tensor/index.js';

/**
 * Predicts the weights of a network and notes what stays random.
 *
 * @param inputs example inputs of its forward pass
 * @throws Error when the file is no model of logah, or the network has an operation that is not
 * known
 */
export function predictInitial(
  path: string,
  network: TraceableModule & object,
  inputs: readonly Tensor[],
  note: (text: string) => void,
): void {
  const { ghn } = HypernetModel.load(readBytes(path), path);
  const { weights, report } = predictWeights(ghn, network, inputs);
  assignWeights(network, weights);
  for (const weight of Object.values(weights)) weight.dispose();
  for (const line of reportLines(report, 5)) note(line);
}
