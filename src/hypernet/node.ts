// Parts of hypernetworks that need Node: the server of a federation over HTTP.

export { FederationServer, type FederationServerOptions } from './federated/http-server.js';
