import { describe, expect, test } from 'vitest';
import { IncidenceList, IncidenceSampler, sumPropagation } from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';

// Vertex 0 is in all 50 hyperedges; each of them has one vertex of its own, and the first has 0 twice.
const star = IncidenceList.fromLists(
  51,
  Array.from({ length: 50 }, (_, e) => (e === 0 ? [0, 0, 1] : [0, e + 1])),
);
const random = () => new Random(3);
const edgesOf = (rows: Int32Array) => new Set(Array.from(rows, (row) => star.hyperedges.ids.view()[row]));

describe('samples of incidences', () => {
  test('hyperedges that were asked for are whole, repeated members among them', () => {
    const sample = new IncidenceSampler(star, 5).sample([0, 7], 1, random());
    const asked = Array.from(sample.asked.view(), (at) => sample.rows[at]);
    expect(asked).toEqual([0, 1, 2, 15, 16]);
  });

  test('a vertex has at most `cap` incidences, those of the hyperedges asked for always', () => {
    const sampler = new IncidenceSampler(star, 5);
    for (const seed of [1, 2, 3]) {
      const { rows, incidences } = sampler.sample([0, 7], 1, new Random(seed));
      const own = rows.filter((row) => star.vertices[row] === 0);
      expect(own.length).toBe(5);
      for (const row of [0, 1, 15]) expect(own).toContain(row);
      expect(incidences.count).toBe(rows.length);
    }
    const drawn = (seed: number) => sampler.sample([0, 7], 1, new Random(seed)).rows.join();
    expect(drawn(1)).toBe(drawn(1));
    expect(drawn(1)).not.toBe(drawn(2));
  });

  test('the second step completes the hyperedges of the first', () => {
    const { rows } = new IncidenceSampler(star, 5).sample([7], 2, random());
    const edges = edgesOf(rows);
    expect(edges.size).toBeGreaterThan(1);
    for (const edge of edges)
      for (let row = 0; row < star.count; row++)
        if (star.hyperedges.ids.view()[row] === edge) expect(rows).toContain(row);
  });

  test('without a cap all hyperedges of a vertex are reached', () => {
    expect(edgesOf(new IncidenceSampler(star).sample([7], 1, random()).rows).size).toBe(50);
    expect(() => new IncidenceSampler(star, 0)).toThrow('at least 1');
  });

  test('levels nest: rows of each lie in the level around it', () => {
    const { levels, incidences, vertices } = new IncidenceSampler(star, 4).sample([0, 3], 3, random());
    expect(levels.map(({ grown }) => grown)).toEqual(['vertices', 'hyperedges', 'vertices']);
    let around = incidences;
    for (const level of levels) {
      expect(Array.from(level.rows.view(), (row) => around.vertices[row])).toEqual([...level.incidences.vertices]);
      around = level.incidences;
    }
    expect(Array.from(around.vertices, (v) => vertices[v])).toEqual([0, 0, 1, 0, 4]);
  });

  test('sums over the hyperedges of a vertex are scaled up to its degree in the whole', () => {
    const { incidences, vertices } = new IncidenceSampler(star, 5).sample([7], 1, random());
    const centre = vertices.indexOf(0);
    expect(incidences.hypergraph.vertexDegrees[centre]).toBe(50);
    const sums = sumPropagation(incidences.hypergraph).toVertices.rowSums();
    expect(sums[centre]).toBeCloseTo(50, 4);
  });
});
