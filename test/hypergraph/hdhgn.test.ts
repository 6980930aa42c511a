import { describe, expect, test } from 'vitest';
import {
  AttentionReadOut,
  batchOf,
  type EncodedProgram,
  encodeProgram,
  HDHGN,
  type HDHGNLayer,
  loadParser,
  ProgramModel,
  type ProgramSchedule,
  type ProgramTrainingOptions,
  ProgramVocabulary,
  parentsOf,
  programBaseline,
  programBaselines,
  programProbabilities,
  sourceHypergraph,
  TreeConvolution,
  trainPrograms,
} from '../../src/hypergraph/index.js';
import {
  type EpochReport,
  inference,
  type Linear,
  parameters,
  stateOf,
  type TrainingState,
  type Weights,
  withWeights,
} from '../../src/nn/index.js';
import { Segments } from '../../src/sparse/index.js';
import { type DirectedHyperedge, HeterogeneousHypergraph } from '../../src/structure/index.js';
import { keep, Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';
import { rowsOf } from './incidences.js';

// Vertex 4 is in no hyperedge, vertex 3 in one, vertex 1 in three; both roles, two heads at once.
const edges: readonly DirectedHyperedge[] = [
  { head: [1], tail: [0, 2], type: 1 },
  { head: [0, 1], tail: [2], type: 2 },
  { head: [2], tail: [3, 1], type: 0 },
];
const program = (lists = edges, values = [0, 1, 2, 3, 4]): EncodedProgram => ({
  structure: HeterogeneousHypergraph.fromLists(values.length, lists),
  values: Int32Array.from(values),
});
const sizes = { values: [3, 2], types: 3, classes: 3 };
const make = (options = {}) => {
  const network = new HDHGN(sizes, new Random(5), { width: 8, heads: 2, hidden: 6, layers: 2, ...options });
  // Norms at their initial values would hide a wrong use of them.
  for (const [at, { norm }] of network.layers.entries())
    for (const [i, weight] of [norm.weight, norm.bias, norm.meanScale].entries())
      weight.assign(uniformTensor(10 * at + i, weight.shape, 0.4, 1.6));
  return network;
};
const logits = (network: HDHGN, programs: readonly EncodedProgram[]) =>
  rowsOf(network.forward(batchOf(programs), inference));

/** y = W·x + b in double precision. */
function apply({ weight, bias }: Linear, x: readonly number[]): number[] {
  const shift = bias?.view();
  return rowsOf(weight).map((row, i) => row.reduce((sum, w, j) => sum + w * (x[j] as number), shift?.[i] ?? 0));
}

const plus = (...parts: readonly (readonly number[])[]) =>
  (parts[0] as number[]).map((_, i) => parts.reduce((sum, part) => sum + (part[i] as number), 0));

/** Σ softmax(⟨q, k⟩/√d_h)·v, head by head; 0 for no members. */
function attention(q: number[], keys: number[][], values: number[][], heads: number): number[] {
  const width = q.length / heads;
  return q.map((_, channel) => {
    const start = Math.floor(channel / width) * width;
    const exps = keys.map((k) => {
      let score = 0;
      for (let c = start; c < start + width; c++) score += (q[c] as number) * (k[c] as number);
      return Math.exp(score / Math.sqrt(width));
    });
    const total = exps.reduce((a, b) => a + b, 0);
    return exps.reduce((sum, e, i) => sum + (e / total) * (values[i]?.[channel] as number), 0);
  });
}

/** A layer by plain loops over the incidences of each hyperedge and of each vertex. */
function layerByLoops(
  layer: HDHGNLayer,
  x: number[][],
  types: number[][],
  lists: readonly DirectedHyperedge[],
  graphs: number[][],
) {
  const { vertexAttention: first, hyperedgeAttention: second, heads } = layer;
  const incidences = lists.flatMap(({ head, tail }, e) => [
    ...Array.from(head, (v) => ({ e, v, role: 0 })),
    ...Array.from(tail, (v) => ({ e, v, role: 1 })),
  ]);
  const own = (to: readonly Linear[], role: number) => to[to.length === 1 ? 0 : role] as Linear;
  const y = lists.map(({ type = 0 }, e) => {
    const messages = incidences
      .filter((i) => i.e === e)
      .map(({ v, role }) => apply(own(layer.toHyperedge, role), x[v] as number[]));
    const z = types[type] as number[];
    const keys = messages.map((m) => apply(first.key, m));
    const pooled = attention(
      apply(first.query, z),
      keys,
      messages.map((m) => apply(first.value, m)),
      heads,
    );
    return plus(pooled, apply(layer.hyperedge, z));
  });
  const updated = x.map((row, v) => {
    const messages = incidences
      .filter((i) => i.v === v)
      .map(({ e, role }) => apply(own(layer.toVertex, role), y[e] as number[]));
    const keys = messages.map((m) => apply(second.key, m));
    const o = attention(
      apply(second.query, row),
      keys,
      messages.map((m) => apply(second.value, m)),
      heads,
    );
    return plus(apply(layer.own, row), apply(layer.gathered, o));
  });
  const [gamma, beta, kappa] = [layer.norm.weight, layer.norm.bias, layer.norm.meanScale].map((w) => w.view());
  for (const graph of graphs)
    for (let c = 0; c < (x[0] as number[]).length; c++) {
      const at = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / graph.length;
      const mean = at(graph.map((v) => updated[v]?.[c] as number));
      const shifted = graph.map((v) => (updated[v]?.[c] as number) - (kappa?.[c] as number) * mean);
      const variance = at(shifted.map((value) => value ** 2));
      graph.forEach((v, i) => {
        (updated[v] as number[])[c] =
          ((shifted[i] as number) * (gamma?.[c] as number)) / Math.sqrt(variance + 1e-5) + (beta?.[c] as number);
      });
    }
  return updated.map((row) => row.map((value) => (value > 0 ? value : Math.exp(value) - 1)));
}

const shiftedBy = (lists: readonly DirectedHyperedge[], by: number): DirectedHyperedge[] =>
  lists.map(({ head, tail, type = 0 }) => ({
    head: Array.from(head, (v) => v + by),
    tail: Array.from(tail, (v) => v + by),
    type,
  }));

describe('the layer', () => {
  test.each([true, false])('equals loops over incidences on two graphs of unequal size, directed: %s', (directed) => {
    const network = make({ directed });
    const other: DirectedHyperedge[] = [{ head: [0], tail: [1, 2], type: 2 }];
    const batch = batchOf([program(), program(other, [2, 0, 4])]);
    const x = uniformTensor(1, [8, 8]);
    const layer = network.layers[0] as HDHGNLayer;
    const lists = [...edges, ...shiftedBy(other, 5)];
    const graphs = [
      [0, 1, 2, 3, 4],
      [5, 6, 7],
    ];
    const expected = layerByLoops(layer, rowsOf(x), rowsOf(network.types), lists, graphs);
    expectClose(layer.forward(x, batch, network.types).view(), expected.flat(), 1e-4);
    // Vertices 1, 3 and 6 are one row of a table, which has rows that no vertex is.
    const rows = Int32Array.of(4, 1, 0, 1, 2, 6, 1, 5);
    const shared = { table: uniformTensor(2, [9, 8]), rowOf: tensor(rows) };
    const alike = Array.from(rows, (row) => rowsOf(shared.table)[row] as number[]);
    const again = layerByLoops(layer, alike, rowsOf(network.types), lists, graphs);
    expectClose(layer.forward(shared, batch, network.types).view(), again.flat(), 1e-4);
  });

  test('a width that heads do not divide is refused', () => {
    expect(() => make({ width: 6, heads: 4 })).toThrow('width of 6 does not divide into 4 heads');
  });
});

test('the read-out is attention of a learned query within each program', () => {
  const readOut = new AttentionReadOut({ width: 4, heads: 2 }, new Random(1));
  const x = rowsOf(uniformTensor(3, [5, 4]));
  const query = rowsOf(readOut.query).flat();
  const expected = [x.slice(0, 2), x.slice(2)].flatMap((own) =>
    Array.from({ length: 4 }, (_, channel) => {
      const start = channel < 2 ? 0 : 2;
      const exps = own.map((row) =>
        Math.exp(
          (row[start] as number) * (query[start] as number) + (row[start + 1] as number) * (query[start + 1] as number),
        ),
      );
      const total = exps.reduce((a, b) => a + b, 0);
      return own.reduce((sum, row, i) => sum + ((exps[i] as number) / total) * (row[channel] as number), 0);
    }),
  );
  const segments = Segments.fromSizes([2, 3]);
  expectClose(readOut.forward(uniformTensor(3, [5, 4]), segments).view(), expected, 1e-5);
  const alpha = rowsOf(readOut.attention(uniformTensor(3, [5, 4]), segments));
  for (const head of [0, 1])
    for (const rows of [alpha.slice(0, 2), alpha.slice(2)])
      expect(rows.reduce((sum, row) => sum + (row[head] as number), 0)).toBeCloseTo(1, 5);
});

test('the query of the read-out starts as that of the release, uniform within √(6 / (d + d/h))', () => {
  const { query } = new AttentionReadOut({ width: 512, heads: 4 }, new Random(6));
  const bound = Math.sqrt(6 / (512 + 128));
  const values = Array.from(query.view());
  expect(query.shape).toEqual([4, 128]);
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
  expect(Math.max(...values)).toBeGreaterThan(0.97 * bound);
  expect(values.reduce((sum, value) => sum + value ** 2, 0) / 512).toBeCloseTo(bound ** 2 / 3, 3);
});

describe('the network', () => {
  test('one incidence moved from tail to head changes the logits, and not without roles', () => {
    const moved = edges.map((edge, e) => (e === 0 ? { head: [1, 0], tail: [2], type: 1 } : edge));
    const difference = (network: HDHGN) => {
      const [a, b] = [logits(network, [program()]), logits(network, [program(moved)])];
      return Math.max(...(a[0] as number[]).map((value, i) => Math.abs(value - (b[0]?.[i] as number))));
    };
    expect(difference(make())).toBeGreaterThan(1e-4);
    expect(difference(make({ directed: false }))).toBe(0);
  });

  test('types of hyperedges and kinds of vertices change the logits', () => {
    const network = make();
    const usual = logits(network, [program()]);
    const retyped = edges.map((edge, e) => (e === 1 ? { ...edge, type: 0 } : edge));
    expect(logits(network, [program(retyped)])).not.toEqual(usual);
    expect(logits(network, [program(edges, [0, 1, 2, 3, 0])])).not.toEqual(usual);
  });

  test('renumbered vertices, other orders of hyperedges and of siblings leave the logits', () => {
    const network = make();
    const order = [3, 0, 4, 2, 1];
    const renamed = edges.map(({ head, tail, type = 0 }) => ({
      head: Array.from(head, (v) => order[v] as number),
      tail: Array.from(tail, (v) => order[v] as number).reverse(),
      type,
    }));
    const values = new Array<number>(5);
    order.forEach((to, v) => {
      values[to] = v;
    });
    const again = logits(network, [program(renamed.reverse(), values)]);
    expectClose(again.flat(), logits(network, [program()]).flat(), 1e-4);
  });

  test('a batch gives the logits of its programs one by one, also of one without hyperedges', () => {
    const network = make();
    const all = [program(), program([{ head: [2], tail: [0], type: 0 }], [4, 3, 1]), program([], [2])];
    const single = all.flatMap((own) => logits(network, [own]));
    expectClose(logits(network, all).flat(), single.flat(), 1e-4);
    expect(single.flat().every(Number.isFinite)).toBe(true);
  });

  test('gradients by finite differences on a graph of ten vertices', () => {
    const network = make({ layers: 1 });
    const lists = [...edges, { head: [5], tail: [6, 7, 8], type: 1 }, { head: [9, 3], tail: [5], type: 2 }];
    const batch = batchOf([program(lists, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4])]);
    const weights = parameters(network);
    const names = [
      'types',
      'embedding.tables.0',
      'layers.0.toHyperedge.0.weight',
      'layers.0.toVertex.1.bias',
      'layers.0.vertexAttention.key.weight',
      'layers.0.hyperedgeAttention.query.weight',
      'layers.0.norm.meanScale',
      'readOut.query',
    ];
    checkGradient(
      (...values) =>
        withWeights(network, Object.fromEntries(names.map((name, i) => [name, values[i] as Tensor])), (live) =>
          live.forward(batch, inference),
        ),
      names.map((name) => weights[name] as Tensor),
      { second: false, step: 1e-3, tolerance: 5e-2 },
    );
  });
});

