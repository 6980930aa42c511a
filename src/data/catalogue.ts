// The catalogue of known data sets, as data: it imports nothing that computes, so that it can be
// listed without loading the engine. The functions that `datasetKinds` names read the sets.

import { graphRecords } from './catalogue/graphs.js';
import { hypergraphRecords } from './catalogue/hypergraphs.js';
import { imageRecords } from './catalogue/images.js';
import { interactionRecords } from './catalogue/interactions.js';
import { networkRecords } from './catalogue/networks.js';
import { questionRecords } from './catalogue/questions.js';
import type { DatasetKind, DatasetRecord } from './catalogue/record.js';
import { tableRecords } from './catalogue/tables.js';
import { labelledTextRecords, sourceRecords, textRecords } from './catalogue/texts.js';
import { wholeGraphRecords } from './catalogue/whole-graphs.js';

export {
  type DatasetDownload,
  type DatasetFile,
  type DatasetKind,
  type DatasetKindRecord,
  type DatasetRecord,
  type DatasetSource,
  datasetKinds,
  type TypedPaths,
} from './catalogue/record.js';
export { tableGroups } from './catalogue/tables.js';

/** All known data sets. A name is unique within a kind, not among all. */
export const catalogue: readonly DatasetRecord[] = [
  ...hypergraphRecords,
  ...graphRecords,
  ...networkRecords,
  ...wholeGraphRecords,
  ...tableRecords,
  ...imageRecords,
  ...textRecords,
  ...labelledTextRecords,
  ...questionRecords,
  ...sourceRecords,
  ...interactionRecords,
];

/** Names of the known data sets of a kind. */
export function namesOf(kind: DatasetKind): string[] {
  return catalogue.filter(({ kinds }) => kinds.includes(kind)).map(({ name }) => name);
}

/** The record of a known data set, undefined for another name. */
export function datasetOf(name: string, kind: DatasetKind): DatasetRecord | undefined {
  return catalogue.find((record) => record.name === name && record.kinds.includes(kind));
}

/** All data sets of a name, of a kind each or of one kind. */
export function datasetsNamed(name: string, kind?: DatasetKind): DatasetRecord[] {
  return catalogue.filter((record) => record.name === name && (!kind || record.kinds.includes(kind)));
}
