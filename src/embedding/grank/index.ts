// G-Rank: ranked search among peers, without a server, a training set or a model (Gold, Pouwelse,
// "G-Rank: Unsupervised Continuous Learn-to-Rank for Edge Devices in a P2P Network", 2023, arXiv
// 2301.12530). A device ranks by its own clicks and those that others have sent it, weighted by how
// alike they search and click:
//
//   R_i(k) = Σ_j C_{k,j} · (Ŝ_i(j) + F)     C_{k,j}: clicks of peer j on item k for the query
//   S_i(j) = (κ_t + κ_m²) / κ_u             Ŝ_i(j) = S_i(j) / max_x S_i(x)
//
// `GRankPeer` is a device; `PeerSimulation` runs many in one process.

export { type Attack, attackOn } from './attacks.js';
export { AuthorClicks, type ClickCount, type ClickEntry, ClickLog, type TermClicks } from './click-log.js';
export {
  type CatalogueItem,
  catalogueDomain,
  compareIds,
  type Domain,
  type ItemDescription,
  ItemLibrary,
  type NumberedItem,
  plainWords,
  rangeDomain,
  type TextItem,
  textDomain,
} from './domain.js';
export { ClickLogDatabase } from './log-database.js';
export type { CompactionOptions } from './log-lines.js';
export { globalPlaces, itemsByCounts, positionalDistance } from './measures.js';
export { type GRankOptions, GRankPeer, grankDefaults, type PullAnswer, type SearchResult } from './peer.js';
export { type RankedItem, rankItems, scoresOf, type Weigh } from './rank.js';
export { syntheticReleases } from './releases.js';
export { PeerService, type PeerServiceOptions } from './service.js';
export {
  EntryIntake,
  type IntakeOptions,
  type IntakeReport,
  readEntry,
  type SignedEntry,
  type Signer,
  signEntry,
  signedBytes,
  type Verify,
} from './signed-entries.js';
export { type CommonClicks, clickSimilarity, commonClicks, Similarities, type SimilarityForm } from './similarity.js';
export {
  type MakePeer,
  PeerSimulation,
  type SimulatedUser,
  type SimulationOptions,
  type SimulationPoint,
  simulationDefaults,
} from './simulation.js';
export { clicksOfTable, itemsOfTable, namedColumns } from './tables.js';
export { entryBytes, type GossipTransport, type PullHandler, SimTransport } from './transport.js';