describe('vocabularies', () => {
  const programs = async () => {
    const parser = await loadParser('python');
    return ['x = y + y\nz = y\n', 'x = 1\n'].map((source) => sourceHypergraph(parser, source));
  };

  test('hold what occurs twice in training, by falling frequency, then by first appearance', async () => {
    const all = await programs();
    const { values, types } = ProgramVocabulary.from(all).state;
    expect(values[0]).toEqual(['<unk>', 'identifier', 'expression_statement', 'assignment', 'module']);
    expect(values[1]).toEqual(['<unk>', 'y', 'x']);
    expect(types.slice(0, 2)).toEqual(['<unk>', 'text']);
    expect(ProgramVocabulary.from(all.slice(0, 1)).state.values[1]).toEqual(['<unk>', 'y']);
  });

  test('number values of the second kind after those of the first', async () => {
    const [first, second] = await programs();
    const vocabulary = ProgramVocabulary.from([first, second].flatMap((own) => own ?? []));
    // module, expression_statement, assignment, identifier, x, integer, 1
    expect([...vocabulary.encode(second as NonNullable<typeof second>)]).toEqual([4, 2, 3, 1, 7, 0, 5]);
    expect(vocabulary.unknownTypes(second as NonNullable<typeof second>)).toEqual(['integer']);
    const one = ProgramVocabulary.from(
      [first, second].flatMap((own) => own ?? []),
      { nodeKinds: false, edgeTypes: false },
    );
    expect([one.valueCounts.length, one.typeCount]).toEqual([1, 1]);
  });
});

