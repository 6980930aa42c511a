// Inference time of HGNN and of the distilled student, on the shapes of the paper's synthetic
// hypergraph (55,000 vertices) and of the largest real one at hand. Weights and features are
// random: time does not depend on them.

import { hasHypergraph, loadHypergraph } from '../../data/node.js';
import { median, secondsInTurns } from '../../engine/index.js';
import { classifyVertices, HypergraphNetwork, type LinearConv, receptiveField } from '../../hypergraph/index.js';
import { inference, MLP, parameterCount, rowsOf } from '../../nn/index.js';
import { type Hypergraph, uniformHypergraph } from '../../structure/index.js';
import { Random, scope, type Tensor } from '../../tensor/index.js';
import type { Study, StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';

const FEATURES = 64;
const CLASSES = 5;
const BATCHES = [1, 32, 1024];
/** Widths at which both networks are compared too, beside those that are deployed. */
const EQUAL_WIDTHS = [32, 128];
const LARGEST = 'coauthorship-dblp';
/** Vertices of the paper's synthetic hypergraph; smaller studies leave the real one out. */
const FULL_SIZE = 55_000;

interface Widths {
  readonly hidden: number;
  readonly studentHidden: number;
}

/** Seconds of both networks for some vertices, and the bytes of what they read. */
interface Cost {
  readonly asked: number;
  readonly widths: Widths;
  readonly seconds: Readonly<Record<'network' | 'student', number>>;
  readonly bytes: Readonly<Record<'network' | 'student', number>>;
}

/** Times the classification of `asked` random vertices, or of all, by both networks in turns. */
async function costOf(hypergraph: Hypergraph, features: Tensor, widths: Widths, asked: number, random: Random) {
  const n = hypergraph.vertexCount;
  const network = new HypergraphNetwork('hgnn', FEATURES, widths.hidden, CLASSES, random.split('network'));
  const student = new MLP([FEATURES, widths.studentHidden, CLASSES], random.split('student'), { norm: 'batch' });
  const some = () => random.sample(n, asked);
  const arms =
    asked === n
      ? {
          network: () => network.forward(features, hypergraph, inference),
          student: () => student.forward(features, inference),
        }
      : {
          network: () => classifyVertices(network, features, hypergraph, some()),
          student: () => student.forward(rowsOf(features, some()), inference),
        };
  const run = (arm: () => Tensor) => () => scope(() => void arm().view()[0]);
  const seconds = await secondsInTurns(
    { network: run(arms.network), student: run(arms.student) },
    { repeats: 7, warmUp: 3, statistic: median },
  );
  const bytes = {
    network: networkBytes(network, hypergraph, asked === n ? undefined : some()),
    student: 4 * (FEATURES * asked + parameterCount(student)),
  };
  return { asked, widths, seconds, bytes } satisfies Cost;
}

/** Bytes of the features, incidences and weights that the network reads for some vertices. */
function networkBytes(network: HypergraphNetwork, hypergraph: Hypergraph, vertices?: Int32Array): number {
  const layers = [network.first, network.second].map((layer) => (layer as LinearConv).operators(hypergraph));
  const { operators, reached } = scope(() => {
    if (!vertices) return { operators: layers.flat(), reached: hypergraph.vertexCount };
    const { early, last } = receptiveField(network, hypergraph, vertices);
    return { operators: [...early.operators, ...last.operators], reached: early.sources.length };
  });
  // An index and a value for each element, an offset for each row.
  const structure = operators.reduce((total, { nnz, rows }) => total + 2 * nnz + rows + 1, 0);
  return 4 * (FEATURES * reached + structure + parameterCount(network));
}

const MILLION = 1e6;

/** Costs on one hypergraph as a study, with how many times the student is faster. */
async function speedStudy(title: string, hypergraph: Hypergraph, widths: Widths, random: Random) {
  const n = hypergraph.vertexCount;
  const features = random.normal([n, FEATURES]);
  const pairs = [widths, ...EQUAL_WIDTHS.map((width) => ({ hidden: width, studentHidden: width }))];
  const costs: Cost[] = [];
  for (const asked of BATCHES.filter((batch) => batch < n / 2))
    costs.push(await costOf(hypergraph, features, widths, asked, random));
  for (const pair of pairs) costs.push(await costOf(hypergraph, features, pair, n, random));
  features.dispose();
  const { hyperedgeCount, nnz } = hypergraph;
  const study: Study = {
    title: `Inference time: ${title}, ${n} vertices, ${hyperedgeCount} hyperedges, ${nnz} incidences`,
    note:
      `Median of 7 after warm-up, in turns; ${FEATURES} random features. For some vertices HGNN fetches their 2-hop ` +
      'neighbourhood and computes there; for all it is one pass over the hypergraph. "Reads": features, incidences ' +
      'and weights.',
    columns: [
      'vertices asked',
      'widths (HGNN, student)',
      'HGNN (ms)',
      'student (ms)',
      'times faster',
      'HGNN reads (MB)',
      'student reads (MB)',
    ],
    rows: costs.map(({ asked, widths: { hidden, studentHidden }, seconds, bytes }) => [
      asked === n ? 'all' : String(asked),
      `${hidden}, ${studentHidden}`,
      (1000 * seconds.network).toPrecision(3),
      (1000 * seconds.student).toPrecision(3),
      (seconds.network / seconds.student).toFixed(1),
      (bytes.network / MILLION).toPrecision(3),
      (bytes.student / MILLION).toPrecision(3),
    ]),
  };
  const ratio = (asked: number) => {
    const cost = costs.find((own) => own.asked === asked && own.widths === widths);
    return cost ? cost.seconds.network / cost.seconds.student : Number.NaN;
  };
  return { study, vertex: ratio(1), whole: ratio(n) };
}

/**
 * The synthetic hypergraph of the claim, and the largest real one where it is at hand. Scores
 * `syntheticVertex` and `syntheticWhole`: how many times the student is faster for one vertex and
 * for all, at the widths that are deployed.
 */
export async function speedStudies(
  { speedVertices: n, ...widths }: Widths & { readonly speedVertices: number },
  seed: number,
): Promise<StudyResults> {
  const random = new Random(seed).split('speed');
  const synthetic = await speedStudy('synthetic', uniformHypergraph(n, n, [5, 15], random), widths, random);
  const measured = studyOf(synthetic.study, { syntheticVertex: synthetic.vertex, syntheticWhole: synthetic.whole });
  if (n < FULL_SIZE || !hasHypergraph(LARGEST)) return measured;
  const { hypergraph } = loadHypergraph(LARGEST);
  return joinStudies(
    measured,
    studyOf((await speedStudy(LARGEST, hypergraph.mergeDuplicates(), widths, random)).study),
  );
}
