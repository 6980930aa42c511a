// Which of the six classes of subgraph Weisfeiler-Lehman tests a list of aggregations is as strong
// as.

import { type Aggregation, aggregationList, type Pooling } from '../dense/aggregations.js';

/** The classes, weaker before stronger; SWL(SV) and PSWL(VS) are incomparable. */
export const subgraphClasses = ['SWL(VS)', 'SWL(SV)', 'PSWL(VS)', 'PSWL(SV)', 'GSWL', 'SSWL'] as const;

/** A class of subgraph tests. */
export type SubgraphClass = (typeof subgraphClasses)[number];

/** A list of aggregations and a pooling, for each class. */
export const classSchemes: Readonly<
  Record<SubgraphClass, { readonly aggregations: readonly Aggregation[]; readonly pooling: Pooling }>
> = {
  'SWL(VS)': { aggregations: ['uL'], pooling: 'VS' },
  'SWL(SV)': { aggregations: ['uL'], pooling: 'SV' },
  'PSWL(VS)': { aggregations: ['uL', 'vv'], pooling: 'VS' },
  'PSWL(SV)': { aggregations: ['uL', 'vv'], pooling: 'SV' },
  GSWL: { aggregations: ['uL', 'vG'], pooling: 'VS' },
  SSWL: { aggregations: ['uL', 'vL'], pooling: 'VS' },
};

/** Whether a class tells apart all that another does, and more. */
export function isStronger(stronger: SubgraphClass, weaker: SubgraphClass): boolean {
  const above: Readonly<Record<SubgraphClass, readonly SubgraphClass[]>> = {
    'SWL(VS)': [],
    'SWL(SV)': ['SWL(VS)'],
    'PSWL(VS)': ['SWL(VS)'],
    'PSWL(SV)': ['SWL(VS)', 'SWL(SV)', 'PSWL(VS)'],
    GSWL: ['SWL(VS)', 'SWL(SV)', 'PSWL(VS)', 'PSWL(SV)'],
    SSWL: ['SWL(VS)', 'SWL(SV)', 'PSWL(VS)', 'PSWL(SV)', 'GSWL'],
  };
  return above[stronger].includes(weaker);
}

const mirrored: Readonly<Record<Aggregation, Aggregation>> = {
  ...{ vu: 'vu', uu: 'vv', vv: 'uu', uG: 'vG', vG: 'uG', uL: 'vL', vL: 'uL' },
};

/**
 * The class of a list of aggregations, beside h(u, v) itself, with a pooling. With neither `uL` nor
 * `vL` no edge is ever seen beyond what degrees of freedom of 1-WL allow: `1-WL` is then an upper
 * bound.
 *
 * @throws Error naming an aggregation that there is not
 * @see Zhang, Feng, Du, He, Wang, "A Complete Expressiveness Hierarchy for Subgraph GNNs via
 * Subgraph Weisfeiler-Lehman Tests", ICML 2023
 */
export function classify(names: readonly string[], pooling: Pooling): SubgraphClass | '1-WL' {
  const list = new Set(aggregationList(names));
  if (!list.has('uL')) {
    if (!list.has('vL')) return '1-WL';
    return classify(
      [...list].map((name) => mirrored[name]),
      pooling === 'VS' ? 'SV' : 'VS',
    );
  }
  // Transposing twice turns messages inside a subgraph into messages across.
  if (list.has('vL') || list.has('vu')) return 'SSWL';
  if (list.has('vG')) return 'GSWL';
  return list.has('vv') ? `PSWL(${pooling})` : `SWL(${pooling})`;
}
