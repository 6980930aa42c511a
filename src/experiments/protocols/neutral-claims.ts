// Claims on random search as a baseline. The paper's null is an equivalence: see sparse-claims.ts.

import { atLeast, atMost, below, type ClaimSpec, claimsOf, type Evidence, where } from '../parts/claims.js';
import { controlsOf, DENSE, levelsOf, type SubNetworkValues, armTitles as titles } from './sparse-arms.js';
import { armTitle, type Comparison, farthest, signedRank, upperEnd, widest } from './sparse-claims.js';

type Values = SubNetworkValues;
type Run = Evidence<Values>;

const compared = (metric: string, relative = false): Comparison => ({
  ...{ arm: titles['random-search'], over: titles.random, metric, relative },
});
const ofBad: Comparison = { arm: titles.zeroed, over: titles.random, metric: 'accuracy' };
const pointsBand = (level: number) => (level >= 0.98 ? 1.5 : 1);
const usual = (values: Values) => levelsOf(values).filter((level) => level < 0.98);

/** Deviations by which the search is ahead before training, in its worst seed and level. */
const ahead = (e: Run) =>
  Math.min(
    ...levelsOf(e.options).map((level) => Math.min(...e.scores(armTitle(titles['random-search'], level), 'ahead'))),
  );
const badEnd = (e: Run) => upperEnd(e, ofBad, controlsOf(e.options));
/** A verdict counts only where the search worked and the bad arm is told apart. */
const valid = (e: Run, value: number) => (ahead(e) >= 2 && badEnd(e) < 0 ? value : Number.NaN);
const share = (e: Run, level: number) => 100 * e.ratio(armTitle(titles['random-search'], level), DENSE, 'accuracy');

const { abstract, ours } = claimsOf<Values>();

const preserved = (least: number, leastHigh: number) => [
  abstract(
    'preserved',
    'Accuracy with 90 % of the nodes off, of that of the parent (%; bound ours)',
    atLeast(least),
    (e) => share(e, 0.9),
  ),
  abstract(
    'preserved',
    'Accuracy with 98 % of the nodes off, of that of the parent (%; bound ours)',
    atLeast(leastHigh),
    (e) => share(e, 0.98),
  ),
];

const worked = ours(
  "Search before training: deviations below the candidates' mean, worst seed and level",
  atLeast(2),
  ahead,
);

/** What a run of some size shows; a short one is too noisy. */
const verdicts: readonly ClaimSpec<Values>[] = where<Values>(
  { data: ['fashion-mnist', 'cifar10'], when: ({ images }) => images >= 2000 },
  [
    ...where<Values>({ when: ({ network }) => network === 'mlp' }, preserved(90, 75)),
    ...where<Values>({ when: ({ network }) => network === 'cnn' }, preserved(75, 50)),
    ours('Largest rise of accuracy from one level to the next (points)', atMost(0.5), (e) => {
      const all = [
        e.mean(DENSE, 'accuracy'),
        ...levelsOf(e.options).map((p) => e.mean(armTitle(titles['random-search'], p), 'accuracy')),
      ];
      return Math.max(...all.slice(1).map((own, at) => own - (all[at] as number)));
    }),
    abstract(
      'neutral',
      'Random search less random: farthest end of the 95 % interval of accuracy over ±1 point (±1.5 at p = 0.98)',
      atMost(1),
      (e) => valid(e, farthest(e, compared('accuracy'), levelsOf(e.options), pointsBand)),
    ),
    abstract('neutral', 'Likewise of the steps to 95 % of the final accuracy, over ±15 %', atMost(1), (e) =>
      valid(
        e,
        farthest(e, compared('steps', true), usual(e.options), () => 15),
      ),
    ),
    abstract('neutral', 'Likewise of the area under the validation curve, over ±1 %', atMost(1), (e) =>
      valid(
        e,
        farthest(e, compared('area', true), usual(e.options), () => 1),
      ),
    ),
    ours('Widest of these intervals over its band; above 1 nothing is decided', atMost(1), (e) =>
      valid(
        e,
        Math.max(
          widest(e, compared('accuracy'), levelsOf(e.options), pointsBand),
          widest(e, compared('steps', true), usual(e.options), () => 15),
          widest(e, compared('area', true), usual(e.options), () => 1),
        ),
      ),
    ),
    ours(
      'Half of the first layer zeroed, less random: upper end of the interval (points), worst level',
      below(0),
      badEnd,
    ),
    ours("Wilcoxon's signed-rank p of accuracy, least of the levels times their number", atLeast(0.05), (e) => {
      const all = levelsOf(e.options);
      const least = Math.min(...all.map((level) => signedRank(e, compared('accuracy'), level)));
      return valid(e, Math.min(1, all.length * least));
    }),
    ...where<Values>({ when: ({ repeats }) => repeats > 0 }, [
      abstract(
        'baseline',
        'Margin of pruned channels over random search apart from that over random (points; bound ours)',
        atMost(1),
        (e) => Math.abs(e.study('margin over random search') - e.study('margin over random')),
      ),
    ]),
  ],
);

/** All claims of the experiment. */
export const neutralClaims: readonly ClaimSpec<Values>[] = [worked, ...verdicts];
