// What is claimed of layers without parameters, and on which scores.

import { above, atLeast, atMost, below, type ClaimSpec, claimsOf, type Evidence, where } from '../parts/claims.js';
import { layerScore } from './pf-layers.js';
import { AVERAGE, CONV, COUNTS, DEPTHWISE, HYBRID, MAX, NONE } from './pf-networks.js';
import { SEARCH } from './pf-search.js';
import { resNetScore } from './pf-speed.js';

/** Options that claims depend on. */
interface Options {
  readonly images: number;
  readonly layerImages: number;
  readonly searchImages: number;
  readonly side: number;
}

type Run = Evidence<Options>;
const { abstract, paper, ours } = claimsOf<Options>();

type Cost = Parameters<typeof resNetScore>[1];

/** ResNet-50 with an operation over ResNet-50 with another. */
const overResNet = (e: Run, arm: 'max' | 'hybrid' | 'depthwise', other: 'convolution' | 'depthwise', what: Cost) =>
  e.study(resNetScore(arm, what)) / e.study(resNetScore(other, what));

/** Costs of max pooling over those of convolution and depthwise convolution, nano and ResNet-50. */
const mostOver = (metric: string, what: Cost) => (e: Run) =>
  Math.max(
    e.ratio(MAX, CONV, metric),
    e.ratio(MAX, DEPTHWISE, metric),
    overResNet(e, 'max', 'convolution', what),
    overResNet(e, 'max', 'depthwise', what),
  );

const layer = (e: Run, what: 'accuracy' | 'ms', operator: 'max-pool' | 'average-pool' | 'depthwise') =>
  e.study(layerScore(what, 'inverted', operator));

const gain = (title: string, other: string) => (e: Run) => e.gain(title, other, 'accuracy');

export const pfClaims: readonly ClaimSpec<Options>[] = [
  ...where({ when: ({ side }) => side === 224 }, [
    abstract(
      'efficiency',
      'Time of max pooling over convolution’s and depthwise’s, plans of nano and ResNet-50, most',
      below(1),
      mostOver('latency', 'plan'),
    ),
    abstract(
      'efficiency',
      'Time of max pooling over convolution’s and depthwise’s, steps of nano and ResNet-50, most',
      below(1),
      mostOver('step', 'step'),
    ),
    abstract(
      'efficiency',
      'Parameters of max pooling over convolution’s and depthwise’s, nano and ResNet-50, most',
      below(1),
      mostOver('parameters', 'parameters'),
    ),
    abstract(
      'efficiency',
      'Multiply-adds of max pooling over convolution’s and depthwise’s, nano and ResNet-50, most',
      below(1),
      mostOver('multiplyAdds', 'multiplyAdds'),
    ),
    abstract(
      'depthwise',
      'ResNet-50 with depthwise over 3×3 convolutions: ratio of times over ratio of multiply-adds',
      atLeast(2),
      (e) =>
        overResNet(e, 'depthwise', 'convolution', 'plan') / overResNet(e, 'depthwise', 'convolution', 'multiplyAdds'),
    ),
    paper(
      'ResNet-50 over that with max pooling, time of a plan',
      atLeast(1.28),
      (e) => 1 / overResNet(e, 'max', 'convolution', 'plan'),
    ),
    paper(
      'ResNet-50 over the hybrid, time of a plan',
      atLeast(1.19),
      (e) => 1 / overResNet(e, 'hybrid', 'convolution', 'plan'),
    ),
    paper('Parameters of the hybrid over those of ResNet-50', atMost(0.68), (e) =>
      overResNet(e, 'hybrid', 'convolution', 'parameters'),
    ),
  ]),
  ...where({ data: ['cifar10'] }, [
    abstract('accuracy', 'Max pooling above convolution (points; the paper has −1.9)', atLeast(-1.9), gain(MAX, CONV)),
  ]),
  abstract('alternative', 'Max pooling above depthwise convolution (points)', atLeast(-1), gain(MAX, DEPTHWISE)),
  abstract('alternative', 'Time of max pooling over depthwise convolution’s, a plan', below(1), (e) =>
    e.ratio(MAX, DEPTHWISE, 'latency'),
  ),
  ...where({ when: ({ layerImages }) => layerImages > 0 }, [
    abstract(
      'alternative',
      'Inverted bottlenecks: max pooling above depthwise convolution, mean of the cells (points)',
      atLeast(-1),
      (e) => layer(e, 'accuracy', 'max-pool') - layer(e, 'accuracy', 'depthwise'),
    ),
    abstract(
      'alternative',
      'Inverted bottlenecks: time of max pooling over depthwise convolution’s',
      below(1),
      (e) => layer(e, 'ms', 'max-pool') / layer(e, 'ms', 'depthwise'),
    ),
    paper('Max above average pooling, less of the means of both kinds of blocks (points)', atLeast(0), (e) =>
      Math.min(
        ...(['bottleneck', 'inverted'] as const).map(
          (kind) =>
            e.study(layerScore('accuracy', kind, 'max-pool')) - e.study(layerScore('accuracy', kind, 'average-pool')),
        ),
      ),
    ),
  ]),
  paper('Hybrid above convolution (points)', atLeast(0), gain(HYBRID, CONV)),
  paper('Max above average pooling, whole networks (points)', atLeast(0), gain(MAX, AVERAGE)),
  ...where({ when: ({ searchImages }) => searchImages > 0 }, [
    paper('Operations without parameters among those chosen by the search, share', above(0.6), (e) =>
      e.study(SEARCH.share),
    ),
    paper(
      'Found networks above random ones, means (points)',
      atLeast(0),
      (e) => e.study(SEARCH.found) - e.study(SEARCH.random),
    ),
  ]),
  ours('Max pooling above no spatial operation (points)', atLeast(5), gain(MAX, NONE)),
  ours('Parameters of max pooling over convolution’s, nano at 28 pixels', atMost(0.572), (e) =>
    e.study(COUNTS.parameters),
  ),
  ours('Multiply-adds of max pooling over convolution’s, nano at 28 pixels', atMost(0.611), (e) =>
    e.study(COUNTS.products),
  ),
  ...where({ data: ['fashion-mnist'], when: ({ images }) => images >= 6000 }, [
    ours('Accuracy of max pooling', atLeast(80), (e) => e.mean(MAX, 'accuracy')),
  ]),
];
