// Metanetworks, made by `gossamer fit --model metapruning`: they prune networks of an architecture.

import { readMetanetwork } from '../../compress/index.js';
import { readBytes } from '../../data/node.js';
import { parameterCount } from '../../nn/index.js';
import type { Predictor } from './predictor.js';

/** Layers that a description names. */
const NAMED = 3;

export function open(path: string): Predictor {
  const { metanetwork, trained } = readMetanetwork(readBytes(path), path);
  const { options, architecture } = metanetwork;
  const { dimension, layers, nodeScale, edgeScale } = options;
  const use = `gossamer compress model.safetensors --data pictures/ --recipe metapruning --metanetwork ${path}`;
  return {
    reads: [],
    describe() {
      const names = Object.keys(architecture.layers);
      const some = names.slice(0, NAMED).join(', ');
      return [
        `Metanetwork   prunes ${trained ? `networks as ${trained.network}` : 'networks of one architecture'}, whatever their widths: ${names.length} weights, ${some}, …`,
        `Size          ${parameterCount(metanetwork).toLocaleString('en-US')} parameters, ${layers} layers of width ${dimension}, changes scaled by ${nodeScale === edgeScale ? nodeScale : `${nodeScale} (nodes) and ${edgeScale} (edges)`}`,
        ...(trained
          ? [
              `Trained       on ${trained.data}, from ${trained.models.slice(0, -1).join(', ')}; epoch ${trained.epoch} of ${trained.epochs}, chosen on ${trained.models.at(-1)}`,
              `Pruned        ${trained.speedups.map((speedup, at) => `${speedup}×: ${(100 * (trained.accuracies[at] ?? Number.NaN)).toFixed(1)} %`).join(', ')} on validation pictures, before any training after it`,
            ]
          : []),
        `Use           ${use}`,
      ];
    },
    predict: async () => {
      throw new Error(`"${path}" prunes networks: ${use}`);
    },
  };
}
