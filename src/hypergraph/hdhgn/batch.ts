// Programs as networks read them: one disjoint union a batch.

import {
  type DisjointHeterogeneous,
  disjointHeterogeneous,
  type HeterogeneousHypergraph,
  memo,
} from '../../structure/index.js';
import { keep, type Tensor, tensor } from '../../tensor/index.js';
import type { SyntaxHypergraph } from '../ast/index.js';
import type { ProgramVocabulary } from './vocabulary.js';

/** A hypergraph whose vertices have numbered values. */
export interface EncodedProgram {
  /** Its hyperedges, with numbered types. */
  readonly structure: HeterogeneousHypergraph;
  /** Number of each vertex's value [N]. */
  readonly values: Int32Array;
}

/** Several programs as one hypergraph. */
export interface ProgramBatch extends DisjointHeterogeneous {
  /** Number of each vertex's value: i32 [N]. */
  readonly values: Tensor;
  /** Type of each hyperedge: i32 [M]. */
  readonly types: Tensor;
  /** The hypergraphs of the programs. */
  readonly parts: readonly HeterogeneousHypergraph[];
}

/**
 * A program in the numbers of a vocabulary.
 *
 * @param pairwise whether hyperedges are split in pairs. Default: false.
 */
export function encodeProgram(
  program: SyntaxHypergraph,
  vocabulary: ProgramVocabulary,
  pairwise = false,
): EncodedProgram {
  const structure = program.structure(vocabulary.typeOf);
  return { structure: pairwise ? structure.pairwise() : structure, values: vocabulary.encode(program) };
}

/** The disjoint union of programs. */
export function batchOf(programs: readonly EncodedProgram[]): ProgramBatch {
  const parts = programs.map(({ structure }) => structure);
  const joined = disjointHeterogeneous(parts);
  const values = new Int32Array(joined.vertices.size);
  programs.forEach((program, at) => {
    values.set(program.values, joined.vertices.offsets[at]);
  });
  return { ...joined, parts, values: keep(tensor(values)), types: keep(tensor(joined.union.hyperedgeTypes)) };
}

/** The vertex above each vertex, −1 for none: the last hyperedge's head in whose tail it is. */
export function parentsOf(structure: HeterogeneousHypergraph): Int32Array {
  return memo(structure, 'parents', () => {
    const parents = new Int32Array(structure.vertexCount).fill(-1);
    const { indptr, indices } = structure.hypergraph.members;
    for (let e = 0; e < structure.hyperedgeCount; e++) {
      const [start, end] = [indptr[e] as number, indptr[e + 1] as number];
      let head = -1;
      for (let i = start; i < end; i++) if (structure.roles[i] === 0) head = indices[i] as number;
      for (let i = start; i < end; i++) if (structure.roles[i] !== 0) parents[indices[i] as number] = head;
    }
    return parents;
  });
}
