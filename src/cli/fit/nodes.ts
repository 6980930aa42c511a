// Classes of nodes by DGMLP.

import { splitOf } from '../../data/index.js';
import { loadGraph, loadNamedGraph } from '../../data/node.js';
import { DGMLP, DGMLPModel, featuresOfGraph, trainDecoupled } from '../../graph/index.js';
import { accuracy, featureCount, inference, predictedClasses } from '../../nn/index.js';
import { scope } from '../../tensor/index.js';
import type { FitRequest, Fitted } from './learner.js';
import type { dgmlpOptions } from './options.js';

/** Trains on the nodes with a label; the best epoch by validation is kept. */
export async function fitNodes(
  path: string,
  { values, random, hooks }: FitRequest<typeof dgmlpOptions>,
): Promise<Fitted> {
  const named = loadNamedGraph(path);
  const data = named ?? loadGraph(path);
  const { graph, labels, classes } = data;
  const features = data.features ?? featuresOfGraph(graph, named?.nodeNames);
  const split = splitOf(data, random.split('split'));
  const { steps, depth, hidden, temperature, dropout, ...training } = values;
  const options = { steps, depth, hidden, temperature, dropout };
  const network = new DGMLP(featureCount(features), classes, random.split('weights'), options);
  const task = { graph, features, labels, classes, ...split };
  const { stopped } = (await trainDecoupled(network, task, random.split('fit'), { ...training, ...hooks })).training;
  const predicted = scope(() => predictedClasses(network.forward(features, graph, inference)));
  const tested = 100 * accuracy(predicted, labels, split.test);
  const model = new DGMLPModel(network, {
    inFeatures: featureCount(features),
    classes: named?.classNames ?? Array.from({ length: classes }, (_, c) => String(c)),
    scaleRows: !named,
    structural: data.features === undefined,
    options,
  });
  return {
    file: () => model.save({ data: data.name }),
    lines: [
      `${data.name}: ${graph.nodeCount} nodes, ${graph.edgeCount} edges, ${classes} classes`,
      `accuracy on ${split.test.length} test nodes: ${tested.toFixed(1)} %`,
    ],
    scores: { accuracy: tested },
    stopped,
  };
}
