// A network as a graph: nodes are channels, edges are the slices of kernels between two channels.
// It is read from the trace of a forward pass, so that one reader serves all networks of
// convolutions, depthwise ones among them, linear layers, batch norms, additions, concatenations.
//
// A node set holds the channels that one layer makes. Where the end of a shortcut is added to the
// end of a main branch, both write into one node set; an identity shortcut becomes edges of 1 from
// each channel to its own and of 0 to the others. Every trained weight is in the graph once.
//
// Liu, Wang, Zhang: Meta Pruning via Graph Metanetworks, 2025, arXiv 2506.12041.

/** Feature of a channel that a weight vector holds. */
export type NodeFeature = 'scale' | 'shift' | 'mean' | 'variance' | 'bias';

/** Position of each feature of a branch: γ, β, μ, σ² of the norm, and the layer's own bias. */
export const featureSlots: Readonly<Record<NodeFeature, number>> = {
  scale: 0,
  shift: 1,
  mean: 2,
  variance: 3,
  bias: 4,
};

/** Features of a branch that has no such weight: a norm that changes nothing. */
export const absentFeatures: readonly number[] = [1, 0, 0, 1, 0];

/** Values of a weight vector that are a feature of the channels of a node set. */
export interface NodeValues {
  /** Name of the weight or buffer. */
  readonly weight: string;
  /** What it is. */
  readonly feature: NodeFeature;
  /** Which of the branches that end in the node set: 0 is the main one, 1 the shortcut. */
  readonly branch: number;
  /** First of the values. */
  readonly start: number;
}

/** The channels that a layer makes. */
export interface NodeSet {
  /** The layer whose output they are, `image`, or the operation that made them. */
  readonly name: string;
  /** Number of channels. */
  readonly size: number;
  /** Number of nodes in the sets before. */
  readonly start: number;
  /** Weights and buffers of the channels. */
  readonly values: readonly NodeValues[];
}

/** Edges from one node set to another: a bipartite graph that is complete, or one to one. */
export interface EdgeSet {
  /** Name of the weight; undefined for an identity. */
  readonly weight: string | undefined;
  /** Node set of the sources. */
  readonly from: number;
  /** Node set of the targets. */
  readonly to: number;
  /** Edges between all pairs, or from each channel to its own (depthwise). */
  readonly pairs: 'all' | 'own';
  /** Numbers of an edge: taps of the kernel, or positions of a flattened map. */
  readonly taps: number;
  /**
   * Where the edges begin along the weight's inputs (`all`) or outputs (`own`); of an identity the
   * channel of the target that the first source goes to.
   */
  readonly start: number;
}

/** A network as node sets and edge sets. */
export interface NetworkGraph {
  /** The image's channels first, then in the order of the forward pass. */
  readonly nodes: readonly NodeSet[];
  /** In the order of the forward pass. */
  readonly edges: readonly EdgeSet[];
  /** Largest number of branches that end in one node set. */
  readonly branches: number;
  /** Shape of each trained weight by name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

/**
 * What a metanetwork must know of a network: all but the numbers of channels, which pruning
 * changes.
 */
export interface Architecture {
  /** Features of a node: five for each branch. */
  readonly nodeFeatures: number;
  /** The numbers of taps that edges have, ascending. */
  readonly edgeWidths: readonly number[];
  /** By weight what it is and between which node sets. */
  readonly layers: Readonly<Record<string, string>>;
}

/** The architecture of a graph. */
export function architectureOfGraph({ nodes, edges, branches }: NetworkGraph): Architecture {
  const layers: Record<string, string> = {};
  for (const { weight, from, to, pairs, taps } of edges) {
    if (weight === undefined) continue;
    const kind = `${pairs === 'own' ? 'depthwise, ' : ''}${taps} ${taps === 1 ? 'tap' : 'taps'}`;
    const line = `${kind}, from ${nodes[from]?.name} to ${nodes[to]?.name}`;
    layers[weight] = layers[weight] === undefined ? line : `${layers[weight]}; ${line}`;
  }
  for (const { name, values } of nodes)
    for (const { weight, feature, branch } of values) layers[weight] = `${feature} ${branch} of ${name}`;
  return {
    nodeFeatures: branches * absentFeatures.length,
    edgeWidths: [...new Set(edges.map(({ taps }) => taps))].sort((a, b) => a - b),
    layers,
  };
}

/** Most differences that a message names. */
const NAMED = 8;

/** In which layers an architecture differs from another, in words; undefined where in none. */
export function architectureDifference(expected: Architecture, given: Architecture): string | undefined {
  const names = [...new Set([...Object.keys(expected.layers), ...Object.keys(given.layers)])];
  const unlike = names.flatMap((name) => {
    const [own, other] = [expected.layers[name], given.layers[name]];
    if (own === other) return [];
    if (other === undefined) return [`${name} is missing`];
    return [own === undefined ? `${name} is not expected` : `${name} is ${other}, expected ${own}`];
  });
  if (unlike.length === 0) return undefined;
  const more = unlike.length > NAMED ? `; and ${unlike.length - NAMED} more` : '';
  return `${unlike.slice(0, NAMED).join('; ')}${more}`;
}

/**
 * Checks that a metanetwork reads the networks of an architecture.
 *
 * @param expected that of the metanetwork
 * @param file name of the metanetwork, in the message
 * @throws Error naming the layers in which the given one differs from it
 */
export function requireArchitecture(expected: Architecture, given: Architecture, file?: string): void {
  const difference = architectureDifference(expected, given);
  if (difference === undefined) return;
  throw new Error(
    `metapruning: the metanetwork${file === undefined ? '' : ` "${file}"`} was made for another architecture: ${difference}. Train one on networks of this architecture`,
  );
}
