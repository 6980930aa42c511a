import { describe, expect, test } from 'vitest';
import {
  benchmark,
  benchmarkNames,
  boundaryPoints,
  type Coefficients,
  canonical,
  disk,
  domainDistance,
  formula,
  gridsOf,
  kindOf,
  type Problem,
  type ProblemDescription,
  piecesOf,
  polygon,
  positionOf,
  problemOf,
  scaleOf,
} from '../../../src/hypernet/hypino/index.js';
import { Random } from '../../../src/tensor/index.js';
import { planeDerivatives } from '../../oracle.js';

const apply = (operator: Coefficients, jet: readonly number[]) =>
  operator.reduce((sum, c, i) => sum + c * (jet[i] as number), 0);

describe('formulas', () => {
  test('follow the usual precedence', () => {
    expect(formula('-x^2+2*x*y/4-3')(2, 5)).toBe(-4 + 5 - 3);
    expect(formula('2^3^2')(0, 0)).toBe(512);
    expect(formula('exp(-y)*sin(pi*x)')(0.5, 1)).toBeCloseTo(Math.exp(-1), 12);
    expect(formula('1e-2*t')(0, 3)).toBeCloseTo(0.03, 12);
  });

  test('what is not understood is named', () => {
    expect(() => formula('sin x', 'source')).toThrow(
      'source: "sin x" is no formula: "sin" needs an argument in parentheses',
    );
    expect(() => formula('z+1')).toThrow('"z" is unknown; known are x, y, pi, e, sin');
    expect(() => formula('(x')).toThrow('a parenthesis is not closed');
    expect(() => formula('x y')).toThrow('"y" follows what is complete');
    expect(() => formula('x;y')).toThrow('";" is not understood');
    expect(() => formula('')).toThrow('it is empty');
  });
});

describe('types of equations', () => {
  test('go by the sign of the product of second derivatives, and by values', () => {
    expect(kindOf([0, 0, 0, 1, 2])).toBe('elliptic');
    expect(kindOf([0, 0, 0, -1, -2])).toBe('elliptic');
    expect(kindOf([0, 0, 1, 1, 0])).toBe('parabolic');
    expect(kindOf([0, 0, 0, 1, -2])).toBe('hyperbolic');
    expect(kindOf([1, 1, 1, 0, 0])).toBe('first-order');
  });

  test('the canonical form is the same equation with coefficients of at most 1', () => {
    const given: Problem = { operator: [4, 0, 0, -2, -8], source: (x, y) => x + y, edges: {}, holes: [] };
    const { operator, source } = canonical(given);
    expect(operator).toEqual([-0.5, -0, -0, 0.25, 1]);
    expect(source(1, 3)).toBe(-0.5);
  });
});

