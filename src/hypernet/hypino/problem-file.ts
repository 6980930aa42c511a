// Problems as data: an object that JSON can hold, on any rectangle, with formulas in x and y.

import { type Field, formula } from './formula.js';
import { disk, polygon, type Region } from './geometry.js';
import {
  type BoundaryData,
  type BoundaryField,
  type Coefficients,
  type Edge,
  edges,
  type Hole,
  isEvolution,
  kindOf,
  type Problem,
  requireProblem,
  terms,
} from './problem.js';

/** Numbers on a regular grid over the box, rows from the largest y down; bilinear between. */
export interface GridValues {
  /** Rows of numbers. */
  readonly grid: readonly (readonly number[])[];
}

/** A function of position: a number, a formula, or numbers on a grid. */
export type FieldDescription = number | string | GridValues;

/** Data on an edge or a hole. `velocity`, on the bottom edge of a hyperbolic problem: u_t. */
export interface BoundaryDescription {
  /** u. */
  readonly dirichlet?: FieldDescription;
  /** The derivative of u along the normal that leads out. */
  readonly neumann?: FieldDescription;
  /** u_t at the start. */
  readonly velocity?: FieldDescription;
}

/** A hole with its data: one of the three shapes. */
export interface HoleDescription extends Omit<BoundaryDescription, 'velocity'> {
  /** Centre and radius. */
  readonly disk?: readonly [x: number, y: number, radius: number];
  /** Two opposite corners. */
  readonly rectangle?: readonly [x0: number, y0: number, x1: number, y1: number];
  /** Corners in order. */
  readonly polygon?: readonly (readonly [x: number, y: number])[];
}

/** A problem as its file states it. */
export interface ProblemDescription {
  /** Coefficients of u, ux, uy, uxx, uyy; those left out are 0. */
  readonly operator: Readonly<Record<string, number>>;
  /** Default: [−1, 1] in both directions. In problems in time y is the time. */
  readonly box?: { readonly x: readonly [number, number]; readonly y: readonly [number, number] };
  /** f. Default: 0. */
  readonly source?: FieldDescription;
  /** Data on left, right, bottom and top; `all` holds for those that are not named. */
  readonly boundary?: Readonly<Partial<Record<Edge | 'all', BoundaryDescription>>>;
  /** Default: none. */
  readonly holes?: readonly HoleDescription[];
  /** The solution, where it is known, for the error. */
  readonly exact?: FieldDescription;
}

/** Rectangle of a problem. */
export interface ProblemBox {
  /** Range of x. */
  readonly x: readonly [low: number, high: number];
  /** Range of y. */
  readonly y: readonly [low: number, high: number];
}

/** A problem on [−1, 1]² and the rectangle that it stands for. */
export interface StatedProblem {
  /** On [−1, 1]². */
  readonly problem: Problem;
  /** The rectangle. */
  readonly box: ProblemBox;
}

const unitBox: ProblemBox = { x: [-1, 1], y: [-1, 1] };

/** Points of the outline by which a disk in a rectangle that is no square is drawn. */
const OUTLINE = 128;

/**
 * Reads a problem and scales it to [−1, 1]² by the chain rule.
 *
 * @throws Error naming the field that is missing or not understood, and what to write there
 */
export function problemOf(description: ProblemDescription): StatedProblem {
  requireObject('problem', description, ['operator', 'box', 'source', 'boundary', 'holes', 'exact', 'about']);
  const box = boxOf(description.box ?? unitBox);
  const [sx, sy] = [2 / (box.x[1] - box.x[0]), 2 / (box.y[1] - box.y[0])];
  const scaled = scaling(box);
  const [u, ux, uy, uxx, uyy] = coefficientsOf(description.operator);
  const operator: Coefficients = [u, ux * sx, uy * sy, uxx * sx * sx, uyy * sy * sy];
  const sides = edgesOf(description, operator, scaled, { sx, sy });
  const holes = (description.holes ?? []).map((hole, i) => holeOf(hole, `holes[${i}]`, box, scaled));
  const problem: Problem = {
    operator,
    source: scaled(description.source ?? 0, 'source'),
    edges: sides,
    holes,
    exact: description.exact === undefined ? undefined : scaled(description.exact, 'exact'),
  };
  requireProblem(problem);
  requireWellStated(problem);
  return { problem, box };
}

type Scaled = (field: FieldDescription, what: string) => Field;

