// Studies of networks on incidences: depth, cost of a training step, and classification of vertices
// and hyperedges.

import { splitPerClass } from '../../data/index.js';
import { loadHypergraph } from '../../data/node.js';
import { median } from '../../engine/index.js';
import { CoNHD, IncidenceBatches, type IncidenceNetwork, trainNetwork } from '../../hypergraph/index.js';
import {
  accuracy,
  crossEntropy,
  gradientsOf,
  inference,
  labelledLoss,
  MLP,
  type Mode,
  predictedClasses,
  trainByValidation,
  training,
} from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { IncidenceList } from '../../structure/index.js';
import { gatherKnownRows, type Random, scope, type Tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { costsInTurns } from '../parts/costs.js';
import { studyOf } from '../parts/studies.js';
import { type IncidenceData, type IncidenceOptions, incidenceScores, trainOnSplit } from './incidences.js';
import { vertexTask } from './vertices.js';

/** Makes an untrained network of a number of layers. */
export type OfDepth = (random: Random, layers: number) => IncidenceNetwork & object;

/** Micro-F1 of each network at 2, 4 and 8 layers; scores are named `title depth`. */
export async function depthStudy(
  networks: Readonly<Record<string, OfDepth>>,
  data: IncidenceData,
  values: IncidenceOptions,
  { random, signal }: RunContext,
): Promise<StudyResults> {
  const depths = [2, 4, 8];
  const scores: Record<string, number> = {};
  for (const [title, create] of Object.entries(networks))
    for (const layers of depths) {
      const own = random.split(title).split(layers);
      const network = create(own, layers);
      await trainOnSplit(network, data, own, { ...values, batch: 0 }, { ...values, steps: 1 }, { signal });
      scores[`${title} ${layers}`] = incidenceScores(network, data).micro as number;
    }
  return studyOf(
    {
      title: 'Depth',
      note: `Micro-F1 in %, one seed, full-batch steps, ${values.epochs} epochs for each network.`,
      columns: ['network', ...depths.map((layers) => `${layers} layers`)],
      rows: Object.keys(networks).map((title) => [
        title,
        ...depths.map((layers) => (scores[`${title} ${layers}`] as number).toFixed(1)),
      ]),
    },
    scores,
  );
}

/** Width and batch of the cost study. */
const COST = { hidden: 64, batch: 64, rounds: 9 };

/**
 * Seconds and peak bytes of a training step at equal width, depth and batch, networks taking turns;
 * scores are named `seconds title` and `bytes title`.
 */
export async function costStudy(
  networks: Readonly<Record<string, (random: Random, hidden: number) => IncidenceNetwork & object>>,
  data: IncidenceData,
  { cap }: IncidenceOptions,
  { random }: RunContext,
): Promise<StudyResults> {
  const titles = Object.keys(networks);
  const arms = titles.map((title) => {
    const network = networks[title]?.(random.split(title), COST.hidden) as IncidenceNetwork & object;
    return [title, stepsOf(network, data, cap, random.split('cost'))] as const;
  });
  const { seconds, bytes } = await costsInTurns(Object.fromEntries(arms), { repeats: COST.rounds, statistic: median });
  return studyOf(
    {
      title: 'Cost of a training step',
      note:
        `Batch of ${COST.batch} hyperedges, at most ${cap} hyperedges of a vertex, width ${COST.hidden}, one layer, ` +
        `sampling and gradient included; median of ${COST.rounds} steps, networks taking turns on the same batches; ` +
        'bytes of tensors at the peak of one step.',
      columns: ['network', 'step (ms)', 'peak (MiB)'],
      rows: titles.map((title) => [
        title,
        (1000 * (seconds[title] as number)).toFixed(1),
        ((bytes[title] as number) / 2 ** 20).toFixed(1),
      ]),
    },
    Object.fromEntries(
      titles.flatMap((title) => [
        [`seconds ${title}`, seconds[title] as number],
        [`bytes ${title}`, bytes[title] as number],
      ]),
    ),
  );
}

/** A function that samples the next batch and computes the gradient on it. */
function stepsOf(network: IncidenceNetwork & object, data: IncidenceData, cap: number, random: Random): () => void {
  const batches = new IncidenceBatches({ ...data, ...data.split }, network.reach, COST.batch, cap);
  let step = 0;
  return () => {
    step += 1;
    scope(() => {
      const [batch] = batches.draw(random.split(step), 1);
      if (!batch) return;
      const { input, labelled, classes } = batch;
      const mode = training(random.split('dropout').split(step));
      gradientsOf(network, (live) => crossEntropy(gatherKnownRows(live.forward(input, mode), labelled), classes));
    });
  };
}

const HEADS = { data: 'cocitation-cora', hidden: 32, epochs: 100, learningRate: 1e-2, train: 20, validation: 20 };

/** Accuracy of vertex and hyperedge heads on citations. */
export async function headStudy({ random }: RunContext): Promise<StudyResults> {
  const data = loadHypergraph(HEADS.data);
  const options = {
    setting: 'transductive',
    holdout: 0.5,
    trainPerClass: HEADS.train,
    validationPerClass: 20,
  } as const;
  const { seen, test } = vertexTask(data, options, random.split('split'));
  const { features, hypergraph, classes } = seen;
  const incidences = IncidenceList.fromLists(hypergraph.vertexCount, hypergraph.hyperedges());
  const width = features instanceof SparseMatrix ? features.columns : (features.shape[1] as number);
  const fitting = { epochs: HEADS.epochs, learningRate: HEADS.learningRate };
  const trained = async <M extends object>(model: M, rows: Rows, logits: (live: M, mode: Mode) => Tensor) => {
    await trainByValidation(model, rows, logits, labelledLoss(rows.labels, rows.train), random.split('fit'), fitting);
    const predicted = scope(() => predictedClasses(logits(model, inference)));
    return 100 * accuracy(predicted, rows.labels, rows.test);
  };
  const conhd = (unit: 'vertex' | 'hyperedge', rows: Rows) => {
    const shape = { hidden: HEADS.hidden, layers: 2, dropout: 0.5, inputDropout: 0.5 };
    const network = new CoNHD(width, classes, random.split(unit), shape);
    return trained(network, rows, (live, mode) => live.scores({ features, incidences }, unit, mode));
  };
  const hyperedges = hyperedgeRows(hypergraph.hyperedges(), seen.labels, classes, random.split('hyperedges'));
  const mlp = new MLP([width, HEADS.hidden, classes], random.split('mlp'), { dropout: 0.5 });
  const { network: hgnn } = await trainNetwork(seen, random.split('hgnn'), { ...fitting, hidden: HEADS.hidden });
  const means = (x: Tensor) => spmm(incidences.byHyperedge.means, gatherKnownRows(x, incidences.byVertex.ids));
  const dense = features instanceof SparseMatrix ? features.toDense() : features;
  const predicted = scope(() => predictedClasses(hgnn.forward(features, hypergraph, inference)));
  const rows: readonly (readonly [string, string, number])[] = [
    ['vertex', 'HGNN', 100 * accuracy(predicted, seen.labels, test)],
    ['vertex', 'CoNHD', await conhd('vertex', { ...seen, test })],
    ['hyperedge', 'MLP of the mean', await trained(mlp, hyperedges, (live, mode) => live.forward(means(dense), mode))],
    ['hyperedge', 'CoNHD', await conhd('hyperedge', hyperedges)],
  ];
  return studyOf({
    title: `Vertices and hyperedges of ${HEADS.data}`,
    note:
      `Accuracy in %, one seed, ${HEADS.train} labels of each class; a hyperedge has the class of most of its ` +
      'members. Representations of incidences are averaged over the vertex or the hyperedge.',
    columns: ['classified', 'network', 'accuracy'],
    rows: rows.map(([unit, title, score]) => [unit, title, score.toFixed(1)]),
  });
}

interface Rows {
  readonly labels: Int32Array;
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

/** The class of most members of each hyperedge of at least two, and a split per class. */
function hyperedgeRows(hyperedges: readonly Int32Array[], labels: Int32Array, classes: number, random: Random): Rows {
  const own = Int32Array.from(hyperedges, (members) => {
    if (members.length < 2) return -1;
    const votes = new Int32Array(classes);
    for (const v of members) votes[labels[v] as number] = (votes[labels[v] as number] as number) + 1;
    return votes.indexOf(Math.max(...votes));
  });
  return { labels: own, ...splitPerClass(own, classes, { train: HEADS.train, validation: HEADS.validation }, random) };
}
