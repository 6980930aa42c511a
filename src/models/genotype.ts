// Genotypes: the cells that a search found, as DARTS writes them.

/** The operations of an edge, by their names in DARTS. */
export const cellOperations = [
  'none',
  'max_pool_3x3',
  'avg_pool_3x3',
  'skip_connect',
  'sep_conv_3x3',
  'sep_conv_5x5',
  'dil_conv_3x3',
  'dil_conv_5x5',
] as const;

/** Name of an operation. */
export type CellOperation = (typeof cellOperations)[number];

/**
 * An edge of a found cell: its operation, and the input (0, 1) or node (2, …) that it comes from.
 */
export type Gene = readonly [operation: CellOperation, input: number];

/** What a search of cells found: the edges of each type of cell, two a node. */
export interface Genotype {
  /** Cells that keep the size of the map. */
  readonly normal: readonly Gene[];
  /** Cells that halve it. */
  readonly reduce: readonly Gene[];
}

/** Edges into a node. */
const EDGES = 2;

/** The edges of a cell by node. */
export function nodesOf(genes: readonly Gene[]): readonly (readonly Gene[])[] {
  return Array.from({ length: genes.length / EDGES }, (_, node) => genes.slice(EDGES * node, EDGES * (node + 1)));
}

/**
 * Checks a genotype, such as one read from JSON. Concatenations, which DARTS writes too, must be
 * those of all nodes.
 *
 * @param name used in error messages
 * @throws Error naming the edge that is wrong
 */
export function requireGenotype(value: unknown, name = 'genotype'): Genotype {
  if (typeof value !== 'object' || value === null)
    throw new Error(`${name}: expected an object with "normal" and "reduce"`);
  const given = value as Readonly<Record<string, unknown>>;
  const cell = (type: 'normal' | 'reduce'): readonly Gene[] => {
    const genes = given[type];
    if (!Array.isArray(genes) || genes.length === 0 || genes.length % EDGES !== 0)
      throw new Error(`${name}: "${type}" must be a list of edges, two a node`);
    for (const [at, gene] of genes.entries())
      requireGene(gene, Math.floor(at / EDGES), `${name}: edge ${at + 1} of "${type}"`);
    const all = Array.from({ length: genes.length / EDGES }, (_, node) => node + 2);
    const joined = given[`${type}_concat`] ?? all;
    if (!Array.isArray(joined) || joined.join() !== all.join())
      throw new Error(`${name}: "${type}_concat" must be all nodes, ${all.join(', ')}`);
    return genes as Gene[];
  };
  return { normal: cell('normal'), reduce: cell('reduce') };
}

function requireGene(gene: unknown, node: number, place: string): void {
  const [operation, input] = Array.isArray(gene) ? gene : [];
  const known = cellOperations.filter((own) => own !== 'none');
  if (!known.includes(operation))
    throw new Error(`${place}: the operation must be one of ${known.join(', ')}, got ${JSON.stringify(operation)}`);
  if (!(Number.isInteger(input) && input >= 0 && input < node + EDGES))
    throw new Error(`${place}: node ${node + EDGES} takes inputs from 0 to ${node + 1}, got ${JSON.stringify(input)}`);
}

/**
 * The cell that architecture weights stand for: each node keeps the two incoming edges whose
 * largest share of an operation other than `none` is largest (the first of equals), with that
 * operation.
 *
 * @param shares softmax(α) of each edge by operation; edges in the order of nodes, 2 + i into
 * node i
 * @throws RangeError unless the edges are those of whole nodes
 */
export function decodeCell(shares: readonly Readonly<Record<string, number>>[]): Gene[] {
  const genes: Gene[] = [];
  let [first, inputs] = [0, EDGES];
  while (first < shares.length) {
    const own = shares.slice(first, first + inputs);
    if (own.length < inputs)
      throw new RangeError(`decodeCell: ${shares.length} edges are not those of whole nodes, 2, 5, 9, 14, …`);
    const best = own.map((edge, input) => ({ input, ...strongest(edge) }));
    best.sort((a, b) => b.share - a.share);
    for (const { name, input } of best.slice(0, EDGES)) genes.push([name, input]);
    [first, inputs] = [first + inputs, inputs + 1];
  }
  return genes;
}

/** The operation of the largest share but `none`. */
function strongest(shares: Readonly<Record<string, number>>): { name: CellOperation; share: number } {
  const all = Object.entries(shares).filter(([name]) => name !== 'none') as [CellOperation, number][];
  const [first, ...others] = all;
  if (!first) throw new RangeError('decodeCell: an edge has no operation but "none"');
  const [name, share] = others.reduce((best, own) => (own[1] > best[1] ? own : best), first);
  return { name, share };
}

/** Share of the edges of both cells that are skip connections: near 1, a search collapsed. */
export function skipShare({ normal, reduce }: Genotype): number {
  const all = [...normal, ...reduce];
  return all.filter(([operation]) => operation === 'skip_connect').length / all.length;
}

const short = {
  mp: 'max_pool_3x3',
  ap: 'avg_pool_3x3',
  sk: 'skip_connect',
  s3: 'sep_conv_3x3',
  s5: 'sep_conv_5x5',
  d3: 'dil_conv_3x3',
  d5: 'dil_conv_5x5',
} as const;

const genes = (text: string): Gene[] =>
  text.split(' ').map((gene) => [short[gene.slice(0, 2) as keyof typeof short], Number(gene.slice(2))] as const);

/**
 * Published cells of DASS for CIFAR-10, by the share of zeros at which they were searched, and the
 * cell that its authors found by dense search.
 */
export const genotypes = {
  'dass-99': {
    normal: genes('ap0 sk1 d51 sk2 ap2 sk1 sk4 sk3'),
    reduce: genes('mp1 s30 mp1 d32 sk0 d32 mp1 sk4'),
  },
  'dass-95': {
    normal: genes('s50 sk1 d51 s32 d32 s30 s32 s30'),
    reduce: genes('s30 ap1 s30 s52 s51 s52 d31 d32'),
  },
  'dass-90': {
    normal: genes('d31 d50 s50 d51 s50 s33 s32 d50'),
    reduce: genes('sk1 sk0 d51 d52 d52 d53 d53 sk0'),
  },
  'darts-dense': {
    normal: genes('s30 s31 sk0 sk1 sk0 sk2 sk0 sk1'),
    reduce: genes('ap0 d31 sk2 ap0 sk2 ap0 ap0 sk2'),
  },
} as const satisfies Record<string, Genotype>;

/** Published sizes of DASS networks: C and number of cells; the last is for ImageNet. */
export const dassSizes = {
  tiny: { width: 30, cells: 16 },
  small: { width: 36, cells: 20 },
  medium: { width: 86, cells: 12 },
  large: { width: 108, cells: 14 },
  imagenet: { width: 48, cells: 14 },
} as const;
