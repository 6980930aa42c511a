// Zero-shot classes of nodes in graphs of texts, by H4G.

import { loadOnnxTextEncoder, loadTextGraph } from '../../data/node.js';
import { fitTextGraphs } from '../../graph/index.js';
import type { h4gOptions } from './graph-options.js';
import type { FitRequest, Fitted } from './learner.js';

/** Trains on pairs of texts of all graphs; no class is known yet. */
export async function fitTexts(
  path: string,
  { values, more = [], encoder, target, directed, random, seed, hooks, note }: FitRequest<typeof h4gOptions>,
): Promise<Fitted> {
  if (target !== undefined)
    throw new Error(`--target ${target}: h4g learns no classes; give them to gossamer predict by --classes`);
  if (directed) throw new Error('--directed: h4g reads edges in both directions');
  const { graphEncoder, hops, learn, scaling, block, shareScaling, midpoints, curvature, length, norms, temperature } =
    values;
  const { texts, textFeatures, ...training } = values;
  const graphs = [path, ...more].map(loadTextGraph);
  for (const graph of graphs) for (const text of graph.notes) note(text);
  const halved = graphs.filter(({ summaries }) => summaries === undefined).map(({ name }) => name);
  if (halved.length > 0)
    note(`no column "summary" in ${halved.join(', ')}: the first half of each text is paired with the second`);
  const {
    model,
    training: result,
    heldOut,
    retrieval,
  } = await fitTextGraphs(graphs, random, {
    network: {
      ...{ encoder: graphEncoder, hops, training: learn, scaling, block, curvature, length, norms, temperature },
      shareScaling: shareScaling === 'yes',
      midpoints: midpoints === 'yes',
    },
    texts,
    textFeatures,
    seed,
    encoder: encoder === undefined ? undefined : loadOnnxTextEncoder(encoder),
    ...training,
    ...hooks,
  });
  const { pairs, known } = model.description;
  if (known.length === 0)
    note(`only ${heldOut} pairs are held out: no class will be called unknown without --threshold`);
  const found = 100 * retrieval;
  return {
    file: () => model.save({ scores: { retrieval: found } }),
    lines: [
      ...graphs.map(({ name, graph }) => `${name}: ${graph.nodeCount} nodes with texts, ${graph.edgeCount} edges`),
      `${pairs} pairs of nodes and texts to train on; ${model.description.features} numbers a text`,
      ...(Number.isNaN(retrieval)
        ? []
        : [`${heldOut} held-out nodes find their own text among as many: ${found.toFixed(1)} %`]),
    ],
    scores: Number.isNaN(retrieval) ? {} : { retrieval: found },
    stopped: result.stopped,
  };
}
