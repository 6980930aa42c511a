// The claims of GraphVite's experiment.

import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { GRID, type GridOptions, RIVALS } from './grid-methods.js';

export type GridClaimOptions = GridOptions & { readonly studies: string; readonly speedEdges: number };

type Run = Evidence<GridClaimOptions>;

/** Networks with labels. */
export const labelledNetworks = ['ppi', 'blogcatalog', 'wikipedia-pos'];
/** Pairs, trials below which a run tells nothing of quality; edges below which times are noise. */
const ENOUGH = { pairs: 1_000_000, trials: 3, edges: 200_000 };

const { abstract, ours } = claimsOf<GridClaimOptions>();

const SCORES = { micro: 'micro-F1', macro: 'macro-F1', micro50: 'micro-F1, half', macro50: 'macro-F1, half' } as const;

/** Points above the better of LINE and DeepWalk. */
const lead = (metric: string) => (e: Run) =>
  e.mean(GRID.line, metric) - Math.max(e.mean(RIVALS.line, metric), e.mean(RIVALS.deepWalk, metric));

const trained = ({ pairs, trials }: GridClaimOptions) => pairs >= ENOUGH.pairs && trials >= ENOUGH.trials;
const timed = ({ studies, speedEdges }: GridClaimOptions) => studies !== 'none' && speedEdges >= ENOUGH.edges;

export const gridClaims = [
  ...where({ data: labelledNetworks, when: trained }, [
    ...Object.entries(SCORES).map(([metric, label]) =>
      abstract(
        'sacrifice',
        `Above the better of LINE and DeepWalk on as many pairs (points of ${label})`,
        atLeast(-0.5),
        lead(metric),
      ),
    ),
    ...(['micro', 'macro'] as const).map((metric) =>
      ours(`Parts and one part differ by (points of ${SCORES[metric]})`, atMost(0.5), (e) =>
        Math.abs(e.gain(GRID.line, GRID.single, metric)),
      ),
    ),
    ours('Links by V·C above LINE (points of AUC)', atLeast(-1), (e) => e.gain(GRID.line, RIVALS.line, 'auc')),
  ]),
  ...where({ when: timed }, [
    abstract('sampling', 'Samplers on two threads against one (times faster)', above(1), (e) => e.study('samplers')),
    ours('Samplers on two threads against one, as asked of two cores (times faster)', atLeast(1.6), (e) =>
      e.study('samplers'),
    ),
    abstract('negatives', 'Workers on two threads against one (times faster)', above(1), (e) => e.study('workers')),
    ours('Workers on two threads against one, as asked of two cores (times faster)', atLeast(1.5), (e) =>
      e.study('workers'),
    ),
    abstract('collaboration', 'Time with two pools as a share of that with one', below(1), (e) => e.study('buffered')),
    ours('Time with two pools as a share of that with one, stages alike', atMost(0.75), (e) => e.study('buffered')),
    ours('The kernel against a plain loop on one thread (times faster)', atLeast(4), (e) => e.study('kernel')),
  ]),
  ...where({ when: ({ studies }) => studies !== 'none' }, [
    ours('Bytes of parts moved, as a multiple of the formula', atMost(1), (e) => e.study('moved')),
    ours('Barriers off the formula (share)', atMost(0), (e) => Math.abs(e.study('barriers') - 1)),
    ours('Vectors of four budgets: peak of tensors over budget, pools and graph', atMost(1.1), (e) =>
      e.study('overBudget'),
    ),
    ours('Within a budget the same bits as in memory (1: yes)', atLeast(1), (e) => e.study('sameBits')),
    ours('Bytes of pairs with ten times the epochs, over those without', atMost(1), (e) => e.study('pools')),
  ]),
  ...where({ data: labelledNetworks, when: (o) => trained(o) && o.studies !== 'none' }, [
    abstract('fast', 'Times faster than LINE to 99 % of its micro-F1', atLeast(50), (e) => e.study('faster')),
  ]),
];
