export { DirectedTransformer, type DirectedTransformerOptions } from './directed-transformer.js';
export { DirectedWalkNetwork, type DirectedWalkNetworkOptions } from './directed-walk.js';
