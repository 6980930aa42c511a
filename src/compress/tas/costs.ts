// What widths and depths cost: multiply-adds, or milliseconds of a table that was measured. With
// probabilities p of widths and of depths, the expected cost is
//
//   E = Σ over layers of Pr(block is kept) · cost(E[outputs], E[inputs])
//     + Σ over shortcuts of Pr(block is kept) · Σ_{a ≠ b} p_in(a)·p_out(b)·cost of a projection,
//
// where what a stage gives has the channels of the block that is kept last. At one-hot
// probabilities it is the cost of the network that is built, cut stages and projections included.

import type { NetworkShape } from '../../models/index.js';
import { add, matmul, multiply, reshape, slice, softmax, sum, type Tensor, tensor } from '../../tensor/index.js';
import type { AxisLength, BlockPlace, Crossing, ProductLayer, SearchedGroup, ShapeChoices, Source } from './space.js';

/** Cost of a layer at some numbers of outputs and inputs, linear between them. */
export interface CostGrid {
  /** Numbers of outputs, ascending; one where they are fixed. */
  readonly outputs: readonly number[];
  /** Numbers of inputs, ascending; one where they are fixed. */
  readonly inputs: readonly number[];
  /** [outputs][inputs]. */
  readonly values: readonly (readonly number[])[];
}

/** The costs of the layers of a search space. */
export interface CostTables {
  /** `macs`: multiply-adds; `latency`: milliseconds of one input. */
  readonly unit: 'macs' | 'latency';
  /** One for each product of the space. */
  readonly products: readonly CostGrid[];
  /** One for each crossing: the cost of a projection of a to b channels, [a][b] by candidate. */
  readonly crossings: readonly (readonly (readonly number[])[])[];
  /** What no choice changes. */
  readonly constant: number;
}

/** Numbers or tensors: what costs are computed on. */
interface Algebra<Scalar, Vector> {
  constant(value: number): Scalar;
  add(a: Scalar, b: Scalar): Scalar;
  multiply(a: Scalar, b: Scalar): Scalar;
  scale(a: Scalar, by: number): Scalar;
  valueOf(a: Scalar): number;
  dot(a: Vector, weights: readonly number[]): Scalar;
  at(a: Vector, index: number): Scalar;
  weigh(a: Vector, by: Scalar): Vector;
  addVectors(a: Vector, b: Vector): Vector;
  /** aᵀ·M·b. */
  bilinear(a: Vector, matrix: readonly (readonly number[])[], b: Vector): Scalar;
}

const numbers: Algebra<number, readonly number[]> = {
  constant: (value) => value,
  add: (a, b) => a + b,
  multiply: (a, b) => a * b,
  scale: (a, by) => a * by,
  valueOf: (a) => a,
  dot: (a, weights) => a.reduce((total, own, at) => total + own * (weights[at] as number), 0),
  at: (a, index) => a[index] as number,
  weigh: (a, by) => a.map((own) => own * by),
  addVectors: (a, b) => a.map((own, at) => own + (b[at] as number)),
  bilinear: (a, matrix, b) =>
    a.reduce((total, own, i) => total + own * numbers.dot(b, matrix[i] as readonly number[]), 0),
};

const tensors: Algebra<Tensor, Tensor> = {
  constant: (value) => tensor(value),
  add,
  multiply,
  scale: multiply,
  valueOf: (a) => a.item(),
  dot: (a, weights) => sum(multiply(a, tensor([...weights]))),
  at: (a, index) => sum(slice(a, [index, index + 1])),
  weigh: multiply,
  addVectors: add,
  bilinear: (a, matrix, b) =>
    sum(matmul(matmul(reshape(a, [1, -1]), tensor(matrix.flat(), [a.size, b.size])), reshape(b, [-1, 1]))),
};

/** Probabilities of the candidates of every group and every stage. */
interface Probabilities<Vector> {
  readonly widths: readonly Vector[];
  readonly depths: readonly Vector[];
}