describe('geometry', () => {
  const square = polygon([
    [-0.5, -0.25],
    [0.5, -0.25],
    [0.5, 0.25],
    [-0.5, 0.25],
  ]);

  test('signed distances and normals of a rectangle and a disk', () => {
    expect(square.nearest(0, 0).distance).toBeCloseTo(-0.25, 12);
    expect(square.nearest(0.8, 0)).toMatchObject({ x: 0.5, y: 0, nx: 1 });
    expect(square.nearest(0.8, 0.65).distance).toBeCloseTo(0.5, 12);
    const round = disk(0.1, 0, 0.3).nearest(0.1, 0.5);
    expect(round.distance).toBeCloseTo(0.2, 12);
    expect([round.nx, round.ny]).toEqual([0, 1]);
  });

  test('normals lead outwards, whichever way the corners run', () => {
    const turned = polygon([
      [0, 0],
      [0, 1],
      [1, 0],
    ]);
    for (let i = 0; i < 12; i++) {
      const { x, y, nx, ny } = turned.outline((i + 0.5) / 12);
      expect(turned.nearest(x + 1e-3 * nx, y + 1e-3 * ny).distance).toBeGreaterThan(0);
      expect(turned.nearest(x - 1e-3 * nx, y - 1e-3 * ny).distance).toBeLessThan(0);
    }
  });

  test('shapes without an inside are refused', () => {
    expect(() =>
      polygon([
        [0, 0],
        [1, 1],
        [2, 2],
      ]),
    ).toThrow('the corners lie on a line');
    expect(() =>
      polygon([
        [0, 0],
        [1, 1],
        [1, 0],
        [0, 1.5],
      ]),
    ).toThrow('its sides cross');
    expect(() => disk(0, 0, 0)).toThrow('a positive radius');
  });

  test('the normals of a problem lead out of its domain', () => {
    const problem = benchmark('poisson_C');
    for (const { x, y, nx, ny } of boundaryPoints(problem, 60, new Random(1)))
      expect(domainDistance(problem, x + 1e-3 * nx, y + 1e-3 * ny)).toBeGreaterThan(0);
  });

  test('edges that a hole cuts off hold no points', () => {
    for (const { x, y } of boundaryPoints(benchmark('poisson_L'), 200, new Random(1)))
      expect(x > 1e-6 && y > 1e-6).toBe(false);
  });
});

