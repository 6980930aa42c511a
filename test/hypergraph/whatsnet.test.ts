import { describe, expect, test } from 'vitest';
import { rankPositions, WhatsNetConv, type WhatsNetInput } from '../../src/hypergraph/index.js';
import { gradientsOf, inference, training } from '../../src/nn/index.js';
import { IncidenceList } from '../../src/structure/index.js';
import { add, concatenate, mean, Random, square, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';
import { rowsOf } from './incidences.js';

describe('WHATsNet', () => {
  const incidences = IncidenceList.fromLists(5, [
    [0, 1, 2],
    [1, 3],
    [3, 4, 0],
  ]);
  const layer = new WhatsNetConv(8, new Random(1), { positions: 4, dropout: 0 });
  const state = { vertices: uniformTensor(1, [5, 8]), hyperedges: uniformTensor(2, [3, 8]) };
  const positions = rankPositions(incidences);
  const out = layer.forward(state, incidences, positions, inference);

  test('a hyperedge reads its members: W·MAB(x_e, ISAB(ISAB(x_v + W_pe·p)))', () => {
    const { blocks, position, pool, output } = layer.toHyperedges;
    const members = [3, 4, 0];
    const alone = IncidenceList.fromLists(3, [[0, 1, 2]]).byHyperedge;
    const codes = tensor(rowsOf(positions).slice(5, 8));
    const coded = state.vertices.gatherRows(tensor(Int32Array.from(members))).add(position?.forward(codes) ?? 0);
    const within = blocks.reduce((x, block) => block.forward(x, alone), coded);
    const query = state.hyperedges.slice([2, 3]);
    const expected = output.forward(pool.forward(query, within, alone.pattern));
    expectClose(rowsOf(out.hyperedges)[2] as number[], expected.view(), 1e-5);
  });

  test('a vertex reads the new features of its hyperedges', () => {
    const { blocks, position, pool, output } = layer.toVertices;
    const alone = IncidenceList.fromLists(2, [[0, 1]]).byHyperedge;
    const codes = tensor([rowsOf(positions)[4] as number[], rowsOf(positions)[5] as number[]]);
    const coded = out.hyperedges.gatherRows(tensor(Int32Array.of(1, 2))).add(position?.forward(codes) ?? 0);
    const within = blocks.reduce((x, block) => block.forward(x, alone), coded);
    const expected = output.forward(pool.forward(state.vertices.slice([3, 4]), within, alone.pattern));
    expectClose(rowsOf(out.vertices)[3] as number[], expected.view(), 1e-5);
  });

  test('many incidences are read in parts, with the same result', () => {
    // 40,000 incidences, more than are held at once; hyperedge e joins vertices e and e + 1.
    const count = 20_000;
    const ring = IncidenceList.fromLists(
      count,
      Array.from({ length: count }, (_, e) => [e, (e + 1) % count]),
    );
    const small = new WhatsNetConv(4, new Random(2), { dropout: 0, heads: 2, points: 1 });
    const features = { vertices: uniformTensor(3, [count, 4]), hyperedges: uniformTensor(4, [count, 4]) };
    const whole = small.forward(features, ring, undefined, inference);
    const last = [count - 3, count - 2, count - 1];
    const cut = IncidenceList.fromLists(
      4,
      last.map((_, i) => [i, i + 1]),
    );
    const vertices = features.vertices.gatherRows(tensor(Int32Array.from([...last, 0])));
    const part = { vertices, hyperedges: features.hyperedges.slice([count - 3, count]) };
    const own = small.forward(part, cut, undefined, inference);
    for (const [i, e] of last.entries())
      expectClose(rowsOf(whole.hyperedges)[e] as number[], rowsOf(own.hyperedges)[i] as number[], 1e-5);
    // Vertices inside the cut have both of their hyperedges.
    for (const i of [1, 2])
      expectClose(rowsOf(whole.vertices)[count - 3 + i] as number[], rowsOf(own.vertices)[i] as number[], 1e-5);
  });

  test('in training the parts are computed again in the backward pass, with the same gradients', () => {
    // Twice the same 20,000 incidences: whole they are cut into parts, one half is not.
    const count = 10_000;
    const lists = Array.from({ length: count }, (_, e) => [e, (e + 1) % count]);
    const half = IncidenceList.fromLists(count, lists);
    const both = IncidenceList.fromLists(2 * count, [...lists, ...lists.map((own) => own.map((v) => v + count))]);
    const network = new WhatsNetConv(4, new Random(2), { positions: 4, dropout: 0, heads: 2, points: 1 });
    const codes = uniformTensor(5, [2 * count, 4]);
    const features = { vertices: uniformTensor(3, [count, 4]), hyperedges: uniformTensor(4, [count, 4]) };
    const twice = (x: Tensor) => concatenate([x, x], 0);
    const gradient = (inputs: WhatsNetInput, incidences: IncidenceList, positions: Tensor) =>
      gradientsOf(network, (live) => {
        const out = live.forward(inputs, incidences, positions, training(new Random(1)));
        return add(mean(square(out.vertices)), mean(square(out.hyperedges)));
      });
    const doubled = { vertices: twice(features.vertices), hyperedges: twice(features.hyperedges) };
    const whole = gradient(doubled, both, twice(codes));
    const own = gradient(features, half, codes);
    expect(whole.loss.item()).toBeCloseTo(own.loss.item(), 5);
    for (const [name, expected] of Object.entries(own.gradients))
      expectClose((whole.gradients[name] as Tensor).view(), expected.view(), 1e-4);
  });

  test('heads must divide the features', () => {
    expect(() => new WhatsNetConv(6, new Random(1))).toThrow('do not divide into 4 heads');
  });
});