/** Σ of all costs. */
function expected<Scalar, Vector>(
  algebra: Algebra<Scalar, Vector>,
  space: ShapeChoices,
  tables: CostTables,
  { widths, depths }: Probabilities<Vector>,
): Scalar {
  const { groups, stages } = space;
  const counts = widths.map((own, at) => algebra.dot(own, (groups[at] as SearchedGroup).candidates));
  const stageCounts = stages.map(({ candidates, outputs }, stage) =>
    candidates
      .map((depth, at) => {
        const group = outputs[depth - 1];
        const share = algebra.at(depths[stage] as Vector, at);
        return group === undefined ? share : algebra.multiply(share, counts[group] as Scalar);
      })
      .reduce(algebra.add),
  );
  const countOf = ({ kind, at }: Source) => (kind === 'group' ? counts : stageCounts)[at] as Scalar;
  const lengthOf = ({ fixed, terms }: AxisLength) =>
    terms.reduce(
      (total, { source, count }) => algebra.add(total, algebra.scale(countOf(source), count)),
      algebra.constant(fixed),
    );
  const kept = (cost: Scalar, place: BlockPlace | undefined) =>
    place ? algebra.multiply(cost, tailOf(algebra, space, depths, place)) : cost;
  const layers = space.products.map(({ outputs, inputs, place }, at) =>
    kept(onGrid(algebra, tables.products[at] as CostGrid, lengthOf(outputs), lengthOf(inputs)), place),
  );
  const shortcuts = space.crossings.map(({ input, output, place }, at) =>
    kept(
      algebra.bilinear(
        sourceWidths(algebra, space, { widths, depths }, input),
        tables.crossings[at] as number[][],
        widths[output] as Vector,
      ),
      place,
    ),
  );
  return [...layers, ...shortcuts].reduce(algebra.add, algebra.constant(tables.constant));
}

/** Probability that a block is kept. */
function tailOf<Scalar, Vector>(
  algebra: Algebra<Scalar, Vector>,
  { stages }: ShapeChoices,
  depths: readonly Vector[],
  { stage, block }: BlockPlace,
): Scalar {
  const { candidates } = stages[stage] as ShapeChoices['stages'][number];
  return algebra.dot(
    depths[stage] as Vector,
    candidates.map((depth) => Number(depth > block)),
  );
}

/** Probabilities of the widths of a source: after a stage, those of the block that is kept last. */
function sourceWidths<Scalar, Vector>(
  algebra: Algebra<Scalar, Vector>,
  { stages }: ShapeChoices,
  { widths, depths }: Probabilities<Vector>,
  { kind, at }: Source,
): Vector {
  if (kind === 'group') return widths[at] as Vector;
  const { candidates, outputs } = stages[at] as ShapeChoices['stages'][number];
  return candidates
    .map((depth, index) =>
      algebra.weigh(widths[outputs[depth - 1] as number] as Vector, algebra.at(depths[at] as Vector, index)),
    )
    .reduce(algebra.addVectors);
}

/** The cell of an ascending axis that a value lies in, the nearest where it lies outside. */
function cellOf(axis: readonly number[], value: number): number {
  let at = 0;
  while (at < axis.length - 2 && value > (axis[at + 1] as number)) at++;
  return at;
}

/** Bilinear interpolation. */
function onGrid<Scalar, Vector>(
  algebra: Algebra<Scalar, Vector>,
  { outputs, inputs, values }: CostGrid,
  made: Scalar,
  read: Scalar,
): Scalar {
  const [i, j] = [cellOf(outputs, algebra.valueOf(made)), cellOf(inputs, algebra.valueOf(read))];
  const value = (a: number, b: number) => (values[a] as readonly number[])[b] as number;
  /** Where a value lies in its cell: 0 … 1. */
  const within = (axis: readonly number[], at: number, own: Scalar) => {
    const [low, high] = [axis[at] as number, axis[at + 1] as number];
    return algebra.scale(algebra.add(own, algebra.constant(-low)), 1 / (high - low));
  };
  const along = (row: number) => {
    const first = algebra.constant(value(row, j));
    if (inputs.length === 1) return first;
    return algebra.add(first, algebra.scale(within(inputs, j, read), value(row, j + 1) - value(row, j)));
  };
  if (outputs.length === 1) return along(0);
  const [lower, upper] = [along(i), along(i + 1)];
  return algebra.add(lower, algebra.multiply(within(outputs, i, made), algebra.add(upper, algebra.scale(lower, -1))));
}

