// Logistic regression on features averaged along metapaths that return to the target type: a simple
// and strong baseline.

import {
  type LogisticModel,
  type LogisticRegressionOptions,
  logisticScores,
  multinomialRegression,
} from '../../nn/index.js';
import type { HeteroGraph } from '../../structure/index.js';
import { concatenate, gatherKnownRows, keep, normalizeRows, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { TypedFeatures } from '../conv/index.js';
import { type Metapath, metapathsTo, walkMetapaths } from './metapath.js';

/**
 * The empty metapath and those of two relations that return to the target type.
 *
 * @param more types between the ends of longer paths, such as `['paper', 'conf', 'paper']`
 * @throws Error where no relations lead along such types
 */
export function returningPaths(
  graph: HeteroGraph,
  target: string,
  more: readonly (readonly string[])[] = [],
): Metapath[] {
  const short = metapathsTo(graph, target, 2).filter((path) => path.length === 0 || isReturn(path, target));
  const longer = more.map((types) => {
    const along = [target, ...types, target];
    return along.slice(1).map((to, step) => {
      const found = graph.into(to).find(({ source }) => source === along[step]);
      if (!found) throw new Error(`returningPaths: no relation leads from ${along[step]} to ${to}`);
      return found;
    });
  });
  return [...short, ...longer];
}

const isReturn = (path: Metapath, target: string) => path.length === 2 && path[0]?.source === target;

/** Rows of length 1 of X and its means along metapaths, side by side [rows, paths·d]. */
export function metapathFeatures(features: TypedFeatures, paths: readonly Metapath[], rows: Int32Array): Tensor {
  return scope(() => {
    const parts: Tensor[] = [];
    walkMetapaths(features, paths, (at, values) => {
      parts[at] = keep(gatherKnownRows(values, tensor(rows)));
    });
    const joined = normalizeRows(concatenate(parts, 1));
    for (const part of parts) part.dispose();
    return joined;
  });
}

/** Multinomial logistic regression on such features. */
export class MetapathRegression {
  private constructor(readonly model: LogisticModel) {}

  /** @param classes number of classes */
  static fit(
    x: Tensor,
    labels: Int32Array,
    classes: number,
    options: LogisticRegressionOptions = {},
  ): MetapathRegression {
    const { weights, intercepts } = multinomialRegression(x, labels, classes, options);
    return new MetapathRegression({ weights: keep(weights), intercepts: keep(intercepts) });
  }

  /** Logits [rows, classes]. */
  forward(x: Tensor): Tensor {
    return logisticScores(this.model, x);
  }
}
