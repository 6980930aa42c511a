// Models of `gossamer fit --model hypino`, which solve problems, and solutions of `gossamer solve
// --save`, which give u at points.

import { readBytes } from '../../data/node.js';
import { HyPINO, reportOf, Solution, sizeOfModel, solveByNetwork } from '../../hypernet/index.js';
import { loadPoints, loadProblem, nodesOf, toSquare } from '../problems.js';
import { onlyPath, type Predictor } from './predictor.js';

/** Nodes a side of the table that a prediction gives. */
const NODES = 33;

/** A model that solves the problem in a file. */
export function open(path: string): Predictor {
  const model = HyPINO.load(readBytes(path), path);
  return {
    reads: [],
    predict: async (paths) => {
      const { problem, box } = loadProblem(onlyPath(paths));
      const { grid } = reportOf(problem, solveByNetwork(model, problem).solution, NODES);
      const { x, y } = nodesOf(box, NODES);
      const rows = Array.from(grid.values, (u, at) => [
        x[at % NODES] as number,
        y[Math.floor(at / NODES)] as number,
        u,
      ]);
      return { columns: ['x', 'y', 'u'], rows };
    },
    describe: () => {
      const { trained, target, grid } = model;
      return [
        'Solves linear differential equations of second order in two dimensions: gossamer solve problem.json --model FILE',
        `Hypernetwork  ${sizeOfModel(model)} numbers; it reads grids of ${grid} × ${grid} and makes networks of ${target.size} numbers`,
        trained
          ? `Training      ${trained.steps} steps on the family "${trained.family}"; relative residual ${trained.residual.toPrecision(3)}, boundary error ${trained.boundary.toPrecision(3)}`
          : 'Training      none',
      ];
    },
  };
}

/** A solution that gives u at points. */
export function openSolution(path: string): Predictor {
  const { solution, box } = Solution.load(readBytes(path), path);
  return {
    reads: [],
    predict: async (paths) => {
      const points = loadPoints(onlyPath(paths));
      const u = solution.valuesAt(toSquare(box, points));
      return {
        columns: ['x', 'y', 'u'],
        rows: Array.from(u, (value, i) => [points[2 * i] as number, points[2 * i + 1] as number, value]),
      };
    },
    describe: () => [
      `Gives u at points (columns x and y) of [${box.x.join(', ')}] × [${box.y.join(', ')}]`,
      `Networks      ${solution.members.length} of ${solution.target.size} numbers`,
    ],
  };
}