describe('pairs', () => {
  test('split every hyperedge into its head and one of its tail', () => {
    const pairs = program().structure.pairwise();
    expect(
      Array.from({ length: pairs.hyperedgeCount }, (_, e) => pairs.hyperedge(e)).map(({ head, tail, type }) => [
        ...Array.from(head),
        ...Array.from(tail),
        type,
      ]),
    ).toEqual([
      [1, 0, 1],
      [1, 2, 1],
      [0, 2, 2],
      [1, 2, 2],
      [2, 1, 0],
      [2, 3, 0],
    ]);
  });
});

describe('baselines', () => {
  test('a tree convolution weighs children from left to right', () => {
    const tree = program([
      { head: [0], tail: [1, 2, 3], type: 0 },
      { head: [3], tail: [4], type: 0 },
    ]);
    const batch = batchOf([tree]);
    expect([...parentsOf(batch.union)]).toEqual([-1, 0, 0, 0, 3]);
    const layer = new TreeConvolution(3, new Random(2));
    const x = rowsOf(uniformTensor(4, [5, 3]));
    const window = (p: number, children: readonly [number, number][]) =>
      plus(
        apply(layer.top, x[p] as number[]),
        ...children.map(([c, right]) =>
          plus(
            apply(layer.right, x[c] as number[]).map((value) => right * value),
            apply(layer.left, x[c] as number[]).map((value) => (1 - right) * value),
          ),
        ),
      ).map(Math.tanh);
    const expected = [
      window(0, [
        [1, 0],
        [2, 0.5],
        [3, 1],
      ]),
      window(1, []),
      window(2, []),
      window(3, [[4, 0.5]]),
      window(4, []),
    ];
    expectClose(layer.forward(uniformTensor(4, [5, 3]), batch).view(), expected.flat(), 1e-5);
  });

  test.each(programBaselines)('%s classifies a batch like its programs one by one', (kind) => {
    const network = programBaseline(kind, sizes, new Random(1), { width: 8, heads: 2, hidden: 6 });
    const tree = program([
      { head: [0], tail: [1, 2], type: 0 },
      { head: [2], tail: [3, 4], type: 1 },
    ]);
    const both = [tree, program([{ head: [0], tail: [1], type: 2 }], [1, 2])];
    const rows = (own: readonly EncodedProgram[]) => rowsOf(network.forward(batchOf(own), inference));
    expectClose(
      rows(both).flat(),
      both.flatMap((own) => rows([own]).flat()),
      1e-4,
    );
  });
});

