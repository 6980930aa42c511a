// The record of a data set in the catalogue, and the table of kinds.

/** What a data set is for, and with it the function that reads it: see `datasetKinds`. */
export type DatasetKind =
  | 'hypergraph'
  | 'incidences'
  | 'graph'
  | 'hetero-graph'
  | 'multi-label-graph'
  | 'edges'
  | 'whole-graphs'
  | 'temporal'
  | 'table'
  | 'images'
  | 'text'
  | 'labelled-texts'
  | 'questions'
  | 'sources'
  | 'interactions';

/** A file of a data set. */
export interface DatasetFile {
  /** Path below a data folder, with forward slashes: `planetoid/cora.npz`. */
  readonly path: string;
  /** SHA-256 in hexadecimal. */
  readonly sha256: string;
  /**
   * What the digest is of: the file's bytes (the default), the content that a gzip file unpacks to,
   * or the hyperedges and labels of an archive (see `contentDigest`), which do not depend on how
   * either was packed.
   */
  readonly digestOf?: 'bytes' | 'unpacked' | 'hyperedges';
}

/** Where a publisher keeps a data set, and in what form. */
export interface DatasetDownload {
  /**
   * `files`: a folder of the files under the same names; `text`: one file, which is kept gzipped;
   * `hypergcn`: a folder of the pickles hypergraph, labels and features, which become one archive.
   */
  readonly form: 'files' | 'text' | 'hypergcn';
  /** URL of the file, or of the folder for `files` and `hypergcn`. */
  readonly address: string;
}

/** Who published a data set. */
export interface DatasetSource {
  /** The publisher's page. */
  readonly address: string;
  /** What to cite. */
  readonly citation: string;
}

/** Which nodes of a typed graph are vertices, and which become hyperedges. */
export interface TypedPaths {
  /** Type of the vertices. */
  readonly vertices: string;
  /** Paths of types from the vertices to the nodes that become hyperedges. */
  readonly paths: readonly (readonly string[])[];
}

/** What is known of a data set. */
export interface DatasetRecord {
  /** What loaders and the command line call it; unique within a kind. */
  readonly name: string;
  /** Each kind that the set can be read as. */
  readonly kinds: readonly DatasetKind[];
  /** Files in a data folder, with their digests. */
  readonly files: readonly DatasetFile[];
  /** As the publisher states it, or `none stated`. */
  readonly licence: string;
  /** Where the set comes from and how it is had. */
  readonly source: DatasetSource;
  /** Counts in a phrase. */
  readonly size: string;
  /** Where the files differ from what was published. */
  readonly note?: string;
  /**
   * Where it can be fetched from; absent for sets that have to be put into a data folder by hand.
   */
  readonly download?: DatasetDownload;
  /** Graphs: whether edges have a direction. False when left out. */
  readonly directed?: boolean;
  /** Sets of graphs: whether graphs 2k and 2k + 1 belong into one fold. False when left out. */
  readonly paired?: boolean;
  /** Hypergraphs that are read from a typed graph: what becomes of its nodes. */
  readonly typed?: TypedPaths;
  /** Heterogeneous graphs: the type of the nodes with labels, and which split is meant. */
  readonly hetero?: { readonly labelled: string; readonly split?: string };
  /**
   * Tables: the column to predict, which of the others hold codes of categories, and which are left
   * out (none when not given).
   */
  readonly table?: {
    readonly target: string;
    readonly coded?: 'all' | readonly string[];
    readonly ignored?: readonly string[];
  };
  /** Source files in a table: the columns of the code and of its class. */
  readonly sources?: { readonly code: string; readonly target: string };
  /**
   * Images: names of the classes, mean and standard deviation of each channel over the training
   * pixels, with 255 as 1.
   */
  readonly images?: {
    readonly classes: readonly string[];
    readonly mean: readonly number[];
    readonly deviation: readonly number[];
  };
}

/** What is known of a kind of data sets. */
export interface DatasetKindRecord {
  /** What a set of this kind is called in messages: `neither a file nor a known text`. */
  readonly noun: string;
  /** What models learn from sets of this kind, in one phrase. */
  readonly task: string;
  /** The function of `gossamer/data/node` that reads a known name or a path of this kind. */
  readonly reader: string;
}

/** The kinds of data sets, and what reads them. */
export const datasetKinds: Readonly<Record<DatasetKind, DatasetKindRecord>> = {
  hypergraph: { noun: 'hypergraph', task: 'vertex classification in hypergraphs', reader: 'loadHypergraph' },
  incidences: {
    noun: 'set of incidences',
    task: 'a class for each vertex in each hyperedge',
    reader: 'loadIncidences',
  },
  graph: { noun: 'graph', task: 'node classification', reader: 'loadGraph' },
  'hetero-graph': {
    noun: 'heterogeneous graph',
    task: 'classification of the nodes of one type among several',
    reader: 'loadHeteroGraph',
  },
  'multi-label-graph': {
    noun: 'multi-label graph',
    task: 'node embedding, several labels a node',
    reader: 'loadMultiLabelGraph',
  },
  edges: { noun: 'edge list', task: 'PageRank, link prediction, embedding', reader: 'loadEdgeGraph' },
  'whole-graphs': {
    noun: 'set of graphs',
    task: 'classes of whole graphs, and of their edges',
    reader: 'loadWholeGraphs',
  },
  temporal: { noun: 'event stream', task: 'temporal link prediction', reader: 'loadTemporal' },
  table: { noun: 'table', task: 'classification of rows', reader: 'loadLabelledTable' },
  images: { noun: 'image set', task: 'image classification', reader: 'loadImages' },
  text: { noun: 'text', task: 'language modelling', reader: 'loadText' },
  'labelled-texts': { noun: 'set of labelled texts', task: 'classification of texts', reader: 'loadLabelledTexts' },
  questions: { noun: 'set of questions', task: 'answers by a team of agents', reader: 'loadQuestionSet' },
  sources: { noun: 'set of source files', task: 'classification of source files', reader: 'loadSources' },
  interactions: { noun: 'set of interactions', task: 'recommendation', reader: 'loadInteractions' },
};