/** Reads fields of the box as functions on [−1, 1]². */
function scaling(box: ProblemBox): Scaled {
  const [[x0, x1], [y0, y1]] = [box.x, box.y];
  return (field, what) => {
    const own = fieldOf(field, what, box);
    return (x, y) => own(x0 + ((x + 1) / 2) * (x1 - x0), y0 + ((y + 1) / 2) * (y1 - y0));
  };
}

function requireObject(what: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what}: expected an object with ${known.join(', ')}`);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Error(`${what}: "${unknown}" is unknown; known are ${known.join(', ')}`);
}

function boxOf({ x, y }: ProblemBox): ProblemBox {
  for (const [name, range] of Object.entries({ x, y }))
    if (!Array.isArray(range) || range.length !== 2 || !range.every(Number.isFinite) || !(range[0] < range[1]))
      throw new Error(
        `box.${name}: expected [low, high], two numbers in ascending order, got ${JSON.stringify(range)}`,
      );
  return { x, y };
}

function coefficientsOf(operator: Readonly<Record<string, unknown>> | undefined): Coefficients {
  if (operator === undefined)
    throw new Error(
      `problem: "operator" is missing; give coefficients of ${terms.join(', ')}, as {"uxx": 1, "uyy": 1}`,
    );
  if ('uxy' in operator)
    throw new Error('operator: mixed derivatives (uxy) are outside of the class; turn the axes so that they vanish');
  requireObject('operator', operator, terms);
  for (const [name, value] of Object.entries(operator))
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new Error(
        `operator.${name}: expected a number, got ${JSON.stringify(value)}; only linear equations with constant coefficients are solved`,
      );
  return terms.map((term) => operator[term] ?? 0) as unknown as Coefficients;
}

function fieldOf(field: FieldDescription, what: string, box: ProblemBox): Field {
  if (typeof field === 'number' || typeof field === 'string') return formula(field, what);
  requireObject(what, field, ['grid']);
  return gridField(field, what, box);
}

/** Bilinear interpolation of numbers on a regular grid over a box. */
function gridField({ grid }: GridValues, what: string, { x: [x0, x1], y: [y0, y1] }: ProblemBox): Field {
  const columns = Array.isArray(grid) ? (grid[0]?.length ?? 0) : 0;
  const isWhole = Array.isArray(grid) && grid.length > 1 && columns > 1;
  if (!isWhole || !grid.every((row) => row.length === columns && row.every(Number.isFinite)))
    throw new Error(`${what}: a grid needs at least two rows and two columns of finite numbers, rows equally long`);
  const place = (share: number, count: number) => {
    const at = Math.min(count - 1, Math.max(0, share * (count - 1)));
    const low = Math.min(count - 2, Math.floor(at));
    return [low, at - low] as const;
  };
  return (x, y) => {
    const [row, down] = place((y1 - y) / (y1 - y0), grid.length);
    const [column, right] = place((x - x0) / (x1 - x0), columns);
    const along = (r: number) => {
      const values = grid[r] as readonly number[];
      return (1 - right) * (values[column] as number) + right * (values[column + 1] as number);
    };
    return (1 - down) * along(row) + down * along(row + 1);
  };
}

function edgesOf(
  { boundary = {} }: ProblemDescription,
  operator: Coefficients,
  scaled: Scaled,
  { sx, sy }: { readonly sx: number; readonly sy: number },
): Problem['edges'] {
  requireObject('boundary', boundary, [...edges, 'all']);
  const evolves = isEvolution(operator);
  const found: Partial<Record<Edge, BoundaryData>> = {};
  for (const edge of edges) {
    // The end of time is free.
    const given = boundary[edge] ?? (evolves && edge === 'top' ? undefined : boundary.all);
    if (given === undefined) continue;
    const what = `boundary.${edge}`;
    requireObject(what, given, ['dirichlet', 'neumann', 'velocity']);
    const starts = evolves && edge === 'bottom';
    if (evolves && edge === 'top')
      throw new Error(`${what}: y is time in this equation, and its end has no data; leave "top" out`);
    if (given.velocity !== undefined && !(starts && kindOf(operator) === 'hyperbolic'))
      throw new Error(`${what}: "velocity" belongs to the bottom edge of hyperbolic equations`);
    if (starts && boundary.bottom?.neumann !== undefined)
      throw new Error(`${what}: y is time in this equation; give "velocity" for u_t at the start`);
    const flux = starts ? given.velocity : given.neumann;
    const scale = edge === 'left' || edge === 'right' ? sx : sy;
    found[edge] = {
      dirichlet: given.dirichlet === undefined ? undefined : scaled(given.dirichlet, `${what}.dirichlet`),
      neumann: flux === undefined ? undefined : divided(scaled(flux, what), scale),
    };
  }
  return found;
}

const divided =
  (field: Field, by: number): BoundaryField =>
  (x, y) =>
    field(x, y) / by;

function holeOf(hole: HoleDescription, what: string, box: ProblemBox, scaled: Scaled): Hole {
  requireObject(what, hole, ['disk', 'rectangle', 'polygon', 'dirichlet', 'neumann']);
  const [sx, sy] = [2 / (box.x[1] - box.x[0]), 2 / (box.y[1] - box.y[0])];
  const isSquare = Math.abs(sx - sy) < 1e-9 * sx;
  if (hole.neumann !== undefined && !isSquare)
    throw new Error(`${what}: Neumann data on holes need a square box, since normals change in others`);
  return {
    region: regionOf(hole, what, box),
    dirichlet: hole.dirichlet === undefined ? undefined : scaled(hole.dirichlet, `${what}.dirichlet`),
    neumann: hole.neumann === undefined ? undefined : divided(scaled(hole.neumann, `${what}.neumann`), sx),
  };
}

function regionOf(hole: HoleDescription, what: string, { x: [x0, x1], y: [y0, y1] }: ProblemBox): Region {
  const [sx, sy] = [2 / (x1 - x0), 2 / (y1 - y0)];
  const moved = ([x, y]: readonly [number, number]) => [sx * (x - x0) - 1, sy * (y - y0) - 1] as const;
  const shapes = [hole.disk, hole.rectangle, hole.polygon].filter((shape) => shape !== undefined);
  if (shapes.length !== 1)
    throw new Error(`${what}: give one of disk [x, y, radius], rectangle [x0, y0, x1, y1], polygon [[x, y], …]`);
  const numbers = shapes.flat(2) as readonly unknown[];
  if (!numbers.every((value) => typeof value === 'number' && Number.isFinite(value)))
    throw new Error(`${what}: its shape must be made of numbers, got ${JSON.stringify(shapes[0])}`);
  if (hole.disk) {
    const [x, y, radius] = hole.disk;
    const [cx, cy] = moved([x, y]);
    if (Math.abs(sx - sy) < 1e-9 * sx) return disk(cx, cy, sx * radius);
    if (!(radius > 0)) throw new Error(`${what}: the radius must be positive, got ${radius}`);
    return polygon(
      Array.from({ length: OUTLINE }, (_, i) => {
        const angle = (2 * Math.PI * i) / OUTLINE;
        return moved([x + radius * Math.cos(angle), y + radius * Math.sin(angle)]);
      }),
    );
  }
  if (hole.rectangle) {
    const [a, b, c, d] = hole.rectangle;
    return polygon([moved([a, b]), moved([c, b]), moved([c, d]), moved([a, d])]);
  }
  return polygon((hole.polygon ?? []).map(moved));
}

/** @throws Error when an edge lacks the data that the type of the equation needs */
function requireWellStated({ operator, edges: given, holes }: Problem): void {
  const kind = kindOf(operator);
  const has = (edge: Edge) => given[edge]?.dirichlet !== undefined || given[edge]?.neumann !== undefined;
  const walls = isEvolution(operator) ? (['left', 'right'] as const) : edges;
  const bare = kind === 'first-order' ? undefined : walls.find((edge) => !has(edge));
  if (bare !== undefined)
    throw new Error(
      `problem: boundary data are missing at "${bare}"; write boundary: {"${bare}": {"dirichlet": 0}} or, for all edges, {"all": {"dirichlet": 0}}`,
    );
  holes.forEach(({ dirichlet, neumann }, i) => {
    if (!dirichlet && !neumann)
      throw new Error(`holes[${i}]: boundary data are missing; give "dirichlet" or "neumann" on its outline`);
  });
  if (!isEvolution(operator)) return;
  if (!given.bottom?.dirichlet)
    throw new Error('problem: the initial values are missing; write boundary: {"bottom": {"dirichlet": "sin(pi*x)"}}');
  if (kind === 'hyperbolic' && !given.bottom.neumann)
    throw new Error(
      'problem: a hyperbolic equation needs u_t at the start; write boundary: {"bottom": {…, "velocity": 0}}',
    );
}
