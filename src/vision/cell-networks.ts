// Networks of cells by name: the published ones of DASS, unless others were found.

import { type Genotype, genotypeNetwork, genotypes } from '../models/index.js';
import type { Layer } from '../nn/index.js';
import type { Random } from '../tensor/index.js';

/** What networks of cells are made of. */
interface CellShape {
  readonly channels: number;
  readonly classes: number;
  /** Width multiplier. */
  readonly multiplier: number;
  readonly settings: Readonly<Record<string, number>>;
  readonly genotype?: Genotype | undefined;
}

const network = (published: Genotype) => ({
  make({ channels, classes, multiplier, settings, genotype = published }: CellShape, random: Random): Layer {
    const { width = 16, cells = 8 } = settings;
    const scaled = Math.max(2, Math.round(multiplier * width));
    return genotypeNetwork(genotype, { channels, classes, width: scaled, cells }, random);
  },
  settings: {
    width: 'channels C of the nodes of the first cells; 16 unless given',
    cells: 'number of cells, at least 3; 8 unless given',
  },
});

/** `dass` has the cells for 99 % zeros. */
export const cellNetworks = {
  dass: network(genotypes['dass-99']),
  'dass-95': network(genotypes['dass-95']),
  'dass-90': network(genotypes['dass-90']),
  'darts-dense': network(genotypes['darts-dense']),
};