/** Multiply-adds as tables. */
export function macTables({ products, crossings, groups, constant }: ShapeChoices): CostTables {
  return {
    unit: 'macs',
    constant,
    products: products.map(macGrid),
    crossings: crossings.map((crossing) => projectionCosts(groups, crossing, (a, b) => pixelsOf(crossing) * a * b)),
  };
}

function macGrid({ full: [outputs, inputs], multiplyAdds }: ProductLayer): CostGrid {
  return {
    outputs: [0, outputs],
    inputs: [0, inputs],
    values: [
      [0, 0],
      [0, multiplyAdds],
    ],
  };
}

const pixelsOf = ({ side: [height, width] }: Crossing) => height * width;

/** The cost of a projection from each candidate to each; none where they are equal. */
export function projectionCosts(
  groups: ShapeChoices['groups'],
  { output }: Crossing,
  costOf: (inputs: number, outputs: number) => number,
): number[][] {
  const { candidates } = groups[output] as SearchedGroup;
  return candidates.map((a) => candidates.map((b) => (a === b ? 0 : costOf(a, b))));
}

/**
 * The cost of a shape, at any widths and depths: that of the network that `applyShape` builds. In
 * multiply-adds it is exact.
 */
export function costOfShape(space: ShapeChoices, tables: CostTables, { widths, depths }: NetworkShape): number {
  const count = ({ name, channels }: SearchedGroup) => widths[name] ?? channels;
  // One-hot rows of the one width and depth that the shape has.
  const groups = space.groups.map((group) => ({ ...group, candidates: [count(group)] }));
  const stages = space.stages.map((stage) => ({ ...stage, candidates: [depths[stage.name] ?? stage.blocks] }));
  const own = { ...space, groups, stages };
  const crossings = space.crossings.map(({ input, output }, at) => {
    const group =
      input.kind === 'group' ? input.at : stages[input.at]?.outputs[(stages[input.at]?.candidates[0] ?? 1) - 1];
    const [a, b] = [group, output].map((index) => groups[index as number]?.candidates[0] as number) as [number, number];
    return [[a === b ? 0 : projectionAt(space, tables, at, a, b)]];
  });
  const rows = { widths: groups.map(() => [1]), depths: stages.map(() => [1]) };
  const cost = expected(numbers, own, { ...tables, crossings }, rows);
  return tables.unit === 'macs' ? Math.round(cost) : cost;
}

/** The cost of a projection of any widths, from the table of the candidates. */
function projectionAt(
  { groups, crossings }: ShapeChoices,
  tables: CostTables,
  at: number,
  a: number,
  b: number,
): number {
  const crossing = crossings[at] as Crossing;
  if (tables.unit === 'macs') return pixelsOf(crossing) * a * b;
  const { candidates } = groups[crossing.output] as SearchedGroup;
  const values = tables.crossings[at] as number[][];
  if (candidates.length === 1) return 0;
  return onGrid(numbers, { outputs: candidates, inputs: candidates, values: filled(values) }, a, b);
}

/** A table of projections whose diagonal, which costs nothing, is the mean beside it. */
function filled(values: readonly (readonly number[])[]): number[][] {
  return values.map((row, i) =>
    row.map((own, j) => {
      if (i !== j) return own;
      const beside = [row[j - 1], row[j + 1]].filter((next): next is number => next !== undefined);
      return beside.reduce((total, next) => total + next, 0) / Math.max(1, beside.length);
    }),
  );
}

/** The expected cost of probabilities, as a number. */
export function expectedCost(space: ShapeChoices, tables: CostTables, rows: Probabilities<readonly number[]>): number {
  return expected(numbers, space, tables, rows);
}

/**
 * The expected cost of softmax of the logits, without noise, as a tensor whose gradient reaches
 * them.
 *
 * @param widths α of every group [candidates]
 * @param depths β of every stage [candidates]
 */
export function expectedCostOf(
  space: ShapeChoices,
  tables: CostTables,
  { widths, depths }: Probabilities<Tensor>,
): Tensor {
  const rows = { widths: widths.map((own) => softmax(own)), depths: depths.map((own) => softmax(own)) };
  return expected(tensors, space, tables, rows);
}
