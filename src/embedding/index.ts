// Floor 6: node embeddings.
export {};
