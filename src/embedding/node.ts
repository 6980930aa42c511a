// Parts of embedding and ranking that need Node: a peer of G-Rank over libp2p and HTTP, and its log
// as a file.

export { type Libp2pIdentity, type Libp2pOptions, Libp2pTransport, libp2pIdentity } from './grank/libp2p-transport.js';
export { ClickLogFile } from './grank/log-file.js';
export { PeerServer, type PeerServerOptions } from './grank/peer-server.js';
