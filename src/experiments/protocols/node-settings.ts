// Hyperparameters that authors publish for a data set, tried first for each node classifier.

import type { Setting } from '../parts/scores.js';

/** `scaled`: bag-of-words rows that sum to 1; `raw`: as stored. */
export type FeatureForm = 'scaled' | 'raw';

/** Hyperparameters that every classifier has. */
export interface NodeSetting extends Setting {
  readonly features: FeatureForm;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly dropout: number;
}

/** Hyperparameters of a classifier on combined hops. */
export type HopSetting = NodeSetting & { readonly steps: number };

type Table<S> = Readonly<Record<string, Partial<S>>>;
const of = <S>(table: Table<S>, data: string): Partial<S> => table[data] ?? {};

/** What differs between data sets in the settings of networks on the graph, by title. */
export const publishedNetworks: Readonly<Record<string, Table<NodeSetting>>> = {
  // run.sh of mengliu1998/DeeperGNN; learning rate 0.01 on all sets.
  DAGNN: {
    cora: { dropout: 0.8, weightDecay: 5e-3, steps: 10 },
    citeseer: { dropout: 0.5, weightDecay: 2e-2, steps: 10 },
    'coauthor-cs': { dropout: 0.8, weightDecay: 0, steps: 5 },
    'amazon-computers': { dropout: 0.5, weightDecay: 5e-5, steps: 5 },
    'amazon-photo': { dropout: 0.5, weightDecay: 5e-4, steps: 5 },
  },
  // semi.sh of chennnM/GCNII, there with 64 layers (Cora) and 32 of width 256 (Citeseer).
  'GCNII, 16 layers': {
    cora: { lambda: 0.5, dropout: 0.6 },
    citeseer: { lambda: 0.6, dropout: 0.7 },
  },
};

/** Teleport probability a of GBP (transductive.sh of chennnM/GBP). */
export const gbpTeleport = (data: string): number => (data === 'citeseer' ? 0.15 : 0.1);

/** Published settings of the fixed combinations of hops, by title. */
export function publishedHops(data: string): Readonly<Record<'SGC' | 'SGC, its authors' | 'S²GC' | 'GBP', HopSetting>> {
  return {
    // src/sgc.py of PKU-DAIR/DGMLP, the arm of its paper.
    SGC: { features: 'raw', learningRate: 0.1, weightDecay: 5e-5, dropout: 0.5, steps: 4 },
    // Tiiiger/SGC; its tuned weight decays are recalled.
    'SGC, its authors': { features: 'scaled', learningRate: 0.2, weightDecay: 1e-5, dropout: 0, steps: 2 },
    // args_cora.py and args_citeseer.py of allenhaozhu/SSGC.
    'S²GC': {
      ...{ features: 'scaled', learningRate: 0.2, weightDecay: 1e-5, dropout: 0, steps: 16 },
      ...of<HopSetting>({ citeseer: { weightDecay: 1e-4 } }, data),
    },
    // transductive.sh of chennnM/GBP, there under a perceptron of two layers; K and the scaled
    // features are ours.
    GBP: {
      ...{ features: 'scaled', learningRate: 0.01, weightDecay: 5e-4, dropout: 0.5, steps: 10 },
      ...of<HopSetting>({ citeseer: { weightDecay: 0.2 } }, data),
    },
  };
}