describe('problem files', () => {
  const laplace: ProblemDescription = { operator: { uxx: 1, uyy: 1 }, boundary: { all: { dirichlet: 'x*y' } } };

  test('closed forms of the benchmarks satisfy equation, boundary and initial data', () => {
    const known = benchmarkNames.filter((name) => benchmark(name).exact);
    expect(known).toEqual(['heat', 'helmholtz', 'wave']);
    for (const name of known) {
      const problem = benchmark(name);
      const exact = problem.exact as (x: number, y: number) => number;
      for (const [x, y] of [
        [0.3, -0.2],
        [-0.7, 0.6],
        [0.1, 0.9],
      ] as const)
        expect(
          Math.abs(apply(problem.operator, planeDerivatives(exact, x, y)) - problem.source(x, y)),
          name,
        ).toBeLessThan(2e-3);
      for (const { piece, x, y, nx, ny } of boundaryPoints(problem, 60, new Random(2))) {
        const [u, ux, uy] = planeDerivatives(exact, x, y) as [number, number, number];
        if (piece.dirichlet) expect(piece.dirichlet(x, y, nx, ny), name).toBeCloseTo(u, 5);
        if (piece.neumann) expect(piece.neumann(x, y, nx, ny), name).toBeCloseTo(nx * ux + ny * uy, 4);
      }
    }
  });

  test('a problem on a rectangle is the same one on the square, by the chain rule', () => {
    // u = sin(X)·Y² on [0, 3] × [1, 2]: u_XX + 2·u_YY + u_X = f.
    const u = (X: number, Y: number) => Math.sin(X) * Y ** 2;
    const { problem } = problemOf({
      operator: { uxx: 1, uyy: 2, ux: 1 },
      box: { x: [0, 3], y: [1, 2] },
      source: '-sin(x)*y^2+4*sin(x)+cos(x)*y^2',
      boundary: {
        all: { dirichlet: 'sin(x)*y^2' },
        right: { neumann: 'cos(x)*y^2' },
        bottom: { neumann: '-2*sin(x)*y' },
      },
      holes: [{ disk: [1.5, 1.5, 0.2], dirichlet: 'sin(x)*y^2' }],
    });
    const moved = (x: number, y: number) => u(1.5 * (x + 1), 1 + (y + 1) / 2);
    for (const [x, y] of [
      [0.3, -0.2],
      [-0.7, 0.6],
    ] as const)
      expect(apply(problem.operator, planeDerivatives(moved, x, y))).toBeCloseTo(problem.source(x, y), 3);
    for (const { piece, x, y, nx, ny } of boundaryPoints(problem, 80, new Random(3))) {
      const [value, ux, uy] = planeDerivatives(moved, x, y) as [number, number, number];
      if (piece.dirichlet) expect(piece.dirichlet(x, y, nx, ny)).toBeCloseTo(value, 5);
      if (piece.neumann) expect(piece.neumann(x, y, nx, ny)).toBeCloseTo(nx * ux + ny * uy, 4);
    }
    // The outline of the disk in the square's coordinates is an ellipse.
    const [hole] = piecesOf(problem) as [ReturnType<typeof piecesOf>[number]];
    const { x, y } = hole.outline(0.1);
    expect(Math.hypot((1.5 * (x + 1) - 1.5) / 0.2, (1 + (y + 1) / 2 - 1.5) / 0.2)).toBeCloseTo(1, 2);
  });

  test('numbers on a grid are interpolated, rows from the top', () => {
    const { problem } = problemOf({
      ...laplace,
      source: {
        grid: [
          [0, 1],
          [2, 3],
        ],
      },
    });
    expect(problem.source(-1, 1)).toBe(0);
    expect(problem.source(1, -1)).toBe(3);
    expect(problem.source(0, 0)).toBe(1.5);
  });

  test('what is missing or outside of the class is said with what to do', () => {
    const refused = (description: unknown, message: string) => {
      expect(() => problemOf(description as ProblemDescription)).toThrow(message);
    };
    refused(
      { operator: { uxx: 1, uyy: 1 } },
      'there are no boundary data, without which the solution is not determined',
    );
    const three = { right: { dirichlet: 0 }, top: { dirichlet: 0 }, bottom: { dirichlet: 0 } };
    refused(
      { ...laplace, boundary: three },
      'boundary data are missing at "left"; write boundary: {"left": {"dirichlet": 0}}',
    );
    refused({ boundary: {} }, '"operator" is missing; give coefficients of u, ux, uy, uxx, uyy');
    refused({ ...laplace, operator: { uxx: 1, uxy: 1 } }, 'mixed derivatives (uxy) are outside of the class');
    refused({ ...laplace, operator: { uxx: 'u' } }, 'only linear equations with constant coefficients');
    refused({ ...laplace, operator: { uxx: 0 } }, 'all coefficients are 0');
    refused({ ...laplace, sauce: 1 }, '"sauce" is unknown; known are operator, box, source');
    refused({ ...laplace, holes: [{ disk: [0, 0, 0.1] }] }, 'holes[0]: boundary data are missing');
    refused({ ...laplace, holes: [{ dirichlet: 0 }] }, 'holes[0]: give one of disk');
    refused({ ...laplace, box: { x: [1, 0], y: [0, 1] } }, 'box.x: expected [low, high]');
    const heat = { operator: { uxx: 1, uy: -1 }, boundary: { left: { dirichlet: 0 }, right: { dirichlet: 0 } } };
    refused(heat, 'the initial values are missing');
    refused(
      { ...heat, boundary: { ...heat.boundary, bottom: { dirichlet: 0 }, top: { dirichlet: 0 } } },
      'its end has no data',
    );
    refused(
      { ...heat, operator: { uxx: 1, uyy: -1 }, boundary: { ...heat.boundary, bottom: { dirichlet: 0 } } },
      'needs u_t at the start',
    );
    refused(
      { ...laplace, box: { x: [0, 2], y: [0, 1] }, holes: [{ disk: [1, 0.5, 0.1], neumann: 0 }] },
      'Neumann data on holes need a square box',
    );
  });
});

