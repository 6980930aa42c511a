// Vectors of graphs, made by `gossamer fit --model hypercluster`.

import { loadWholeGraphs, readBytes } from '../../data/node.js';
import { HyperClusterModel } from '../../hypergraph/index.js';
import { onlyPath, type Predictions, type Predictor } from './predictor.js';

/** A predictor that keeps its model, for `gossamer embed`. */
export interface GraphEmbedder extends Predictor {
  readonly model: HyperClusterModel;
}

export function open(path: string): GraphEmbedder {
  const model = HyperClusterModel.load(readBytes(path), path);
  const { column, types, clusters } = model.description;
  return {
    model,
    describe: () => [
      `vectors of graphs, of dimension ${model.dimension}: ${clusters} clusters of their edges`,
      `reads of edges ${column}: ${types.join(', ')}`,
    ],
    reads: [],
    predict: async (paths) => embedGraphs(model, onlyPath(paths)),
  };
}

/** The vector of each graph. */
function embedGraphs(model: HyperClusterModel, path: string): Predictions {
  const data = loadWholeGraphs(path);
  const vectors = model.embed(data);
  const { dimension } = model;
  return {
    columns: ['graph', ...Array.from({ length: dimension }, (_, j) => `v${j}`)],
    rows: data.graphNames.map((name, g) => [
      name,
      ...Array.from(vectors.subarray(g * dimension, (g + 1) * dimension), (value) => Number(value.toPrecision(7))),
    ]),
  };
}
