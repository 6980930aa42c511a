// Floor 6: hypergraph learning.

export * from './conv/index.js';
export * from './lighthgnn.js';
