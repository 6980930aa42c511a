// Networks of edge-dependent classification side by side: CoNHD, its variants, and those of others.

import {
  blockNames,
  CoNHD,
  type CoNHDOptions,
  IncidenceMLP,
  type IncidenceNetwork,
  VertexIncidenceNetwork,
  type VertexLayersName,
  WhatsNet,
} from '../../hypergraph/index.js';
import type { Random } from '../../tensor/index.js';
import type { Method } from '../parts/methods.js';
import { choice, type OptionValues } from '../parts/options.js';
import {
  guessing,
  type IncidenceData,
  type IncidenceSetting,
  incidenceMethod,
  incidenceOptions,
  incidenceWidths,
} from './incidences.js';

/** Titles of methods. */
export const [GUESS, MLP, RANKS, WHATSNET] = ['guess', 'MLP', 'MLP with ranks', 'WHATsNet'] as const;
export const [CONHD, AGGREGATED, ADMM] = ['CoNHD', 'CoNHD, aggregated', 'CoNHD, ADMM'] as const;
const vertexNetworks: Readonly<Record<string, VertexLayersName>> = {
  HGNN: 'hgnn',
  HNHN: 'hnhn',
  UniGCNII: 'unigcnii',
  AllSet: 'allset',
  'ED-HNN': 'edhnn',
};
/** Titles of the networks of others. */
export const rivals: readonly string[] = [...Object.keys(vertexNetworks), WHATSNET];

export const networkOptions = { ...incidenceOptions, block: choice(blockNames, 'equivariant block: UNB, ISAB or SAB') };

export type NetworkValues = OptionValues<typeof networkOptions>;
/** Makes an untrained network. */
export type Create = (
  random: Random,
  setting: Pick<IncidenceSetting, 'layers' | 'dropout'>,
) => IncidenceNetwork & object;

/** Makers of untrained networks by title. */
export function networksOf(data: IncidenceData, { hidden, block }: Pick<NetworkValues, 'hidden' | 'block'>) {
  const { inFeatures, positions } = incidenceWidths(data);
  const { classes } = data;
  const conhd = (changes: CoNHDOptions): Create => {
    return (random, { layers, dropout }) =>
      new CoNHD(inFeatures, classes, random, { hidden, layers, dropout, block, positions, ...changes });
  };
  const mlp = (ranks: number): Create => {
    return (random, { layers, dropout }) =>
      new IncidenceMLP(inFeatures, classes, random, { hidden, layers, dropout, positions: ranks });
  };
  const others = Object.entries(vertexNetworks).map(([title, kind]): [string, Create] => [
    title,
    (random, { layers, dropout }) =>
      new VertexIncidenceNetwork(kind, inFeatures, classes, random, { hidden, layers, dropout, positions }),
  ]);
  const networks: Readonly<Record<string, Create>> = {
    [MLP]: mlp(0),
    ...(positions > 0 && { [RANKS]: mlp(positions) }),
    ...Object.fromEntries(others),
    [WHATSNET]: (random, { layers, dropout }) =>
      new WhatsNet(inFeatures, classes, random, { hidden, layers, dropout, positions }),
    [AGGREGATED]: conhd({ aggregated: true }),
    [CONHD]: conhd({}),
    [ADMM]: conhd({ diffusion: 'admm' }),
  };
  return networks;
}

/** Every method, tuned alike. */
export function incidenceMethods(data: IncidenceData, values: NetworkValues): Method<IncidenceNetwork & object>[] {
  const networks = Object.entries(networksOf(data, values));
  return [guessing(data), ...networks.map(([title, create]) => incidenceMethod(title, create, data, values))];
}

/** Titles in the order of `incidenceMethods`. */
export function incidenceTitles({ positions }: Pick<NetworkValues, 'positions'>): readonly string[] {
  return [GUESS, MLP, ...(positions === 'ranks' ? [RANKS] : []), ...rivals, AGGREGATED, CONHD, ADMM];
}
