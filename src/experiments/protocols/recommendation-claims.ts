// What DSL must show, of each kind of model and set.

import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import type { ModelKind } from './recommendation.js';
import { DENSE, dslAt, equalWeights, prunedTo, randomAt, staticAt } from './recommendation-arms.js';

/** Options that decide which claims a run can compute. */
interface Values {
  readonly model: ModelKind;
  readonly densities: string;
  readonly rivals: string;
  readonly kinds: string;
}
type Run = Evidence<Values>;

/** Densities of an option. */
export const listed = (text: string): number[] => (text === 'none' ? [] : text.split(',').map(Number));
const has =
  (model: Values['model'], density: number, which: 'densities' | 'rivals' = 'densities') =>
  (values: Values) =>
    values.model === model && listed(values[which]).includes(density);
const overDense = (e: Run, density: number, metric: string) => e.ratio(dslAt(density), DENSE, metric);
const { abstract, ours } = claimsOf<Values>();

const costClaims = (density: number) => [
  abstract('costs', `Multiply-adds of training over dense, density ${density}`, below(1), (e) =>
    overDense(e, density, 'training'),
  ),
  abstract('costs', `Multiply-adds of inference over dense, density ${density}`, below(1), (e) =>
    overDense(e, density, 'inference'),
  ),
  abstract('costs', `Saved weights over dense, density ${density}`, below(1), (e) => overDense(e, density, 'served')),
];
const comparable = (['recall', 'ndcg'] as const).map((metric) =>
  abstract('comparable', `${metric === 'recall' ? 'Recall' : 'NDCG'}@20 over dense, density 0.5`, atLeast(0.98), (e) =>
    overDense(e, 0.5, metric),
  ),
);
const rival = (density: number, title: string, text: string, bound: ReturnType<typeof above>) =>
  ours(`Recall@20 over ${text}, density ${density}`, bound, (e) => e.ratio(dslAt(density), title, 'recall'));

export const recommendationClaims = [
  ...where<Values>({ when: (values) => listed(values.densities).includes(0.1) }, [
    abstract('budget', 'Weights off the budget of a matrix, most after any step, density 0.1', atMost(0), (e) =>
      e.most((score) => score(dslAt(0.1), 'drift')),
    ),
    ours('Most bytes of weights, places and optimiser over dense, density 0.1', atMost(0.2), (e) =>
      overDense(e, 0.1, 'peak'),
    ),
    ...costClaims(0.1),
  ]),
  ...where<Values>({ when: has('multvae', 0.1) }, [
    ours('Mult-VAE: multiply-adds of training over dense, density 0.1', atMost(0.12), (e) =>
      overDense(e, 0.1, 'training'),
    ),
    ours('Mult-VAE: multiply-adds of inference over dense, density 0.1', atMost(0.11), (e) =>
      overDense(e, 0.1, 'inference'),
    ),
  ]),
  ...where<Values>({ when: (values) => values.rivals !== 'none' && listed(values.densities).includes(0.1) }, [
    abstract(
      'compression',
      'Multiply-adds of training over pruning and fine-tuning, pre-training counted, density 0.1',
      below(1),
      (e) => e.ratio(dslAt(0.1), prunedTo(0.1), 'training'),
    ),
  ]),
  ...where<Values>(
    { when: (values) => values.model !== 'neumf' && listed(values.densities).includes(0.5) },
    comparable,
  ),
  ...where<Values>({ when: has('lightgcn', 0.1, 'rivals') }, [
    ...where<Values>({ data: ['topics'] }, [
      rival(0.1, staticAt(0.1), 'a mask that stays', atLeast(1.15)),
      rival(0.1, equalWeights(0.1), 'small dense of equal weights', atLeast(0.95)),
    ]),
    ...where<Values>({ data: ['gowalla-3k'] }, [rival(0.1, staticAt(0.1), 'a mask that stays', atLeast(1.03))]),
    abstract('dynamic', 'Recall@20 over a mask that stays, density 0.1', above(1), (e) =>
      e.ratio(dslAt(0.1), staticAt(0.1), 'recall'),
    ),
    ours('Recall@20 over random growth, density 0.1', above(1), (e) => e.ratio(dslAt(0.1), randomAt(0.1), 'recall')),
  ]),
  ...where<Values>({ data: ['topics'], when: has('lightgcn', 0.05, 'rivals') }, [
    rival(0.05, staticAt(0.05), 'a mask that stays', atLeast(1.3)),
    rival(0.05, equalWeights(0.05), 'small dense of equal weights', atLeast(1.1)),
  ]),
  ...where<Values>({ when: (values) => values.kinds === 'yes' }, [
    abstract(
      'budget',
      'Other kinds of models: weights off the budget of a matrix, most after any step',
      atMost(0),
      (e) => e.study('drift'),
    ),
    ours(
      'NeuMF: hit rate@20 among 100 candidates, above popularity (points)',
      above(0),
      (e) => e.study('neumf hits') - e.study('popular hits'),
    ),
  ]),
];
