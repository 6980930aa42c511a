// Zero-shot classes of nodes by H4G, made by `gossamer fit --model h4g`.

import { loadClassTexts, loadOnnxTextEncoder, loadTextGraph, readBytes } from '../../data/node.js';
import type { StudyPlot } from '../../experiments/parts/contract.js';
import { escapeHtml, htmlTable, style } from '../../experiments/runner/html.js';
import { type H4GDescription, H4GModel, type ZeroShotPredictions } from '../../graph/index.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor } from './predictor.js';

/** What a node is called that is like none of the classes. */
const UNKNOWN = 'unknown';

export function open(path: string): Predictor {
  const description = H4GModel.describe(readBytes(path), path);
  return {
    takesClasses: true,
    takesEncoder: true,
    describe: () => describe(description),
    predict: async (paths, options) => classesOfNodes(path, onlyPath(paths), options),
  };
}

async function classesOfNodes(
  modelPath: string,
  path: string,
  { classes: classesPath, threshold, encoder, explain, note }: PredictOptions,
): Promise<Predictions> {
  if (classesPath === undefined)
    throw new Error(
      'models of h4g need the classes to choose from: --classes FILE with a column name, maybe description',
    );
  const model = H4GModel.load(
    readBytes(modelPath),
    modelPath,
    encoder === undefined ? undefined : loadOnnxTextEncoder(encoder),
  );
  const classes = loadClassTexts(classesPath);
  const data = loadTextGraph(path);
  for (const text of data.notes) note(text);
  const predicted = model.predict(data, classes, threshold);
  for (const text of predicted.notes) note(text);
  const nameOf = (v: number) => classes[predicted.classes[v] as number]?.name ?? UNKNOWN;
  const unknown = predicted.classes.filter((own) => own < 0).length;
  if (unknown > 0)
    note(
      `${unknown} of ${data.texts.length} nodes are unknown: no class has a probability of ${predicted.threshold.toFixed(3)}; --threshold 0 names the nearest`,
    );
  return {
    columns: ['node', 'prediction', 'probability', 'distance', 'radius'],
    rows: data.nodeNames.map((node, v) => [
      node,
      nameOf(v),
      (predicted.probabilities[v] as number).toFixed(4),
      (predicted.distances[v] as number).toFixed(3),
      (predicted.radii[v] as number).toFixed(3),
    ]),
    ...(explain && { page: await radiusPage(data.name, predicted, nameOf) }),
  };
}

/** Radii of the nodes by class, and what the lift left of their differences. */
async function radiusPage(name: string, { radii, report }: ZeroShotPredictions, nameOf: (v: number) => string) {
  const { studyPlot } = await import('../../experiments/runner/plots.js');
  const plot: StudyPlot = {
    kind: 'histogram',
    title: 'Radii of the nodes, by predicted class',
    x: 'radius: distance from the origin',
    points: Array.from(radii, (x, v) => ({ method: nameOf(v), x, y: 1 })),
  };
  const { mean, deviation, clipped, distances } = report;
  const table = {
    columns: ['radii', ''],
    rows: [
      ['mean', mean.toFixed(2)],
      ['standard deviation', deviation.toFixed(3)],
      ['at the radius where single precision clips', `${(100 * clipped).toFixed(1)} %`],
      ['correlation of distances before and after the lift', distances.toFixed(3)],
    ],
  };
  const title = escapeHtml(`Radii of ${name}`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${style}</style></head>
<body><h1>${title}</h1>${htmlTable(table)}${studyPlot(plot)}</body></html>
`;
}

function describe({ features, options, encoder, known, trained, pairs }: H4GDescription): string[] {
  const { scaling = 'contractive', block = 8, curvature = 1, length = 8, encoder: graphEncoder = 'hops' } = options;
  return [
    'H4G: zero-shot classes of nodes in graphs of texts',
    `trained on ${trained.map(({ name, nodes, edges }) => `${name} (${nodes} nodes, ${edges} edges)`).join(', ')}; ${pairs} pairs`,
    encoder.kind !== 'onnx'
      ? `texts: ${features} numbers by the ${encoder.kind} encoder in the file`
      : `texts: ${features} numbers by a sentence model, SHA-256 ${encoder.digest.slice(0, 12)}…; give it by --encoder`,
    `graph encoder ${graphEncoder}; scaling ${scaling}, blocks of ${block}; curvature −${curvature}, vectors of length ${length}`,
    known.length === 0
      ? 'no class is called unknown unless --threshold is given'
      : `unknown below probability ${known.map(({ classes, probability }) => `${probability.toFixed(3)} (${classes} classes)`).join(', ')}`,
    'predicts for a folder of nodes.csv (id,text) and edges.csv; --classes FILE (name, maybe description)',
  ];
}
