// What files of models on nodes, whatever they predict, say of their network.

import type { NetworkLayout } from './network-layout.js';
import type { NodeInputs } from './node-inputs.js';
import type { NetworkName } from './node-networks.js';

/** What a file says beside the weights. */
export interface NetworkDescription {
  /** Key of `nodeNetworks`. */
  readonly network: NetworkName;
  /** Its options. */
  readonly layout: NetworkLayout;
  /** Number of features of a node. */
  readonly inFeatures: number;
  /** How they are made. */
  readonly inputs: NodeInputs;
  /** Names of the nodes, for networks that know them by their place. */
  readonly places?: readonly string[];
  /** Scores by name, in percent or in the units of what is predicted. */
  readonly scores: Readonly<Record<string, number>>;
}