describe('training', () => {
  /** Class 1 has the first colour as head, class 0 the second. */
  const directed = (count: number) => {
    const random = new Random(9);
    return Array.from({ length: count }, (_, i) => {
      const lists = Array.from({ length: 4 }, () => {
        const [a, b] = [random.integer(3), 3 + random.integer(3)];
        return i % 2 === 1 ? { head: [a], tail: [b] } : { head: [b], tail: [a] };
      });
      return program(lists, [0, 0, 0, 1, 1, 1]);
    });
  };

  test('learns directions, and keeps the best epoch by validation', async () => {
    const programs = directed(60);
    const labels = Int32Array.from(programs, (_, i) => i % 2);
    const rows = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);
    const data = { programs, labels, train: rows(0, 40), validation: rows(40, 50) };
    const network = new HDHGN({ values: [2], types: 1, classes: 2 }, new Random(1), {
      width: 8,
      heads: 2,
      layers: 1,
      hidden: 16,
    });
    const result = await trainPrograms(network, data, new Random(2), { epochs: 12, batch: 8, learningRate: 1e-2 });
    expect(result.bestMetric).toBe(1);
    const tested = programProbabilities(network, programs.slice(50));
    const right = tested.filter((row, i) => (row[1] as number) > 0.5 === (i % 2 === 1)).length;
    expect(right).toBeGreaterThanOrEqual(9);
  });

  test('a cosine halves the second of two steps, a plateau takes a tenth of the fourth; a resumed run has the same weights', async () => {
    const programs = directed(20);
    const labels = Int32Array.from(programs, (_, i) => i % 2);
    const train = Int32Array.from({ length: 16 }, (_, i) => i);
    const data = { programs, labels, train, validation: Int32Array.of(16, 17, 18, 19) };
    const layout = { width: 8, heads: 2, layers: 1, hidden: 16 };
    const network = () => new HDHGN({ values: [2], types: 1, classes: 2 }, new Random(1), layout);
    const trained = async (schedule: ProgramSchedule, epochs: number, more: ProgramTrainingOptions = {}) => {
      const own = network();
      const after: Float32Array[] = [own.types.view().slice()];
      const onEpoch = () => after.push(own.types.view().slice());
      await trainPrograms(own, data, new Random(2), { epochs, batch: 16, schedule, onEpoch, ...more });
      return { after, own };
    };
    const steps = async (schedule: ProgramSchedule, epochs = 2, more: ProgramTrainingOptions = {}) => {
      const { after } = await trained(schedule, epochs, more);
      return after
        .slice(1)
        .map((_, i) => i + 1)
        .map((at) => (after[at] as Float32Array).map((value, i) => value - (after[at - 1]?.[i] as number)));
    };
    const [constant, cosine] = [await steps('constant'), await steps('cosine')];
    expect(cosine[0]).toEqual(constant[0]);
    const half = (constant[1] as Float32Array).map((step) => step / 2);
    expectClose(cosine[1] as Float32Array, half, 1e-6);
    expect(Math.max(...half.map(Math.abs))).toBeGreaterThan(1e-4);

    // So small a rate that no epoch is better than the first: after two more it is a tenth.
    const slow = { learningRate: 1e-4 };
    const [steady, lowered] = [await steps('constant', 4, slow), await steps('plateau', 4, slow)];
    expect(lowered.slice(0, 3)).toEqual(steady.slice(0, 3));
    const tenth = (steady[3] as Float32Array).map((step) => step / 10);
    expect(Math.max(...tenth.map(Math.abs))).toBeGreaterThan(5e-6);
    expectClose(lowered[3] as Float32Array, tenth, 1e-7);

    let stored: TrainingState | undefined;
    const store = { load: () => stored, save: (state: TrainingState) => (stored = copyOf(state)) };
    const stop = new AbortController();
    const stopAt = (epoch: number) => ({ onEpoch: (report: EpochReport) => report.epoch === epoch && stop.abort() });
    await trained('cosine', 6, { checkpoint: store, signal: stop.signal, ...stopAt(3) });
    expect(stored?.epoch).toBe(3);
    const resumed = await trained('cosine', 6, { checkpoint: store });
    const whole = await trained('cosine', 6);
    expect(stateNumbers(resumed.own)).toEqual(stateNumbers(whole.own));
  });
});