describe('grids', () => {
  test('the first row is y = 1, and lines hold the data of the nearest part', () => {
    const { problem } = problemOf({
      operator: { uxx: 1, uyy: 1 },
      source: 'x+10*y',
      boundary: { all: { dirichlet: '3' }, top: { dirichlet: 'x' }, right: { neumann: '7' } },
    });
    const n = 9;
    const { values, normals, distance } = gridsOf(problem, n);
    const at = (channel: number, row: number, column: number) => values[(channel * n + row) * n + column];
    expect(at(4, 0, 4)).toBe(10);
    expect(at(4, 4, 8)).toBe(1);
    expect([at(0, 0, 2), at(2, 0, 2)]).toEqual([1, -0.5]);
    expect([at(0, 8, 2), at(2, 8, 2)]).toEqual([1, 3]);
    expect([at(0, 4, 8), at(1, 4, 8), at(3, 4, 8)]).toEqual([0, 1, 7]);
    expect(normals[4 * n + 8]).toBe(1);
    expect(at(0, 4, 4)).toBe(0);
    expect(distance[4 * n + 4]).toBe(-1);
    expect(positionOf(0, 0, n)).toEqual([-1, 1]);
  });

  test('holes hold no source, and their outlines the data of the nearest point', () => {
    const n = 33;
    const { values, distance } = gridsOf(
      problemOf({
        operator: { uxx: 1, uyy: 1 },
        source: 5,
        boundary: { all: { dirichlet: 0 } },
        holes: [{ disk: [0, 0, 0.5], dirichlet: 'x' }],
      }).problem,
      n,
    );
    const middle = 16 * n + 16;
    expect(distance[middle]).toBeCloseTo(0.5, 6);
    expect(values[4 * n * n + middle]).toBe(0);
    expect(values[4 * n * n + 16 * n + 2]).toBe(5);
    // (0.5, 0) lies on the outline.
    expect(values[16 * n + 24]).toBe(1);
    expect(values[2 * n * n + 16 * n + 24]).toBeCloseTo(0.5, 6);
  });

  test('a mirrored problem has mirrored grids and normals', () => {
    const hole = { disk: [0.3, 0.2, 0.41] } as const;
    const mirrored = { disk: [-0.3, 0.2, 0.41] } as const;
    const one = problemOf({
      operator: { uxx: 1, uyy: 2, ux: 0.5 },
      source: 'x+y^2',
      boundary: { all: { dirichlet: 'x' }, right: { neumann: 'y' } },
      holes: [{ ...hole, neumann: 'x*y' }],
    }).problem;
    const other = problemOf({
      operator: { uxx: 1, uyy: 2, ux: -0.5 },
      source: '-x+y^2',
      boundary: { all: { dirichlet: '-x' }, left: { neumann: 'y' } },
      holes: [{ ...mirrored, neumann: '-x*y' }],
    }).problem;
    const n = 24;
    const [a, b] = [gridsOf(one, n), gridsOf(other, n)];
    for (let channel = 0; channel < 5; channel++)
      for (let row = 0; row < n; row++)
        for (let column = 0; column < n; column++) {
          const [here, there] = [row * n + column, row * n + n - 1 - column];
          expect(b.values[channel * n * n + there]).toBeCloseTo(a.values[channel * n * n + here] as number, 5);
          if (channel < 2)
            expect(b.normals[channel * n * n + there]).toBeCloseTo(
              (channel === 0 ? -1 : 1) * (a.normals[channel * n * n + here] as number),
              5,
            );
        }
    expect(scaleOf(other.operator, b).solution).toBeCloseTo(scaleOf(one.operator, a).solution, 6);
  });

  test('the size of a wave is estimated from its source', () => {
    const problem = benchmark('helmholtz');
    const { solution, terms } = scaleOf(problem.operator, gridsOf(problem, 65));
    expect(solution).toBeGreaterThan(0.4);
    expect(solution).toBeLessThan(0.7);
    expect(terms[2]).toBeGreaterThan(11);
    expect(terms[2]).toBeLessThan(14);
  });

  test('values that are not finite are refused with their place', () => {
    const { problem } = problemOf({ operator: { uxx: 1, uyy: 1 }, source: '1/x', boundary: { all: { dirichlet: 0 } } });
    expect(() => gridsOf(problem, 9)).toThrow('problem: the source is Infinity at (0.000, 1.000)');
  });
});
