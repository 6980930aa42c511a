// Inference time of HGNN and of the distilled student, on the shapes of the paper's synthetic
// hypergraph (55,000 vertices) and of the largest real one at hand. Weights and features are
// random: time does not depend on them.

import { hasHypergraph, loadHypergraph } from '../../data/node.js';
import { medianSeconds } from '../../engine/index.js';
import { classifyVertices, HypergraphNetwork } from '../../hypergraph/index.js';
import { inference, MLP, rowsOf } from '../../nn/index.js';
import { type Hypergraph, uniformHypergraph } from '../../structure/index.js';
import { Random, scope, type Tensor } from '../../tensor/index.js';
import type { Study, StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';

const FEATURES = 64;
const CLASSES = 5;
const BATCHES = [1, 32, 1024];
const LARGEST = 'coauthorship-dblp';
/** Vertices of the paper's synthetic hypergraph; smaller studies leave the real one out. */
const FULL_SIZE = 55_000;

interface Widths {
  readonly hidden: number;
  readonly studentHidden: number;
  readonly speedVertices: number;
}

/** Times one hypergraph. Ratios are HGNN's time over the student's. */
function timeBoth(hypergraph: Hypergraph, { hidden, studentHidden }: Widths, random: Random) {
  return scope(() => {
    const n = hypergraph.vertexCount;
    const features = random.normal([n, FEATURES]);
    const network = new HypergraphNetwork('hgnn', FEATURES, hidden, CLASSES, random.split('network'));
    const student = new MLP([FEATURES, studentHidden, CLASSES], random.split('student'), { norm: 'batch' });
    const seconds = (run: (vertices: Int32Array) => Tensor, batch: number) =>
      medianSeconds(() => scope(() => run(random.sample(n, batch)).view()[0]));
    const whole = seconds(() => network.forward(features, hypergraph, inference), 1);
    const rows = BATCHES.filter((batch) => batch < n / 2).map((batch) => ({
      batch,
      fetched: seconds((vertices) => classifyVertices(network, features, hypergraph, vertices), batch),
      student: seconds((vertices) => student.forward(rowsOf(features, vertices), inference), batch),
    }));
    const studentWhole = seconds(() => student.forward(features, inference), 1);
    return { whole, studentWhole, rows };
  });
}

function milliseconds(seconds: number): string {
  return (1000 * seconds).toPrecision(3);
}

/**
 * Times one hypergraph as a study, and how many times the student is faster for one vertex and for
 * all.
 */
function speedStudy(title: string, hypergraph: Hypergraph, widths: Widths, random: Random) {
  const { whole, studentWhole, rows } = timeBoth(hypergraph, widths, random);
  const line = (vertices: string, network: number, student: number) => [
    vertices,
    milliseconds(network),
    milliseconds(whole),
    milliseconds(student),
    (network / student).toFixed(1),
    (whole / student).toFixed(1),
  ];
  const { vertexCount, hyperedgeCount, nnz } = hypergraph;
  const study: Study = {
    title: `Inference time: ${title}, ${vertexCount} vertices, ${hyperedgeCount} hyperedges, ${nnz} incidences`,
    note:
      `Median of 7 after warm-up, ${FEATURES} random features, HGNN width ${widths.hidden}, student width ` +
      `${widths.studentHidden}. "Neighbourhood": HGNN fetches the 2-hop neighbourhood of the asked vertices and ` +
      'computes there. "Whole": one pass over the hypergraph, as when it cannot be cut.',
    columns: [
      'vertices asked',
      'HGNN, neighbourhood (ms)',
      'HGNN, whole (ms)',
      'student (ms)',
      'times faster',
      'times faster than whole',
    ],
    rows: [
      ...rows.map(({ batch, fetched, student }) => line(String(batch), fetched, student)),
      line('all', whole, studentWhole),
    ],
  };
  const [one] = rows;
  return { study, vertex: one ? one.fetched / one.student : Number.NaN, whole: whole / studentWhole };
}

/** The synthetic hypergraph of the claim, and the largest real one where it is at hand. */
export function speedStudies(widths: Widths, seed: number): StudyResults {
  const random = new Random(seed).split('speed');
  const n = widths.speedVertices;
  const synthetic = speedStudy('synthetic', uniformHypergraph(n, n, [5, 15], random), widths, random);
  const measured = studyOf(synthetic.study, { syntheticVertex: synthetic.vertex, syntheticWhole: synthetic.whole });
  if (n < FULL_SIZE || !hasHypergraph(LARGEST)) return measured;
  const { hypergraph } = loadHypergraph(LARGEST);
  return joinStudies(measured, studyOf(speedStudy(LARGEST, hypergraph.mergeDuplicates(), widths, random).study));
}