const stateNumbers = (network: object) =>
  Object.fromEntries(Object.entries(stateOf(network)).map(([name, values]) => [name, [...values.view()]]));

/** A state whose tensors are copies, as a file keeps it. */
function copyOf(state: TrainingState): TrainingState {
  const copied = (weights: Weights): Weights =>
    Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, keep(weight.clone())]));
  return {
    ...state,
    weights: copied(state.weights),
    optimizer: { ...state.optimizer, tensors: copied(state.optimizer.tensors) },
    best: state.best && { ...state.best, weights: copied(state.best.weights) },
    history: [...state.history],
  };
}

describe('the model file', () => {
  test('keeps vocabulary, classes and weights, and tells other languages apart', async () => {
    const parser = await loadParser('python');
    const sources = ['def f(a):\n    return a\n', 'x = [1, 1]\nx = [1]\n'].map((source) =>
      sourceHypergraph(parser, source),
    );
    const vocabulary = ProgramVocabulary.from(sources);
    const network = new HDHGN(
      { values: vocabulary.valueCounts, types: vocabulary.typeCount, classes: 2 },
      new Random(3),
      { width: 8, heads: 2, hidden: 8 },
    );
    const { options } = network;
    const description = {
      language: 'python' as const,
      grammar: parser.grammarVersion,
      classes: ['a', 'b'],
      options,
      vocabulary: vocabulary.state,
    };
    const model = new ProgramModel(description, network);
    const loaded = ProgramModel.load(model.save());
    const [source] = sources;
    const before = model.predictProba(sources);
    expect(loaded.predictProba(sources)).toEqual(before);
    const { probabilities, attention } = loaded.explain(source as NonNullable<typeof source>);
    expectClose(probabilities, before[0] as Float32Array, 1e-5);
    expect(attention.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(attention.length).toBe(source?.vertexCount);
    const java = await loadParser('java');
    expect(() => loaded.read(java, 'class A {}', 'A.java')).toThrow(
      'file "A.java" is Java, the model was trained on Python',
    );
    expect(encodeProgram(source as NonNullable<typeof source>, vocabulary).values.length).toBe(source?.vertexCount);
  });
});
