// Subgraph networks as data: a list of aggregations, a pooling, and a policy. Earlier architectures
// are schemes of the same layer.

import { type Aggregation, aggregationList, type CellPolicy, type Pooling } from '../dense/index.js';
import { type ColourTestName, classify, classSchemes } from '../expressivity/index.js';

/** What a subgraph network aggregates, and over which subgraphs. */
export interface Scheme {
  /** Beside h(u, v) itself. */
  readonly aggregations: readonly Aggregation[];
  /** What is added up first. */
  readonly pooling: Pooling;
  /** Which subgraphs. Default: `marking`. */
  readonly policy?: CellPolicy['policy'];
}

/** Schemes by name. */
export const schemes = {
  /** Message passing without subgraphs: GIN, with bonds GINE. */
  mpnn: { aggregations: ['uL'], pooling: 'VS', policy: 'plain' },
  /** DS-GNN and NGNN. */
  'swl-vs': classSchemes['SWL(VS)'],
  'swl-sv': classSchemes['SWL(SV)'],
  /** GNN-AK. */
  'pswl-vs': classSchemes['PSWL(VS)'],
  'pswl-sv': classSchemes['PSWL(SV)'],
  /** DSS-GNN and SUN. */
  gswl: classSchemes.GSWL,
  sswl: classSchemes.SSWL,
  /** As strong as `sswl`, and easier to train. */
  'sswl-plus': { aggregations: ['uL', 'vL', 'vv'], pooling: 'VS' },
} as const satisfies Readonly<Record<string, Scheme>>;

/** Name of a scheme. */
export type SchemeName = keyof typeof schemes;

/** Names of all schemes, weaker ones first. */
export const schemeNames = Object.keys(schemes) as readonly SchemeName[];

/**
 * The test that bounds what a network of a scheme can tell apart: 1-WL without subgraphs, else the
 * class of its aggregations.
 */
export function testOfScheme({ aggregations, pooling, policy }: Scheme): ColourTestName {
  return policy === 'plain' ? '1-WL' : classify(aggregations, pooling);
}

/** @throws Error for aggregations that a scheme without subgraphs cannot have */
export function requireScheme({ aggregations, policy }: Scheme): Aggregation[] {
  const list = aggregationList(aggregations);
  const across = list.find((name) => !['uL', 'uG'].includes(name));
  if (policy === 'plain' && across)
    throw new Error(
      `subgraph network: aggregation ${across} reads other subgraphs, and the policy "plain" has one alone`,
    );
  return list;
}
